//! Names of temporary files, which are no names of objects: those of the native backend of files.

use std::cell::Cell;

use omnistorage::{Error, ErrorCode, Path, Result};

use super::failure::error;

const PREFIX: &str = ".omnistorage-";
const SUFFIX: &str = ".tmp";

/// Where the native backend writes which system made the file, this says that it was none whose locks can be seen: it
/// then leaves the file alone until it is old.
const ELSEWHERE: &str = "0000000000000000";

thread_local! {
    /// The number of the next temporary file, from a random one on: what others count from is elsewhere.
    static NEXT: Cell<u64> = Cell::new(wasip3::random::random::get_random_u64());
}

/// A name that nothing has yet, most probably.
pub(super) fn temporary() -> String {
    let number = NEXT.get();
    NEXT.set(number.wrapping_add(1));
    format!("{PREFIX}{ELSEWHERE}-{number:016x}{SUFFIX}")
}

/// Whether a name is that of a temporary file: `.omnistorage-`, 16 hexadecimal digits, `-`, 1 to 16 more, `.tmp`.
pub(super) fn is_temporary(name: &str) -> bool {
    let inner = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    let Some((origin, number)) = inner.and_then(|inner| inner.split_once('-')) else { return false };
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    origin.len() == 16 && (1..=16).contains(&number.len()) && is_hexadecimal(origin) && is_hexadecimal(number)
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
