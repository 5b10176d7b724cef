//! What was announced of the bytes, and what came.

use crate::{Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, Result, backend::WriteOptions};

/// Counts the bytes of a write and holds them to what was announced.
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

    /// In bytes, as far as known before the end.
    pub(in crate::backend) fn announced_size(&self) -> Option<u64> {
        self.size
    }

    /// How many bytes a part of up to `size` will have, in the room that is made for it: nobody knows how much follows
    /// what was not announced, but behind a whole part another is likely.
    pub(in crate::backend) fn part(&self, size: u64, is_first: bool) -> Option<u64> {
        match self.size {
            Some(announced) => Some(announced.min(size)),
            None => (!is_first).then_some(size),
        }
    }

    /// Once all bytes came: how many they were.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] if they are not those announced.
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

/// Holds the source of a copy to what is announced of it. `hash` is asked where the store does not tell it.
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
