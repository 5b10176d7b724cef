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

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use omnistorage_types::Path;

pub use self::buckets::GcsBuckets;
use self::{
    bucket::{Bucket, generation},
    listing::GcsPages,
    upload::Draft,
};
use super::{
    Capabilities, Features, ListOptions, WriteOptions,
    cloud::{
        backend::StoreBackend,
        pages::Order,
        store::{Doomed, Store},
    },
};
use crate::{HashAlgorithm, ObjectInfo, Result, Timestamp, config::Config};

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
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is missing, unknown, malformed or
    /// contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        settings::bucket(config).map(|bucket| Self(Arc::new(bucket)))
    }
}

impl fmt::Debug for GcsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StoreBackend for GcsBackend {
    type Store = Bucket;

    fn store(&self) -> &Arc<Bucket> {
        &self.0
    }
}

#[async_trait]
impl Store for Bucket {
    const KIND: &'static str = KIND;
    type Draft = Draft;
    type Pages = GcsPages;

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
                conditional_copy: self.preconditions.copy,
                conditional_delete: self.preconditions.delete,
                partial_list: false,
            },
            hashes: vec![HashAlgorithm::Md5, HashAlgorithm::Crc32c],
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
        Self::check_exists(self).await
    }

    fn key(&self, path: &Path) -> Result<String> {
        Self::key(self, path)
    }

    fn condition<'a>(&self, etag: &'a str) -> Result<&'a str> {
        generation(etag)
    }

    fn draft(this: &Arc<Self>, path: &Path, options: &WriteOptions) -> Result<Draft> {
        Draft::new(this, path, options)
    }

    fn pages(this: &Arc<Self>, prefix: &Path, options: &ListOptions) -> Result<GcsPages> {
        listing::pages(this, prefix, options)
    }

    fn order(&self) -> Order {
        Order::Keys
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
