//! A sorted, immutable file of records of one partition. FORMAT.md, "Run".

use std::{
    fs::{self, File},
    io::{BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;

use crate::{
    IndexError,
    codec::{FORMAT, Fields, checksum},
    key::Key,
    manifest::RunName,
    record::{KeyedRecord, Record},
};

const PAGE_BYTES: usize = 4096;
const PAGE_HEADER_BYTES: usize = 16;
const PAGE_RECORDS_MAX: usize = (PAGE_BYTES - PAGE_HEADER_BYTES) / Record::BYTES;
/// Records a home page on average: fewer waste space, more make second reads.
const PAGE_RECORDS_MEAN: u64 = 72;
/// Pages that a scan reads at once.
const SCAN_PAGES: u64 = 64;
const MAGIC: &[u8; 8] = b"balsatxr";
/// Without the checksum.
const HEADER_BYTES: usize = 40;

/// An open run. Dropping the last handle of a run that was merged away frees its file.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) name: RunName,
    path: PathBuf,
    file: File,
    home_pages: u64,
    pages: u64,
    records: u64,
    seed: u64,
}

impl Run {
    /// Opens a run that the manifest names.
    ///
    /// # Errors
    /// If the header is not what we wrote, or the file is shorter than it says.
    pub(crate) fn open(dir: &Path, name: RunName, seed: u64) -> Result<Self, IndexError> {
        let path = dir.join(name.file_name());
        let file = File::open(&path).map_err(IndexError::io(&path, "open"))?;
        let mut page = [0; PAGE_BYTES];
        file.read_exact_at(&mut page, 0).map_err(IndexError::io(&path, "read"))?;
        let damaged = |offset| IndexError::Damaged { path: path.clone(), offset };
        let Header { home_pages, pages, records } = decode_header(&page, name.partition).ok_or_else(|| damaged(0))?;
        let length = file.metadata().map_err(IndexError::io(&path, "read"))?.len();
        if length != (pages + 1) * PAGE_BYTES as u64 {
            return Err(damaged(length));
        }
        Ok(Self { name, path, file, home_pages, pages, records, seed })
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> u64 {
        self.records
    }

    /// What the run says of a transaction; `None` if nothing.
    pub(crate) fn find(&self, key: Key, hash: &B256) -> Result<Option<Record>, IndexError> {
        let mut bytes = [0; PAGE_BYTES];
        for page in key.home_page(self.home_pages)..self.pages {
            self.read(page, &mut bytes)?;
            let records = self.page_records(page, &bytes)?;
            if let Some(found) = records.iter().find(|record| record[..32] == hash.as_slice()[..]) {
                return Ok(Some(Record::decode(found)));
            }
            if records.len() < PAGE_RECORDS_MAX {
                break;
            }
        }
        Ok(None)
    }

    /// The records from `first` on, in order.
    pub(crate) fn scan(&self, first: Key) -> Scan<'_> {
        Scan { run: self, first, next_page: first.home_page(self.home_pages), buffer: Vec::new().into_iter() }
    }

    /// Takes the file's name away; open handles go on reading.
    pub(crate) fn delete(&self) -> Result<(), IndexError> {
        fs::remove_file(&self.path).map_err(IndexError::io(&self.path, "delete"))
    }

    /// Fills `bytes`, whole pages, from page `page` (not counting the header) on.
    fn read(&self, page: u64, bytes: &mut [u8]) -> Result<(), IndexError> {
        let offset = (page + 1) * PAGE_BYTES as u64;
        self.file.read_exact_at(bytes, offset).map_err(IndexError::io(&self.path, "read"))
    }

    fn page_records<'a>(&self, page: u64, bytes: &'a [u8]) -> Result<&'a [[u8; Record::BYTES]], IndexError> {
        let offset = (page + 1) * PAGE_BYTES as u64;
        decode_page(bytes).ok_or_else(|| IndexError::Damaged { path: self.path.clone(), offset })
    }
}

