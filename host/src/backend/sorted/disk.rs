//! Where entries go that are too many for memory: a temporary file. A component has none, and asks its host for none.

#[cfg(not(target_family = "wasm"))]
pub(super) use std::fs::File;
use std::path::Path;

#[cfg(target_family = "wasm")]
pub(super) use nowhere::File;

use crate::Result;

/// A file in that directory, which nobody else sees.
///
/// # Errors
/// What keeps it from being made.
#[cfg(not(target_family = "wasm"))]
pub(super) fn temporary(directory: &Path) -> Result<File> {
    Ok(tempfile::tempfile_in(directory)?)
}

#[cfg(target_family = "wasm")]
pub(super) fn temporary(_directory: &Path) -> Result<File> {
    Err(crate::Error::new(crate::ErrorCode::Unsupported, "a component has no temporary files"))
}

#[cfg(target_family = "wasm")]
mod nowhere {
    use std::io::{Read, Result, Seek, SeekFrom, Write};

    /// There is no such file.
    pub(in crate::backend::sorted) enum File {}

    impl Read for &File {
        fn read(&mut self, _: &mut [u8]) -> Result<usize> {
            match **self {}
        }
    }

    impl Seek for &File {
        fn seek(&mut self, _: SeekFrom) -> Result<u64> {
            match **self {}
        }
    }

    impl Write for File {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            match *self {}
        }

        fn flush(&mut self) -> Result<()> {
            match *self {}
        }
    }
}
