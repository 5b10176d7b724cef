//! Several targets at once, and several replicas of one object: how many must succeed, and which are of one version.

use twox_hash::XxHash3_128;

use crate::entry::Entry;

/// Whether two replicas hold the same version of an object, as far as the backends know without reading: `None` if
/// they do not. Neither times nor etags tell: each backend has its own.
#[must_use]
pub fn same_version(one: &Entry, other: &Entry) -> Option<bool> {
    if let (Some(one), Some(other)) = (one.size, other.size)
        && one != other
    {
        return Some(false);
    }
    one.hashes.iter().find_map(|hash| {
        let other = other.hashes.iter().find(|other| other.algorithm == hash.algorithm)?;
        Some(hash.digest == other.digest)
    })
}

/// What was handed out of an object so far: its length, and a digest (XXH3, 128 bits) that tells whether another
/// replica begins with the same bytes. The digest guards against accidents, not against a replica that wants to lie;
/// that could lie as well if it were read first.
#[derive(Clone, Default)]
pub struct Prefix {
    bytes: u64,
    digest: XxHash3_128,
}

impl Prefix {
    /// Adds what is handed out.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.digest.write(chunk);
    }

    /// In bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was handed out yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Begins to compare another replica with it.
    #[must_use]
    pub fn comparison(&self) -> Comparison {
        Comparison { expected: self.digest.finish_128(), left: self.bytes, digest: XxHash3_128::default() }
    }
}

/// Another replica, as it is read from the start and compared with a [`Prefix`].
#[derive(Clone)]
pub struct Comparison {
    expected: u128,
    left: u64,
    digest: XxHash3_128,
}

impl Comparison {
    /// Takes the next bytes, and gives those of them that lie beyond the prefix.
    pub fn push<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(chunk.len());
        let (known, beyond) = chunk.split_at(length);
        self.digest.write(known);
        self.left -= length as u64;
        beyond
    }

    /// `None` while bytes are missing, then whether they are the same.
    #[must_use]
    pub fn verdict(&self) -> Option<bool> {
        (self.left == 0).then(|| self.digest.finish_128() == self.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Path,
        entry::{Hash, HashAlgorithm, ObjectKind},
    };

    fn entry(size: Option<u64>, hashes: &[(HashAlgorithm, u8)]) -> Entry {
        let hashes = hashes.iter().map(|&(algorithm, byte)| Hash { algorithm, digest: vec![byte] }).collect();
        Entry { size, hashes, ..Entry::new(Path::root(), ObjectKind::Object) }
    }

    #[test]
    fn versions_are_told_by_size_and_hash() {
        use HashAlgorithm::{Crc32c, Md5};
        for (one, other, same) in [
            (entry(Some(1), &[]), entry(Some(2), &[]), Some(false)),
            (entry(Some(1), &[]), entry(Some(1), &[]), None),
            (entry(None, &[]), entry(Some(1), &[]), None),
            (entry(Some(1), &[(Md5, 1)]), entry(Some(1), &[(Crc32c, 1)]), None),
            (entry(Some(1), &[(Md5, 1)]), entry(Some(1), &[(Crc32c, 1), (Md5, 1)]), Some(true)),
            (entry(None, &[(Md5, 1)]), entry(None, &[(Md5, 2)]), Some(false)),
            (entry(Some(1), &[(Md5, 1)]), entry(Some(2), &[(Md5, 1)]), Some(false)),
        ] {
            assert_eq!(same_version(&one, &other), same, "{one:?} {other:?}");
            assert_eq!(same_version(&other, &one), same);
        }
    }

    #[test]
    fn a_prefix_is_found_again_in_whatever_pieces_it_comes() {
        let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        for cut in [0, 1, 239, 240, 241, 1024, 39_999, 40_000] {
            let mut prefix = Prefix::default();
            bytes[..cut].chunks(333).for_each(|chunk| prefix.push(chunk));
            assert_eq!((prefix.len(), prefix.is_empty()), (cut as u64, cut == 0));

            let mut same = prefix.comparison();
            let beyond: Vec<u8> = bytes.chunks(777).flat_map(|chunk| same.push(chunk).to_vec()).collect();
            assert_eq!(same.verdict(), Some(true), "{cut}");
            assert!(beyond == bytes[cut..], "{cut}");

            if cut > 0 {
                let mut short = prefix.comparison();
                short.push(&bytes[..cut - 1]);
                assert_eq!(short.verdict(), None);

                let mut other = bytes.clone();
                other[cut - 1] ^= 1;
                let mut differing = prefix.comparison();
                other.chunks(777).for_each(|chunk| drop(differing.push(chunk).to_vec()));
                assert_eq!(differing.verdict(), Some(false), "{cut}");
            }
        }
    }
}
