//! No back end reads beyond its inputs.
//!
//! The loads are wider than what is left of an input. Here every input ends where its memory does: the page behind
//! it may not be read, so a byte too many is a crash and not a wrong hash once in a year.
#![cfg(unix)]
#![expect(unsafe_code, reason = "asks the system for a page that may not be read")]

use alloy_primitives::{B256, keccak256};
use balsa_keccak::Backend;

/// A page behind which no memory may be read.
struct LastPage {
    start: *mut u8,
    size: usize,
}

impl LastPage {
    fn new() -> Self {
        // SAFETY: a new private mapping of two pages; the second one is then closed.
        unsafe {
            let size = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).expect("a page has a size");
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let start = libc::mmap(std::ptr::null_mut(), 2 * size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            assert_ne!(start, libc::MAP_FAILED, "two pages");
            let start = start.cast::<u8>();
            assert_eq!(libc::mprotect(start.add(size).cast(), size, libc::PROT_NONE), 0, "closed");
            for i in 0..size {
                start.add(i).write((i * 31) as u8);
            }
            Self { start, size }
        }
    }

    /// The last `length` bytes of the page.
    fn end(&self, length: usize) -> &[u8] {
        assert!(length <= self.size);
        // SAFETY: the bytes lie in the open page, which lives as long as `self` and is not written to any more.
        unsafe { std::slice::from_raw_parts(self.start.add(self.size - length), length) }
    }
}

impl Drop for LastPage {
    fn drop(&mut self) {
        // SAFETY: the two pages of `new`; nothing borrows from them any more.
        unsafe { libc::munmap(self.start.cast(), 2 * self.size) };
    }
}

#[test]
fn inputs_may_end_where_memory_does() {
    let page = LastPage::new();
    for length in 0..=700 {
        let input = page.end(length);
        let expected = keccak256(input);
        for backend in Backend::available() {
            for count in 1..=9 {
                let mut hashes = vec![B256::ZERO; count];
                backend.keccak256_many(&vec![input; count], &mut hashes);
                assert_eq!(hashes, vec![expected; count], "{}: {count} times {length} bytes", backend.name());
                if length < 136 {
                    hashes.fill(B256::ZERO);
                    backend.keccak256_short(&vec![input; count], &mut hashes);
                    assert_eq!(hashes, vec![expected; count], "{}: {count} short of {length} bytes", backend.name());
                }
            }
        }
    }
}

fn check_fixed<const N: usize>(page: &LastPage) {
    for count in 1..=17 {
        let (inputs, rest) = page.end(N * count).as_chunks::<N>();
        assert!(rest.is_empty());
        let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
        for backend in Backend::available() {
            let mut hashes = vec![B256::ZERO; count];
            backend.keccak256_fixed(inputs, &mut hashes);
            assert_eq!(hashes, expected, "{}: {count} inputs of {N} bytes", backend.name());
        }
    }
}

#[test]
fn fixed_inputs_may_end_where_memory_does() {
    let page = LastPage::new();
    check_fixed::<20>(&page);
    check_fixed::<32>(&page);
    check_fixed::<65>(&page);
    check_fixed::<129>(&page);
    check_fixed::<135>(&page);
}
