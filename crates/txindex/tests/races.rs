//! Many threads on few transactions, with spills and clearings all the time.

mod numbers;

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use numbers::{Numbers, hash, open, position, settings};

#[test]
fn of_all_who_set_a_transaction_one_wins() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 4;
    const TRANSACTIONS: u64 = 3000;
    let seed = Numbers::random().next();
    let dir = tempfile::tempdir().unwrap();
    // So few recent records that the writers publish and clear without pause.
    let index = open(&settings(&dir, 2, 50));
    for round in 0..ROUNDS {
        let winners: Vec<AtomicU64> = (0..TRANSACTIONS).map(|_| AtomicU64::new(0)).collect();
        let from = round * TRANSACTIONS;
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (index, winners) = (&index, &winners);
                scope.spawn(move || {
                    let mut numbers = Numbers(seed ^ (round << 8) ^ thread);
                    for _ in 0..TRANSACTIONS * 2 {
                        let i = numbers.below(TRANSACTIONS);
                        let mine = position(thread, round as u32);
                        if index.set_if_not_exists(&hash(from + i), mine).unwrap().is_none() {
                            winners[i as usize].fetch_add(thread + 1, Ordering::SeqCst);
                        } else {
                            assert!(index.contains(&hash(from + i)).unwrap(), "set, and not there: {i}");
                        }
                    }
                });
            }
        });
        for i in 0..TRANSACTIONS {
            let winner = winners[i as usize].load(Ordering::SeqCst);
            let expected = winner.checked_sub(1).map(|thread| position(thread, round as u32));
            // Two winners add up to another thread's number, or to none's.
            assert_eq!(index.position(&hash(from + i)).unwrap(), expected, "seed {seed}, round {round}, {i}");
        }
    }
    assert!(index.stats().merges > 0);
}

#[test]
fn a_transaction_that_stays_is_never_missed() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(&settings(&dir, 1, 32));
    let done = AtomicBool::new(false);
    for i in 0..1000 {
        index.set(&hash(i), position(i, 0)).unwrap();
    }
    thread::scope(|scope| {
        for reader in 0..2 {
            let (index, done) = (&index, &done);
            scope.spawn(move || {
                let mut numbers = Numbers(reader);
                while !done.load(Ordering::Relaxed) {
                    let i = numbers.below(1000);
                    assert!(index.may_contain(&hash(i)));
                    assert_eq!(index.position(&hash(i)).unwrap(), Some(position(i, 0)));
                }
            });
        }
        // Others come and go, so that filters move bytes, grow, and recent maps are cleared.
        for i in 1000..9_000 {
            index.set(&hash(i), position(i, 1)).unwrap();
            if i % 3 == 0 {
                assert!(index.remove(&hash(i), position(i, 1)).unwrap());
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_reorg_in_either_order_leaves_the_new_position() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(&settings(&dir, 2, 32));
    for round in 0..60 {
        let transactions: Vec<_> = (0..20).map(|i| hash(round * 20 + i)).collect();
        index.add_block(round, &transactions).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| index.remove_block(round, &transactions).unwrap());
            scope.spawn(|| index.add_block(round + 1000, &transactions).unwrap());
        });
        for (transaction, i) in transactions.iter().zip(0..) {
            assert_eq!(index.position(transaction).unwrap(), Some(position(round + 1000, i)));
        }
    }
}
