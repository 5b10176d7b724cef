//! The calls of the library, but those about records.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt, stream as streams};
use omnistorage_application::{Checked, backend, bisync, compression, multi, objects, sync, types};
use omnistorage_types::{
    BisyncOptions, Compression, DecompressOptions, Dictionary, Explanation, Filter, Mode, Report,
    SyncOptions, TargetResult, TeeError, wit::IntoWit,
};

use super::{
    job::{BisyncJob, CheckJob, SyncJob},
    one_place::is_one_place,
    stream::{body, checked, contents, here},
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, KeyRange, Location, ObjectInfo, Path, Result,
    backend::{Capabilities, Contents, ListOptions, Listed, ReadOptions, Reader, WriteOptions},
};

/// The library and the backends that this component was composed with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Storage;

/// A location in the words of the library.
pub(super) fn at(location: &Location) -> types::Location {
    location.clone().into_wit()
}

fn write_options(options: &WriteOptions) -> types::WriteOptions {
    omnistorage_types::WriteOptions::from(options).into_wit()
}

impl Storage {
    /// The names of the backends there are.
    pub async fn names(&self) -> Vec<String> {
        backend::names().await
    }

    /// What a backend can do.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownBackend`].
    pub async fn features(&self, backend: &str) -> Result<Capabilities> {
        objects::features(backend.to_owned()).await?.try_into()
    }

