//! The parameters of `engine_forkchoiceUpdated`, by version.

use crate::{
    EngineError, ForkchoiceState, ForkchoiceVersion, PayloadAttributes,
    params::{optional, read},
};
use alloy_primitives::B128;
use serde_json::value::RawValue;

/// The parameters of one call.
#[derive(Debug)]
pub struct ForkchoiceParams {
    /// The choice.
    pub state: ForkchoiceState,
    /// What to build, if anything. That it cannot be read is said only after the choice was followed.
    pub attributes: Option<Result<PayloadAttributes, EngineError>>,
    /// From version 4: columns in the consensus client's custody, a bit each.
    pub custody_columns: Option<B128>,
}

impl ForkchoiceParams {
    /// Reads the parameters as they stand in a call.
    ///
    /// # Errors
    /// [`EngineError::InvalidParams`]: too few, too many, or not of their type; the attributes apart.
    pub fn from_json(version: ForkchoiceVersion, params: &[&RawValue]) -> Result<Self, EngineError> {
        let most = if version >= ForkchoiceVersion::V4 { 3 } else { 2 };
        let [state, rest @ ..] = params else {
            return Err(EngineError::InvalidParams(format!(
                "{} takes 1 to {most} parameters, not 0",
                version.method()
            )));
        };
        if params.len() > most {
            let message = format!("{} takes 1 to {most} parameters, not {}", version.method(), params.len());
            return Err(EngineError::InvalidParams(message));
        }
        let attributes = optional::<PayloadAttributes>("payloadAttributes", rest.first())
            .map_err(|error| EngineError::InvalidPayloadAttributes(error.to_string()))
            .transpose();
        Ok(Self {
            state: read("forkchoiceState", state)?,
            attributes,
            custody_columns: optional("custodyColumns", rest.get(1))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(version: ForkchoiceVersion, json: &str) -> Result<ForkchoiceParams, i64> {
        let params: Vec<&RawValue> = serde_json::from_str(json).unwrap();
        ForkchoiceParams::from_json(version, &params).map_err(|error| error.code())
    }

    fn state() -> String {
        let zeros = alloy_primitives::B256::ZERO;
        format!(r#"{{"headBlockHash":"{zeros}","safeBlockHash":"{zeros}","finalizedBlockHash":"{zeros}"}}"#)
    }

    #[test]
    fn the_number_of_parameters_depends_on_the_version() {
        use ForkchoiceVersion::{V3, V4};
        let state = state();
        assert!(params(V3, &format!("[{state}]")).unwrap().attributes.is_none());
        assert!(params(V3, &format!("[{state},null]")).unwrap().attributes.is_none());
        assert_eq!(params(V3, &format!("[{state},null,null]")).unwrap_err(), -32602);
        assert!(params(V4, &format!("[{state},null,null]")).is_ok());
        assert_eq!(params(V4, "[]").unwrap_err(), -32602);
        assert_eq!(params(V4, r#"[{"headBlockHash":"0x00"},null]"#).unwrap_err(), -32602);
    }

    #[test]
    fn custody_columns_are_16_bytes() {
        let with = |columns: &str| params(ForkchoiceVersion::V4, &format!("[{},null,{columns}]", state()));
        let sixteen = format!("\"0x{}\"", "01".repeat(16));
        assert_eq!(with(&sixteen).unwrap().custody_columns, Some(B128::repeat_byte(1)));
        for wrong in ["\"0x\"".to_owned(), format!("\"0x{}\"", "01".repeat(15)), "7".to_owned(), "[]".to_owned()] {
            assert_eq!(with(&wrong).unwrap_err(), -32602, "{wrong}");
        }
    }

    #[test]
    fn attributes_that_cannot_be_read_do_not_keep_the_choice_from_being_followed() {
        let params = params(ForkchoiceVersion::V3, &format!(r#"[{},{{"timestamp":"zzz"}}]"#, state())).unwrap();
        assert_eq!(params.attributes.unwrap().unwrap_err().code(), -38003);
    }
}
