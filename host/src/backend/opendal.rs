//! Services that OpenDAL speaks to: WebDAV and others, each by a cargo feature of its own.
//!
//! The abilities of a service decide what this backend claims. A service that can rename is treated as a tree of
//! directories: an object is sent under a temporary name in its directory, and the commit moves it into place; listings
//! hide temporary names. Any other service is flat, and puts an object in place in one step by itself.
//!
//! Paths arrive to the byte: OpenDAL's `Operator` would trim blanks, so the calls go to what lies below it.
//!
//! Settings: `service`, its name; `timeout` of a request (by default `60s`) and `io_timeout` of a piece of a body
//! (`300s`), in which a body must also bring 1 KiB a second; `max_object` (1 GiB), the bytes that an object may have where a service takes it in one request, for it is
//! held in memory until then; and those of [the service itself](https://opendal.apache.org/docs/rust/opendal/services/).
//!
//! Of all services, only `webdav` is held to the conformance suite by the tests of this project.

mod convert;
mod listing;
mod moves;
mod place;
mod read;
mod service;
mod transport;
mod upload;
#[cfg(feature = "webdav")]
mod webdav;

use std::{
    any::Any,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::opendal::{
    Capability, HttpTransporter, OperationContext,
    layers::{RetryLayer, TimeoutLayer},
    raw::{OpCopy, OpCreateDir, OpDelete, OpList, OpStat, Servicer, oio},
};
use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream};
use omnistorage_types::Path;
use opendal_http_transport_reqwest::ReqwestTransport;

use self::{
    convert::{failed, info},
    moves::Moves,
    place::Known,
    transport::Demanding,
    upload::Draft,
};
use super::{
    Backend, Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteCondition,
    WriteOptions, limited, require_object, retry::RetryOptions, walk::Walk,
};
use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result, config::Config};

const KIND: &str = "opendal";
const WEBDAV: &str = "webdav";
/// Deletes of single objects in flight.
const DELETES: usize = 16;
const MAX_OBJECT: u64 = 1 << 30;
/// Before the second attempt at what may pass: a locked directory, a busy server.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// A service of OpenDAL. See the [module](self) for its settings.
///
/// ```no_run
/// use omnistorage::{Config, Registry};
///
/// let config = Config::from([("service", "webdav"), ("endpoint", "https://dav.example.org/files")]);
/// let backend = Registry::with_builtin().open("opendal", config)?;
/// println!("{}", backend.capabilities().features);
/// # Ok::<(), omnistorage::Error>(())
/// ```
pub struct OpendalBackend(Shared);

impl OpendalBackend {
    /// The services of this build, sorted.
    pub const SERVICES: &[&str] = service::NAMES;

    /// From a configuration.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the key that is missing, unknown or malformed, or the service that is
    /// not in this build.
    pub fn from_config(config: Config) -> Result<Self> {
        Self::open(config, None)
    }

    fn open(mut config: Config, address: Option<String>) -> Result<Self> {
        let name: String = config.require("service")?;
        let timeout = config.take_duration("timeout")?.unwrap_or(Duration::from_secs(60));
        let io_timeout = config.take_duration("io_timeout")?.unwrap_or(Duration::from_secs(300));
        let max_object = config.take("max_object")?.unwrap_or(MAX_OBJECT);
        // The timeouts are those of each attempt. Servers lock what a request changes, and refuse others meanwhile.
        let timeouts = TimeoutLayer::new().with_timeout(timeout).with_io_timeout(io_timeout);
        let retry = config.retry().unwrap_or(RetryOptions { delay: FIRST_DELAY, ..RetryOptions::default() });
        let attempts = RetryLayer::new()
            .with_min_delay(retry.delay)
            .with_max_delay(retry.max_delay)
            .with_max_times(retry.attempts.get() as usize - 1)
            .with_jitter();
        let mut moves = None;
        if name == WEBDAV {
            moves = Some(Moves::of(config.clone(), timeout, retry)?);
            // Directories are made here, where they are missing, and not looked for before each write.
            config = config.with("disable_create_dir", "true");
        }
        let operator = service::open(&name, config)?.layer(timeouts).layer(attempts);
        // Connections of its own: those of a client for the whole process would die with the runtime that opened them.
        let client = super::tls::client().connect_timeout(timeout).build().map_err(|error| {
            let message = format!("no HTTP client can be made: {error}");
            Error::new(ErrorCode::Other, message).with_source(error)
        })?;
        let transport = HttpTransporter::new(Demanding(ReqwestTransport::new(client)));
        let service = Service {
            calls: operator.service().clone(),
            context: operator.context().with_http_transport(transport),
            capability: operator.service().capability_dyn(),
            name: operator.service().info_dyn().scheme(),
            address,
            max_object,
            io_timeout,
            moves,
            known: Known::default(),
            is_closed: AtomicBool::new(false),
        };
        Ok(Self(Shared(Arc::new(service))))
    }
}

