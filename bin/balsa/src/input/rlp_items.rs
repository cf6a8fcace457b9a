//! A file of RLP lists, one after the other, as geth writes chains.
//!
//! A file whose name ends in `.gz` is unpacked as it is read, as geth does. Memory is bounded by the largest item allowed:
//! a length is compared with the limit first, and room for it is made only as its bytes come.

use flate2::bufread::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// Why a file of blocks or lists is refused. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// The file cannot be read.
    #[error("{}: cannot {what}: {error}", path.display())]
    Io { path: PathBuf, what: &'static str, error: io::Error },
    /// A directory holds nothing to read.
    #[error("{}: no file in this directory ends in .rlp or .rlp.gz", path.display())]
    NoFiles { path: PathBuf },
    /// The bytes are not RLP, or not in its canonical form.
    #[error("{}: item {index} at byte {offset}: {reason}", path.display())]
    Rlp { path: PathBuf, index: usize, offset: u64, reason: String },
    /// An item is larger than any that is valid.
    #[error("{}: item {index} at byte {offset} has {found} bytes, more than {max}", path.display())]
    TooLarge { path: PathBuf, index: usize, offset: u64, found: u64, max: u64 },
    /// The file ends within an item.
    #[error("{}: item {index} at byte {offset} has {found} bytes, but the file ends after {left}", path.display())]
    CutShort { path: PathBuf, index: usize, offset: u64, found: u64, left: u64 },
    /// A file of lists does not fit the chain.
    #[error(
        "{}: {lists} access lists for {blocks} blocks that have one; the file must hold one for each",
        path.display()
    )]
    ListCount { path: PathBuf, lists: usize, blocks: usize },
}

/// Yields the items of a file, each with its RLP header.
pub(crate) struct RlpItems {
    path: PathBuf,
    file: BufReader<Box<dyn Read>>,
    /// Bytes that were read ahead to know the next item's length.
    head: Vec<u8>,
    /// Bytes of the chain that are behind us.
    offset: u64,
    index: usize,
    item_bytes_max: u64,
}

/// The longest header of an RLP list: a byte that tells its kind and eight of length.
const RLP_HEADER_BYTES_MAX: usize = 9;

/// How much is read from a file at once.
const BUFFER_BYTES: usize = 1 << 20;

impl RlpItems {
    /// Opens a file whose items are at most `item_bytes_max` bytes long.
    pub(crate) fn open(path: &Path, item_bytes_max: u64) -> Result<Self, InputError> {
        let file = File::open(path).map_err(|error| InputError::Io { path: path.to_owned(), what: "open", error })?;
        let packed = path.extension().is_some_and(|extension| extension == "gz");
        let file: Box<dyn Read> = if packed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, file)))
        } else {
            Box::new(file)
        };
        let file = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self { path: path.to_owned(), file, head: Vec::new(), offset: 0, index: 0, item_bytes_max })
    }

    /// How many items are behind us.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// How many bytes are behind us.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next item; `None` at the end of the file.
    pub(crate) fn next_item(&mut self) -> Result<Option<Vec<u8>>, InputError> {
        let mut item = Vec::new();
        Ok(self.read_item(|bytes| item.extend_from_slice(bytes))?.then_some(item))
    }

    /// Passes over the next item; false at the end of the file.
    pub(crate) fn skip_item(&mut self) -> Result<bool, InputError> {
        self.read_item(|_| {})
    }

    /// Hands the next item over in pieces; false at the end of the file.
    fn read_item(&mut self, mut take: impl FnMut(&[u8])) -> Result<bool, InputError> {
        let Some(len) = self.next_len()? else {
            return Ok(false);
        };
        let mut read = (self.head.len() as u64).min(len);
        take(&self.head.drain(..read as usize).collect::<Vec<u8>>());
        while read < len {
            let buffered = self.file.fill_buf().map_err(|error| io_error(&self.path, error))?;
            let piece = buffered.len().min(usize::try_from(len - read).unwrap_or(usize::MAX));
            if piece == 0 {
                let (path, index, offset) = (self.path.clone(), self.index, self.offset);
                return Err(InputError::CutShort { path, index, offset, found: len, left: read });
            }
            take(&buffered[..piece]);
            self.file.consume(piece);
            read += piece as u64;
        }
        self.offset += len;
        self.index += 1;
        Ok(true)
    }

    /// An error about the item that was read last.
    pub(crate) fn rlp_error(&self, item_len: usize, reason: impl ToString) -> InputError {
        InputError::Rlp {
            path: self.path.clone(),
            index: self.index - 1,
            offset: self.offset - item_len as u64,
            reason: reason.to_string(),
        }
    }

    /// Length of the next item, its header included, held against the limit; `None` at the end.
    fn next_len(&mut self) -> Result<Option<u64>, InputError> {
        let missing = (RLP_HEADER_BYTES_MAX - self.head.len()) as u64;
        let (path, index, offset) = (self.path.clone(), self.index, self.offset);
        let ahead = self.file.by_ref().take(missing).read_to_end(&mut self.head);
        ahead.map_err(|error| io_error(&self.path, error))?;
        if self.head.is_empty() {
            return Ok(None);
        }
        let len = match list_len(&self.head) {
            Ok(len) => len,
            Err(reason) => return Err(InputError::Rlp { path, index, offset, reason: reason.to_owned() }),
        };
        let max = self.item_bytes_max;
        if len > max {
            return Err(InputError::TooLarge { path, index, offset, found: len, max });
        }
        Ok(Some(len))
    }
}

fn io_error(path: &Path, error: io::Error) -> InputError {
    InputError::Io { path: path.to_owned(), what: "read", error }
}

/// Length of the list that begins with `head`, header and payload. `alloy_rlp` decodes a header only with its payload
/// behind it.
fn list_len(head: &[u8]) -> Result<u64, &'static str> {
    let first = *head.first().ok_or("there is nothing")?;
    match first {
        0..=0xbf => Err("not an RLP list"),
        0xc0..=0xf7 => Ok(1 + u64::from(first - 0xc0)),
        0xf8..=0xff => {
            let width = usize::from(first - 0xf7);
            let digits = head.get(1..=width).ok_or("the file ends within an RLP header")?;
            if digits[0] == 0 {
                return Err("the length of an RLP list has a leading zero");
            }
            let payload = digits.iter().fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
            if payload < 56 {
                return Err("a short RLP list in long form");
            }
            payload.checked_add(1 + width as u64).ok_or("its length overflows")
        }
    }
}
