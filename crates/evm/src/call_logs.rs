//! The logs of a run in the order of events, with transfers of wei among them if wanted.

use alloy_primitives::{Address, B256, Log, LogData, U256, address, b256};

/// Who is said to emit the log of a transfer
/// ([eth_simulateV1](https://github.com/ethereum/execution-apis/blob/main/docs-api/docs/ethsimulatev1-notes.mdx)).
pub const TRANSFER_EMITTER: Address = address!("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");

/// `Transfer(address,address,uint256)`.
const TRANSFER_TOPIC: B256 = b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// A log that was not undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLog {
    /// The log, or a transfer in its form.
    pub log: Log,
    /// How many came before it in the block, undone ones included.
    pub index: u64,
}

/// Logs by open frame: those of a frame that fails are dropped with it.
#[derive(Debug, Default)]
pub(crate) struct FrameLogs {
    /// Transfers are logged too.
    pub(crate) transfers: bool,
    frames: Vec<Vec<CallLog>>,
    kept: Vec<CallLog>,
    count: u64,
}

impl FrameLogs {
    /// Forgets the last run's logs; the count goes on.
    pub(crate) fn begin(&mut self) {
        self.frames.clear();
        self.kept.clear();
    }

    pub(crate) fn open_frame(&mut self) {
        self.frames.push(Vec::new());
    }

    pub(crate) fn close_frame(&mut self, failed: bool) {
        let Some(mut logs) = self.frames.pop() else { return };
        if !failed {
            self.frames.last_mut().unwrap_or(&mut self.kept).append(&mut logs);
        }
    }

    pub(crate) fn push(&mut self, log: Log) {
        let entry = CallLog { log, index: self.count };
        self.count += 1;
        self.frames.last_mut().unwrap_or(&mut self.kept).push(entry);
    }

    pub(crate) fn push_transfer(&mut self, from: Address, to: Address, wei: U256) {
        if !self.transfers || wei.is_zero() {
            return;
        }
        let topics = vec![TRANSFER_TOPIC, from.into_word(), to.into_word()];
        let data = LogData::new_unchecked(topics, wei.to_be_bytes::<32>().into());
        self.push(Log { address: TRANSFER_EMITTER, data });
    }

    pub(crate) fn take(&mut self) -> Vec<CallLog> {
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_a_failed_frame_are_dropped_but_counted() {
        let mut logs = FrameLogs { transfers: true, ..FrameLogs::default() };
        let [one, two] = [1, 2].map(Address::repeat_byte);
        logs.open_frame();
        logs.push_transfer(one, two, U256::from(5));
        logs.open_frame();
        logs.push_transfer(two, one, U256::from(6));
        logs.close_frame(true);
        logs.push(Log::default());
        logs.close_frame(false);
        let kept = logs.take();
        assert_eq!(kept.iter().map(|log| log.index).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(kept[0].log.address, TRANSFER_EMITTER);
        assert_eq!(kept[0].log.topics()[1..], [one.into_word(), two.into_word()]);
        assert_eq!(kept[0].log.data.data[..], U256::from(5).to_be_bytes::<32>());
    }

    #[test]
    fn no_wei_is_no_transfer() {
        let mut logs = FrameLogs { transfers: true, ..FrameLogs::default() };
        logs.open_frame();
        logs.push_transfer(Address::ZERO, Address::ZERO, U256::ZERO);
        logs.close_frame(false);
        assert_eq!(logs.take(), []);
    }
}