impl fmt::Debug for OpendalBackend {
    /// Only the name, and the address where it was checked that it holds no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("OpendalBackend");
        tuple.field(&self.0.0.name);
        if let Some(address) = &self.0.0.address {
            tuple.field(address);
        }
        tuple.finish()
    }
}

struct Service {
    calls: Servicer,
    context: OperationContext,
    capability: Capability,
    name: &'static str,
    /// Where it is, without secrets, if that is known.
    address: Option<String>,
    max_object: u64,
    io_timeout: Duration,
    /// Where moves take one request.
    moves: Option<Moves>,
    known: Known,
    is_closed: AtomicBool,
}

/// The service, shared with the uploads and listings that are open.
#[derive(Clone)]
struct Shared(Arc<Service>);

impl Shared {
    fn check_open(&self) -> Result<()> {
        if self.0.is_closed.load(Ordering::Acquire) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    /// Whether objects lie in directories, and are moved.
    fn is_tree(&self) -> bool {
        self.0.capability.rename && self.0.capability.create_dir
    }

    /// What is at a path, object or directory.
    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.check_open()?;
        if path.is_root() {
            self.check_root().await?;
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        match self.0.calls.stat_dyn(&self.0.context, path.as_str(), OpStat::new()).await {
            Ok(told) => info(path.clone(), &told.into_metadata()),
            Err(error) => {
                let error = failed(&error);
                // In a flat service a directory is what objects share.
                if error.code() == ErrorCode::NotFound && !self.is_tree() && self.has_any_below(path).await? {
                    return Ok(ObjectInfo::new(path.clone(), ObjectKind::Directory));
                }
                Err(error)
            }
        }
    }

    /// Makes sure that the root is there: a directory, or elsewhere than on WebDAV what can be listed.
    async fn check_root(&self) -> Result<()> {
        let is_directory = if self.0.name == WEBDAV {
            // OpenDAL answers for `/` by itself, and asks for the empty path, which is the same place.
            let told = self.0.calls.stat_dyn(&self.0.context, "", OpStat::new()).await;
            told.map(|told| told.into_metadata().is_dir()).map_err(|error| failed(&error))
        } else {
            self.has_any_below(&Path::root()).await.map(|_| true)
        };
        let at = || self.0.address.as_ref().map_or_else(|| "the root".to_owned(), |at| format!("`{at}`"));
        match is_directory {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(ErrorCode::NotDirectory, format!("{} is no directory", at()))),
            Err(error) if error.code() == ErrorCode::NotFound => {
                Err(error.with_message(format!("there is no {}: check the address, or make it", at())))
            }
            Err(error) => Err(error),
        }
    }