/// Records of a run in order; ends after the first error.
pub(crate) struct Scan<'a> {
    run: &'a Run,
    first: Key,
    next_page: u64,
    buffer: std::vec::IntoIter<KeyedRecord>,
}

impl Scan<'_> {
    fn fill(&mut self) -> Result<(), IndexError> {
        let pages = SCAN_PAGES.min(self.run.pages - self.next_page);
        let mut bytes = vec![0; pages as usize * PAGE_BYTES];
        self.run.read(self.next_page, &mut bytes)?;
        let mut records = Vec::with_capacity(pages as usize * PAGE_RECORDS_MAX);
        for (page, bytes) in (self.next_page..).zip(bytes.chunks_exact(PAGE_BYTES)) {
            let decoded = self.run.page_records(page, bytes)?.iter().map(Record::decode);
            let keyed = decoded.map(|record| KeyedRecord { key: Key::of(&record.hash, self.run.seed), record });
            records.extend(keyed.filter(|record| record.key >= self.first));
        }
        self.next_page += pages;
        self.buffer = records.into_iter();
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<KeyedRecord, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.buffer.next() {
                return Some(Ok(record));
            }
            if self.next_page >= self.run.pages {
                return None;
            }
            if let Err(error) = self.fill() {
                self.next_page = self.run.pages;
                return Some(Err(error));
            }
        }
    }
}

/// Writes a run of at most `records_max` records that come in order, and syncs it. `None` if none came.
pub(crate) fn write_run(
    dir: &Path,
    name: RunName,
    seed: u64,
    records_max: u64,
    records: impl Iterator<Item = Result<KeyedRecord, IndexError>>,
) -> Result<Option<Run>, IndexError> {
    let path = dir.join(name.file_name());
    let file = File::create(&path).map_err(IndexError::io(&path, "create"))?;
    let mut writer =
        RunWriter::new(file, records_max.div_ceil(PAGE_RECORDS_MEAN).max(1)).map_err(IndexError::io(&path, "write"))?;
    for record in records {
        writer.push(record?).map_err(IndexError::io(&path, "write"))?;
    }
    if writer.records == 0 {
        fs::remove_file(&path).map_err(IndexError::io(&path, "delete"))?;
        return Ok(None);
    }
    writer.finish(name.partition).map_err(IndexError::io(&path, "write"))?;
    Run::open(dir, name, seed).map(Some)
}

struct RunWriter {
    file: BufWriter<File>,
    home_pages: u64,
    /// Pages written.
    pages: u64,
    records: u64,
    page: Vec<u8>,
}

