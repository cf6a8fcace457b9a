//! The form of execution requests (EIP-7685).

use crate::EngineError;
use alloy_primitives::Bytes;

/// Whether each request has a type and data, and types ascend: an empty request is left out, none stands twice.
///
/// # Errors
/// [`EngineError::InvalidParams`].
pub(crate) fn check(requests: &[Bytes]) -> Result<(), EngineError> {
    let mut last: Option<u8> = None;
    for (position, request) in requests.iter().enumerate() {
        let [request_type, _, ..] = request[..] else {
            return Err(EngineError::InvalidParams(format!("execution request {position} is empty")));
        };
        if last.is_some_and(|last| last >= request_type) {
            return Err(EngineError::InvalidParams(format!("execution request {position} is out of order")));
        }
        last = Some(request_type);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_not_empty_and_ascend() {
        let check = |requests: &[&[u8]]| {
            let requests: Vec<Bytes> = requests.iter().map(|request| Bytes::copy_from_slice(request)).collect();
            super::check(&requests).is_ok()
        };
        assert!(check(&[]));
        assert!(check(&[&[0, 1], &[1, 1], &[2, 1]]));
        assert!(!check(&[&[]]));
        assert!(!check(&[&[0]]));
        assert!(!check(&[&[1, 1], &[0, 1]]));
        assert!(!check(&[&[1, 1], &[1, 2]]));
    }
}
