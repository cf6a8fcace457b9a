//! Each rule once, with the words that users see.

use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Bytes, TxKind, U256};
use balsa_chainspec::Fork;
use balsa_evm::Transaction;

use super::fixtures::{ETHER, GWEI, Signer, TARGET, TestAccount, account, encoded, encoded_whole, head, payment};
use crate::{Limits, Pool, PoolError};

fn signer() -> Signer {
    Signer::new(1)
}

fn pool(fork: Fork) -> Pool {
    Pool::new(Limits::default(), head(fork, &[account(&signer(), 5, ETHER)]))
}

/// What an error begins with; the whole of it where it has no figures of ours.
fn refused(fork: Fork, transaction: &Transaction) -> String {
    pool(fork).add(&encoded(transaction)).unwrap_err().to_string()
}

fn dynamic(change: impl FnOnce(&mut TxEip1559)) -> Transaction {
    let mut transaction = TxEip1559 { nonce: 5, ..payment() };
    change(&mut transaction);
    signer().dynamic(transaction)
}

fn set_code(authorities: &[Signer]) -> Transaction {
    signer().set_code(TxEip7702 {
        chain_id: 1,
        nonce: 5,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TARGET,
        authorization_list: authorities.iter().map(Signer::authorization).collect(),
        ..TxEip7702::default()
    })
}

#[test]
fn every_type_enters_from_its_fork_on() {
    let list = AccessList(vec![AccessListItem { address: TARGET, storage_keys: vec![Default::default()] }]);
    let legacy = TxLegacy { nonce: 5, gas_price: GWEI, gas_limit: 21_000, to: TARGET.into(), ..TxLegacy::default() };
    let with_list = TxEip2930 {
        chain_id: 1,
        nonce: 5,
        gas_price: GWEI,
        gas_limit: 30_000,
        to: TARGET.into(),
        access_list: list,
        ..TxEip2930::default()
    };
    let cases = [
        (Fork::Frontier, None, signer().legacy(legacy.clone())),
        (Fork::SpuriousDragon, None, signer().legacy(TxLegacy { chain_id: Some(1), ..legacy })),
        (Fork::Berlin, Some("type 1 rejected, pool not yet in Berlin"), signer().access_list(with_list)),
        (Fork::London, Some("type 2 rejected, pool not yet in London"), dynamic(|_| {})),
        (Fork::Prague, Some("type 4 rejected, pool not yet in Prague"), set_code(&[Signer::new(2)])),
    ];
    for (fork, before, transaction) in cases {
        let earlier = Fork::ALL[Fork::ALL.iter().position(|other| *other == fork).unwrap().saturating_sub(1)];
        if let Some(words) = before {
            assert_eq!(refused(earlier, &transaction), format!("transaction type not supported: {words}"));
        }
        for later in Fork::ALL.into_iter().filter(|later| *later >= fork) {
            let admitted = pool(later).add(&encoded(&transaction));
            assert!(admitted.as_ref().is_ok_and(|admitted| admitted.pending), "{fork} in {later}: {admitted:?}");
        }
    }
}

#[test]
fn each_rule_refuses_in_known_words() {
    let nonce = |nonce| dynamic(|tx| tx.nonce = nonce);
    let data = |bytes: usize| Bytes::from(vec![1; bytes]);
    let cases = [
        (nonce(4), "nonce too low: next nonce 5, tx nonce 4"),
        (nonce(u64::MAX), "nonce has max value"),
        (
            dynamic(|tx| tx.value = U256::from(ETHER)),
            "insufficient funds for gas * price + value: balance 1000000000000000000, tx cost 1000210000000000000, \
             overshot 210000000000000",
        ),
        (dynamic(|tx| tx.gas_limit = 20_999), "intrinsic gas too low: gas 20999, minimum needed 21000"),
        (dynamic(|tx| tx.gas_limit = 60_000_001), "exceeds block gas limit"),
        (dynamic(|tx| tx.gas_limit = (1 << 24) + 1), "transaction gas limit too high (cap: 16777216, tx: 16777217)"),
        (dynamic(|tx| tx.max_priority_fee_per_gas = 11 * GWEI), "max priority fee per gas higher than max fee per gas"),
        (
            dynamic(|tx| tx.max_priority_fee_per_gas = 0),
            "transaction gas price below minimum: gas tip cap 0, minimum needed 1",
        ),
        (dynamic(|tx| tx.chain_id = 2), "invalid chain id for signer: have 2 want 1"),
        (dynamic(|tx| tx.input = data(129 << 10)), "oversized data: transaction size 132"),
        (
            dynamic(|tx| {
                tx.to = TxKind::Create;
                tx.input = data(49_153);
            }),
            "max initcode size exceeded: code size 49153, limit 49152",
        ),
        (
            // 16 gas a byte would be 21,016,000 in all; the floor is 40 a byte.
            dynamic(|tx| {
                tx.input = data(1000);
                tx.gas_limit = 60_999;
            }),
            "insufficient gas for floor data gas cost: gas 60999, minimum needed 61000",
        ),
        (set_code(&[]), "set code tx must have at least one authorization tuple"),
    ];
    for (transaction, words) in cases {
        let refused = refused(Fork::Osaka, &transaction);
        assert!(refused.starts_with(words), "{refused:?}, not {words:?}");
    }
    let overflow = dynamic(|tx| {
        tx.value = U256::MAX;
    });
    assert!(matches!(pool(Fork::Osaka).add(&encoded(&overflow)), Err(PoolError::CostOverflow)));
}

