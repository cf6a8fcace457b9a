//! Files of one secret: 32 bytes in hexadecimal, with or without `0x`, readable by their owner only.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rand::RngCore;

/// Bytes of a secret.
pub(super) const SECRET_BYTES: usize = 32;

/// A secret's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The system.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path}: not {SECRET_BYTES} bytes in hexadecimal", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the secret in a file; makes one of random bytes, and the file, if there is none.
///
/// # Errors
/// [`SecretFileError`]: a file that holds no secret is never overwritten.
pub fn read_or_make(path: &Path) -> Result<[u8; SECRET_BYTES], SecretFileError> {
    let file_error = |source| SecretFileError::File { path: path.into(), source };
    let malformed = || SecretFileError::Malformed { path: path.into() };
    match fs::read_to_string(path) {
        Ok(text) => parse(&text).ok_or_else(malformed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path).map_err(file_error),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(malformed()),
        Err(error) => Err(file_error(error)),
    }
}

fn parse(text: &str) -> Option<[u8; SECRET_BYTES]> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut bytes = [0; SECRET_BYTES];
    alloy_primitives::hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

fn make(path: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let mut bytes = [0; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(alloy_primitives::hex::encode(bytes).as_bytes())?;
    file.sync_all()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_once_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/secret.hex");
        let made = read_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_make(&path).unwrap(), made);
        let digits = alloy_primitives::hex::encode([3; 32]);
        for (text, good) in [
            (format!(" 0x{digits}\n"), true),
            (digits.clone(), true),
            (digits[..62].into(), false),
            (format!("{digits}00"), false),
            (String::new(), false),
            ("zz".repeat(32), false),
        ] {
            fs::write(&path, &text).unwrap();
            assert_eq!(read_or_make(&path).is_ok(), good, "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
