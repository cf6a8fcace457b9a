//! Asking for a cache line before it is needed.
//!
//! A load that misses holds up everything behind it as soon as the processor's window is full, some three hundred
//! instructions later. A prefetch does not: it retires at once, and the line comes while other work is done. The
//! standard library has no safe way to say so yet, so this crate is one of the rooms with `unsafe`.

/// Bytes that come together: the size of a cache line on the machines that we run on.
pub const LINE_BYTES: usize = 64;

/// Asks for the cache line at which `at` begins, to read or write it soon. Changes nothing but the time that takes; on
/// processors other than x86-64 it does nothing.
#[inline(always)]
pub fn prefetch<T>(at: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint: it reads and writes nothing that the program can see and faults on no address,
        // and this one is that of a live reference. SSE, which it is part of, belongs to x86-64.
        #[expect(unsafe_code, reason = "the intrinsic takes a pointer")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(at).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for all cache lines of a slice of items, none larger than a line.
#[inline(always)]
pub fn prefetch_all<T>(items: &[T]) {
    let a_line = (LINE_BYTES / size_of::<T>().max(1)).max(1);
    items.iter().step_by(a_line).for_each(prefetch);
    // A slice that does not begin where a line does may reach into one more.
    if let Some(last) = items.last() {
        prefetch(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_as_it_was() {
        let words: Vec<u64> = (0..1000).collect();
        for range in [0..0, 0..1, 3..4, 0..1000, 7..993] {
            prefetch_all(&words[range]);
        }
        prefetch_all(&[(); 3]);
        assert!(words.iter().copied().eq(0..1000));
    }
}
