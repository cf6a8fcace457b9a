//! A small assembler for the EVM: the contracts of the load are kept as source that can be read.
//!
//! A source is a sequence of words between white space; `;` starts a comment that ends with the line.
//!
//! | word | meaning |
//! |---|---|
//! | `SSTORE` | an instruction, by its name in capitals (not `PUSH`: numbers push themselves) |
//! | `64`, `0xff` | pushes the number, in as few bytes as hold it |
//! | `loop:` | a label; assembles to `JUMPDEST` |
//! | `@loop` | pushes the label's place, always in two bytes |
//! | `$token` | pushes a parameter, bound when the source is assembled |
//! | `sel:transfer(address,uint256)` | pushes the four bytes that select a function |
//! | `event:Transfer(address,address,uint256)` | pushes an event's first topic |
//! | `.def name words…` | a name for the words that follow on the line; used by writing `name` |
//!
//! Zero is pushed as `PUSH1 0`, so that one bytecode serves every fork.

mod opcodes;

use std::collections::BTreeMap;

use alloy_primitives::{Bytes, U256, keccak256};

/// How deep names may stand for names; a definition that uses itself is found by it.
const DEFINITION_DEPTH_MAX: usize = 16;

/// Why a source does not assemble. `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum AssemblyError {
    #[error("line {line}: no instruction, name or number: {word}")]
    UnknownWord { line: usize, word: String },
    #[error("line {line}: number wider than 32 bytes: {word}")]
    WideNumber { line: usize, word: String },
    #[error("line {line}: parameter {name} is not bound")]
    UnboundParameter { line: usize, name: String },
    #[error("line {line}: label {name} is defined twice")]
    LabelTwice { line: usize, name: String },
    #[error("line {line}: label {name} is defined nowhere")]
    UnknownLabel { line: usize, name: String },
    #[error("line {line}: definition without a name")]
    NamelessDefinition { line: usize },
    #[error("line {line}: definitions nested deeper than {max}", max = DEFINITION_DEPTH_MAX)]
    DeepDefinition { line: usize },
    #[error("code of {size} bytes is beyond the reach of two-byte labels")]
    LongCode { size: usize },
}

/// Values for the `$names` of a source.
pub type Parameters<'a> = [(&'a str, U256)];

/// Assembles `source` with its `parameters` bound.
///
/// # Errors
/// The first fault in the source, with its line.
pub fn assemble(source: &str, parameters: &Parameters<'_>) -> Result<Bytes, AssemblyError> {
    let mut assembly = Assembly { parameters, ..Assembly::default() };
    for (index, text) in source.lines().enumerate() {
        assembly.line(index + 1, text)?;
    }
    assembly.finish()
}

#[derive(Default)]
struct Assembly<'a> {
    parameters: &'a [(&'a str, U256)],
    definitions: BTreeMap<&'a str, &'a str>,
    labels: BTreeMap<&'a str, u16>,
    /// Places in the code that wait for a label's value.
    references: Vec<Reference<'a>>,
    code: Vec<u8>,
}

struct Reference<'a> {
    line: usize,
    name: &'a str,
    offset: usize,
}

impl<'a> Assembly<'a> {
    fn line(&mut self, line: usize, text: &'a str) -> Result<(), AssemblyError> {
        let text = text.split(';').next().unwrap_or_default().trim();
        let Some(definition) = text.strip_prefix(".def") else {
            return self.words(line, text, 0);
        };
        let definition = definition.trim_start();
        let (name, words) = definition.split_once(char::is_whitespace).unwrap_or((definition, ""));
        if name.is_empty() {
            return Err(AssemblyError::NamelessDefinition { line });
        }
        self.definitions.insert(name, words);
        Ok(())
    }

    fn words(&mut self, line: usize, text: &'a str, depth: usize) -> Result<(), AssemblyError> {
        if depth > DEFINITION_DEPTH_MAX {
            return Err(AssemblyError::DeepDefinition { line });
        }
        text.split_whitespace().try_for_each(|word| self.word(line, word, depth))
    }

