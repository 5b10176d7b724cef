//! What of a server may be touched, and what a link may lead to: all below the root, or, once places were granted, only
//! those and what is below them.

use std::sync::{PoisonError, RwLock};

use omnistorage_types::Path;

use crate::{Error, ErrorCode, Result};

/// The places that were granted.
#[derive(Debug, Default)]
pub(super) struct Places(RwLock<Vec<Place>>);

/// A place, as a user named it.
#[derive(Debug)]
struct Place {
    path: Path,
    /// Whether a link that has its name is followed.
    follow: bool,
}

impl Places {
    /// Grants a place, and what is below it; from now on, nothing else may be touched.
    pub(super) fn grant(&self, path: &Path, follow: bool) {
        let place = Place { path: path.clone(), follow };
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(place);
    }

    /// How many of the first segments of a path may be links: a user who names a place means what it leads to.
    ///
    /// # Errors
    /// [`ErrorCode::PermissionDenied`] for what was not granted.
    pub(super) fn followed(&self, path: &Path) -> Result<usize> {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if places.is_empty() {
            return Ok(0);
        }
        let followed = |place: &Place| {
            let named = place.path.segments().count();
            if place.follow { named } else { named.saturating_sub(1) }
        };
        let within = places.iter().filter(|place| path.starts_with(&place.path));
        within.map(followed).max().ok_or_else(|| {
            let message = "it is outside of the places that were granted on this server";
            Error::new(ErrorCode::PermissionDenied, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_as_far_as_a_user_named_them() {
        let path = |path| Path::parse(path).unwrap();
        let places = Places::default();
        assert_eq!(places.followed(&path("a/b")).unwrap(), 0);
        places.grant(&path("srv/data"), true);
        places.grant(&path("srv/link"), false);
        for (at, followed) in [("srv/data", 2), ("srv/data/x/y", 2), ("srv/link", 1), ("srv/link/x", 1)] {
            assert_eq!(places.followed(&path(at)).unwrap(), followed, "{at}");
        }
        for at in ["", "srv", "srv/data2", "etc/passwd"] {
            assert_eq!(places.followed(&path(at)).unwrap_err().code(), ErrorCode::PermissionDenied);
        }
    }
}
