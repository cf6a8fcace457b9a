//! Vectors of features that never came, or that lie outside an execution client's protocol.
//!
//! This is the one place where vectors are left out, by folder or file, each with its reason. A known failure of a
//! living feature belongs in the list of expected failures instead.

/// Part of a path, and why what lies there is left out.
const WITHDRAWN: [(&str, &str); 9] = [
    ("/eip7692_eof_v1/", "the EVM Object Format was withdrawn from every scheduled fork"),
    ("EOFTests/", "the EVM Object Format was withdrawn from every scheduled fork"),
    ("EIPTests/", "drafts; what came of them stands in the suites of its fork"),
    ("/stEOF/", "the EVM Object Format was withdrawn from every scheduled fork"),
    ("/blockchain_tests_engine_x/", "the tests of blockchain_tests_engine again, over shared genesis states"),
    ("/ABITests/", "the encoding of contracts' calls, which no client does"),
    ("/KeyStoreTests/", "the files of wallets' keys"),
    ("BasicTests/crypto.json", "the ECIES variant of a handshake older than RLPx"),
    ("BasicTests/blockgenesistest.json", "genesis blocks in the form that headers had before mainnet"),
];

/// Why the file is left out, if it is.
pub fn reason(path: &str) -> Option<&'static str> {
    WITHDRAWN.iter().find(|(part, _)| path.contains(part)).map(|(_, reason)| *reason)
}
