//! Google Cloud Storage.
//!
//! Names are flat: there are no directories, only prefixes that keys share. The modification time is kept in metadata
//! under `mtime`, as rclone keeps it here (RFC 3339), and in whole seconds where Google's own tools look for it.
//! Listings carry all that is known about an object, including its time and its hashes, so an unchanged tree is
//! compared by listings alone. The etag is the generation of the object. Bytes are always read as they are stored: an
//! object with the content encoding `gzip` is not unpacked on the way.
//!
//! The requests are our own, over the credential chains of `reqsign`: those of the JSON API, and downloads by the XML
//! API, which brings the metadata with the bytes.

mod answer;
mod attributes;
mod batch;
mod bucket;
mod buckets;
mod copy;
mod credentials;
mod identity;
mod listing;
mod page;
mod part_size;
mod read;
mod remove;
mod session;
mod settings;
mod upload;

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use omnistorage_types::Path;

pub use self::buckets::GcsBuckets;
use self::{
    bucket::Bucket,
    upload::{Draft, GcsUpload},
};
use super::{
    Backend, Capabilities, CopyRequest, Features, ListOptions, Listing, ObjectVersion, ReadOptions, Reader,
    Upload, WriteOptions, cloud, limited,
};
use crate::{Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, Result, Timestamp, config::Config};

const KIND: &str = "gcs";

/// A bucket of Google Cloud Storage, or what lies below a prefix in it.
///
/// ```no_run
/// use omnistorage::{Backend, Config, GcsBackend, Path};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = GcsBackend::from_config(Config::from([("bucket", "photos"), ("prefix", "2026")]))?;
/// let info = backend.stat(&Path::parse("summer.jpg")?).await?;
/// println!("{:?} bytes", info.size);
/// # Ok(())
/// # }
/// ```
pub struct GcsBackend(Arc<Bucket>);

impl GcsBackend {
    /// From its settings:
    ///
    /// | key | is |
    /// |---|---|
    /// | `bucket` | its name; the only one that must be given |
    /// | `prefix` | the path in it that is the root here |
    /// | `endpoint` | `https://host[:port]`; else `STORAGE_EMULATOR_HOST`, to which no credentials are sent, and Google's |
    /// | `credentials` | a file: the key of a service account, a user who has logged in, an external account (workload identity federation) or an account to impersonate; else `GOOGLE_APPLICATION_CREDENTIALS`, the file of `gcloud auth application-default login`, and the instance are asked |
    /// | `credentials_json` | what is in such a file |
    /// | `access_token` | a token as it is; it is not renewed |
    /// | `token_endpoint` | where tokens are asked for, if not at `https://oauth2.googleapis.com/token` |
    /// | `anonymous` | `true`: for a public bucket, without credentials |
    /// | `instance_metadata` | `false`: the instance is not asked for a token |
    /// | `project` | the project in which buckets are made and listed; else `OMNISTORAGE_GCS_PROJECT`, `GOOGLE_CLOUD_PROJECT` and the file of the credentials are asked |
    /// | `user_project` | the project that pays for the requests, for a bucket whose users pay |
    /// | `conditional_copy`, `conditional_delete` | whether the store honours the preconditions of `objects.rewrite`, and of `objects.delete`; unless given, Google's does and others do not |
    /// | `part_size` | in bytes, a multiple of 256 KiB up to 1 GiB; 8 MiB |
    /// | `parts_in_flight` | how many parts of uploads are on their way at once, one of each upload, from 1 to 64; 8 |
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the key that is missing, unknown, malformed or contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        settings::bucket(config).map(|bucket| Self(Arc::new(bucket)))
    }
}

impl fmt::Debug for GcsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash of an object: one that the store knows, else that of the bytes.
async fn hash(bucket: &Arc<Bucket>, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
    let info = bucket.find(path, None).await?.info(path.clone());
    if let Some(known) = info.hashes.into_iter().find(|hash| hash.algorithm == algorithm) {
        return Ok(known);
    }
    let mut contents = read::read(bucket, path, &ReadOptions::default()).await?.contents;
    let mut hasher = Hasher::new(algorithm);
    while let Some(chunk) = contents.next().await {
        hasher.update(&chunk?);
    }
    Ok(hasher.finish())
}

#[async_trait]
impl Backend for GcsBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features {
                copy: true,
                move_to: false,
                purge: true,
                transfer: false,
                directories: false,
                set_modified: true,
                custom_metadata: true,
                content_type: true,
                range_read: true,
                atomic_write: true,
                if_absent: true,
                if_match: true,
                sorted_list: true,
                listed_times: true,
                batches: false,
                conditional_copy: self.0.preconditions.copy,
                conditional_delete: self.0.preconditions.delete,
                partial_list: false,
            },
            hashes: vec![HashAlgorithm::Md5, HashAlgorithm::Crc32c],
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
        Ok(Box::new(GcsUpload::new(draft, options)))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).await.map_err(|error| error.at(KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let listing = listing::list(&self.0, prefix, options).map_err(|error| error.at(KIND, prefix))?;
        Ok(limited(Box::new(listing), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let results = remove::delete(&self.0, paths).await.into_iter();
        results.zip(paths).map(|(result, path)| result.map_err(|error| error.at(KIND, path))).collect()
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let results = remove::delete_if_match(&self.0, versions).await.into_iter();
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
            // Permissions may differ by bucket: one to read here and one to write there do not add up to one to copy.
            Err(error) if error.code() == ErrorCode::PermissionDenied && to.name != self.0.name => {
                no_way("right to copy between these buckets")
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
