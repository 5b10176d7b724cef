//! Deletes objects, empty directories, all below a directory, and what was left of writes.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use omnistorage_types::Path;

use super::{
    KIND,
    attributes::Attributes,
    pool::Lease,
    remote::{Found, Remote, inside, is_unspecific, link, through_object},
    wire::{Named, Request},
};
use crate::{
    Error, ErrorCode, ObjectKind, Result, Timestamp, backend::require_object, backend::temporary_name,
};

/// Deletes in flight.
const DELETES: usize = 16;
/// A temporary object that nobody has touched for so long was left by its writer.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

impl Remote {
    /// Deletes objects, links and special files.
    pub(super) async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let mut deletes = Vec::with_capacity(paths.len());
        for path in paths {
            deletes.push(async move { self.delete_one(path).await.map_err(|error| error.at(KIND, path)) });
        }
        stream::iter(deletes).buffered(DELETES).collect().await
    }

    async fn delete_one(&self, path: &Path) -> Result<()> {
        self.pool.check_open()?;
        require_object(path)?;
        let lease = self.pool.lease().await?;
        match self.look(&lease, path).await? {
            Found::Here(found) if found.kind()? == ObjectKind::Directory => {
                Err(Error::new(ErrorCode::IsDirectory, "a directory is there"))
            }
            Found::Here(_) => unless_gone(lease.send(Request::remove(&self.at(path))).done().await),
            Found::Nothing | Found::BelowObject => Ok(()),
        }
    }

    /// Removes an empty directory. What writes left in it long ago does not count.
    pub(super) async fn rmdir(&self, path: &Path) -> Result<()> {
        let lease = self.pool.lease().await?;
        if path.is_root() {
            let message = "the root of a backend is not removed";
            return Err(Error::new(ErrorCode::PermissionDenied, message));
        }
        match self.existing(&lease, path).await?.kind()? {
            ObjectKind::Directory => {}
            _ => return Err(through_object()),
        }
        let at = self.at(path);
        match lease.send(Request::rmdir(&at)).done().await {
            Err(error) if is_unspecific(&error) => {
                for named in self.entries(&lease, &at).await? {
                    if !is_forgotten(&named, FORGOTTEN) {
                        return Err(Error::new(ErrorCode::NotEmpty, "the directory still has entries"));
                    }
                    unless_gone(lease.send(Request::remove(&inside(&at, &named.name))).done().await)?;
                }
                lease.send(Request::rmdir(&at)).done().await
            }
            removed => removed,
        }
    }

    /// Deletes all below a directory, and the directory itself unless it is the root; gives the number of objects.
    pub(super) async fn purge(&self, path: &Path) -> Result<u64> {
        let lease = self.pool.lease().await?;
        match self.look(&lease, path).await? {
            Found::Nothing => return Ok(0),
            Found::BelowObject => return Err(through_object()),
            Found::Here(found) => match found.kind()? {
                ObjectKind::Directory => {}
                ObjectKind::Symlink => return Err(link()),
                ObjectKind::Object | ObjectKind::Special => return Err(through_object()),
            },
        }
        let mut deleted = 0;
        // Each comes before those in it.
        let mut directories = vec![self.at(path)];
        let mut next = 0;
        while let Some(directory) = directories.get(next).cloned() {
            next += 1;
            let (mut files, mut below) = (Vec::new(), Vec::new());
            for named in self.entries_unless_gone(&lease, &directory).await? {
                let at = inside(&directory, &named.name);
                match self.kind_of(&lease, &at, &named.attributes).await? {
                    None => {}
                    Some(ObjectKind::Directory) => below.push(at),
                    Some(_) if is_forgotten(&named, FORGOTTEN) => {
                        unless_gone(lease.send(Request::remove(&at)).done().await)?;
                    }
                    // That of a writer that may be alive stays, and so does the directory: the caller gets an error.
                    Some(_) if temporary_name::is_one(&named.name) => {}
                    Some(_) => files.push(at),
                }
            }
            deleted += files.len() as u64;
            let deletes = files.into_iter().map(|at| lease.send(Request::remove(&at)));
            let deletes = deletes.map(async |reply| unless_gone(reply.done().await));
            stream::iter(deletes).buffer_unordered(DELETES).try_collect::<()>().await?;
            directories.extend(below);
        }
        let kept = usize::from(path.is_root());
        for directory in directories.iter().skip(kept).rev() {
            match unless_gone(lease.send(Request::rmdir(directory)).done().await) {
                Err(error) if is_unspecific(&error) => {
                    let message = "a directory still has entries: something was written there meanwhile";
                    return Err(Error::new(ErrorCode::NotEmpty, message));
                }
                removed => removed?,
            }
        }
        Ok(deleted)
    }

    /// Removes temporary objects that nobody has touched for so long, as far as the clocks of both agree; gives their number.
    pub(super) async fn sweep(&self, path: &Path, older_than: Duration) -> Result<u64> {
        let lease = self.pool.lease().await?;
        match self.look(&lease, path).await? {
            Found::Here(found) if found.kind()? == ObjectKind::Directory => {}
            _ => return Ok(0),
        }
        let mut swept = 0;
        let mut directories = vec![self.at(path)];
        while let Some(directory) = directories.pop() {
            for named in self.entries_unless_gone(&lease, &directory).await? {
                let at = inside(&directory, &named.name);
                match self.kind_of(&lease, &at, &named.attributes).await? {
                    Some(ObjectKind::Directory) => directories.push(at),
                    Some(_) if is_forgotten(&named, older_than) => {
                        unless_gone(lease.send(Request::remove(&at)).done().await)?;
                        swept += 1;
                    }
                    _ => {}
                }
            }
        }
        Ok(swept)
    }

    /// The entries of a directory that was seen, unless it is no directory any more.
    async fn entries_unless_gone(&self, lease: &Lease, directory: &[u8]) -> Result<Vec<Named>> {
        // Never through a link that was put in its place, as far as that can be seen.
        match lease.send(Request::lstat(directory)).found().await? {
            Some(found) if found.kind()? == ObjectKind::Directory => self.entries(lease, directory).await,
            _ => Ok(Vec::new()),
        }
    }

    /// What an entry is; `None` if it is gone.
    async fn kind_of(&self, lease: &Lease, at: &[u8], told: &Attributes) -> Result<Option<ObjectKind>> {
        match told.kind() {
            Ok(kind) => Ok(Some(kind)),
            Err(_) => {
                let found = lease.send(Request::lstat(at)).found().await?;
                found.map(|found| found.kind()).transpose()
            }
        }
    }
}

