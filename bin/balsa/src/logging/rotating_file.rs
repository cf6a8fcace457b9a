//! A file that begins anew when it is full; the older ones are numbered, and the oldest goes.
//!
//! Each line is written at once, so that a node that was killed has said what it had to say.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The file that is written now, and those before it.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    /// Older files that are kept.
    older_max: usize,
}

impl RotatingFile {
    /// Goes on where the last run ended.
    ///
    /// # Errors
    /// If the file or its directory can neither be found nor made.
    pub(super) fn open(path: PathBuf, bytes_max: u64, older_max: usize) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = append_to(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes, bytes_max, older_max })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        match self.older_max {
            0 => fs::remove_file(&self.path)?,
            _ => {
                for number in (1..self.older_max).rev() {
                    let (from, to) = (self.older(number), self.older(number + 1));
                    if from.exists() {
                        fs::rename(from, to)?;
                    }
                }
                fs::rename(&self.path, self.older(1))?;
            }
        }
        self.file = append_to(&self.path)?;
        self.bytes = 0;
        Ok(())
    }

    fn older(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Write for RotatingFile {
    /// Writes a line; lines are never cut in two.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.bytes_max {
            self.begin_anew()?;
        }
        self.file.write_all(line)?;
        self.bytes += length;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes lines to a file of at most nine bytes, in so many runs; returns what each file holds, the newest first.
    fn written(lines: &[&str], older_max: usize, runs: usize) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("new").join("x.log");
        for lines in lines.chunks(lines.len().div_ceil(runs)) {
            let mut file = RotatingFile::open(path.clone(), 9, older_max).expect("a file");
            lines.iter().for_each(|line| file.write_all(line.as_bytes()).expect("it is written"));
        }
        let names = ["x.log", "x.log.1", "x.log.2", "x.log.3"].map(|name| path.with_file_name(name));
        let found = fs::read_dir(folder.path().join("new")).expect("a directory").count();
        let held: Vec<String> = names.iter().filter_map(|name| fs::read_to_string(name).ok()).collect();
        assert_eq!(held.len(), found, "there is no other file");
        held
    }

    #[test]
    fn a_full_file_is_numbered_and_the_oldest_goes() {
        let lines = ["one\n", "two\n", "3333", "4444", "5555", "6666", "7777"];
        let expected = ["7777", "55556666", "33334444"];
        assert_eq!(written(&lines, 2, 1), expected);
        assert_eq!(written(&lines, 2, 2), expected);
        assert_eq!(written(&lines, 0, 1), ["7777"]);
    }

    #[test]
    fn a_line_that_is_too_long_has_a_file_of_its_own() {
        assert_eq!(written(&["a line too long", "next", "more"], 3, 1), ["nextmore", "a line too long"]);
    }
}
