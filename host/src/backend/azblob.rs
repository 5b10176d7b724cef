//! Azure Blob Storage.
//!
//! Names are flat: there are no directories, only prefixes that keys share. The modification time is kept in metadata
//! under `mtime`, as rclone keeps it (RFC 3339), and the MD5 of an object beside it, where the service has a place for
//! it. Listings carry both, so an unchanged tree is compared by listings alone. Names that the service would change are
//! refused: those with a backslash, and those of which a segment ends with a dot.
//!
//! The requests are our own, over the credential chain of `reqsign`. Blobs are block blobs; directories of accounts with
//! a hierarchical namespace are not listed, only what is in them.

mod answer;
mod attributes;
mod container;
mod copy;
mod credentials;
mod listing;
mod page;
mod part_size;
mod read;
mod remove;
mod settings;
mod upload;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use omnistorage_types::Path;

use self::{
    container::{Container, checked_etag},
    listing::AzblobPages,
    upload::Draft,
};
use super::{
    Capabilities, Features, ListOptions, WriteOptions,
    cloud::{
        backend::StoreBackend,
        pages::Order,
        store::{Doomed, Store},
        xml,
    },
};
use crate::{HashAlgorithm, ObjectInfo, Result, Timestamp, config::Config};

const KIND: &str = "azblob";

/// A container of Azure Blob Storage, or what lies below a prefix in it.
///
/// ```no_run
/// use omnistorage::{AzblobBackend, Backend, Config, Path};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from([("account", "photos"), ("container", "holidays"), ("prefix", "2026")]);
/// let info = AzblobBackend::from_config(config)?.stat(&Path::parse("summer.jpg")?).await?;
/// println!("{:?} bytes", info.size);
/// # Ok(())
/// # }
/// ```
pub struct AzblobBackend(Arc<Container>);

impl AzblobBackend {
    /// From its settings:
    ///
    /// | key | is |
    /// |---|---|
    /// | `container` | its name; the only one that must be given |
    /// | `prefix` | the path in it that is the root here |
    /// | `account` | the storage account; else `AZURE_STORAGE_ACCOUNT`, or that of `AZURE_STORAGE_CONNECTION_STRING` |
    /// | `endpoint` | `https://host[:port][/account]`; else that of the connection string, `AZURE_STORAGE_SERVICE_ENDPOINT`, and `https://ACCOUNT.blob.core.windows.net` |
    /// | `key` | the key of the account; else `AZURE_STORAGE_KEY`, or that of the connection string |
    /// | `sas_token` | a shared access signature instead; else `AZURE_STORAGE_SAS_TOKEN`, or that of the connection string. Without any of them: the login of the Azure command line, a service principal or a workload identity (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, ...), and the identity of the machine |
    /// | `anonymous` | `true`: for a public container, without credentials |
    /// | `instance_metadata` | `false`: the machine is not asked for its identity |
    /// | `part_size` | in bytes, from 1 MiB to 1 GiB; 8 MiB |
    /// | `parts_in_flight` | how many parts of uploads are on their way at once, from 1 to 64; 4 |
    /// | `sorted_list` | `false`: the service does not list in byte order, and listings are sorted here |
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is missing, unknown, malformed or
    /// contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        settings::container(config).map(|container| Self(Arc::new(container)))
    }
}

impl fmt::Debug for AzblobBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StoreBackend for AzblobBackend {
    type Store = Container;

    fn store(&self) -> &Arc<Container> {
        &self.0
    }
}

#[async_trait]
impl Store for Container {
    const KIND: &'static str = KIND;
    type Draft = Draft;
    type Pages = AzblobPages;

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features {
                copy: true,
                purge: true,
                set_modified: true,
                custom_metadata: true,
                content_type: true,
                range_read: true,
                atomic_write: true,
                if_absent: true,
                if_match: true,
                sorted_list: true,
                listed_times: true,
                conditional_copy: true,
                conditional_delete: true,
                ..Features::default()
            },
            hashes: vec![HashAlgorithm::Md5],
            modified_precision: Some(Duration::from_nanos(1)),
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn prefix(&self) -> &Path {
        &self.prefix
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    fn check_open(&self) -> Result<()> {
        Self::check_open(self)
    }

    fn close(&self) {
        Self::close(self);
    }

    async fn check_exists(&self) -> Result<()> {
        listing::check_exists(self).await
    }

    fn key(&self, path: &Path) -> Result<String> {
        Self::key(self, path)
    }

    fn condition<'a>(&self, etag: &'a str) -> Result<&'a str> {
        checked_etag(etag)
    }

    fn draft(this: &Arc<Self>, path: &Path, options: &WriteOptions) -> Result<Draft> {
        Draft::new(this, path, options)
    }

    fn pages(this: &Arc<Self>, prefix: &Path, options: &ListOptions) -> Result<AzblobPages> {
        listing::pages(this, prefix, options)
    }

    fn order(&self) -> Order {
        self.order
    }

    async fn delete_keys(&self, keys: &[Doomed<'_>]) -> Vec<Result<()>> {
        remove::delete_keys(self, keys).await
    }

    async fn copy(
        this: &Arc<Self>,
        source: &Path,
        target_store: &Arc<Self>,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        copy::copy(this, source, target_store, target, options).await
    }

    async fn set_modified(this: &Arc<Self>, path: &Path, modified: Timestamp) -> Result<()> {
        copy::set_modified(this, path, modified).await
    }
}
