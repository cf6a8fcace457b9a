//! Where two branch records differ, in words.

use crate::{Branch, branch::RecordChild};

/// The first thing that two records of one position do not have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchDifference {
    /// The child that differs, if the extensions do not.
    pub nibble: Option<usize>,
    /// What the first has there.
    pub first: String,
    /// What the second has there.
    pub second: String,
}

impl Branch {
    /// The first difference to another record; `None` if there is none.
    pub fn difference(&self, other: &Self) -> Option<BranchDifference> {
        if self == other {
            return None;
        }
        let words = |branch: &Self| format!("extension {}", branch.extension());
        if self.extension() != other.extension() {
            return Some(BranchDifference { nibble: None, first: words(self), second: words(other) });
        }
        let child = |branch: &Self, nibble| branch.children().find(|child| child.nibble == nibble);
        (0..16).find_map(|nibble| {
            let (first, second) = (in_words(child(self, nibble)), in_words(child(other, nibble)));
            (first != second).then_some(BranchDifference { nibble: Some(nibble), first, second })
        })
    }
}

fn in_words(child: Option<RecordChild>) -> String {
    let Some(RecordChild { leaves, reference, .. }) = child else { return "nothing".into() };
    let name = if reference.inline { "inline" } else { "hash" };
    match leaves {
        Some(1) => format!("a leaf, {name} {}", reference.bytes),
        Some(leaves) => format!("{leaves} leaves, {name} {}", reference.bytes),
        None => format!("a recorded branch, {name} {}", reference.bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Path, reference::Reference};
    use alloy_primitives::B256;

    fn branch(extension: Path, children: &[(usize, Option<u8>, u8)]) -> Branch {
        let child = |&(nibble, leaves, byte): &(usize, Option<u8>, u8)| RecordChild {
            nibble,
            leaves,
            reference: Reference::hash(B256::repeat_byte(byte)),
        };
        let mut bytes = Vec::new();
        Branch::write(&extension, children.iter().map(child), &mut bytes);
        Branch::written(bytes.into())
    }

    #[test]
    fn the_first_difference_is_named() {
        let base = branch(Path::ROOT, &[(1, Some(3), 1), (4, None, 2)]);
        let check = |other: Branch, nibble: Option<usize>, first: &str, second: &str| {
            let found = base.difference(&other).expect("they differ");
            assert_eq!(found.nibble, nibble);
            assert!(found.first.starts_with(first) && found.second.starts_with(second), "{found:?}");
        };
        assert_eq!(base.difference(&base.clone()), None);
        check(branch(Path::ROOT.child(2), &[(1, Some(3), 1), (4, None, 2)]), None, "extension /", "extension /2");
        check(
            branch(Path::ROOT, &[(1, Some(3), 9), (4, None, 9)]),
            Some(1),
            "3 leaves, hash 0x0101",
            "3 leaves, hash 0x0909",
        );
        check(branch(Path::ROOT, &[(1, Some(3), 1), (4, Some(1), 2)]), Some(4), "a recorded branch", "a leaf");
        check(branch(Path::ROOT, &[(1, Some(3), 1), (2, Some(1), 1), (4, None, 2)]), Some(2), "nothing", "a leaf");
    }
}
