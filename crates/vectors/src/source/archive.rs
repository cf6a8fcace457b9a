//! `.tar` and `.tar.zst` archives, read as a stream.
//!
//! The tar format does not say how many files follow: an archive cut off between two files reads as a shorter
//! one. Its end is therefore looked for: a compressed stream must close its frame, and the tar must close with
//! blocks of zeros.

use super::SourceError;
use super::walk::{DOCUMENT_BYTES_MAX, Sink};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

/// The largest window that a pack may ask for, as a power of two in bytes.
const WINDOW_LOG_MAX: u32 = 27;

/// Folders and files at the top of the test repositories, of which a release may be an archive, that vectors are made
/// with or described by.
const SOURCES: [&str; 9] = [
    "src",
    "docs",
    "ansible",
    "JSONSchema",
    "TODO",
    "CHANGELOG.md",
    "PRLOG.md",
    "requirements.txt",
    "pax_global_header",
];

/// The zeros that close a tar archive: two empty blocks.
const END_MARK_BYTES: u64 = 1024;

pub(super) fn read(path: &Path, sink: Sink<'_>) -> ControlFlow<()> {
    let opened = match open(path) {
        Ok(stream) => stream,
        Err(error) => {
            return sink(Err(SourceError::Unreadable { path: path.to_owned(), error }));
        }
    };
    let mut archive = tar::Archive::new(TrailingZeros { inner: opened, count: 0 });
    let mut last = "nothing".to_owned();
    let outcome = match archive.entries() {
        Ok(entries) => read_entries(path, entries, &mut last, sink),
        Err(error) => Err(error),
    };
    let outcome = match outcome {
        Ok(ControlFlow::Continue(())) => check_end(archive.into_inner()),
        Ok(ControlFlow::Break(())) => return ControlFlow::Break(()),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => sink(Err(SourceError::Archive { path: path.to_owned(), after: last, error })),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(path)?);
    if path.extension().is_some_and(|extension| extension == "zst") {
        let mut decoder = zstd::Decoder::with_buffer(file)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Box::new(decoder))
    } else {
        Ok(Box::new(file))
    }
}

fn read_entries<R: Read>(
    archive: &Path,
    entries: tar::Entries<'_, R>,
    last: &mut String,
    sink: Sink<'_>,
) -> io::Result<ControlFlow<()>> {
    for entry in entries {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
        if is_source(&name) {
            continue;
        }
        let bytes = entry.size();
        let read = if bytes > DOCUMENT_BYTES_MAX {
            let (path, limit) = (archive.to_owned(), DOCUMENT_BYTES_MAX);
            Err(SourceError::TooLarge { path, name: name.clone(), bytes, limit })
        } else {
            let mut content = Vec::with_capacity(bytes as usize);
            entry.read_to_end(&mut content)?;
            if content.len() as u64 != bytes {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("inside {name}")));
            }
            Ok((name.clone(), content))
        };
        *last = name;
        if sink(read).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether the file is part of what vectors are made with: the archive of a repository has all in one folder, and names
/// with a dot are the repository's own.
fn is_source(name: &str) -> bool {
    let Some((_, inside)) = name.split_once('/') else { return SOURCES.contains(&name) };
    let top = inside.split('/').next().unwrap_or_default();
    SOURCES.contains(&top) || (top.starts_with('.') && top != ".meta")
}

/// Reads on to the end of the stream, which proves that a compressed frame was closed, and wants the tar's end mark.
fn check_end<R: Read>(mut stream: TrailingZeros<R>) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink())?;
    if stream.count < END_MARK_BYTES {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive's end mark is missing"));
    }
    Ok(())
}

/// A reader that remembers how many zeros came last.
struct TrailingZeros<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for TrailingZeros<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let read = &buffer[..length];
        match read.iter().rposition(|byte| *byte != 0) {
            Some(position) => self.count = (length - position - 1) as u64,
            None => self.count += length as u64,
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// Names read, and the error if there was one.
    fn names(suffix: &str, content: &[u8]) -> (Vec<String>, Option<String>) {
        let mut file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
        file.write_all(content).unwrap();
        let (mut names, mut fault) = (Vec::new(), None);
        let _ = read(file.path(), &mut |read| {
            match read {
                Ok((name, _)) => names.push(name),
                Err(error) => fault = Some(error.to_string()),
            }
            ControlFlow::Continue(())
        });
        (names, fault)
    }

    #[test]
    fn an_archive_is_read_whole() {
        let tar = tar_of(&[("./a.json", b"{}"), ("b/c.json", b"[]")]);
        let packed = zstd::encode_all(&tar[..], 3).unwrap();
        for (suffix, content) in [(".tar", &tar), (".tar.zst", &packed)] {
            assert_eq!(names(suffix, content), (vec!["a.json".into(), "b/c.json".into()], None));
        }
    }

    #[test]
    fn what_vectors_are_made_with_is_passed_over() {
        let tar = tar_of(&[
            ("tests-1/src/aFiller.json", b"{}"),
            ("tests-1/.github/a.json", b"{}"),
            ("tests-1/.meta/index.json", b"{}"),
            ("tests-1/GeneralStateTests/src/a.json", b"{}"),
        ]);
        let read = ["tests-1/.meta/index.json", "tests-1/GeneralStateTests/src/a.json"].map(str::to_owned);
        assert_eq!(names(".tar", &tar), (read.to_vec(), None));
    }

    #[test]
    fn a_cut_archive_is_an_error_wherever_the_cut_is() {
        let noise: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
        let tar = tar_of(&[("a.json", &noise), ("b.json", &noise)]);
        let packed = zstd::encode_all(&tar[..], 3).unwrap();
        let entry = 512 + noise.len().next_multiple_of(512);
        for cut in [100, 700, entry, entry + 512, 2 * entry] {
            let (_, fault) = names(".tar", &tar[..cut]);
            assert!(fault.is_some(), "tar cut at {cut}");
        }
        for cut in [10, packed.len() / 2, packed.len() - 1] {
            let (_, fault) = names(".tar.zst", &packed[..cut]);
            assert!(fault.is_some(), "tar.zst cut at {cut}");
        }
        let (read, fault) = names(".tar", &tar[..entry]);
        assert_eq!(read, ["a.json"]);
        assert!(fault.unwrap().contains("after a.json"));
    }
}
