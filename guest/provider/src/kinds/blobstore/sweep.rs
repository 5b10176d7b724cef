//! Removing what dead writers left.

use std::time::Duration;

use omnistorage::{Path, Result};

use super::{container::Container, names};

/// Removes the objects in the making below a prefix that were begun so long ago; returns their number.
///
/// # Errors
/// What the host says.
pub(super) fn sweep(container: &Container, prefix: &Path, older_than: Duration) -> Result<u64> {
    names::check(prefix)?;
    let least = i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX);
    let is_below = |name: &str| {
        prefix.is_root() || name.strip_prefix(prefix.as_str()).is_some_and(|below| below.starts_with('/'))
    };
    let mut old = Vec::new();
    let mut listed = container.names()?;
    while let Some(page) = listed.next()? {
        old.extend(
            page.into_iter()
                .filter(|name| is_below(name) && names::age(name).is_some_and(|age| age >= least)),
        );
    }
    let mut swept = 0;
    for name in old {
        container.delete(&name)?;
        swept += 1;
    }
    Ok(swept)
}
