//! Compares the bytes of a write with what is expected of them.

use crate::{Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, Result, backend::WriteOptions};

/// Counts the bytes of a write, and checks them against the expected size and hash.
pub(in crate::backend) struct Expectation {
    size: Option<u64>,
    hash: Option<(Hash, Hasher)>,
    seen: u64,
}

impl Expectation {
    pub(in crate::backend) fn new(options: &WriteOptions) -> Self {
        let hash = options.expected_hash.clone().map(|hash| (hash.clone(), Hasher::new(hash.algorithm)));
        Self { size: options.expected_size, hash, seen: 0 }
    }

    /// Takes the next bytes.
    pub(in crate::backend) fn update(&mut self, chunk: &[u8]) {
        self.seen += chunk.len() as u64;
        if let Some((_, hasher)) = &mut self.hash {
            hasher.update(chunk);
        }
    }

    /// In bytes, if it is known before the end.
    pub(in crate::backend) fn announced_size(&self) -> Option<u64> {
        self.size
    }

    /// How many bytes to reserve for the next part of up to `size` bytes. Without an expected size nobody knows how
    /// much will follow, but after a whole part another one is likely.
    pub(in crate::backend) fn part(&self, size: u64, is_first: bool) -> Option<u64> {
        match self.size {
            Some(announced) => Some(announced.min(size)),
            None => (!is_first).then_some(size),
        }
    }

    /// The number of bytes, once all of them have come.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] if they are not the expected ones.
    pub(in crate::backend) fn check(self) -> Result<u64> {
        if let Some(expected) = self.size.filter(|expected| *expected != self.seen) {
            let message = format!("{expected} bytes were expected and there are {}", self.seen);
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        if let Some((expected, hasher)) = self.hash {
            let actual = hasher.finish();
            if actual != expected {
                let message = format!("the {} {expected} was expected and is {actual}", expected.algorithm);
                return Err(Error::new(ErrorCode::Corrupted, message));
            }
        }
        Ok(self.seen)
    }
}

/// Checks the source of a copy against what is expected of it. `hash` is called if the store does not know the hash.
///
/// # Errors
/// [`ErrorCode::Corrupted`] if it is something else.
pub(in crate::backend) async fn check_source(
    info: &ObjectInfo,
    options: &WriteOptions,
    hash: impl AsyncFnOnce(HashAlgorithm) -> Result<Hash>,
) -> Result<()> {
    if let Some(expected) = options.expected_size
        && info.size != Some(expected)
    {
        let actual = info.size.unwrap_or_default();
        let message = format!("{expected} bytes were expected and there are {actual}");
        return Err(Error::new(ErrorCode::Corrupted, message));
    }
    if let Some(expected) = &options.expected_hash {
        let known = info.hashes.iter().find(|hash| hash.algorithm == expected.algorithm);
        let actual = match known {
            Some(known) => known.clone(),
            None => hash(expected.algorithm).await?,
        };
        if actual != *expected {
            let message = format!("the {} {expected} was expected and is {actual}", expected.algorithm);
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
    }
    Ok(())
}
