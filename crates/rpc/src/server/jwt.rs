//! Who may use the Engine API
//! ([authentication.md](https://github.com/ethereum/execution-apis/blob/main/src/engine/authentication.md)).

use std::{fmt, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::secret_file::{self, SECRET_BYTES, SecretFileError};

/// Bytes of a secret.
pub const JWT_SECRET_BYTES: usize = SECRET_BYTES;

/// How far a token's time may lie from ours, in seconds.
const ISSUED_AT_DRIFT_MAX: u64 = 60;

/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 4096;

/// What a node and its consensus client both know.
#[derive(Clone, PartialEq, Eq)]
pub struct JwtSecret([u8; JWT_SECRET_BYTES]);

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
    /// [`SecretFileError`]: a file that holds no secret is never overwritten.
    pub fn read_or_make(path: &Path) -> Result<Self, SecretFileError> {
        secret_file::read_or_make(path).map(Self)
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
}
