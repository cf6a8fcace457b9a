//! Records since the last spill, appended only. FORMAT.md, "Log".

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    IndexError,
    codec::{FORMAT, Fields, checksum},
    record::{Record, SerialMark},
};

const MAGIC: &[u8; 8] = b"balsatxl";
const HEADER_BYTES: usize = 12;
const BATCH_HEADER_BYTES: usize = 13;
const RECORDS: u8 = 1;
const MARK: u8 = 2;

/// An open log, appended to by one thread.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

/// What a log holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LogContent {
    /// Oldest first.
    pub(crate) records: Vec<Record>,
    /// The last one.
    pub(crate) mark: Option<SerialMark>,
}

impl Log {
    /// A new, empty log, synced.
    pub(crate) fn create(dir: &Path, sequence: u64) -> Result<Self, IndexError> {
        let path = dir.join(file_name(sequence));
        let create = || {
            let mut file = File::create(&path)?;
            file.write_all(&[&MAGIC[..], &FORMAT.to_le_bytes()].concat())?;
            file.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(IndexError::io(&path, "create"))?;
        Ok(Self { path, file })
    }

    /// Opens the log that the manifest names, and cuts off what an interrupted append left.
    pub(crate) fn open(dir: &Path, sequence: u64) -> Result<(Self, LogContent), IndexError> {
        let path = dir.join(file_name(sequence));
        let bytes = fs::read(&path).map_err(IndexError::io(&path, "read"))?;
        let mut content = LogContent::default();
        let length = replay(&bytes, &mut content).ok_or(IndexError::Damaged { path: path.clone(), offset: 0 })?;
        let open = || {
            let file = OpenOptions::new().append(true).open(&path)?;
            if length < bytes.len() {
                file.set_len(length as u64)?;
                file.sync_all()?;
            }
            Ok(file)
        };
        let file = open().map_err(IndexError::io(&path, "open"))?;
        Ok((Self { path, file }, content))
    }

    /// Appends records; they survive the process from here on.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), IndexError> {
        // A batch a million records, so that its length fits.
        for records in records.chunks(1 << 20) {
            self.write(RECORDS, &records.iter().flat_map(Record::encode).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Appends a mark and syncs: all before it survives loss of power.
    pub(crate) fn set_mark(&mut self, mark: SerialMark) -> Result<(), IndexError> {
        self.write(MARK, &SerialMark::encode(Some(mark)))?;
        self.file.sync_data().map_err(IndexError::io(&self.path, "sync"))
    }

    /// Takes the file away.
    pub(crate) fn delete(self) -> Result<(), IndexError> {
        fs::remove_file(&self.path).map_err(IndexError::io(&self.path, "delete"))
    }

    fn write(&mut self, kind: u8, body: &[u8]) -> Result<(), IndexError> {
        let length = (body.len() as u32).to_le_bytes();
        let sum = batch_checksum(kind, &length, body).to_le_bytes();
        let batch = [&[kind][..], &length, &sum, body].concat();
        self.file.write_all(&batch).map_err(IndexError::io(&self.path, "append"))
    }
}

/// The name of a log's file.
pub(crate) fn file_name(sequence: u64) -> String {
    format!("log-{sequence:016x}")
}

fn batch_checksum(kind: u8, length: &[u8; 4], body: &[u8]) -> u64 {
    checksum(&[&[kind][..], length, body].concat())
}

/// Length of the whole batches; `None` if it is not a log.
fn replay(bytes: &[u8], content: &mut LogContent) -> Option<usize> {
    let mut fields = Fields(bytes);
    let known = fields.array()? == MAGIC && fields.u32()? == FORMAT;
    if !known {
        return None;
    }
    let mut length = HEADER_BYTES;
    while let Some(body) = replay_batch(&mut fields, content) {
        length += BATCH_HEADER_BYTES + body;
    }
    Some(length)
}

/// Length of the next body, if a whole batch is there.
fn replay_batch(fields: &mut Fields<'_>, content: &mut LogContent) -> Option<usize> {
    let [kind] = *fields.array()?;
    let length: &[u8; 4] = fields.array()?;
    let sum = fields.u64()?;
    let body = fields.0.get(..u32::from_le_bytes(*length) as usize)?;
    if batch_checksum(kind, length, body) != sum {
        return None;
    }
    fields.0 = &fields.0[body.len()..];
    match kind {
        RECORDS => content.records.extend(body.as_chunks().0.iter().map(Record::decode)),
        _ => content.mark = SerialMark::decode(body.first_chunk()?),
    }
    Some(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mark;
    use alloy_primitives::B256;

    fn record(byte: u8) -> Record {
        Record { hash: B256::repeat_byte(byte), position: None }
    }

    #[test]
    fn a_log_cut_anywhere_keeps_its_whole_batches_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mark = SerialMark { serial: 1, mark: Mark { number: 2, hash: B256::ZERO } };
        let mut log = Log::create(dir.path(), 0).unwrap();
        log.append(&[record(1), record(2)]).unwrap();
        log.set_mark(mark).unwrap();
        log.append(&[record(3)]).unwrap();
        let path = dir.path().join(file_name(0));
        let whole = fs::read(&path).unwrap();
        let ends = [12, 12 + 13 + 88, 12 + 13 + 88 + 13 + 48, whole.len()];
        for cut in 12..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut log, content) = Log::open(dir.path(), 0).unwrap();
            let batches = ends.iter().filter(|end| **end <= cut).count() - 1;
            let records = [0, 2, 2, 3][batches];
            assert_eq!(content.records, [record(1), record(2), record(3)][..records], "cut at {cut}");
            assert_eq!(content.mark, (batches >= 2).then_some(mark));
            log.append(&[record(4)]).unwrap();
            let (_, content) = Log::open(dir.path(), 0).unwrap();
            assert_eq!(content.records.last(), Some(&record(4)), "appended after a cut at {cut}");
        }
        fs::write(&path, &whole[..11]).unwrap();
        assert!(matches!(Log::open(dir.path(), 0), Err(IndexError::Damaged { .. })));
    }
}
