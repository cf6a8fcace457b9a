//! The tables, section "Tables" of FORMAT.md.

/// One table of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Table {
    /// Named rows about the database itself.
    Meta,
    /// number ++ hash -> header RLP.
    Headers,
    /// number ++ hash -> body RLP.
    Bodies,
    /// number ++ hash -> receipts RLP without blooms.
    Receipts,
    /// number ++ hash -> raw block access list.
    Lists,
    /// number -> hash of the canonical block.
    Canonical,
    /// hash -> number.
    Numbers,
    /// transaction hash -> number ++ index.
    Transactions,
    /// code hash -> code.
    Codes,
    /// keccak(address) -> account.
    Accounts,
    /// keccak(address) ++ keccak(slot) -> value.
    Slots,
    /// path -> branch of the account trie.
    AccountBranches,
    /// keccak(address) ++ path -> branch of that account's storage trie.
    StorageBranches,
}

impl Table {
    /// Every table, in the order of FORMAT.md; the position equals `table as usize`.
    pub const ALL: [Self; 13] = [
        Self::Meta,
        Self::Headers,
        Self::Bodies,
        Self::Receipts,
        Self::Lists,
        Self::Canonical,
        Self::Numbers,
        Self::Transactions,
        Self::Codes,
        Self::Accounts,
        Self::Slots,
        Self::AccountBranches,
        Self::StorageBranches,
    ];

    /// The table's name in the engine and in `db stats`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Headers => "headers",
            Self::Bodies => "bodies",
            Self::Receipts => "receipts",
            Self::Lists => "lists",
            Self::Canonical => "canonical",
            Self::Numbers => "numbers",
            Self::Transactions => "transactions",
            Self::Codes => "codes",
            Self::Accounts => "accounts",
            Self::Slots => "slots",
            Self::AccountBranches => "account_branches",
            Self::StorageBranches => "storage_branches",
        }
    }

    /// Whether large values live outside the sorted tree: they are written once and never change.
    pub(crate) const fn separated(self) -> bool {
        matches!(self, Self::Bodies | Self::Receipts | Self::Lists | Self::Codes)
    }

    /// Whether nearly every read finds its row, so that filters of the last level would be memory for nothing.
    pub(crate) const fn reads_mostly_hit(self) -> bool {
        !matches!(self, Self::Accounts | Self::Slots | Self::Transactions | Self::Numbers)
    }
}

/// Keys of the `meta` table.
pub(crate) mod meta {
    pub(crate) const IDENTITY: &[u8] = b"identity";
    pub(crate) const HEAD: &[u8] = b"head";
    pub(crate) const TIP: &[u8] = b"tip";
    pub(crate) const SAFE: &[u8] = b"safe";
    pub(crate) const FINALIZED: &[u8] = b"finalized";
    pub(crate) const LISTS_FROM: &[u8] = b"lists_from";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_at_its_own_position() {
        for (position, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(position, table as usize, "{}", table.name());
        }
    }

    #[test]
    fn the_document_lists_the_tables_in_this_order() {
        let document = include_str!("../../FORMAT.md");
        let rows: Vec<(&str, bool)> = document
            .lines()
            .skip_while(|line| !line.starts_with("| table |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                (cells[1].trim_matches('`'), cells[4] == "yes")
            })
            .collect();
        let tables: Vec<(&str, bool)> = Table::ALL.into_iter().map(|t| (t.name(), t.separated())).collect();
        assert_eq!(rows, tables);
    }
}
