//! Which inputs go side by side.
//!
//! Lanes that share a register take one step together, so a group of inputs costs as many permutations as its
//! longest input has blocks. Inputs are therefore taken in the order of their number of blocks, longest first: lanes idle
//! only where one number changes to the next, and what is left for a last, partly filled group is the shortest.
//! That is done in windows, whose bookkeeping lies on the stack and whose inputs still lie in the second-level cache.

use crate::RATE;
use alloy_primitives::B256;

/// Inputs ordered together. Their places fit a byte, and it is a multiple of every number of lanes, so that only
/// the last window can leave lanes empty at its end.
const WINDOW: usize = 256;

/// A window for a handful of inputs.
const WINDOW_SMALL: usize = 16;

/// Numbers of blocks told apart by counting. The last class holds everything longer: contract code and large
/// receipts, few enough to be sorted. A full branch node has 4 blocks.
const CLASSES: usize = 16;

/// Calls `hash(inputs, order, hashes)` for each window of `inputs`: `order` names each place once, longest first.
pub(crate) fn in_windows<T: AsRef<[u8]>>(
    inputs: &[T],
    hashes: &mut [B256],
    hash: impl FnMut(&[&[u8]], &[u8], &mut [B256]),
) {
    // Clearing a whole window's bookkeeping would take as long as hashing two short inputs.
    if inputs.len() <= WINDOW_SMALL {
        in_windows_of::<WINDOW_SMALL, T>(inputs, hashes, hash);
    } else {
        in_windows_of::<WINDOW, T>(inputs, hashes, hash);
    }
}

fn in_windows_of<const SIZE: usize, T: AsRef<[u8]>>(
    inputs: &[T],
    hashes: &mut [B256],
    mut hash: impl FnMut(&[&[u8]], &[u8], &mut [B256]),
) {
    let mut window: [&[u8]; SIZE] = [&[]; SIZE];
    let mut order = [0; SIZE];
    for (inputs, hashes) in inputs.chunks(SIZE).zip(hashes.chunks_mut(SIZE)) {
        let window = &mut window[..inputs.len()];
        let order = &mut order[..inputs.len()];
        for (slot, input) in window.iter_mut().zip(inputs) {
            *slot = input.as_ref();
        }
        longest_first(window, order);
        hash(window, order, hashes);
    }
}

/// Fills `order` with the places of `inputs` by falling number of blocks: a counting sort.
fn longest_first(inputs: &[&[u8]], order: &mut [u8]) {
    let mut counts = [0usize; CLASSES];
    let mut classes = [0u8; WINDOW];
    for (of_input, input) in classes.iter_mut().zip(inputs) {
        *of_input = class(input);
    }
    let classes = &classes[..inputs.len()];
    for &class in classes {
        counts[class as usize] += 1;
    }
    let long = counts[CLASSES - 1];
    if long == 0 && classes.iter().all(|class| *class == classes[0]) {
        order.iter_mut().zip(0..=u8::MAX).for_each(|(slot, place)| *slot = place);
        return;
    }
    // Where each class begins, the longest at the front.
    let mut next = [0usize; CLASSES];
    for class in (0..CLASSES - 1).rev() {
        next[class] = next[class + 1] + counts[class + 1];
    }
    for (&class, place) in classes.iter().zip(0..=u8::MAX) {
        let slot = &mut next[class as usize];
        order[*slot] = place;
        *slot += 1;
    }
    order[..long].sort_unstable_by_key(|&place| std::cmp::Reverse(blocks(inputs[place as usize])));
}

/// Blocks to take in: padding needs at least one byte more than the input.
pub(crate) fn blocks(input: &[u8]) -> usize {
    input.len() / RATE + 1
}

/// Short inputs first.
fn class(input: &[u8]) -> u8 {
    (blocks(input) - 1).min(CLASSES - 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_of(lengths: &[usize]) -> Vec<u8> {
        let longest = vec![0; lengths.iter().copied().max().unwrap_or(0)];
        let inputs: Vec<&[u8]> = lengths.iter().map(|&length| &longest[..length]).collect();
        let mut order = vec![0; inputs.len()];
        longest_first(&inputs, &mut order);
        order
    }

    #[test]
    fn more_blocks_come_first_and_equals_keep_their_order() {
        let check = |lengths: &[usize], expected: &[u8]| assert_eq!(order_of(lengths), expected, "{lengths:?}");
        check(&[], &[]);
        check(&[0, 135, 136, 271, 272], &[4, 2, 3, 0, 1]);
        check(&[532, 32, 532, 100, 300], &[0, 2, 4, 1, 3]);
        // Beyond the classes the exact number still decides.
        check(&[136 * 20, 136 * 14, 136 * 40, 136 * 15], &[2, 0, 3, 1]);
    }

    #[test]
    fn every_place_is_named_once() {
        let lengths: Vec<usize> = (0..WINDOW).map(|i| (i * 7919) % 6000).collect();
        let mut order = order_of(&lengths);
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..=255));
    }
}
