//! Which files are alive. FORMAT.md, "MANIFEST".

use std::{fs, io, path::Path};

use crate::{
    IndexError,
    codec::{FORMAT, Fields, checksum, replace_file},
    key::PARTITIONS,
    record::SerialMark,
};

const FILE: &str = "MANIFEST";
const MAGIC: &[u8; 8] = b"balsatxm";

/// The name of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunName {
    pub(crate) partition: u32,
    /// How many merges its records have been through.
    pub(crate) tier: u32,
    pub(crate) sequence: u64,
}

impl RunName {
    pub(crate) fn file_name(&self) -> String {
        format!("run-{:016x}", self.sequence)
    }
}

/// What is alive in one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The next file's.
    pub(crate) next_sequence: u64,
    pub(crate) log: u64,
    pub(crate) mark: Option<SerialMark>,
    /// Newest first within a partition.
    pub(crate) runs: Vec<RunName>,
}

impl Manifest {
    /// Reads the manifest; `None` if the directory has none yet.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, IndexError> {
        let path = dir.join(FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(IndexError::io(&path, "read"))?,
        };
        decode(&bytes).map(Some).ok_or(IndexError::Damaged { path, offset: 0 })
    }

    /// The atomic point of a spill.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), IndexError> {
        replace_file(dir, FILE, &self.encode())
    }

    /// Takes a sequence for a new file.
    pub(crate) fn take_sequence(&mut self) -> u64 {
        self.next_sequence += 1;
        self.next_sequence - 1
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.next_sequence.to_le_bytes());
        bytes.extend_from_slice(&self.log.to_le_bytes());
        bytes.extend_from_slice(&SerialMark::encode(self.mark));
        bytes.extend_from_slice(&(self.runs.len() as u32).to_le_bytes());
        for run in &self.runs {
            bytes.extend_from_slice(&run.partition.to_le_bytes());
            bytes.extend_from_slice(&run.tier.to_le_bytes());
            bytes.extend_from_slice(&run.sequence.to_le_bytes());
        }
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }
}

fn decode(bytes: &[u8]) -> Option<Manifest> {
    let (content, sum) = bytes.split_last_chunk()?;
    let mut fields = Fields(content);
    let known = fields.array()? == MAGIC && fields.u32()? == FORMAT;
    if !known || checksum(content) != u64::from_le_bytes(*sum) {
        return None;
    }
    let (next_sequence, log) = (fields.u64()?, fields.u64()?);
    let mark = SerialMark::decode(fields.array()?);
    let count = fields.u32()?;
    let run = |fields: &mut Fields<'_>| {
        Some(RunName { partition: fields.u32()?, tier: fields.u32()?, sequence: fields.u64()? })
            .filter(|run| (run.partition as usize) < PARTITIONS)
    };
    let runs = (0..count).map(|_| run(&mut fields)).collect::<Option<_>>()?;
    fields.0.is_empty().then_some(Manifest { next_sequence, log, mark, runs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mark;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        let mark = Mark { number: 4, hash: alloy_primitives::B256::repeat_byte(1) };
        let manifest = Manifest {
            next_sequence: 9,
            log: 8,
            mark: Some(SerialMark { serial: 2, mark }),
            runs: vec![RunName { partition: 15, tier: 2, sequence: 7 }],
        };
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest));
        let path = dir.path().join(FILE);
        let mut bytes = fs::read(&path).unwrap();
        bytes[30] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(Manifest::read(dir.path()), Err(IndexError::Damaged { .. })));
    }
}
