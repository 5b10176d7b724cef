//! The buckets of an account, as directories: listed, made, and removed when they are empty.

use std::{
    any::Any,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    vec,
};

use async_trait::async_trait;
use omnistorage_types::Path;

use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{
        Backend, Capabilities, Features, ListOptions, Listed, Listing, ReadOptions, Reader, Upload,
        WriteOptions,
    },
};

/// An account of a store, as it is asked about its buckets.
#[async_trait]
pub trait Account: Send + Sync + 'static {
    /// The kind of the backend.
    const KIND: &'static str;

    /// Where it is, for logs.
    fn place(&self) -> &str;

    /// All buckets, and when each was made.
    async fn all(&self) -> Result<Vec<(String, Timestamp)>>;

    /// Succeeds if there is a bucket of that name.
    async fn find(&self, bucket: &str) -> Result<()>;

    /// Makes a bucket; one that is the account's already is fine.
    async fn make(&self, bucket: &str) -> Result<()>;

    /// Removes a bucket that holds nothing.
    async fn remove(&self, bucket: &str) -> Result<()>;
}

/// The buckets of an account. There is nothing in it but directories of one level, which are the buckets: to get at what is
/// in one, open it as a backend of its own.
pub struct Buckets<A> {
    account: A,
    closed: AtomicBool,
}

impl<A: Account> Buckets<A> {
    pub(in crate::backend) fn of(account: A) -> Self {
        Self { account, closed: AtomicBool::new(false) }
    }

    fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    /// The bucket that a path names.
    fn bucket<'p>(&self, path: &'p Path) -> Result<&'p str> {
        self.check_open()?;
        match (path.name(), path.segments().count()) {
            (Some(name), 1) => Ok(name),
            _ => Err(Error::new(ErrorCode::InvalidPath, "an account holds buckets, and they hold no others")),
        }
    }

    fn no_objects(path: &Path) -> Error {
        let message = "an account holds buckets alone: name the bucket that is meant";
        Error::new(ErrorCode::Unsupported, message).at(A::KIND, path)
    }
}

fn directory(path: Path) -> ObjectInfo {
    ObjectInfo::new(path, ObjectKind::Directory)
}

impl<A: Account> fmt::Debug for Buckets<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("account", &self.account.place()).finish_non_exhaustive()
    }
}

#[async_trait]
impl<A: Account> Backend for Buckets<A> {
    fn kind(&self) -> &str {
        A::KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features { directories: true, sorted_list: true, ..Features::default() },
            ..Capabilities::default()
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, _: &ReadOptions) -> Result<Reader> {
        Err(Self::no_objects(path))
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        Err(Self::no_objects(path))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        let found = async {
            self.check_open()?;
            match path.is_root() {
                // An account is there if it tells its buckets.
                true => self.account.all().await.map(drop),
                false => self.account.find(self.bucket(path)?).await,
            }
        };
        found.await.map(|()| directory(path.clone())).map_err(|error: Error| error.at(A::KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        if !prefix.is_root() || options.recursive {
            return Err(Self::no_objects(prefix));
        }
        let all = async {
            self.check_open()?;
            let mut found = Vec::new();
            for (name, made) in self.account.all().await? {
                found.push(ObjectInfo { modified: Some(made), ..directory(Path::parse(name)?) });
            }
            Ok(found)
        };
        let mut found = all.await.map_err(|error: Error| error.at(A::KIND, prefix))?;
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found.retain(|info| options.spans(info.path.as_str()));
        Ok(Box::new(Found(found.into_iter())))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| Err(Self::no_objects(path))).collect()
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        let made = async { self.account.make(self.bucket(path)?).await };
        made.await.map_err(|error| error.at(A::KIND, path))
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        let removed = async { self.account.remove(self.bucket(path)?).await };
        removed.await.map_err(|error| error.at(A::KIND, path))
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}

/// Buckets are few: they are known when the listing begins.
struct Found(vec::IntoIter<ObjectInfo>);

#[async_trait]
impl Listing for Found {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        Ok(self.0.by_ref().take(max).map(Listed::Entry).collect())
    }
}
