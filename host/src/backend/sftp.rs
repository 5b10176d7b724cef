//! A server of SFTP, reached by the `ssh` of the system.
//!
//! - **ssh is a child**, spoken to over its pipes. Its configuration, its agent and keys, jump hosts and known hosts hold as
//!   they do on the command line, and it checks the key of the host itself. It asks nobody: what needs a password or an
//!   answer fails.
//! - **Confined.** Nothing above the root can be named. Symbolic links are listed, and never followed below the root: a path
//!   through a link is refused, a write over a link replaces it, a delete removes it. Devices, sockets and named pipes are
//!   listed, and never read or replaced. The protocol knows paths alone: whoever may change the tree can swap a directory
//!   for a link between a look and the request that follows it.
//! - **Whole or absent.** Bytes go to a hidden temporary object beside the target, and are put in place by a rename. A connection that is lost may leave the temporary object, which
//!   listings hide and [`sweep`](Backend::sweep) removes. Where a server has no `posix-rename@openssh.com` and refuses to
//!   replace an object, that is moved aside first: for a moment there is none.
//! - **Times** are kept to the second, from 1970 to 2106. What replaces an object gets its permission bits.
//! - **Connections** carry many requests at once. One is opened at first, others when there is more to do, and a lost one is
//!   opened again by the next call.
//!
//! There are no etags: two versions of one size within a second could not be told apart.

mod attributes;
mod cursor;
mod exchange;
mod failure;
mod listing;
mod opened;
mod place;
mod pool;
mod read;
mod relocate;
mod remote;
mod remove;
mod reply;
mod serve;
mod session;
mod settings;
mod upload;
mod wire;

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use omnistorage_types::Path;

use self::{
    place::Places,
    pool::Pool,
    remote::{Found, Remote, Shared, through_object},
    settings::Settings,
    upload::Draft,
};
use super::{
    Backend, Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions,
    limited, walk::Walk,
};
use crate::{Error, ObjectInfo, ObjectKind, Result, Timestamp, config::Config};

const KIND: &str = "sftp";

/// A directory of a server of SFTP; see the [module](self).
///
/// ```no_run
/// use omnistorage::{Backend, Config, Path, SftpBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from([("host", "nas.example"), ("user", "me"), ("root", "/srv/data")]);
/// let backend = SftpBackend::from_config(config)?;
/// let info = backend.stat(&Path::parse("notes.txt")?).await?;
/// println!("{:?} bytes", info.size);
/// # Ok(())
/// # }
/// ```
pub struct SftpBackend(Shared);

impl SftpBackend {
    /// From its settings. Nothing is started before the first call.
    ///
    /// | key | is |
    /// |---|---|
    /// | `host` | a name, an address, or what the configuration of ssh calls it; the only one that must be given |
    /// | `user`, `port` | by default what ssh takes |
    /// | `root` | the directory that is the root: absolute, or from the home directory on (`~/x` or `x`); by default the home directory |
    /// | `identity_file`, `known_hosts_file`, `config_file` | files of ssh, instead of its own |
    /// | `options.NAME` | any other option of ssh's configuration, as in `options.ProxyJump` |
    /// | `ssh` | the program, by default `ssh` |
    /// | `connections` | how many there are at most, by default 2 |
    /// | `timeout` | how long a server may be silent while it is asked something, by default `300s` |
    /// | `fsync` | `true`: writes reach the disk of the server before they are put in place, where it has `fsync@openssh.com` |
    /// | `atomic_write` | `false`: the server has no `posix-rename@openssh.com`, and what needs it is refused at once |
    ///
    /// A component that opens a backend by itself may choose none of `ssh`, `options` and the files: they lead to programs
    /// and files of this machine.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is missing, unknown or
    /// malformed.
    pub fn from_config(config: Config) -> Result<Self> {
        let pool = Pool::new(Settings::from_config(config)?);
        Ok(Self(Arc::new(Remote { pool, places: Places::default() })))
    }

    /// Grants a place and what is below it, as a user named it: from the first one on, nothing else may be touched. Links on
    /// the way to it are followed, and `follow` says whether it may be one itself.
    pub fn grant(&self, path: &Path, follow: bool) {
        self.0.places.grant(path, follow);
    }
}

impl fmt::Debug for SftpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.0.pool.settings;
        f.debug_tuple("SftpBackend").field(&settings.address()).field(&settings.root).finish()
    }
}

#[async_trait]
impl Backend for SftpBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        let features = Features {
            move_to: true,
            purge: true,
            directories: true,
            set_modified: true,
            range_read: true,
            atomic_write: self.0.pool.settings.atomic_write,
            sorted_list: true,
            listed_times: true,
            ..Features::default()
        };
        Capabilities { features, modified_precision: Some(Duration::from_secs(1)), ..Capabilities::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        read::read(&self.0, path, options).await.map_err(|error| error.at(KIND, path))
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let draft = Draft::begin(&self.0, path, options).await;
        Ok(Box::new(draft.map_err(|error| error.at(KIND, path))?))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.info(path).await.map_err(|error| error.at(KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.0.pool.check_open().map_err(|error| error.at(KIND, prefix))?;
        let walk = Walk::new(Arc::clone(&self.0), prefix.clone(), options);
        Ok(limited(Box::new(walk), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.0.delete(paths).await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        let made = async {
            let lease = self.0.pool.lease().await?;
            match self.0.look(&lease, path).await? {
                Found::Here(found) if found.kind()? == ObjectKind::Directory => Ok(()),
                Found::Here(_) | Found::BelowObject => Err(through_object()),
                Found::Nothing => self.0.make_directory(&lease, path, &mut Vec::new()).await,
            }
        };
        made.await.map_err(|error| error.at(KIND, path))
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        self.0.rmdir(path).await.map_err(|error| error.at(KIND, path))
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.0.purge(prefix).await.map_err(|error| error.at(KIND, prefix))
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        self.0.sweep(prefix, older_than).await.map_err(|error| error.at(KIND, prefix))
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
            self.0.pool.check_open()?;
            if !Arc::ptr_eq(&self.0, &other.0) {
                return Err(Error::unsupported(KIND, "move to another backend"));
            }
            relocate::rename(&self.0, source, target, options).await
        };
        moved.await.map_err(|error| {
            let place = if error.is_on_target() { target } else { source };
            error.at(KIND, place)
        })
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        relocate::set_modified(&self.0, path, modified).await.map_err(|error| error.at(KIND, path))
    }

    async fn close(&self) -> Result<()> {
        self.0.pool.close();
        Ok(())
    }
}
