//! The name of a file that is about two places.

use sha2::{Digest, Sha256};

/// 128 bits of the SHA-256 of what both are called, in hexadecimal.
pub(crate) fn name(first: &str, second: &str) -> String {
    let digest = Sha256::new().chain_update(first).chain_update([0]).chain_update(second).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_has_a_name_of_its_own() {
        assert_eq!(name("/a", "/b"), name("/a", "/b"));
        assert_ne!(name("/a", "/b"), name("/b", "/a"));
        assert_ne!(name("/ab", "/c"), name("/a", "b/c"));
        assert_eq!(name("/a", "/b").len(), 32);
    }
}
