//! Reads a transaction's bytes field by field, to name what is wrong with them as the suites do.
//!
//! The decoder that the client uses says no; the suites also say which field, and why. This reading is used only
//! after that no, on bytes that are already known to be bad. The order of the checks is that of the suites' own
//! oracle: first the structure of the RLP, then the type against the fork, then the ranges of the values.

use alloy_eips::eip2718::{Decodable2718, Eip2718Result};
use alloy_primitives::{U256, uint};
use balsa_chainspec::{Fork, Rules};
use balsa_evm::Transaction;

/// Decodes a transaction's bytes (EIP-2718) with the decoder that the client uses.
pub fn decode(mut bytes: &[u8]) -> Eip2718Result<Transaction> {
    let transaction = Transaction::decode_2718(&mut bytes)?;
    if bytes.is_empty() { Ok(transaction) } else { Err(alloy_rlp::Error::UnexpectedLength.into()) }
}

/// The suites' name for what is wrong with these bytes of a transaction, if this reading finds anything.
pub fn find(rules: &Rules, bytes: &[u8]) -> Option<&'static str> {
    read(rules, bytes).err().map(|fault| fault.0)
}

/// The same for a block's bytes: the fault of the first transaction in it that has one.
pub fn find_in_block(rules: &Rules, bytes: &[u8]) -> Option<&'static str> {
    let mut bytes = bytes;
    let mut block = list(&mut bytes).ok()?;
    item(&mut block).ok()?;
    let mut transactions = list(&mut block).ok()?;
    while !transactions.is_empty() {
        let whole = transactions;
        let transaction = item(&mut transactions).ok()?;
        let legacy = &whole[..whole.len() - transactions.len()];
        let found = find(rules, if transaction.is_list { legacy } else { transaction.payload });
        if found.is_some() {
            return found;
        }
    }
    None
}

