//! Who may use the Engine API
//! ([authentication.md](https://github.com/ethereum/execution-apis/blob/main/src/engine/authentication.md)).

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use rand::RngCore;
use serde::Deserialize;
use sha2::Sha256;

/// Bytes of a secret.
pub const JWT_SECRET_BYTES: usize = 32;

/// How far a token's time may lie from ours, in seconds.
const ISSUED_AT_DRIFT_MAX: u64 = 60;

/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 4096;

/// What a node and its consensus client both know.
#[derive(Clone, PartialEq, Eq)]
pub struct JwtSecret([u8; JWT_SECRET_BYTES]);

/// The secret's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwtSecretError {
    /// The system.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path}: not {JWT_SECRET_BYTES} bytes in hexadecimal", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// A token that opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("missing token")]
    Missing,
    #[error("malformed token")]
    Malformed,
    #[error("token is not signed by HS256")]
    Algorithm,
    #[error("token is not signed with this node's secret")]
    Signature,
    #[error("token was issued at {issued_at}, now it is {now}: more than {ISSUED_AT_DRIFT_MAX} seconds apart")]
    IssuedAt { issued_at: u64, now: u64 },
}

#[derive(Deserialize)]
struct TokenHeader {
    alg: String,
}

/// What a token must say; what else it says is ignored.
#[derive(Deserialize)]
struct Claims {
    iat: u64,
}

impl JwtSecret {
    /// A secret of these bytes.
    pub fn new(bytes: [u8; JWT_SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the secret in a file; makes one, and the file, if there is none.
    ///
    /// # Errors
    /// [`JwtSecretError`]: a file that holds no secret is never overwritten.
    pub fn read_or_make(path: &Path) -> Result<Self, JwtSecretError> {
        let file_error = |source| JwtSecretError::File { path: path.into(), source };
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).ok_or_else(|| JwtSecretError::Malformed { path: path.into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path).map_err(file_error),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(JwtSecretError::Malformed { path: path.into() })
            }
            Err(error) => Err(file_error(error)),
        }
    }

    /// A token that opens the door at this time, in seconds since 1970.
    pub fn token(&self, now: u64) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{now}}}"#)));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// Whether a token opens the door now, in seconds since 1970.
    pub(crate) fn check(&self, token: &str, now: u64) -> Result<(), TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        if part::<TokenHeader>(header)?.alg != "HS256" {
            return Err(TokenError::Algorithm);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        self.mac(signed).verify_slice(&signature).map_err(|_| TokenError::Signature)?;
        let Claims { iat } = part(claims)?;
        if iat.abs_diff(now) > ISSUED_AT_DRIFT_MAX {
            return Err(TokenError::IssuedAt { issued_at: iat, now });
        }
        Ok(())
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let mut bytes = [0; JWT_SECRET_BYTES];
        alloy_primitives::hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    fn make(path: &Path) -> io::Result<Self> {
        let mut bytes = [0; JWT_SECRET_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(alloy_primitives::hex::encode(bytes).as_bytes())?;
        file.sync_all()?;
        Ok(Self(bytes))
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(signed.as_bytes());
        mac
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtSecret(..)")
    }
}

fn part<T: serde::de::DeserializeOwned>(encoded: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: JwtSecret = JwtSecret([7; 32]);
    const NOW: u64 = 1_700_000_000;

    fn signed(header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(SECRET.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    #[test]
    fn a_token_opens_for_a_minute_either_way() {
        let token = SECRET.token(NOW);
        for (now, opens) in [(NOW, true), (NOW - 60, true), (NOW + 60, true), (NOW - 61, false), (NOW + 61, false)] {
            assert_eq!(SECRET.check(&token, now).is_ok(), opens, "{now}");
        }
        assert_eq!(JwtSecret([8; 32]).check(&token, NOW), Err(TokenError::Signature));
    }

    #[test]
    fn only_hs256_is_taken() {
        let claims = format!(r#"{{"iat":{NOW},"id":"x","clv":[1]}}"#);
        assert_eq!(SECRET.check(&signed(r#"{"alg":"HS256"}"#, &claims), NOW), Ok(()));
        for algorithm in ["none", "HS512", "RS256", "hs256"] {
            let token = signed(&format!(r#"{{"alg":"{algorithm}"}}"#), &claims);
            assert_eq!(SECRET.check(&token, NOW), Err(TokenError::Algorithm), "{algorithm}");
        }
        let unsigned = signed(r#"{"alg":"none"}"#, &claims);
        let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
        assert_eq!(SECRET.check(&unsigned, NOW), Err(TokenError::Algorithm));
    }

    #[test]
    fn what_is_no_token_opens_nothing() {
        for token in ["", ".", "..", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.", &"a".repeat(10_000)] {
            assert!(SECRET.check(token, NOW).is_err(), "{token}");
        }
        assert_eq!(SECRET.check(&signed(r#"{"alg":"HS256"}"#, "{}"), NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn the_file_is_made_once_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/jwt.hex");
        let made = JwtSecret::read_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(JwtSecret::read_or_make(&path).unwrap(), made);
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
            assert_eq!(JwtSecret::read_or_make(&path).is_ok(), good, "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
