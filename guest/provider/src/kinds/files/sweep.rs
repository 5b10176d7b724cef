//! Removing the temporary files that dead writers left anywhere below a directory.

use std::time::Duration;

use omnistorage::{Path, Result, Timestamp};
use wasip3::filesystem::types::{Descriptor, DescriptorType, ErrorCode as Errno};

use super::{
    directory::{NO_FOLLOW, Root, entries},
    failure::failure,
    names,
};

/// Removes those that nobody has touched for so long; returns their number. WASI has no locks: a file that is still
/// written is told by its time alone.
///
/// # Errors
/// What keeps it from looking.
pub(super) async fn sweep(root: &Root, prefix: &Path, older_than: Duration) -> Result<u64> {
    names::check(prefix)?;
    let mut swept = 0;
    let mut waiting = vec![prefix.as_str().to_owned()];
    while let Some(path) = waiting.pop() {
        let directory = match root.walk(&path).await {
            // It vanished, or became something else.
            Err(Errno::NoEntry | Errno::NotDirectory | Errno::Loop) => continue,
            directory => directory.map_err(|errno| failure(errno, prefix))?,
        };
        let (found, ended) = entries(&directory).await;
        for (name, kind) in found {
            match kind {
                DescriptorType::Directory => {
                    waiting.push(if path.is_empty() { name } else { format!("{path}/{name}") });
                }
                DescriptorType::RegularFile if names::is_temporary(&name) => {
                    swept += u64::from(
                        is_older(&directory, &name, older_than).await
                            && directory.unlink_file_at(name).await.is_ok(),
                    );
                }
                _ => {}
            }
        }
        ended.map_err(|errno| failure(errno, prefix))?;
    }
    Ok(swept)
}

/// Whether nobody has touched a file for so long, neither its bytes nor anything about it.
async fn is_older(directory: &Descriptor, name: &str, least: Duration) -> bool {
    let Ok(stat) = directory.stat_at(NO_FOLLOW, name.to_owned()).await else { return false };
    let touched = [stat.status_change_timestamp, stat.data_modification_timestamp].into_iter().flatten();
    let Some(touched) = touched.map(|time| (time.seconds, time.nanoseconds)).max() else { return false };
    let Timestamp { seconds, nanoseconds } = Timestamp::now();
    let age =
        i128::from(seconds - touched.0) * 1_000_000_000 + i128::from(nanoseconds) - i128::from(touched.1);
    age >= i128::try_from(least.as_nanos()).unwrap_or(i128::MAX)
}