struct Fault(&'static str);
type Read<T> = Result<T, Fault>;

/// A field of a transaction: how it is read, and the names of what can be wrong with it.
struct Field {
    form: Form,
    is_a_list: &'static str,
    long_form: &'static str,
    leading_zeros: &'static str,
    overflow: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Number64,
    Number256,
    To,
    Data,
    AccessList,
    Authorizations,
    Hashes,
}

const STRUCTURE: &str = "TransactionException.RLP_ERROR_SIZE";

const fn field(form: Form, names: [&'static str; 4]) -> Field {
    let [is_a_list, long_form, leading_zeros, overflow] = names;
    Field { form, is_a_list, long_form, leading_zeros, overflow }
}

const CHAIN_ID: Field =
    field(Form::Number64, [STRUCTURE, STRUCTURE, STRUCTURE, "TransactionException.INVALID_CHAINID"]);
const NONCE: Field = field(
    Form::Number64,
    [
        "TransactionException.RLP_INVALID_NONCE",
        "TransactionException.RLP_LEADING_ZEROS_NONCE_SIZE",
        "TransactionException.RLP_LEADING_ZEROS_NONCE",
        "TransactionException.NONCE_OVERFLOW",
    ],
);
const GAS_PRICE: Field = field(
    Form::Number256,
    [STRUCTURE, STRUCTURE, "TransactionException.RLP_LEADING_ZEROS_GASPRICE", "TransactionException.GASPRICE_OVERFLOW"],
);
const PRIORITY_FEE: Field = field(
    Form::Number256,
    [
        STRUCTURE,
        STRUCTURE,
        "TransactionException.RLP_LEADING_ZEROS_PRIORITY_FEE",
        "TransactionException.PRIORITY_OVERFLOW",
    ],
);
const MAX_FEE: Field = field(
    Form::Number256,
    [STRUCTURE, STRUCTURE, "TransactionException.RLP_LEADING_ZEROS_BASEFEE", "TransactionException.GASPRICE_OVERFLOW"],
);
const GAS_LIMIT: Field = field(
    Form::Number64,
    [
        "TransactionException.RLP_INVALID_GASLIMIT",
        STRUCTURE,
        "TransactionException.RLP_LEADING_ZEROS_GASLIMIT",
        "TransactionException.GASLIMIT_OVERFLOW",
    ],
);
const TO: Field = field(Form::To, ["TransactionException.RLP_INVALID_TO", STRUCTURE, STRUCTURE, STRUCTURE]);
const VALUE: Field = field(
    Form::Number256,
    [
        "TransactionException.RLP_INVALID_VALUE",
        STRUCTURE,
        "TransactionException.RLP_LEADING_ZEROS_VALUE",
        "TransactionException.VALUE_OVERFLOW",
    ],
);
const DATA: Field = field(
    Form::Data,
    ["TransactionException.RLP_INVALID_DATA", "TransactionException.RLP_LEADING_ZEROS_DATA_SIZE", STRUCTURE, STRUCTURE],
);
const ACCESS_LIST: Field = field(Form::AccessList, [STRUCTURE; 4]);
const AUTHORIZATIONS: Field = field(Form::Authorizations, [AUTHORIZATION_FORMAT; 4]);
const HASHES: Field = field(Form::Hashes, [STRUCTURE; 4]);
const BLOB_FEE: Field = field(Form::Number256, [STRUCTURE; 4]);
const V: Field = field(
    Form::Number256,
    [STRUCTURE, STRUCTURE, "TransactionException.RLP_LEADING_ZEROS_V", "TransactionException.INVALID_SIGNATURE_VRS"],
);
const R: Field = field(
    Form::Number256,
    [
        "TransactionException.RLP_INVALID_SIGNATURE_R",
        STRUCTURE,
        "TransactionException.RLP_LEADING_ZEROS_R",
        "TransactionException.INVALID_SIGNATURE_VRS",
    ],
);
const S: Field = field(
    Form::Number256,
    [
        "TransactionException.RLP_INVALID_SIGNATURE_S",
        STRUCTURE,
        "TransactionException.RLP_LEADING_ZEROS_S",
        "TransactionException.INVALID_SIGNATURE_VRS",
    ],
);

const LEGACY: &[Field] = &[NONCE, GAS_PRICE, GAS_LIMIT, TO, VALUE, DATA, V, R, S];
const ACCESS_LISTS: &[Field] = &[CHAIN_ID, NONCE, GAS_PRICE, GAS_LIMIT, TO, VALUE, DATA, ACCESS_LIST, V, R, S];
const DYNAMIC_FEE: &[Field] =
    &[CHAIN_ID, NONCE, PRIORITY_FEE, MAX_FEE, GAS_LIMIT, TO, VALUE, DATA, ACCESS_LIST, V, R, S];
const BLOB: &[Field] =
    &[CHAIN_ID, NONCE, PRIORITY_FEE, MAX_FEE, GAS_LIMIT, TO, VALUE, DATA, ACCESS_LIST, BLOB_FEE, HASHES, V, R, S];
const SET_CODE: &[Field] =
    &[CHAIN_ID, NONCE, PRIORITY_FEE, MAX_FEE, GAS_LIMIT, TO, VALUE, DATA, ACCESS_LIST, AUTHORIZATIONS, V, R, S];

const TYPE_NOT_SUPPORTED: &str = "TransactionException.TYPE_NOT_SUPPORTED";
const AUTHORIZATION_FORMAT: &str = "TransactionException.TYPE_4_INVALID_AUTHORIZATION_FORMAT";
const AUTHORITY_SIGNATURE: &str = "TransactionException.TYPE_4_INVALID_AUTHORITY_SIGNATURE";

/// Fields, the first fork that knows them, and the name of a creation where that is not allowed, by EIP-2718 type.
fn form_of_type(byte: u8) -> Read<(&'static [Field], Fork, Option<&'static str>)> {
    Ok(match byte {
        1 => (ACCESS_LISTS, Fork::Berlin, None),
        2 => (DYNAMIC_FEE, Fork::London, None),
        3 => (BLOB, Fork::Cancun, Some("TransactionException.TYPE_3_TX_CONTRACT_CREATION")),
        4 => (SET_CODE, Fork::Prague, Some("TransactionException.TYPE_4_TX_CONTRACT_CREATION")),
        _ => return Err(Fault(TYPE_NOT_SUPPORTED)),
    })
}

fn read(rules: &Rules, bytes: &[u8]) -> Read<()> {
    let first = *bytes.first().ok_or(Fault("TransactionException.RLP_ERROR_EOF"))?;
    match first {
        0xc0.. => read_fields(rules, bytes, (LEGACY, Fork::Frontier, None)),
        ..0x80 => read_fields(rules, &bytes[1..], form_of_type(first)?),
        _ => read_string(bytes),
    }
}

/// A string where a list or a type should stand: wrapped once too often.
fn read_string(mut bytes: &[u8]) -> Read<()> {
    if bytes.len() == 1 {
        return Err(Fault("TransactionException.RLP_ERROR_EOF"));
    }
    let payload = item(&mut bytes).map_or(&[][..], |item| item.payload);
    form_of_type(payload.first().copied().unwrap_or(u8::MAX))?;
    Err(Fault("TransactionException.RLP_INVALID_HEADER"))
}

fn read_fields(
    rules: &Rules,
    mut bytes: &[u8],
    (fields, since, creation): (&[Field], Fork, Option<&'static str>),
) -> Read<()> {
    let mut payload = list(&mut bytes).map_err(|error| Fault(error.name_of_size()))?;
    if !bytes.is_empty() {
        return Err(Fault(STRUCTURE));
    }
    // Two types are older than the names of this module's faults, so that these come before the fork; the later not.
    if since > Fork::London && !rules.has(since) {
        return Err(Fault(TYPE_NOT_SUPPORTED));
    }
    if creation.is_some() && payload.first().is_some_and(|first| *first >= 0xc0) {
        return Err(Fault("TransactionException.TYPE_3_TX_WITH_FULL_BLOBS"));
    }
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        if payload.is_empty() {
            return Err(Fault("TransactionException.RLP_TOO_FEW_ELEMENTS"));
        }
        values.push(read_field(field, &mut payload, creation)?);
    }
    if !payload.is_empty() {
        return Err(Fault("TransactionException.RLP_TOO_MANY_ELEMENTS"));
    }
    if !rules.has(since) {
        return Err(Fault(TYPE_NOT_SUPPORTED));
    }
    check_ranges(rules, fields, &values)
}

/// Reads one field. What comes back is its number, or the name of its overflow, which counts only later.
fn read_field(field: &Field, bytes: &mut &[u8], creation: Option<&'static str>) -> Read<Result<U256, Fault>> {
    let item = item(bytes).map_err(|error| Fault(error.name_in(field)))?;
    let wants_list = matches!(field.form, Form::AccessList | Form::Authorizations | Form::Hashes);
    if item.is_list != wants_list {
        return Err(Fault(field.is_a_list));
    }
    match field.form {
        Form::Number64 if item.payload.len() > 8 => return Ok(Err(Fault(field.overflow))),
        Form::Number64 | Form::Number256 if item.payload.first() == Some(&0) => {
            return Err(Fault(field.leading_zeros));
        }
        Form::Number256 if item.payload.len() > 32 => return Ok(Err(Fault(field.overflow))),
        Form::Number64 | Form::Number256 => return Ok(Ok(U256::from_be_slice(item.payload))),
        Form::To => check_to(item.payload, creation)?,
        Form::AccessList => check_access_list(item.payload)?,
        Form::Authorizations => check_authorizations(item.payload)?,
        Form::Hashes | Form::Data => {}
    }
    Ok(Ok(U256::ZERO))
}

fn check_to(to: &[u8], creation: Option<&'static str>) -> Read<()> {
    match (to.len(), creation) {
        (20, _) | (0, None) => Ok(()),
        (0, Some(name)) => Err(Fault(name)),
        (..20, _) => Err(Fault("TransactionException.ADDRESS_TOO_SHORT")),
        _ => Err(Fault("TransactionException.ADDRESS_TOO_LONG")),
    }
}

fn check_access_list(mut entries: &[u8]) -> Read<()> {
    let structure = |_| Fault(STRUCTURE);
    while !entries.is_empty() {
        let mut entry = list(&mut entries).map_err(structure)?;
        match item(&mut entry).map_err(structure)?.payload.len() {
            20 => {}
            ..20 => return Err(Fault("TransactionException.RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_SHORT")),
            _ => return Err(Fault("TransactionException.RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG")),
        }
        let mut keys = list(&mut entry).map_err(structure)?;
        while !keys.is_empty() {
            match item(&mut keys).map_err(structure)?.payload.len() {
                32 => {}
                ..32 => return Err(Fault("TransactionException.RLP_INVALID_ACCESS_LIST_STORAGE_TOO_SHORT")),
                _ => return Err(Fault("TransactionException.RLP_INVALID_ACCESS_LIST_STORAGE_TOO_LONG")),
            }
        }
    }
    Ok(())
}

/// Chain id, address, nonce, parity, r and s (EIP-7702), each within its width.
fn check_authorizations(mut entries: &[u8]) -> Read<()> {
    const WIDTHS: [(usize, &str); 6] = [
        (32, AUTHORIZATION_FORMAT),
        (20, AUTHORIZATION_FORMAT),
        (8, AUTHORIZATION_FORMAT),
        (1, AUTHORITY_SIGNATURE),
        (32, AUTHORITY_SIGNATURE),
        (32, AUTHORITY_SIGNATURE),
    ];
    let format = |_| Fault(AUTHORIZATION_FORMAT);
    while !entries.is_empty() {
        let mut entry = list(&mut entries).map_err(format)?;
        if count(entry).map_err(format)? != WIDTHS.len() {
            return Err(Fault(AUTHORIZATION_FORMAT));
        }
        for (position, (width, name)) in WIDTHS.into_iter().enumerate() {
            let item = item(&mut entry).map_err(format)?;
            let is_address = position == 1;
            if item.is_list || is_address && item.payload.len() != width {
                return Err(Fault(AUTHORIZATION_FORMAT));
            }
            if item.payload.len() > width {
                return Err(Fault(name));
            }
            if !is_address && item.payload.first() == Some(&0) {
                return Err(Fault(AUTHORIZATION_FORMAT));
            }
        }
    }
    Ok(())
}

/// The order of secp256k1: r and s lie between zero and it.
const CURVE_ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

/// What is left once structure and type are right: numbers that are too large, alone or together, and `v`.
fn check_ranges(rules: &Rules, fields: &[Field], values: &[Result<U256, Fault>]) -> Read<()> {
    if let Some(Err(Fault(name))) = values.iter().find(|value| value.is_err()) {
        return Err(Fault(name));
    }
    let value_of = |name: &str| {
        let position = fields.iter().position(|field| field.overflow == name && field.form != Form::To)?;
        values.get(position)?.as_ref().ok().copied()
    };
    if let (Some(price), Some(gas)) = (value_of(GAS_PRICE.overflow), value_of(GAS_LIMIT.overflow))
        && price.checked_mul(gas).is_none()
    {
        return Err(Fault("TransactionException.GASLIMIT_PRICE_PRODUCT_OVERFLOW"));
    }
    if let (Some(priority), Some(max)) = (value_of(PRIORITY_FEE.overflow), value_of(MAX_FEE.overflow))
        && priority > max
    {
        return Err(Fault("TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS"));
    }
    match values.get(fields.len() - 3) {
        Some(Ok(v)) if fields.len() == LEGACY.len() => check_v(rules, *v)?,
        Some(Ok(parity)) if *parity > U256::ONE => return Err(Fault("TransactionException.INVALID_SIGNATURE_VRS")),
        _ => {}
    }
    let out_of_range = |value: &U256| value.is_zero() || *value >= CURVE_ORDER;
    if values[fields.len() - 2..].iter().flatten().any(out_of_range) {
        return Err(Fault("TransactionException.INVALID_SIGNATURE_VRS"));
    }
    Ok(())
}

/// 27 or 28, and from EIP-155 on also the pair of this chain. The suites call 0 and 1 a broken signature, and every
/// other value another chain's, which before EIP-155 is a broken signature too.
fn check_v(rules: &Rules, v: U256) -> Read<()> {
    let own = U256::from(rules.chain_id) * U256::from(2) + U256::from(35);
    let replay_protected = rules.has(Fork::SpuriousDragon);
    if v == U256::from(27) || v == U256::from(28) || replay_protected && (v == own || v == own + U256::ONE) {
        Ok(())
    } else if v <= U256::ONE || !replay_protected {
        Err(Fault("TransactionException.INVALID_SIGNATURE_VRS"))
    } else {
        Err(Fault("TransactionException.INVALID_CHAINID"))
    }
}

/// One RLP item.
struct Item<'a> {
    is_list: bool,
    payload: &'a [u8],
}

/// Why an item cannot be read.
enum ItemError {
    /// The length is longer than what is there.
    Size,
    /// The length has leading zeros, or is under 56 in the long form.
    LengthNotMinimal,
    /// One byte under 0x80 in the form of a string of one.
    ByteInLongForm,
}

impl ItemError {
    fn name_of_size(&self) -> &'static str {
        match self {
            Self::LengthNotMinimal => "TransactionException.RLP_ERROR_SIZE_LEADING_ZEROS",
            _ => STRUCTURE,
        }
    }

    fn name_in(&self, field: &Field) -> &'static str {
        match self {
            Self::Size => STRUCTURE,
            Self::LengthNotMinimal | Self::ByteInLongForm => field.long_form,
        }
    }
}

