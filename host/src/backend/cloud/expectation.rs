//! What was announced of the bytes, and what came.

use crate::{
    backend::WriteOptions,
    error::{Error, ErrorCode, Result},
    hash::{Hash, Hasher},
};

/// Counts the bytes of a write and holds them to what was announced.
pub(in crate::backend) struct Expectation {
    size: Option<u64>,
    hash: Option<(Hash, Hasher)>,
    seen: u64,
}

impl Expectation {
    pub(in crate::backend) fn new(options: &WriteOptions) -> Self {
        let hash = options.expected_hash.clone().map(|hash| (hash.clone(), hash.algorithm.hasher()));
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
