//! A range as it goes over the network.

use serde::{Deserialize, Serialize};

use crate::{HashAlgorithm, Hasher, KeyRange, Path, Result};

/// Where a range begins and ends. Without an end it is open there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounds {
    start_after: Option<String>,
    stop_at: Option<String>,
}

impl Bounds {
    /// The range.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`](crate::ErrorCode::InvalidPath) if an end is no path.
    pub(super) fn range(&self) -> Result<KeyRange> {
        let path = |text: &Option<String>| text.as_deref().map(Path::parse).transpose();
        Ok(KeyRange { after: path(&self.start_after)?, until: path(&self.stop_at)? })
    }

    /// The name of its beginning. Paths hold what the name of an entry may not.
    pub(super) fn name(&self) -> String {
        let Some(path) = &self.start_after else { return "first".to_owned() };
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        hasher.update(path.as_bytes());
        hasher.finish().to_string()
    }
}

impl From<&KeyRange> for Bounds {
    fn from(range: &KeyRange) -> Self {
        let text = |path: &Option<Path>| path.as_ref().map(ToString::to_string);
        Self { start_after: text(&range.after), stop_at: text(&range.until) }
    }
}
