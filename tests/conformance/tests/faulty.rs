//! The suite finds faults: a backend with one fault does not pass the row that is about it.

use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Backend, Hash, HashAlgorithm, MemoryBackend, ObjectInfo, Path, Result, Timestamp,
    backend::{
        Capabilities, ListOptions, Listed, Listing, ObjectVersion, ReadOptions, Reader, Upload,
        WriteCondition, WriteOptions,
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    CommitsOnAbort,
    DeletesAnyVersion,
    DoesMoreThanItClaims,
    IgnoresConditions,
    IgnoresTheLimit,
    IgnoresTheOffset,
    IgnoresWhatIsExpected,
    ListsByLetters,
    ListsUnsorted,
    LosesMetadata,
    LosesNanoseconds,
    LosesResults,
    MovesAsItCopies,
    StaysOpen,
    TellsTheWrongHash,
    TrimsNames,
}

/// A memory backend with a fault.
#[derive(Debug)]
struct Faulty(MemoryBackend, Fault);

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.1 == fault
    }

    fn options(&self, options: &WriteOptions) -> WriteOptions {
        let mut options = options.clone();
        match self.1 {
            Fault::IgnoresConditions => options.condition = WriteCondition::Always,
            Fault::IgnoresWhatIsExpected => (options.expected_size, options.expected_hash) = (None, None),
            Fault::LosesMetadata => options.metadata.clear(),
            Fault::LosesNanoseconds => {
                options.modified = options.modified.map(|time| Timestamp { nanoseconds: 0, ..time });
            }
            _ => {}
        }
        options
    }
}

struct FaultyUpload(Box<dyn Upload>);

#[async_trait]
impl Upload for FaultyUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.0.push(chunk).await
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        self.0.commit().await
    }

    async fn abort(self: Box<Self>) {
        drop(self.0.commit().await);
    }
}

struct FaultyListing {
    listing: Box<dyn Listing>,
    prefix: Option<String>,
    is_reversed: bool,
}

#[async_trait]
impl Listing for FaultyListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let mut batch = self.listing.next(max).await?;
        if let Some(prefix) = &self.prefix {
            batch.retain(|listed| listed.path().as_str().starts_with(prefix));
        }
        if self.is_reversed {
            batch.reverse();
        }
        Ok(batch)
    }
}

#[async_trait]
impl Backend for Faulty {
    fn kind(&self) -> &str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.0.capabilities();
        capabilities.features.copy = false;
        capabilities.features.set_modified &= !self.has(Fault::DoesMoreThanItClaims);
        capabilities
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let mut options = options.clone();
        if self.has(Fault::IgnoresTheOffset) {
            options.offset = 0;
        }
        self.0.read(path, &options).await
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        self.0.read_all(path, options, if self.has(Fault::IgnoresTheLimit) { usize::MAX } else { max }).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let path =
            if self.has(Fault::TrimsNames) { Path::parse(path.as_str().trim())? } else { path.clone() };
        let upload = self.0.write(&path, &self.options(options)).await?;
        Ok(if self.has(Fault::CommitsOnAbort) { Box::new(FaultyUpload(upload)) } else { upload })
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let by_letters = self.has(Fault::ListsByLetters);
        let listing = self.0.list(if by_letters { const { &Path::root() } } else { prefix }, options).await?;
        Ok(Box::new(FaultyListing {
            listing,
            prefix: by_letters.then(|| prefix.as_str().to_owned()),
            is_reversed: self.has(Fault::ListsUnsorted),
        }))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let mut results = self.0.delete(paths).await;
        if self.has(Fault::LosesResults) {
            results.retain(Result::is_err);
        }
        results
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        if self.has(Fault::DeletesAnyVersion) {
            let paths: Vec<_> = versions.iter().map(|version| version.path.clone()).collect();
            return self.0.delete(&paths).await;
        }
        self.0.delete_if_match(versions).await
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.0.purge(prefix).await
    }

    async fn move_to(
        &self,
        source: &Path,
        _: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        if self.has(Fault::MovesAsItCopies) {
            return self.0.copy_to(source, &self.0, target, options).await;
        }
        self.0.move_to(source, &self.0, target, options).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.0.set_modified(path, modified).await
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        let mut hash = self.0.hash(path, algorithm).await?;
        if self.has(Fault::TellsTheWrongHash) {
            hash.digest.reverse();
        }
        Ok(hash)
    }

    async fn close(&self) -> Result<()> {
        if self.has(Fault::StaysOpen) { Ok(()) } else { self.0.close().await }
    }
}

fn with(fault: Fault) -> Arc<dyn Backend> {
    Arc::new(Faulty(MemoryBackend::new(), fault))
}

macro_rules! finds {
    ($($test:ident: $fault:ident by $subject:ident::$row:ident,)*) => {
        $(
            #[test]
            #[should_panic]
            fn $test() {
                let make = async || (with(Fault::$fault), ());
                omnistorage_conformance::run(make, omnistorage_conformance::$subject::$row);
            }
        )*

        /// It is the fault that the rows find, and not the wrapper.
        #[test]
        fn without_a_fault_they_pass() {
            $(
                let make = async || (with(Fault::None), ());
                omnistorage_conformance::run(make, omnistorage_conformance::$subject::$row);
            )*
        }
    };
}

finds! {
    a_commit_on_abort: CommitsOnAbort by write::an_abort_leaves_nothing,
    any_version_deleted: DeletesAnyVersion by delete::only_the_version_that_was_seen_is_deleted,
    a_feature_not_claimed: DoesMoreThanItClaims by attributes::the_time_can_be_set,
    conditions_ignored: IgnoresConditions by conditions::if_absent_creates_once,
    a_limit_ignored: IgnoresTheLimit by read::read_all_keeps_its_limit,
    an_offset_ignored: IgnoresTheOffset by read::ranges_are_clamped,
    expectations_ignored: IgnoresWhatIsExpected by write::what_was_announced_must_come,
    a_prefix_of_letters: ListsByLetters by list::a_prefix_is_whole_segments,
    an_order_not_kept: ListsUnsorted by list::the_order_is_that_of_bytes,
    metadata_lost: LosesMetadata by attributes::metadata_is_kept,
    nanoseconds_lost: LosesNanoseconds by attributes::the_time_of_a_write_is_kept,
    results_lost: LosesResults by delete::results_stand_in_order,
    a_source_that_stays: MovesAsItCopies by copy::all_bytes_arrive,
    a_close_without_effect: StaysOpen by close::every_call_fails_after_the_close,
    a_wrong_hash: TellsTheWrongHash by read::hashes_are_true,
    names_trimmed: TrimsNames by names::printable_names_are_kept,
}
