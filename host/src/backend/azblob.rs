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

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use omnistorage_types::Path;

use self::{
    container::Container,
    upload::{AzblobUpload, Draft},
};
use super::{
    Backend, Capabilities, CopyRequest, Features, ListOptions, Listing, ObjectVersion, ReadOptions, Reader,
    Upload, WriteOptions,
    cloud::{self, xml},
    limited,
};
use crate::{Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, Result, Timestamp, config::Config};

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
    /// [`ErrorCode::InvalidArgument`] naming the key that is missing, unknown, malformed or contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        settings::container(config).map(|container| Self(Arc::new(container)))
    }
}

impl fmt::Debug for AzblobBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash of an object: one that the store knows, else that of the bytes.
async fn hash(container: &Arc<Container>, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
    let (info, _) = container.head(path, None).await?;
    if let Some(known) = info.hashes.into_iter().find(|hash| hash.algorithm == algorithm) {
        return Ok(known);
    }
    let mut contents = read::read(container, path, &ReadOptions::default()).await?.contents;
    let mut hasher = Hasher::new(algorithm);
    while let Some(chunk) = contents.next().await {
        hasher.update(&chunk?);
    }
    Ok(hasher.finish())
}

#[async_trait]
impl Backend for AzblobBackend {
    fn kind(&self) -> &str {
        KIND
    }

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

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let mut reader = read::read(&self.0, path, options).await.map_err(|error| error.at(KIND, path))?;
        let path = path.clone();
        reader.contents =
            reader.contents.map(move |chunk| chunk.map_err(|error| error.at(KIND, &path))).boxed();
        Ok(reader)
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let draft = Draft::new(&self.0, path, options).map_err(|error| error.at(KIND, path))?;
        Ok(Box::new(AzblobUpload::new(draft, options)))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).await.map_err(|error| error.at(KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let listing = listing::list(&self.0, prefix, options).map_err(|error| error.at(KIND, prefix))?;
        Ok(limited(Box::new(listing), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let results = cloud::remove::delete(&self.0, paths).await.into_iter();
        results.zip(paths).map(|(result, path)| result.map_err(|error| error.at(KIND, path))).collect()
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let results = cloud::remove::delete_if_match(&self.0, versions).await.into_iter();
        let at = |(result, version): (Result<()>, &ObjectVersion)| {
            result.map_err(|error| error.at(KIND, &version.path))
        };
        results.zip(versions).map(at).collect()
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        remove::purge(&self.0, prefix).await.map_err(|error| error.at(KIND, prefix))
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let no_way = |message| Err(Error::unsupported(KIND, message).at(KIND, source));
        let Some(Self(to)) = target_backend.as_any().downcast_ref() else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        if to.identity != self.0.identity {
            return no_way("short way to another account or endpoint");
        }
        match copy::copy(&self.0, source, to, target, options).await {
            // Rights may differ by container: one to read here and one to write there do not add up to one to copy.
            Err(error) if error.code() == ErrorCode::PermissionDenied && to.name != self.0.name => {
                no_way("right to copy between these containers")
            }
            copied => copied.map_err(|error| error.at(KIND, source)),
        }
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        cloud::copy_many(self, requests, target_backend).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        copy::set_modified(&self.0, path, modified).await.map_err(|error| error.at(KIND, path))
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        hash(&self.0, path, algorithm).await.map_err(|error| error.at(KIND, path))
    }

    async fn close(&self) -> Result<()> {
        self.0.close();
        Ok(())
    }
}