impl RunWriter {
    fn new(file: File, home_pages: u64) -> std::io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(&[0; PAGE_BYTES])?;
        Ok(Self { file, home_pages, pages: 0, records: 0, page: Vec::with_capacity(PAGE_BYTES) })
    }

    fn push(&mut self, record: KeyedRecord) -> std::io::Result<()> {
        let home = record.key.home_page(self.home_pages);
        while self.pages < home || self.page.len() == PAGE_RECORDS_MAX * Record::BYTES {
            self.end_page()?;
        }
        self.page.extend_from_slice(&record.record.encode());
        self.records += 1;
        Ok(())
    }

    fn end_page(&mut self) -> std::io::Result<()> {
        let mut bytes = [0; PAGE_BYTES];
        let count = (self.page.len() / Record::BYTES) as u32;
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        bytes[8..16].copy_from_slice(&page_checksum(count, &self.page).to_le_bytes());
        bytes[PAGE_HEADER_BYTES..][..self.page.len()].copy_from_slice(&self.page);
        self.page.clear();
        self.pages += 1;
        self.file.write_all(&bytes)
    }

    fn finish(mut self, partition: u32) -> std::io::Result<()> {
        while !self.page.is_empty() || self.pages < self.home_pages {
            self.end_page()?;
        }
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&FORMAT.to_le_bytes());
        header.extend_from_slice(&partition.to_le_bytes());
        for field in [self.home_pages, self.pages, self.records] {
            header.extend_from_slice(&field.to_le_bytes());
        }
        header.extend_from_slice(&checksum(&header).to_le_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

fn page_checksum(count: u32, records: &[u8]) -> u64 {
    // The count is at most 92: it goes into the top byte, so that a wrong one is not excused by equal records.
    checksum(records) ^ (u64::from(count) << 56)
}

fn decode_page(bytes: &[u8]) -> Option<&[[u8; Record::BYTES]]> {
    let mut fields = Fields(bytes);
    let (count, _, sum) = (fields.u32()?, fields.u32()?, fields.u64()?);
    let records = fields.0.get(..count as usize * Record::BYTES)?;
    (page_checksum(count, records) == sum).then_some(records.as_chunks().0)
}

struct Header {
    home_pages: u64,
    pages: u64,
    records: u64,
}

fn decode_header(page: &[u8; PAGE_BYTES], partition: u32) -> Option<Header> {
    let mut fields = Fields(page);
    let known = fields.array()? == MAGIC && fields.u32()? == FORMAT && fields.u32()? == partition;
    let header = Header { home_pages: fields.u64()?, pages: fields.u64()?, records: fields.u64()? };
    let whole = fields.u64()? == checksum(&page[..HEADER_BYTES]);
    (known && whole && header.home_pages > 0).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use balsa_storage::TransactionPosition;

    const NAME: RunName = RunName { partition: 3, tier: 0, sequence: 1 };

    fn records(count: u64) -> Vec<KeyedRecord> {
        let hashes = (0u64..).map(|i| alloy_primitives::keccak256(i.to_le_bytes()));
        let keyed = hashes.map(|hash| (Key::of(&hash, 1), hash)).filter(|(key, _)| key.partition() == 3);
        let mut records: Vec<_> = keyed
            .take(count as usize)
            .map(|(key, hash)| {
                let position = TransactionPosition { block_number: key.0 >> 1, index: 1 };
                KeyedRecord { key, record: Record { hash, position: Some(position) } }
            })
            .collect();
        records.sort_unstable_by_key(KeyedRecord::order);
        records
    }

    fn written(dir: &Path, records: &[KeyedRecord]) -> Run {
        write_run(dir, NAME, 1, records.len() as u64, records.iter().copied().map(Ok)).unwrap().unwrap()
    }

    #[test]
    fn what_is_written_is_found_and_scanned() {
        for count in [1, 91, 92, 93, 10_000] {
            let dir = tempfile::tempdir().unwrap();
            let records = records(count);
            let run = written(dir.path(), &records);
            for KeyedRecord { key, record } in &records {
                assert_eq!(run.find(*key, &record.hash).unwrap().as_ref(), Some(record));
            }
            let middle = records[records.len() / 2].key;
            let scanned: Vec<_> = run.scan(middle).map(Result::unwrap).collect();
            assert_eq!(scanned, records[records.len() / 2..]);
            let absent = B256::repeat_byte(9);
            assert_eq!(run.find(Key(3 << 60), &absent).unwrap(), None);
        }
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let records = records(50);
        let path = dir.path().join(NAME.file_name());
        written(dir.path(), &records);
        let clean = fs::read(&path).unwrap();
        for offset in [0, 12, 20, 40, 4096, 4104, 4112, 4112 + 43] {
            let mut bytes = clean.clone();
            bytes[offset] ^= 4;
            fs::write(&path, bytes).unwrap();
            let outcome =
                Run::open(dir.path(), NAME, 1).and_then(|run| run.scan(Key(0)).collect::<Result<Vec<_>, _>>());
            assert!(matches!(outcome, Err(IndexError::Damaged { .. })), "byte {offset}");
        }
        fs::write(&path, &clean[..clean.len() - 1]).unwrap();
        assert!(matches!(Run::open(dir.path(), NAME, 1), Err(IndexError::Damaged { .. })));
    }
}
