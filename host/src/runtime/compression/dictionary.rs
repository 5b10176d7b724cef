//! Dictionaries of what small contents have in common.

use omnistorage_types::Dictionary;

use super::super::{
    Storage,
    sandbox::{Guest, Inside},
};
use crate::Result;

impl Storage {
    /// Makes a dictionary of zstd of at most `size` bytes (1 KiB to 4 MiB; 110 KiB is common) of what samples have in
    /// common: small contents like those that are to be compressed, together a hundred times its size if there are so many.
    /// They are copied into a sandbox, which must have room for them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use omnistorage::{MemoryBackend, runtime::{Codec, Compression, Runtime, Storage}};
    /// # #[tokio::main]
    /// # async fn main() -> omnistorage::Result<()> {
    /// # let runtime = Runtime::new(&Default::default())?;
    /// # let storage = Storage::builder(&runtime).mount("here", Arc::new(MemoryBackend::new())).build();
    /// let samples = (0..200).map(|n| format!(r#"{{"id": {n}, "status": "shipped", "note": "number {n}"}}"#).into_bytes());
    /// let dictionary = storage.train_dictionary(samples.collect(), 1024).await?;
    /// let compression = Compression { codec: Codec::Zstd, level: None, dictionary: Some(dictionary) };
    /// # let _ = compression;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) for another size, and for samples that are fewer
    /// than 8, together not longer than `size`, or like noise.
    pub async fn train_dictionary(&self, samples: Vec<Vec<u8>>, size: u32) -> Result<Dictionary> {
        let call = async |inside: &Inside, guest: &Guest| {
            guest.compression(inside)?.call_train_dictionary(inside, samples, size).await
        };
        Ok(self.call(call).await?.into())
    }
}