/// Whether it is a temporary object that nobody has touched for so long. A time in the future counts as now.
fn is_forgotten(Named { name, attributes }: &Named, least: Duration) -> bool {
    let Some(times) = attributes.times.filter(|_| temporary_name::is_one(name)) else { return false };
    let age = Timestamp::now().seconds.saturating_sub(times.modified.into());
    u64::try_from(age).is_ok_and(|age| Duration::from_secs(age) >= least)
}

/// What is not there needs no deleting.
fn unless_gone(deleted: Result<()>) -> Result<()> {
    match deleted {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        deleted => deleted,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::backend::sftp::attributes::Times;

    #[test]
    fn what_nobody_touched_for_long_is_forgotten() {
        let now = u32::try_from(Timestamp::now().seconds).unwrap();
        let temporary = ".omnistorage-0000000000000000-0123456789abcdef.tmp";
        for (name, modified, forgotten) in [
            (temporary, Some(now - 7200), true),
            (temporary, Some(now), false),
            (temporary, Some(now + 7200), false),
            (temporary, None, false),
            ("object", Some(0), false),
        ] {
            let times = modified.map(|modified| Times { accessed: now, modified });
            let attributes = Attributes { times, ..Attributes::NONE };
            let named = Named { name: Bytes::from_static(name.as_bytes()), attributes };
            assert_eq!(is_forgotten(&named, Duration::from_secs(3600)), forgotten, "{name} {modified:?}");
        }
    }
}
