//! Checks the bytes of a whole object, as they pass, against a hash that the store knows.

use crate::{Error, ErrorCode, Hash, HashAlgorithm, Hasher, Result};

/// Of the hashes that a store knows for an object, the cheapest to compute.
pub(super) fn cheapest(hashes: &[Hash]) -> Option<&Hash> {
    hashes.iter().min_by_key(|hash| hash.algorithm != HashAlgorithm::Crc32c)
}

/// A hash that is known, and that of the bytes so far.
pub(super) struct Checksum {
    expected: Hash,
    hasher: Hasher,
}

impl Checksum {
    pub(super) fn new(expected: Hash) -> Self {
        Self { hasher: Hasher::new(expected.algorithm), expected }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Holds all bytes to it.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`].
    pub(super) fn verify(self) -> Result<()> {
        if self.hasher.finish() == self.expected {
            return Ok(());
        }
        let algorithm = self.expected.algorithm;
        let message = format!("the bytes that arrived do not have the {algorithm} that the store keeps");
        Err(Error::new(ErrorCode::Corrupted, message))
    }
}
