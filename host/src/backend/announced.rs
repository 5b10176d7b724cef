//! The expected size and hash of a write.

use super::WriteOptions;
use crate::{Error, ErrorCode, Hash, Hasher, Result};

/// Checks the bytes of a write, as they pass, against the size and the hash that its options expect.
///
/// ```
/// use omnistorage::backend::{Announced, WriteOptions};
///
/// let options = WriteOptions { expected_size: Some(5), ..WriteOptions::default() };
/// let mut announced = Announced::new(&options);
/// announced.update(b"four");
/// assert_eq!(announced.check().unwrap_err().message(), "5 bytes were expected and there are 4");
/// ```
#[derive(Debug)]
pub struct Announced {
    size: u64,
    expected_size: Option<u64>,
    hasher: Option<(Hasher, Hash)>,
}

impl Announced {
    /// Before the first byte.
    #[must_use]
    pub fn new(options: &WriteOptions) -> Self {
        let hasher = options.expected_hash.as_ref().map(|hash| (Hasher::new(hash.algorithm), hash.clone()));
        Self { size: 0, expected_size: options.expected_size, hasher }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        if let Some((hasher, _)) = &mut self.hasher {
            hasher.update(bytes);
        }
    }

    /// The bytes that came.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// After the last byte.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] if there were more or fewer bytes, or other ones.
    pub fn check(&self) -> Result<()> {
        if let Some(expected) = self.expected_size.filter(|expected| *expected != self.size) {
            let message = format!("{expected} bytes were expected and there are {}", self.size);
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        match self.hasher.as_ref().map(|(hasher, expected)| (hasher.clone().finish(), expected)) {
            Some((actual, expected)) if actual != *expected => {
                let message = format!("the {} {expected} was expected and is {actual}", expected.algorithm);
                Err(Error::new(ErrorCode::Corrupted, message))
            }
            _ => Ok(()),
        }
    }
}
