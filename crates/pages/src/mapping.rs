//! The one room with `unsafe`: pieces of the address space that live as long as their owner, and advice to the system on others.

#![expect(unsafe_code, reason = "mapping memory, and reading it as words, has no safe form")]

use balsa_trie::Words;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use std::{
    ffi::c_void,
    fs::File,
    io,
    ops::Range,
    ptr::{self, NonNull},
    slice,
    sync::atomic::AtomicU64,
};

/// Words of zeros, mapped by [`anonymous`] or [`of_file`] and unmapped when dropped.
pub(crate) struct Mapping {
    start: NonNull<AtomicU64>,
    words: usize,
    // What was mapped; `start` may lie further in.
    mapped: *mut c_void,
    mapped_bytes: usize,
}

// SAFETY: the mapping belongs to this value alone, and its words are atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above; through a shared reference only atomics are reached.
unsafe impl Sync for Mapping {}

const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Anonymous memory, in huge pages where it has room for one and the system gives them.
pub(crate) fn anonymous(words: usize) -> io::Result<Mapping> {
    let bytes = words * 8;
    let is_huge = bytes >= HUGE_PAGE_BYTES;
    let mapped_bytes = if is_huge { bytes + HUGE_PAGE_BYTES } else { bytes };
    // SAFETY: a new mapping at an address of the system's choice touches no memory that exists.
    let mapped = unsafe {
        mmap_anonymous(ptr::null_mut(), mapped_bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)?
    };
    let offset = if is_huge { mapped.align_offset(HUGE_PAGE_BYTES) } else { 0 };
    let start = mapped.wrapping_byte_add(offset);
    if is_huge {
        // SAFETY: the range lies in the mapping just made. A refusal leaves small pages, which are as right.
        let _ = unsafe { madvise(start, bytes, Advice::LinuxHugepage) };
    }
    Ok(owned(start, words, mapped, mapped_bytes))
}

/// Asks for huge pages where whole ones fit into `room`.
pub(crate) fn prefer_huge_pages(room: Range<*const u8>) {
    let mask = HUGE_PAGE_BYTES - 1;
    let (start, end) = (room.start.addr().saturating_add(mask) & !mask, room.end.addr() & !mask);
    if start < end {
        // SAFETY: the advice changes no byte and no protection, whatever lies there, and what is not mapped is left out.
        let _ = unsafe { madvise(room.start.with_addr(start).cast_mut().cast(), end - start, Advice::LinuxHugepage) };
    }
}

/// `words` words of a file from byte `offset` on, a multiple of the page size. The file must have room allocated for
/// them and must never be cut: a write to what it does not have would end the process.
pub(crate) fn of_file(file: &File, offset: u64, words: usize) -> io::Result<Mapping> {
    let bytes = words * 8;
    // SAFETY: a new mapping at an address of the system's choice touches no memory that exists.
    let mapped =
        unsafe { mmap(ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, offset)? };
    Ok(owned(mapped, words, mapped, bytes))
}

fn owned(start: *mut c_void, words: usize, mapped: *mut c_void, mapped_bytes: usize) -> Mapping {
    let start = NonNull::new(start.cast()).expect("the system maps nothing at address zero");
    Mapping { start, words, mapped, mapped_bytes }
}

impl Words for Mapping {
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: `start` is aligned to a page, and `words` words from it on are mapped, readable and writable until this
        // value is dropped. New mappings are zeroed, and any bytes are a valid `AtomicU64`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped, and nothing borrows it any more.
        let result = unsafe { munmap(self.mapped, self.mapped_bytes) };
        debug_assert!(result.is_ok(), "{result:?}");
    }
}
