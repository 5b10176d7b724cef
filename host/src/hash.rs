//! Computing checksums.

use std::fmt;

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use crate::{Hash, HashAlgorithm};

/// A hash in the making.
///
/// ```
/// use omnistorage::{HashAlgorithm, Hasher};
///
/// let mut hasher = Hasher::new(HashAlgorithm::Crc32c);
/// hasher.update(b"1234");
/// hasher.update(b"56789");
/// assert_eq!(hasher.finish().to_string(), "e3069283"); // the check value of RFC 3720's CRC
/// ```
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Crc32c(u32),
}

impl Hasher {
    /// Begins to compute a checksum.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm) -> Self {
        Self(match algorithm {
            HashAlgorithm::Md5 => State::Md5(Md5::new()),
            HashAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            HashAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            HashAlgorithm::Crc32c => State::Crc32c(0),
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Crc32c(state) => *state = crc32c::crc32c_append(*state, bytes),
        }
    }

    /// The digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> Hash {
        let (algorithm, digest) = match self.0 {
            State::Md5(state) => (HashAlgorithm::Md5, state.finalize().to_vec()),
            State::Sha1(state) => (HashAlgorithm::Sha1, state.finalize().to_vec()),
            State::Sha256(state) => (HashAlgorithm::Sha256, state.finalize().to_vec()),
            State::Crc32c(state) => (HashAlgorithm::Crc32c, state.to_be_bytes().to_vec()),
        };
        Hash { algorithm, digest }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_nothing() {
        for (algorithm, hex) in [
            (HashAlgorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            (HashAlgorithm::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (HashAlgorithm::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (HashAlgorithm::Crc32c, "00000000"),
        ] {
            assert_eq!(Hasher::new(algorithm).finish().to_string(), hex);
        }
    }
}
