//! What a new head does to the pool, and what a block is offered.

use balsa_chainspec::Fork;

use super::fixtures::{ETHER, GWEI, Signer, account, encoded, head};
use crate::{BlockChange, Limits, Pool};

#[test]
fn included_transactions_leave_and_removed_ones_return() {
    let signer = Signer::new(1);
    let pool = Pool::new(Limits::default(), head(Fork::Osaka, &[account(&signer, 0, ETHER)]));
    let transactions: Vec<_> = (0..4).map(|nonce| signer.payment(nonce, 10, 1)).collect();
    for transaction in &transactions {
        pool.add(&encoded(transaction)).unwrap();
    }
    let change = BlockChange { included: transactions[..2].to_vec(), removed: Vec::new() };
    pool.set_head(head(Fork::Osaka, &[account(&signer, 2, ETHER)]), &change).unwrap();
    assert_eq!(pool.status().pending, 2);
    pool.check();
    // Back to before both, on a branch that has the first of them.
    let change = BlockChange { removed: transactions[..2].to_vec(), included: transactions[..1].to_vec() };
    pool.set_head(head(Fork::Osaka, &[account(&signer, 1, ETHER)]), &change).unwrap();
    assert_eq!(pool.status().pending, 3);
    assert!(pool.get(transactions[0].tx_hash()).is_none());
    assert!(pool.get(transactions[1].tx_hash()).is_some());
    pool.check();
}

#[test]
fn accounts_that_fell_poor_or_became_contracts_lose_their_transactions() {
    let (poor, contract) = (Signer::new(1), Signer::new(2));
    let pool =
        Pool::new(Limits::default(), head(Fork::Osaka, &[account(&poor, 0, ETHER), account(&contract, 0, ETHER)]));
    for nonce in 0..3 {
        pool.add(&encoded(&poor.payment(nonce, 10, 1))).unwrap();
    }
    pool.add(&encoded(&contract.payment(0, 10, 1))).unwrap();
    let mut code = account(&contract, 0, ETHER);
    code.code = vec![0x00];
    // One payment costs 210,000 gwei at most.
    pool.set_head(head(Fork::Osaka, &[account(&poor, 0, 2 * 210_000 * GWEI), code]), &BlockChange::default()).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (2, 1), "the third waits for funds");
    pool.set_head(head(Fork::Osaka, &[account(&poor, 0, 209_999 * GWEI)]), &BlockChange::default()).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (0, 0));
    pool.check();
}

#[test]
fn the_best_tip_comes_first_and_nonces_stay_in_order() {
    let signers: Vec<_> = (0..3).map(Signer::new).collect();
    let accounts: Vec<_> = signers.iter().map(|signer| account(signer, 0, ETHER)).collect();
    let pool = Pool::new(Limits::default(), head(Fork::Osaka, &accounts));
    // Base fee is 1 gwei: a maximum fee of 3 leaves a tip of 2, whatever the priority fee says.
    for (who, nonce, max_fee, priority_fee) in
        [(0, 0, 10, 2), (0, 1, 10, 9), (1, 0, 10, 5), (1, 1, 3, 3), (1, 2, 10, 9), (2, 0, 10, 3), (2, 2, 10, 9)]
    {
        pool.add(&encoded(&signers[who].payment(nonce, max_fee, priority_fee))).unwrap();
    }
    let who = |address| signers.iter().position(|signer| signer.address == address).unwrap();
    let order: Vec<_> = pool.best().map(|transaction| (who(transaction.sender), transaction.nonce())).collect();
    assert_eq!(order, [(1, 0), (2, 0), (0, 0), (0, 1), (1, 1), (1, 2)]);
    let mut best = pool.best();
    assert_eq!(best.next().unwrap().sender, signers[1].address);
    best.skip_sender();
    assert!(best.all(|transaction| transaction.sender != signers[1].address), "what follows a skipped one cannot run");
    let mut dear = head(Fork::Osaka, &accounts);
    dear.base_fee = 4 * GWEI as u64;
    pool.set_head(dear, &BlockChange::default()).unwrap();
    let order: Vec<_> = pool.best().map(|transaction| (who(transaction.sender), transaction.nonce())).collect();
    assert_eq!(order, [(1, 0), (2, 0), (0, 0), (0, 1)], "(1, 1) does not pay the base fee, and holds up (1, 2)");
    pool.check();
}
