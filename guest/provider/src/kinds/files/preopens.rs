//! The directories that the host grants.

use std::sync::Arc;

use omnistorage::{Error, ErrorCode, Result};
use wasip3::filesystem::{preopens, types::Descriptor};

/// The name of the directory that has none: `/` and `.` are places, and no names.
const UNNAMED: &str = "files";

/// The paths under which they are granted.
pub(super) fn names() -> Vec<String> {
    preopens::get_directories().into_iter().map(|(_, path)| path).collect()
}

/// The name of the backend of a place: without `/` at its ends and `./` in front of it.
pub(in crate::kinds) fn name(place: &str) -> &str {
    match trimmed(place) {
        "" => UNNAMED,
        name => name,
    }
}

fn trimmed(place: &str) -> &str {
    let place = place.trim_matches('/');
    if place == "." { "" } else { place.strip_prefix("./").unwrap_or(place) }
}

/// The granted directory that holds a place, and the path of the place in it. Of several it is the innermost.
///
/// # Errors
/// [`ErrorCode::PermissionDenied`] if there is none.
pub(super) fn find(place: &str) -> Result<(Arc<Descriptor>, &str)> {
    let wanted = trimmed(place);
    let granted = preopens::get_directories().into_iter().filter_map(|(directory, granted)| {
        let granted = trimmed(&granted);
        let below = match wanted.strip_prefix(granted)? {
            "" => "",
            below if granted.is_empty() => below,
            below => below.strip_prefix('/')?,
        };
        Some((granted.len(), directory, below))
    });
    match granted.max_by_key(|(length, ..)| *length) {
        Some((_, directory, below)) => Ok((Arc::new(directory), below)),
        None => {
            let message = format!(
                "the host grants no directory `{0}`: run it with --dir DIRECTORY::{0}",
                place.escape_debug()
            );
            Err(Error::new(ErrorCode::PermissionDenied, message))
        }
    }
}