    /// What is known about an object, a directory, or a prefix that has objects below it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn stat(&self, location: &Location) -> Result<ObjectInfo> {
        objects::stat(at(location)).await?.try_into()
    }

    /// Lists what is below a prefix, in byte order of the full paths.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if there is no such directory or prefix, [`ErrorCode::NotDirectory`] if it is an object.
    pub async fn list(&self, location: &Location, options: &ListOptions) -> Result<Entries> {
        Ok(entries(objects::list(at(location), options.clone().into_wit()).await?))
    }

    /// Lists what a filter leaves of what is below a prefix, in byte order of the full paths; of an object, itself.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if there is no such object, directory or prefix, [`ErrorCode::InvalidArgument`] for a
    /// malformed filter.
    pub async fn find(&self, location: &Location, filter: &Filter, options: &ListOptions) -> Result<Entries> {
        let (filter, options) = (filter.clone().into_wit(), options.clone().into_wit());
        Ok(entries(objects::find(at(location), filter, options).await?))
    }

    /// Paths that cut a range of what is below a place into so many ranges, relative to it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::NotDirectory`]; [`ErrorCode::InvalidArgument`] if no path can lie in the
    /// range; [`ErrorCode::Unsupported`] where listings do not come in byte order.
    pub async fn plan(&self, location: &Location, range: &KeyRange, ranges: u32) -> Result<Vec<Path>> {
        let [after, until] = ends(range);
        paths(sync::plan(at(location), after, until, ranges).await?)
    }

    /// Some paths at which a range of what is below a place may be cut, at most so many.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); of a place that is not there, there are none.
    pub async fn cut(&self, location: &Location, range: &KeyRange, most: u32) -> Result<Vec<Path>> {
        let [after, until] = ends(range);
        paths(sync::cut(at(location), after, until, most).await?)
    }

    /// Whether what is extra may be deleted after runs over ranges that held their deletes, by the sum of their
    /// reports.
    ///
    /// # Errors
    /// [`ErrorCode::PreconditionFailed`], [`ErrorCode::LimitExceeded`]: the guards of one run over all of them.
    pub async fn judge(&self, sum: &Report, options: &SyncOptions) -> Result<()> {
        Ok(sync::judge(sum.into(), options.clone().into_wit()).await?)
    }

    /// Opens an object, decompressed if asked.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::IsDirectory`]; what is wrong with compressed bytes ends the contents.
    pub async fn read(
        &self,
        source: &Location,
        options: &ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader> {
        let (options, decompress) = (options.clone().into_wit(), decompress.map(IntoWit::into_wit));
        opened(objects::read(at(source), options, decompress).await?)
    }

    /// Opens an object of which every location holds a replica: the first that opens; the next goes on where it fails.
    ///
    /// # Errors
    /// As [`Storage::read`], if no replica can be opened. [`ErrorCode::InvalidArgument`] without a replica, with more
    /// than
    /// 256, or with the same one twice.
    pub async fn read_any(
        &self,
        replicas: &[Location],
        options: &ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader> {
        let replicas: Vec<_> = replicas.iter().map(at).collect();
        let (options, decompress) = (options.clone().into_wit(), decompress.map(IntoWit::into_wit));
        opened(multi::read_any(replicas, options, decompress).await?)
    }

    /// Writes an object, compressed if asked. Commits once the contents have ended without an error.
    ///
    /// # Errors
    /// The error of the contents; what the backend says. The old object stays.
    pub async fn write(
        &self,
        target: &Location,
        contents: Contents,
        options: &WriteOptions,
        compress: Option<Compression>,
    ) -> Result<ObjectInfo> {
        let (options, compress) = (write_options(options), compress.map(IntoWit::into_wit));
        objects::write(at(target), body(contents), options, compress).await?.try_into()
    }

    /// Makes a dictionary of zstd of what samples have in common.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] for a size that no dictionary has, and for samples that give none.
    pub async fn train_dictionary(&self, samples: Vec<Vec<u8>>, size: u32) -> Result<Dictionary> {
        Ok(compression::train_dictionary(samples, size).await?.into())
    }

    /// Writes contents to every target at once, compressed once if asked.
    ///
    /// # Errors
    /// Too few targets hold the object. [`ErrorCode::InvalidArgument`] without a target, with more than 256, or with
    /// the same one twice.
    pub async fn tee(
        &self,
        targets: &[Location],
        contents: Contents,
        options: &WriteOptions,
        compress: Option<Compression>,
        mode: Mode,
    ) -> Result<Vec<TargetResult>, TeeError> {
        let locations: Vec<_> = targets.iter().map(at).collect();
        let (options, compress) = (write_options(options), compress.map(IntoWit::into_wit));
        match multi::tee(locations, body(contents), options, compress, mode.into_wit()).await {
            Ok(results) => Ok(outcomes(targets, results)?),
            Err(failure) => {
                let targets = outcomes(targets, failure.targets)?;
                Err(TeeError { error: failure.error.into(), targets })
            }
        }
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::IsDirectory`].
    pub async fn remove(&self, location: &Location) -> Result<()> {
        Ok(objects::remove(at(location)).await?)
    }

    /// Deletes everything below a prefix, and the directory; gives the number of objects deleted.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::NotDirectory`].
    pub async fn purge(&self, location: &Location) -> Result<u64> {
        Ok(objects::purge(at(location)).await?)
    }

    /// Removes what unfinished writes below a prefix left behind so long ago; gives their number.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sweep(&self, location: &Location, older_than: Duration) -> Result<u64> {
        Ok(objects::sweep(at(location), older_than.as_secs()).await?)
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] where directories do not exist by themselves.
    pub async fn mkdir(&self, location: &Location) -> Result<()> {
        Ok(objects::mkdir(at(location)).await?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::NotEmpty`].
    pub async fn rmdir(&self, location: &Location) -> Result<()> {
        Ok(objects::rmdir(at(location)).await?)
    }

    /// The hash of an object.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::IsDirectory`].
    pub async fn hash(&self, location: &Location, algorithm: HashAlgorithm) -> Result<Hash> {
        objects::compute_hash(at(location), algorithm.into_wit()).await?.try_into()
    }

    /// Makes the target equal to the source: transfers what differs, then deletes what is extra.
    ///
    /// # Errors
    /// An unknown backend; an option out of its range. For the rest see [`Job::outcome`](super::Job::outcome).
    pub async fn sync(&self, source: &Location, target: &Location, options: &SyncOptions) -> Result<SyncJob> {
        let job = sync::sync(at(source), at(target), options.clone().into_wit()).await?;
        Ok(SyncJob::new(job.events, job.outcome))
    }

    /// Transfers what differs, and deletes nothing. If the source is one object, the target is the directory it goes
    /// to.
    ///
    /// # Errors
    /// As [`Storage::sync`].
    pub async fn copy(&self, source: &Location, target: &Location, options: &SyncOptions) -> Result<SyncJob> {
        let job = sync::copy(at(source), at(target), options.clone().into_wit()).await?;
        Ok(SyncJob::new(job.events, job.outcome))
    }

    /// Transfers what differs, and removes from the source what this run transferred and verified, or found to be the
    /// same on the target. One place under two names looks like two: of directories it is recognised.
    ///
    /// # Errors
    /// As [`Storage::sync`]; [`ErrorCode::InvalidArgument`] also if both names stand for one place.
    pub async fn move_to(
        &self,
        source: &Location,
        target: &Location,
        options: &SyncOptions,
    ) -> Result<SyncJob> {
        if source.backend != target.backend && here(is_one_place(source, target)).await {
            let message = format!("`{}` and `{}` are one place by two names", source.backend, target.backend);
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        let job = sync::move_to(at(source), at(target), options.clone().into_wit()).await?;
        Ok(SyncJob::new(job.events, job.outcome))
    }

    /// Compares, and changes nothing.
    ///
    /// # Errors
    /// As [`Storage::sync`].
    pub async fn check(
        &self,
        source: &Location,
        target: &Location,
        options: &SyncOptions,
    ) -> Result<CheckJob> {
        let job = sync::check(at(source), at(target), options.clone().into_wit()).await?;
        Ok(CheckJob::new(job.entries, job.outcome))
    }

    /// What a run with these options would make of a path below both places; nothing is changed.
    ///
    /// # Errors
    /// As [`Storage::sync`], and what a run ends with before it looks at any object.
    pub async fn explain(
        &self,
        source: &Location,
        target: &Location,
        path: &Path,
        options: &SyncOptions,
    ) -> Result<Explanation> {
        let options = options.clone().into_wit();
        sync::explain(at(source), at(target), path.to_string(), options).await?.try_into()
    }

    /// The same for [`Storage::move_to`].
    ///
    /// # Errors
    /// As [`Storage::explain`].
    pub async fn explain_move(
        &self,
        source: &Location,
        target: &Location,
        path: &Path,
        options: &SyncOptions,
    ) -> Result<Explanation> {
        let options = options.clone().into_wit();
        sync::explain_move(at(source), at(target), path.to_string(), options).await?.try_into()
    }

    /// Brings the changes of each of two places to the other.
    ///
    /// # Errors
    /// As [`Storage::sync`]; [`ErrorCode::PreconditionFailed`] if there is no state, or it is damaged, of other places
    /// or of another filter, or if a side has become empty.
    pub async fn bisync(
        &self,
        first: &Location,
        second: &Location,
        state: &Location,
        options: &BisyncOptions,
    ) -> Result<BisyncJob> {
        let options = options.clone().into_wit();
        let job = bisync::bisync(at(first), at(second), at(state), options).await?;
        Ok(BisyncJob::new(job.events, job.outcome))
    }
}

fn ends(range: &KeyRange) -> [Option<String>; 2] {
    [&range.after, &range.until].map(|end| end.as_ref().map(Path::to_string))
}

fn paths(found: Vec<String>) -> Result<Vec<Path>> {
    found.into_iter().map(|path| Ok(Path::parse(path)?)).collect()
}

fn entries(listed: objects::Entries) -> Entries {
    let pages = checked(Checked::from(listed));
    let entries = pages.flat_map(|page| match page {
        Ok(page) => streams::iter(page).map(Listed::try_from).boxed(),
        Err(error) => streams::iter([Err(error)]).boxed(),
    });
    Entries(entries.boxed())
}

fn opened(reader: objects::Reader) -> Result<Reader> {
    Ok(Reader { info: reader.info.try_into()?, contents: contents(reader.contents) })
}

/// The outcomes by the locations that were given.
fn outcomes(targets: &[Location], results: Vec<multi::TargetResult>) -> Result<Vec<TargetResult>> {
    if !results.is_empty() && results.len() != targets.len() {
        let message = format!("the library gave {} results for {} targets", results.len(), targets.len());
        return Err(Error::new(ErrorCode::Other, message));
    }
    let outcome = |(target, result): (&Location, multi::TargetResult)| {
        Ok(TargetResult { target: target.clone(), outcome: result.outcome.try_into()? })
    };
    targets.iter().zip(results).map(outcome).collect()
}

/// A listing as it comes. An error ends it; an end without one means that it was complete, but for the failures among
/// the entries.
pub struct Entries(Pin<Box<dyn Stream<Item = Result<Listed>> + Send>>);

impl Stream for Entries {
    type Item = Result<Listed>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}