/// How many items a payload holds.
fn count(mut payload: &[u8]) -> Result<usize, ItemError> {
    let mut count = 0;
    while !payload.is_empty() {
        item(&mut payload)?;
        count += 1;
    }
    Ok(count)
}

fn list<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], ItemError> {
    let item = item(bytes)?;
    if item.is_list { Ok(item.payload) } else { Err(ItemError::Size) }
}

fn item<'a>(bytes: &mut &'a [u8]) -> Result<Item<'a>, ItemError> {
    let (first, rest) = bytes.split_first().ok_or(ItemError::Size)?;
    let (is_list, length_bytes, short) = match first {
        ..0x80 => {
            let payload = &bytes[..1];
            *bytes = rest;
            return Ok(Item { is_list: false, payload });
        }
        0x80..0xb8 => (false, 0, usize::from(first - 0x80)),
        0xb8..0xc0 => (false, usize::from(first - 0xb7), 0),
        0xc0..0xf8 => (true, 0, usize::from(first - 0xc0)),
        0xf8.. => (true, usize::from(first - 0xf7), 0),
    };
    let (length, rest) = rest.split_at_checked(length_bytes).ok_or(ItemError::Size)?;
    let length = if length_bytes == 0 { short } else { long_length(length)? };
    let (payload, rest) = rest.split_at_checked(length).ok_or(ItemError::Size)?;
    if !is_list && length_bytes == 0 && length == 1 && payload[0] < 0x80 {
        return Err(ItemError::ByteInLongForm);
    }
    *bytes = rest;
    Ok(Item { is_list, payload })
}

fn long_length(bytes: &[u8]) -> Result<usize, ItemError> {
    if bytes[0] == 0 {
        return Err(ItemError::LengthNotMinimal);
    }
    let length = bytes.iter().try_fold(0usize, |length, byte| Some(length.checked_mul(256)? | usize::from(*byte)));
    match length {
        None => Err(ItemError::Size),
        Some(..56) => Err(ItemError::LengthNotMinimal),
        Some(length) => Ok(length),
    }
}
