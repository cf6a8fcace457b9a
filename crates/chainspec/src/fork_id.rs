//! Fork ids ([EIP-2124](https://eips.ethereum.org/EIPS/eip-2124), with the timestamps of
//! [EIP-6122](https://eips.ethereum.org/EIPS/eip-6122)): a short digest of the forks a chain has passed.

use crate::{ChainSpec, Switch};
use alloy_eip2124::{ForkFilter, ForkFilterKey, ForkId, Head};
use alloy_primitives::B256;

impl ChainSpec {
    /// The fork id of a chain whose head has this number and timestamp.
    pub fn fork_id(&self, genesis: ForkIdGenesis, number: u64, timestamp: u64) -> ForkId {
        self.fork_filter(genesis, number, timestamp).current()
    }

    /// What judges other nodes' fork ids, set to a head with this number and timestamp.
    pub fn fork_filter(&self, genesis: ForkIdGenesis, number: u64, timestamp: u64) -> ForkFilter {
        let head = Head { number, timestamp, ..Head::default() };
        ForkFilter::new(head, genesis.hash, genesis.timestamp, self.fork_points())
    }

    fn fork_points(&self) -> Vec<ForkFilterKey> {
        let numbers = self.schedule.entries(Switch::BlockNumber).map(|(_, number)| number);
        let timestamps = self.schedule.entries(Switch::Timestamp).map(|(_, timestamp)| timestamp);
        numbers
            .chain(self.merge_netsplit_block)
            .map(ForkFilterKey::Block)
            .chain(timestamps.chain(self.block_access_list_time).map(ForkFilterKey::Time))
            .collect()
    }
}

/// What a fork id takes from the genesis block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkIdGenesis {
    /// Hash of the genesis block.
    pub hash: B256,
    /// Its timestamp, in seconds: forks at or before it were never switched on.
    pub timestamp: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    #[track_caller]
    fn check(network: Network, number: u64, timestamp: u64, hash: u32, next: u64) {
        let genesis = network.genesis();
        let first = ForkIdGenesis { hash: network.genesis_hash(), timestamp: genesis.header.timestamp };
        let found = genesis.spec.fork_id(first, number, timestamp);
        assert_eq!(found.hash.0, hash.to_be_bytes(), "{network} at {number}, {timestamp}");
        assert_eq!(found.next, next, "{network} at {number}, {timestamp}");
    }

    #[test]
    fn mainnet_fork_ids_are_the_known_ones() {
        let check = |number, timestamp, hash, next| {
            check(Network::Mainnet, number, timestamp, hash, next);
        };
        check(0, 0, 0xfc64_ec04, 1_150_000);
        check(1_149_999, 0, 0xfc64_ec04, 1_150_000);
        check(1_150_000, 0, 0x97c2_c34c, 1_920_000);
        check(1_920_000, 0, 0x91d1_f948, 2_463_000);
        check(2_463_000, 0, 0x7a64_da13, 2_675_000);
        check(2_675_000, 0, 0x3edd_5b10, 4_370_000);
        check(4_370_000, 0, 0xa00b_c324, 7_280_000);
        check(7_280_000, 0, 0x668d_b0af, 9_069_000);
        check(9_069_000, 0, 0x879d_6e30, 9_200_000);
        check(9_200_000, 0, 0xe029_e991, 12_244_000);
        check(12_244_000, 0, 0x0eb4_40f6, 12_965_000);
        check(12_965_000, 0, 0xb715_077d, 13_773_000);
        check(13_773_000, 0, 0x20c3_27fc, 15_050_000);
        check(15_050_000, 0, 0xf0af_d0e3, 1_681_338_455);
        check(20_000_000, 1_681_338_455, 0xdce9_6c2d, 1_710_338_135);
        check(30_000_000, 1_710_338_135, 0x9f3d_2254, 1_746_612_311);
        check(30_000_000, 1_746_612_311, 0xc376_cf8b, 1_764_798_551);
        check(30_000_000, 1_764_798_551, 0x5167_e2a6, 1_765_290_071);
        check(30_000_000, 1_765_290_071, 0xcba2_a1c0, 1_767_747_671);
        check(30_000_000, 1_767_747_671, 0x07c9_462e, 0);
    }

    #[test]
    fn testnet_fork_ids_are_the_known_ones() {
        check(Network::Sepolia, 0, 0, 0xfe33_66e7, 1_735_371);
        check(Network::Sepolia, 1_735_371, 0, 0xb96c_bd13, 1_677_557_088);
        check(Network::Sepolia, 1_735_372, 1_741_159_776, 0xed88_b5fd, 1_760_427_360);
        check(Network::Sepolia, 1_735_372, 1_761_607_008, 0x2689_56b6, 0);
        check(Network::Holesky, 0, 0, 0xc61a_6098, 1_696_000_704);
        check(Network::Holesky, 123, 1_760_389_824, 0x9bc6_cb31, 0);
        check(Network::Hoodi, 0, 0, 0xbef7_1d30, 1_742_999_832);
        check(Network::Hoodi, 123, 1_762_955_544, 0x23aa_1351, 0);
    }
}
