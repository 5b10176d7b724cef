//! Names of objects in the making. Each carries the time of its birth: the times of the host cannot be relied on.

use omnistorage::{Error, ErrorCode, Path, Result, Timestamp};

use crate::kinds::leftovers;
pub(super) use crate::kinds::leftovers::is_temporary;

/// A name beside that of an object, which nothing has yet, most probably: the second in which it was made, and a random
/// number.
pub(super) fn temporary(path: &Path) -> String {
    let seconds = u32::try_from(Timestamp::now().seconds).unwrap_or(u32::MAX);
    let [random, _] = halves(wasip3::random::random::get_random_u64());
    let name = leftovers::temporary(u64::from(seconds) << 32 | u64::from(random));
    match path.as_str().rsplit_once('/') {
        Some((above, _)) => format!("{above}/{name}"),
        None => name,
    }
}

/// How long ago an object in the making was begun, in seconds; `None` if a name is none of one.
pub(super) fn age(name: &str) -> Option<i64> {
    let leaf = name.rsplit_once('/').map_or(name, |(_, leaf)| leaf);
    let [_, seconds] = halves(leftovers::number(leaf)?);
    Some(Timestamp::now().seconds - i64::from(seconds))
}

/// Refuses paths that listings would hide.
///
/// # Errors
/// [`ErrorCode::InvalidPath`]
pub(super) fn check(path: &Path) -> Result<()> {
    if path.segments().any(is_temporary) {
        let message = "names such as `.omnistorage-0123456789abcdef-0.tmp` are those of objects in the making, which \
                       the blobstore backend hides: choose another";
        return Err(Error::new(ErrorCode::InvalidPath, message));
    }
    Ok(())
}

/// The lower and the upper half.
fn halves(number: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}
