//! What a contract said when it reverted.

use alloy_primitives::{U256, hex};

/// `Error(string)`.
const ERROR_SELECTOR: [u8; 4] = hex!("08c379a0");
/// `Panic(uint256)`.
const PANIC_SELECTOR: [u8; 4] = hex!("4e487b71");

/// The message for data that a call reverted with, its reason included if it has one that can be read.
pub fn revert_message(data: &[u8]) -> String {
    match reason(data) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".into(),
    }
}

fn reason(data: &[u8]) -> Option<String> {
    let (selector, arguments) = data.split_first_chunk::<4>()?;
    match *selector {
        ERROR_SELECTOR => string(arguments),
        PANIC_SELECTOR => Some(panic_reason(word(arguments, 0)?)),
        _ => None,
    }
}

/// The only argument, a string, in the contract ABI: offset, then length and bytes there.
fn string(arguments: &[u8]) -> Option<String> {
    let offset = usize::try_from(word(arguments, 0)?).ok()?;
    let len = usize::try_from(word(arguments, offset)?).ok()?;
    let start = offset.checked_add(32)?;
    let bytes = arguments.get(start..start.checked_add(len)?)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

fn word(bytes: &[u8], at: usize) -> Option<U256> {
    bytes.get(at..at.checked_add(32)?).map(U256::from_be_slice)
}

/// Solidity's words for its codes.
fn panic_reason(code: U256) -> String {
    let known = match u8::try_from(code).ok() {
        Some(0x00) => "generic panic",
        Some(0x01) => "assert(false)",
        Some(0x11) => "arithmetic underflow or overflow",
        Some(0x12) => "division or modulo by zero",
        Some(0x21) => "enum overflow",
        Some(0x22) => "invalid encoded storage byte array accessed",
        Some(0x31) => "out-of-bounds array access; popping on an empty array",
        Some(0x32) => "out-of-bounds access of an array or bytesN",
        Some(0x41) => "out of memory",
        Some(0x51) => "uninitialized function",
        _ => return format!("unknown panic code: {code:#x}"),
    };
    known.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_and_nonsense_is_not() {
        #[track_caller]
        fn check(data: &str, expected: &str) {
            assert_eq!(revert_message(&hex::decode(data).unwrap()), expected);
        }
        let word = |value: u64| format!("{value:064x}");
        let text = |text: &str| format!("{:0<64}", hex::encode(text));
        check("", "execution reverted");
        check("77726f6e672d", "execution reverted");
        check(&format!("08c379a0{}{}{}", word(32), word(10), text("user error")), "execution reverted: user error");
        check(&format!("4e487b71{}", word(1)), "execution reverted: assert(false)");
        check(&format!("4e487b71{}", word(0x77)), "execution reverted: unknown panic code: 0x77");
        // Lengths and offsets beyond the data, and beyond what can be added.
        check(&format!("08c379a0{}{}{}", word(32), word(65), text("user error")), "execution reverted");
        check(&format!("08c379a0{}", "f".repeat(64)), "execution reverted");
        check(&format!("08c379a0{}{}", word(32), "f".repeat(64)), "execution reverted");
        check(&format!("08c379a0{}", word(u64::MAX)), "execution reverted");
    }
}
