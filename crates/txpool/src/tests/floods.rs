//! The pool under those who mean it ill.

use balsa_chainspec::Fork;

use super::fixtures::{ETHER, Numbers, Signer, account, encoded, head};
use crate::{Limits, Pool, PoolError};

#[test]
fn a_hundred_thousand_of_one_sender_stay_within_its_limit() {
    const COUNT: u64 = 100_000;
    let (flooder, other) = (Signer::new(1), Signer::new(2));
    let limits = Limits { sender_transactions_max: 256, ..Limits::default() };
    let accounts = [account(&flooder, 0, 1 << 120), account(&other, 0, ETHER)];
    let pool = Pool::new(limits, head(Fork::Osaka, &accounts));
    let mut refused = 0;
    for i in 0..COUNT {
        // The first half without a gap, the rest with gaps.
        let nonce = if i < COUNT / 2 { i } else { i * 3 };
        match pool.add(&encoded(&flooder.payment(nonce, 10, 1))) {
            Ok(_) => {}
            Err(PoolError::AccountLimit { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(refused, COUNT - 256);
    assert_eq!(pool.status().pending, 256);
    assert!(pool.add(&encoded(&other.payment(0, 10, 1))).unwrap().pending, "others are served as before");
    pool.check();
}

#[test]
fn gapped_nonces_have_a_limit_of_their_own() {
    let signer = Signer::new(1);
    let pool = Pool::new(Limits::default(), head(Fork::Osaka, &[account(&signer, 0, ETHER)]));
    let admitted = (1..200).filter(|i| pool.add(&encoded(&signer.payment(i * 2, 10, 1))).is_ok()).count();
    assert_eq!(admitted, Limits::default().sender_queued_max);
    pool.check();
}

#[test]
fn the_cheapest_sender_gives_way_and_the_pool_stays_full_not_fuller() {
    const SENDERS: u64 = 300;
    let signers: Vec<_> = (0..SENDERS).map(Signer::new).collect();
    let accounts: Vec<_> = signers.iter().map(|signer| account(signer, 0, ETHER)).collect();
    let limits = Limits { transactions_max: 100, ..Limits::default() };
    let pool = Pool::new(limits, head(Fork::Osaka, &accounts));
    let mut tips: Vec<u64> = (0..SENDERS).map(|i| 1 + i).collect();
    let mut numbers = Numbers(9);
    (1..tips.len()).rev().for_each(|i| tips.swap(i, numbers.below(i as u64 + 1) as usize));
    for (signer, tip) in signers.iter().zip(&tips) {
        let outcome = pool.add(&encoded(&signer.payment(0, 1000, u128::from(*tip))));
        assert!(outcome.is_ok() || matches!(outcome, Err(PoolError::Underpriced)));
        assert!(pool.status().pending <= 100);
    }
    let mut left: Vec<u64> =
        signers.iter().zip(&tips).filter(|(s, _)| pool.next_nonce(&s.address).is_some()).map(|(_, tip)| *tip).collect();
    left.sort_unstable();
    assert_eq!(left, (SENDERS - 99..=SENDERS).collect::<Vec<_>>(), "the hundred best stay");
    pool.check();
}

#[test]
fn garbage_leaves_nothing_behind() {
    let signer = Signer::new(1);
    let pool = Pool::new(Limits::default(), head(Fork::Osaka, &[account(&signer, 0, ETHER)]));
    let good = encoded(&signer.payment(0, 10, 1));
    let mut numbers = Numbers(3);
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << numbers.below(8);
        }
        if numbers.below(3) == 0 {
            bytes.truncate(numbers.below(bytes.len() as u64) as usize);
        }
        // A flipped signature names somebody else, who has no funds.
        if bytes != good {
            assert!(pool.add(&bytes).is_err());
        }
    }
    assert_eq!(pool.status().bytes, 0);
    pool.check();
}