    fn word(&mut self, line: usize, word: &'a str, depth: usize) -> Result<(), AssemblyError> {
        if let Some(words) = self.definitions.get(word) {
            return self.words(line, words, depth + 1);
        }
        if let Some(name) = word.strip_suffix(':') {
            return self.label(line, name);
        }
        if let Some(name) = word.strip_prefix('@') {
            self.code.push(opcodes::PUSH1 + 1);
            self.references.push(Reference { line, name, offset: self.code.len() });
            self.code.extend([0, 0]);
            return Ok(());
        }
        if let Some(opcode) = opcodes::opcode(word) {
            self.code.push(opcode);
            return Ok(());
        }
        self.push(self.number(line, word)?);
        Ok(())
    }

    fn label(&mut self, line: usize, name: &'a str) -> Result<(), AssemblyError> {
        let place = u16::try_from(self.code.len()).map_err(|_| AssemblyError::LongCode { size: self.code.len() })?;
        if self.labels.insert(name, place).is_some() {
            return Err(AssemblyError::LabelTwice { line, name: name.to_owned() });
        }
        self.code.push(opcodes::JUMPDEST);
        Ok(())
    }

    fn number(&self, line: usize, word: &str) -> Result<U256, AssemblyError> {
        if let Some(signature) = word.strip_prefix("sel:") {
            return Ok(U256::from_be_slice(&keccak256(signature)[..4]));
        }
        if let Some(signature) = word.strip_prefix("event:") {
            return Ok(U256::from_be_slice(keccak256(signature).as_slice()));
        }
        if let Some(name) = word.strip_prefix('$') {
            let bound = self.parameters.iter().find(|(parameter, _)| *parameter == name);
            return bound
                .map(|(_, value)| *value)
                .ok_or_else(|| AssemblyError::UnboundParameter { line, name: name.to_owned() });
        }
        if !word.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(AssemblyError::UnknownWord { line, word: word.to_owned() });
        }
        word.parse().map_err(|_| AssemblyError::WideNumber { line, word: word.to_owned() })
    }

    fn push(&mut self, value: U256) {
        let width = value.byte_len().max(1);
        self.code.push(opcodes::PUSH1 + width as u8 - 1);
        self.code.extend_from_slice(&value.to_be_bytes::<32>()[32 - width..]);
    }

    fn finish(mut self) -> Result<Bytes, AssemblyError> {
        for Reference { line, name, offset } in self.references {
            let place = self.labels.get(name);
            let place = place.ok_or_else(|| AssemblyError::UnknownLabel { line, name: name.to_owned() })?;
            self.code[offset..offset + 2].copy_from_slice(&place.to_be_bytes());
        }
        Ok(self.code.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(assemble(source, &[("p", U256::from(0x1234))]).unwrap().to_string(), expected);
    }

    #[test]
    fn words_assemble() {
        check("STOP", "0x00");
        check("0 255 256 0x010000", "0x600060ff61010062010000");
        check("ADD ; and a comment SUB", "0x01");
        check("$p", "0x611234");
        check("sel:transfer(address,uint256)", "0x63a9059cbb");
        check(
            "event:Transfer(address,address,uint256)",
            "0x7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        );
        check("SWAP16 DUP1 LOG4 CREATE2 SELFDESTRUCT", "0x9f80a4f5ff");
    }

    #[test]
    fn labels_point_both_ways() {
        check("@end JUMP\nback: @back JUMP\nend: STOP", "0x610009565b610004565b00");
    }

    #[test]
    fn definitions_stand_for_words() {
        check(".def one 1\n.def two one one ADD\ntwo", "0x6001600101");
    }

    #[test]
    fn faults_name_their_line() {
        let fault = |source| assemble(source, &[]).unwrap_err();
        assert_eq!(fault("ADD\nadd"), AssemblyError::UnknownWord { line: 2, word: "add".into() });
        assert_eq!(fault("$p"), AssemblyError::UnboundParameter { line: 1, name: "p".into() });
        assert_eq!(fault("a:\na:"), AssemblyError::LabelTwice { line: 2, name: "a".into() });
        assert_eq!(fault("@a"), AssemblyError::UnknownLabel { line: 1, name: "a".into() });
        assert_eq!(fault(".def a a\na"), AssemblyError::DeepDefinition { line: 2 });
        assert_eq!(fault(".def"), AssemblyError::NamelessDefinition { line: 1 });
        let wide = format!("0x1{}", "0".repeat(64));
        assert_eq!(fault(&wide), AssemblyError::WideNumber { line: 1, word: wide.clone() });
    }
}
