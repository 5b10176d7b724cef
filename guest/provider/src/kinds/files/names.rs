//! Names of temporary files, which are no names of objects.

use std::cell::Cell;

use omnistorage::{Error, ErrorCode, Path, Result};

use super::failure::error;
use crate::kinds::leftovers;
pub(super) use crate::kinds::leftovers::is_temporary;

thread_local! {
    /// The number of the next temporary file, from a random one on: what others count from is elsewhere.
    static NEXT: Cell<u64> = Cell::new(wasip3::random::random::get_random_u64());
}

/// A name that nothing has yet, most probably.
pub(super) fn temporary() -> String {
    let number = NEXT.get();
    NEXT.set(number.wrapping_add(1));
    leftovers::temporary(number)
}

/// Refuses paths that listings would hide.
///
/// # Errors
/// [`ErrorCode::InvalidPath`]
pub(super) fn check(path: &Path) -> Result<()> {
    if path.segments().any(is_temporary) {
        let message = "names such as `.omnistorage-0123456789abcdef-0.tmp` are those of its temporary files, which \
                       the file backend hides: choose another";
        return Err(error(ErrorCode::InvalidPath, message, path));
    }
    Ok(())
}

/// The directory of an object, and its name there.
///
/// # Errors
/// [`ErrorCode::IsDirectory`] for the root.
pub(super) fn split(path: &Path) -> Result<(&str, &str)> {
    if path.is_root() {
        return Err(Error::new(ErrorCode::IsDirectory, "the root is a directory"));
    }
    Ok(path.as_str().rsplit_once('/').unwrap_or(("", path.as_str())))
}
