//! balsa-trie.