    async fn has_any_below(&self, prefix: &Path) -> Result<bool> {
        let mut lister = self.lister(prefix)?;
        while let Some(entry) = lister.next_dyn().await.map_err(|error| failed(&error))? {
            if entry.path() != directory(prefix) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is directly in a directory, in any order, and perhaps the directory itself.
    fn lister(&self, prefix: &Path) -> Result<oio::Lister> {
        let listed = self.0.calls.list_dyn(&self.0.context, &directory(prefix), OpList::new());
        listed.map_err(|error| failed(&error))
    }

    async fn require_directory(&self, path: &Path) -> Result<()> {
        match self.stat(path).await?.kind {
            ObjectKind::Directory => Ok(()),
            _ => Err(Error::new(ErrorCode::NotDirectory, "an object is there")),
        }
    }

    /// Deletes one key: of an object, or with a slash at its end of a directory and all in it.
    async fn delete_key(&self, key: &str) -> Result<()> {
        let deleted = async {
            let mut deleter = self.0.calls.delete_dyn(&self.0.context)?;
            deleter.delete_dyn(key, OpDelete::new()).await?;
            deleter.close_dyn().await
        };
        deleted.await.map_err(|error| failed(&error))
    }

    async fn delete(&self, path: &Path) -> Result<()> {
        let deleted = async {
            require_object(path)?;
            match self.stat(path).await {
                // A service would delete a directory with all that is in it.
                Ok(found) if found.kind == ObjectKind::Directory => {
                    Err(Error::new(ErrorCode::IsDirectory, "a directory is there"))
                }
                Ok(_) => self.delete_key(path.as_str()).await,
                Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
                Err(error) => Err(error),
            }
        };
        deleted.await.map_err(|error| error.at(KIND, path))
    }

    async fn copy(&self, source: &Path, target: &Path, options: &WriteOptions) -> Result<ObjectInfo> {
        require_object(source)?;
        options.require_plain(KIND)?;
        let info = self.require_version(source, None).await?;
        self.require_expected(source, &info, options).await?;
        if source == target {
            return Ok(info);
        }
        self.require_place(target).await.map_err(|error| error.at(KIND, target).on_target())?;
        let copied = async {
            let (from, to) = (source.as_str(), target.as_str());
            let mut copier = self.0.calls.copy_dyn(&self.0.context, from, to, OpCopy::new())?;
            while copier.next_dyn().await?.is_some() {}
            copier.close_dyn().await
        };
        copied.await.map_err(|error| failed(&error))?;
        self.stat(target).await
    }
}

/// The key of a directory.
fn directory(path: &Path) -> String {
    format!("{}/", path.as_str())
}

#[async_trait]
impl Backend for OpendalBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        let capability = &self.0.0.capability;
        let is_tree = self.0.is_tree();
        let features = Features {
            copy: capability.copy,
            move_to: is_tree,
            purge: is_tree,
            directories: is_tree,
            range_read: true,
            // A move onto an object is a delete and a move (RFC 4918 section 9.9.3): for a moment there may be nothing.
            atomic_write: !is_tree,
            custom_metadata: !is_tree && capability.write_with_user_metadata,
            content_type: !is_tree && capability.write_with_content_type,
            if_absent: !is_tree && capability.write_with_if_not_exists,
            if_match: !is_tree && capability.write_with_if_match,
            sorted_list: true,
            ..Features::default()
        };
        Capabilities { features, ..Capabilities::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        self.0.read(path, options).await.map_err(|error| error.at(KIND, path))
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let begun = async {
            self.0.check_open()?;
            self.require_claimed(options)?;
            // What takes an object in one request is sent nothing before the commit, which looks as well.
            if self.0.0.capability.write_can_multi {
                self.0.require_place(path).await?;
            }
            Draft::begin(&self.0, path, options)
        };
        let draft = begun.await.map_err(|error| error.at(KIND, path))?;
        Ok(Box::new(draft))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).await.map_err(|error| error.at(KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.0.check_open().map_err(|error| error.at(KIND, prefix))?;
        Ok(limited(Box::new(Walk::new(self.0.clone(), prefix.clone(), options)), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let deletes: Vec<_> = paths.iter().map(|path| self.0.delete(path).boxed()).collect();
        stream::iter(deletes).buffered(DELETES).collect().await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        let made = async {
            self.0.check_open()?;
            if !self.0.is_tree() {
                return Err(Error::unsupported(self.0.0.name, "directories"));
            }
            if !path.is_root() {
                match self.0.require_place(path).await {
                    Ok(()) => {}
                    Err(error) if error.code() == ErrorCode::IsDirectory => return Ok(()),
                    Err(error) => return Err(error),
                }
                if self.0.stat(path).await.is_ok() {
                    return Err(Error::new(ErrorCode::NotDirectory, "an object is there"));
                }
            }
            let (calls, context) = (&self.0.0.calls, &self.0.0.context);
            let made = calls.create_dir_dyn(context, &directory(path), OpCreateDir::new()).await;
            made.map(drop).map_err(|error| failed(&error))
        };
        made.await.map_err(|error| error.at(KIND, path))
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        let removed = async {
            self.0.check_open()?;
            if !self.0.is_tree() {
                return Err(Error::unsupported(self.0.0.name, "directories"));
            }
            if path.is_root() {
                return Err(Error::new(ErrorCode::InvalidArgument, "the root cannot be removed"));
            }
            self.0.require_directory(path).await?;
            if !Walk::new(self.0.clone(), path.clone(), &ListOptions::default()).next(1).await?.is_empty() {
                return Err(Error::new(ErrorCode::NotEmpty, "the directory is not empty"));
            }
            self.0.delete_key(&directory(path)).await
        };
        removed.await.map_err(|error| error.at(KIND, path))
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        let purged = async {
            self.0.check_open()?;
            if !self.0.is_tree() {
                return Err(Error::unsupported(self.0.0.name, "purge"));
            }
            match self.0.require_directory(prefix).await {
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(0),
                found => found?,
            }
            let count_all = ListOptions { recursive: true, ..ListOptions::default() };
            let (mut count, mut all) = (0, Walk::new(self.0.clone(), prefix.clone(), &count_all));
            loop {
                let entries = all.next_entries(1000).await?;
                if entries.is_empty() {
                    break;
                }
                count += entries.iter().filter(|entry| entry.kind == ObjectKind::Object).count() as u64;
            }
            if !prefix.is_root() {
                self.0.delete_key(&directory(prefix)).await?;
                return Ok(count);
            }
            // The root stays, whatever else it is to the service.
            let mut lister = self.0.lister(prefix)?;
            while let Some(entry) = lister.next_dyn().await.map_err(|error| failed(&error))? {
                if entry.path() != "/" {
                    self.0.delete_key(entry.path()).await?;
                }
            }
            Ok(count)
        };
        purged.await.map_err(|error| error.at(KIND, prefix))
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(other) = target_backend.as_any().downcast_ref::<Self>() else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        let copied = async {
            self.0.check_open()?;
            if !self.0.0.capability.copy || !Arc::ptr_eq(&self.0.0, &other.0.0) {
                return Err(Error::unsupported(self.0.0.name, "copy to there"));
            }
            self.0.copy(source, target, options).await
        };
        copied.await.map_err(|error| error.at(KIND, source))
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(other) = target_backend.as_any().downcast_ref::<Self>() else {
            return target_backend.move_from(self, source, target, options).await;
        };
        let moved = async {
            self.0.check_open()?;
            if !self.0.is_tree() || !Arc::ptr_eq(&self.0.0, &other.0.0) {
                return Err(Error::unsupported(self.0.0.name, "move"));
            }
            require_object(source)?;
            options.require_plain(KIND)?;
            let info = self.0.require_version(source, None).await?;
            self.0.require_expected(source, &info, options).await?;
            if source == target {
                return Ok(info);
            }
            let made = self.0.make_place(target).await;
            let is_there = made.map_err(|error| error.at(KIND, target).on_target())?;
            self.0.put_in_place(source, info.size, target, is_there).await?;
            self.0.stat(target).await
        };
        moved.await.map_err(|error| error.at(KIND, source))
    }

    async fn close(&self) -> Result<()> {
        self.0.0.is_closed.store(true, Ordering::Release);
        Ok(())
    }
}

impl OpendalBackend {
    /// Refuses options that are not among the capabilities.
    fn require_claimed(&self, options: &WriteOptions) -> Result<()> {
        let features = self.capabilities().features;
        let keeps_condition = match options.condition {
            WriteCondition::Always => true,
            WriteCondition::IfAbsent => features.if_absent,
            WriteCondition::IfMatch(_) => features.if_match,
        };
        let lacks = if options.modified.is_some() {
            Some("modification times")
        } else if options.content_type.is_some() && !features.content_type {
            Some("content types")
        } else if !options.metadata.is_empty() && !features.custom_metadata {
            Some("metadata")
        } else if !keeps_condition {
            Some("conditions")
        } else {
            None
        };
        lacks.map_or(Ok(()), |what| Err(Error::unsupported(self.0.0.name, what)))
    }
}
