//! Amazon S3, and what speaks its protocol.
//!
//! Names are flat: there are no directories, only prefixes that keys share. The modification time is kept in metadata
//! under `mtime`, as rclone keeps it, so each knows the times of what the other wrote; it is not in listings. The
//! requests are our own, over the signatures and credential chains of `reqsign`: keys are kept to the byte, metadata
//! survives copies of any size, a write can be conditional, and a reader continues with the same version after a broken
//! connection.

mod answer;
mod arrived;
mod attributes;
mod bucket;
mod buckets;
mod copy;
mod credentials;
mod draft;
mod identity;
mod listing;
mod multipart;
mod page;
mod part;
mod part_size;
mod read;
mod remove;
mod resume;
mod settings;
mod upload;
mod uploads;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use omnistorage_types::Path;

pub use self::buckets::S3Buckets;
use self::{
    bucket::{Bucket, checked_etag},
    draft::Draft,
    listing::S3Pages,
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

const KIND: &str = "s3";

/// A bucket of S3, or what lies below a prefix in it.
///
/// ```no_run
/// use omnistorage::{Backend, Config, Path, backend::s3::S3Backend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = S3Backend::from_config(Config::from([("bucket", "photos"), ("region", "eu-west-1")]))?;
/// let info = backend.stat(&Path::parse("2026/summer.jpg")?).await?;
/// println!("{:?} bytes", info.size);
/// # Ok(())
/// # }
/// ```
pub struct S3Backend(Arc<Bucket>);

impl S3Backend {
    /// From its settings:
    ///
    /// | key | is |
    /// |---|---|
    /// | `bucket` | its name; the only one that must be given |
    /// | `prefix` | the path in it that is the root here |
    /// | `region` | else `AWS_REGION`, `AWS_DEFAULT_REGION`, `us-east-1` |
    /// | `endpoint` | `https://host[:port]`; else `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, Amazon's |
    /// | `path_style` | whether the bucket is in the path of URLs; unless given, it is where there is an endpoint |
    /// | `access_key_id`, `secret_access_key`, `session_token` | credentials; else the usual places of AWS are searched: environment, shared files, single sign-on, web identity, process, container, instance |
    /// | `profile` | of the shared files |
    /// | `role_arn`, `external_id` | a role to take on |
    /// | `anonymous` | `true`: requests are not signed |
    /// | `instance_metadata` | `false`: neither the instance nor the container is asked for credentials |
    /// | `part_size` | in bytes, from 5 MiB to 1 GiB; 5 MiB |
    /// | `parts_in_flight` | how many parts of uploads are on their way at once, from 1 to 64; 4. More are quicker over a long line, and need their size of memory each |
    /// | `copy_limit` | the most that the store copies in one request, in bytes, from 5 MiB on; 5 GiB. What is larger is copied in parts |
    /// | `timeout` | for a request, and between two pieces of a large answer, as `90s`; 60 s. A body that brings less than 1 KiB a second in so much time of waiting is given up as well, and read on over another connection |
    /// | `conditional_write` | `false` for a store that ignores conditions of writes |
    /// | `conditional_copy`, `conditional_delete` | whether the store honours the conditions of `CopyObject`, and of `DeleteObject` and `DeleteObjects`; unless given, Amazon's does and others do not |
    /// | `sorted_list` | `false` for a store that lists in another order than that of bytes, as SeaweedFS does: listings are then sorted here, in memory and on disk. Where that shows before an entry was seen it is found out |
    /// | `md5_etags` | `false` for a bucket that encrypts with keys of its own (KMS): the etags of its listings look like an MD5 and are none. It is found out by the first object that is looked at or written |
    /// | `plain_http` | `true`: no warning where an endpoint with `http://` is another machine |
    /// | `checksum` | `false` for a store that refuses checksums in headers |
    /// | `resume` | `true`: an upload of several parts that fails is left, and the next write of the key goes on with it; `false` |
    ///
    /// With `resume`, an upload is not aborted once one of its parts has arrived, even if its source fails or it is
    /// given up. The next write of that key that needs several parts reads its source again, and sends only the parts
    /// that the store does not have with the same bytes (with another `part_size`, all of them). Until then, or until a
    /// [sweep](crate::Backend::sweep), the unfinished upload stays at the store, which charges for it. Two writers of one
    /// key must not resume at the same time: the second would take the first one's upload for a broken one. That is why
    /// this is off by default.
    ///
    /// Compiled into a component, it sends its requests by `wasi:http`, which the component's host must allow, and takes
    /// credentials from the settings and the environment alone: `profile` is refused, and `instance_metadata` changes
    /// nothing.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is missing, unknown, malformed or
    /// contradicts another.
    pub fn from_config(config: Config) -> Result<Self> {
        settings::bucket(config).map(|bucket| Self(Arc::new(bucket)))
    }
}

impl fmt::Debug for S3Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StoreBackend for S3Backend {
    type Store = Bucket;

    fn store(&self) -> &Arc<Bucket> {
        &self.0
    }
}

#[async_trait]
impl Store for Bucket {
    const KIND: &'static str = KIND;
    type Draft = Draft;
    type Pages = S3Pages;

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
                if_absent: self.traits.conditional_write,
                if_match: self.traits.conditional_write,
                sorted_list: true,
                listed_times: false,
                batches: false,
                conditional_copy: self.traits.conditional_write && self.traits.conditional_copy,
                conditional_delete: self.traits.conditional_delete,
                partial_list: false,
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
        Self::check_exists(self).await
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

    fn pages(this: &Arc<Self>, prefix: &Path, options: &ListOptions) -> Result<S3Pages> {
        listing::pages(this, prefix, options)
    }

    fn order(&self) -> Order {
        Self::order(self)
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

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        uploads::sweep(self, prefix, older_than).await
    }
}