#[test]
fn garbage_and_forged_signatures_are_refused() {
    let pool = pool(Fork::Osaka);
    for garbage in [&[][..], &[0x05], &[0xc0], &[0x02, 0xc0], &[0xff; 40]] {
        assert!(matches!(pool.add(garbage), Err(PoolError::Malformed(_))), "{garbage:?}");
    }
    let Transaction::Eip1559(signed) = dynamic(|_| {}) else { unreachable!() };
    let (transaction, signature, _) = signed.into_parts();
    // EIP-2: the other s, which recovers to the same sender.
    let order = U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap();
    let high = alloy_primitives::Signature::new(signature.r(), order - signature.s(), !signature.v());
    let forged = Transaction::Eip1559(alloy_consensus::SignableTransaction::into_signed(transaction, high));
    assert!(matches!(pool.add(&encoded(&forged)), Err(PoolError::InvalidSender(_))));
    let trailing = [encoded(&dynamic(|_| {})), vec![0]].concat();
    assert!(matches!(pool.add(&trailing), Err(PoolError::Malformed(_))));
    assert_eq!(pool.status().pending + pool.status().queued, 0);
}

#[test]
fn contracts_cannot_send_and_delegated_accounts_one_at_a_time() {
    let with_code = |code: &[u8]| TestAccount { code: code.to_vec(), ..account(&signer(), 5, ETHER) };
    let delegation = [&[0xef, 0x01, 0x00][..], &[7; 20]].concat();
    let pool = |code| Pool::new(Limits::default(), head(Fork::Osaka, &[with_code(code)]));
    let contract = pool(&[0x60, 0x00]);
    assert!(matches!(contract.add(&encoded(&dynamic(|_| {}))), Err(PoolError::SenderNotEoa(_))));
    let delegated = pool(&delegation);
    let gapped = encoded(&dynamic(|tx| tx.nonce = 6));
    assert!(matches!(delegated.add(&gapped), Err(PoolError::DelegatedLimit)));
    delegated.add(&encoded(&dynamic(|_| {}))).unwrap();
    assert!(matches!(delegated.add(&gapped), Err(PoolError::DelegatedLimit)));
    let better = dynamic(|tx| {
        tx.max_fee_per_gas *= 2;
        tx.max_priority_fee_per_gas *= 2;
    });
    assert!(delegated.add(&encoded(&better)).unwrap().replaced.is_some(), "a replacement is not one more");
    delegated.check();
}

#[test]
fn an_authority_of_a_waiting_delegation_is_held_to_one() {
    let authority = Signer::new(2);
    let accounts = [account(&signer(), 5, ETHER), account(&authority, 0, ETHER)];
    let pool = Pool::new(Limits::default(), head(Fork::Osaka, &accounts));
    pool.add(&encoded(&set_code(std::slice::from_ref(&authority)))).unwrap();
    pool.add(&encoded(&authority.payment(0, 10, 1))).unwrap();
    assert!(matches!(pool.add(&encoded(&authority.payment(1, 10, 1))), Err(PoolError::DelegatedLimit)));
    pool.check();
}

#[test]
fn a_replacement_pays_a_tenth_more_in_both_fees() {
    let pool = pool(Fork::Osaka);
    let first = pool.add(&encoded(&signer().payment(5, 100, 10))).unwrap();
    assert!(matches!(pool.add(&encoded(&signer().payment(5, 100, 10))), Err(PoolError::AlreadyKnown)));
    for (max_fee, priority_fee) in [(109, 11), (110, 10), (200, 10), (100, 20)] {
        let error = pool.add(&encoded(&signer().payment(5, max_fee, priority_fee))).unwrap_err();
        assert!(error.to_string().starts_with("replacement transaction underpriced"), "{error}");
    }
    assert_eq!(pool.add(&encoded(&signer().payment(5, 110, 11))).unwrap().replaced, Some(first.hash));
    assert_eq!(pool.status().pending, 1);
    pool.check();
}

#[test]
fn costs_of_all_before_count_against_the_balance() {
    let pool = pool(Fork::Osaka);
    // Each takes 0.21 ether at most.
    let dear = |nonce| encoded(&signer().payment(nonce, 10_000, 1));
    (5..9).for_each(|nonce| assert!(pool.add(&dear(nonce)).unwrap().pending));
    assert!(matches!(pool.add(&dear(9)), Err(PoolError::InsufficientFunds { .. })));
    pool.check();
}

#[test]
fn queued_transactions_run_once_the_gap_closes() {
    let pool = pool(Fork::Osaka);
    assert!(!pool.add(&encoded(&signer().payment(7, 10, 1))).unwrap().pending);
    assert!(pool.add(&encoded(&signer().payment(5, 10, 1))).unwrap().pending);
    assert_eq!((pool.status().pending, pool.status().queued), (1, 1));
    assert_eq!(pool.next_nonce(&signer().address), Some(6));
    assert!(pool.add(&encoded(&signer().payment(6, 10, 1))).unwrap().pending);
    assert_eq!((pool.status().pending, pool.status().queued), (3, 0));
    assert_eq!(pool.next_nonce(&signer().address), Some(8));
    let content = pool.content_from(&signer().address);
    assert_eq!((content.pending.len(), content.queued.len()), (3, 0));
    pool.check();
}

#[test]
fn a_bare_blob_transaction_lacks_its_sidecar() {
    let raw = signer().with_blob(5, b"blob", |_| {});
    assert!(matches!(pool(Fork::Osaka).add(&encoded(&raw.transaction)), Err(PoolError::MissingSidecar)));
    assert!(pool(Fork::Osaka).add(&encoded_whole(&raw)).unwrap().pending);
}
