//! One body to several targets at once, and one object from whichever of its replicas can be read.

use std::fmt;

use super::{
    Compression, DecompressOptions, Storage,
    bindings::{exports::omnistorage::storage::multi as wit, omnistorage::storage::types},
    sandbox::{Guest, Inside},
    stream,
};
use crate::{
    backend::{Contents, ReadOptions, Reader, WriteOptions},
    error::{Error, ErrorCode, Result},
    object::{Location, ObjectInfo},
};

/// How many targets of a tee must hold the object in the end, of those asked for: whether a target could be opened
/// makes no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every one.
    #[default]
    All,
    /// One at least.
    BestEffort,
    /// More than half.
    Quorum,
}

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds the new object.
    Written(ObjectInfo),
    /// It failed, and is as it was.
    Failed(Error),
    /// It was given up because of the others or of the body, and is as it was.
    Withheld,
    /// It had the new object for a moment; then the old one was put back, or the new one deleted.
    Undone,
    /// It was left with the new object, or a damaged one, although it failed or the tee did: what was there before
    /// could not be brought back.
    Stranded(Error),
}

impl Outcome {
    /// Its word: `written`, `failed`, `withheld`, `undone` or `stranded`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Written(_) => "written",
            Self::Failed(_) => "failed",
            Self::Withheld => "withheld",
            Self::Undone => "undone",
            Self::Stranded(_) => "stranded",
        }
    }

    /// The new object, where it is whole and meant to be there.
    #[must_use]
    pub const fn written(&self) -> Option<&ObjectInfo> {
        match self {
            Self::Written(info) => Some(info),
            _ => None,
        }
    }

    /// What went wrong at this target.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) | Self::Stranded(error) => Some(error),
            Self::Written(_) | Self::Withheld | Self::Undone => None,
        }
    }
}

/// A target, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetResult {
    /// As it was given.
    pub target: Location,
    /// What became of it.
    pub outcome: Outcome,
}

/// Too few targets hold the object. Turns into its [`Error`], for those who do not want to know more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeeError {
    /// Of the contents, if they failed, else of the first target that did.
    pub error: Error,
    /// In the order of the targets; empty if nothing was opened.
    pub targets: Vec<TargetResult>,
}

impl fmt::Display for TeeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for TeeError {}

impl From<Error> for TeeError {
    fn from(error: Error) -> Self {
        Self { error, targets: Vec::new() }
    }
}

impl From<TeeError> for Error {
    fn from(TeeError { error, .. }: TeeError) -> Self {
        error
    }
}

impl Storage {
    /// Writes contents to every target at once, compressed once if asked, and at the pace of the slowest: a few chunks
    /// are in memory, whatever the size. The results stand in the order of the targets; unless the mode is
    /// [`Mode::All`], some may have failed.
    ///
    /// Nothing is visible anywhere before the contents have ended well and every target that is left has all of them.
    /// Then they commit one after another, until as many hold the object as the mode asks for; the rest commit at once.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futures::{StreamExt, stream};
    /// use omnistorage::{MemoryBackend, Location, runtime::{Mode, Runtime, RuntimeOptions, Storage}};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> omnistorage::Result<()> {
    /// let runtime = Runtime::new(&RuntimeOptions::default())?;
    /// let storage = Storage::builder(&runtime)
    ///     .mount("here", Arc::new(MemoryBackend::new()))
    ///     .mount("there", Arc::new(MemoryBackend::new()))
    ///     .build();
    ///
    /// let replicas = [Location::new("here", "x")?, Location::new("there", "x")?];
    /// let contents = stream::iter([Ok("hello".into())]).boxed();
    /// let written = storage.tee(&replicas, contents, &Default::default(), None, Mode::All).await?;
    /// assert!(written.iter().all(|result| result.outcome.written().is_some()));
    ///
    /// let reader = storage.read_any(&replicas, &Default::default(), None).await?;
    /// assert_eq!(reader.info.size, Some(5));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Too few targets hold the object. What was not committed never will be, and what was is undone: the old object
    /// is put back, or the new one deleted. [`Outcome::Stranded`] names a target where that could not be done, which
    /// takes two that cannot be undone: one whose backend does not promise
    /// [`atomic_write`](crate::backend::Features::atomic_write), or does not let its old object be read.
    ///
    /// [`ErrorCode::InvalidArgument`] without a target, with more than 256, or with the same one twice.
    pub async fn tee(
        &self,
        targets: &[Location],
        contents: Contents,
        options: &WriteOptions,
        compress: Option<Compression>,
        mode: Mode,
    ) -> Result<Vec<TargetResult>, TeeError> {
        let (locations, options) = (targets.iter().map(Into::into).collect(), options.into());
        let (compress, mode) = (compress.map(Into::into), mode.into());
        let sandbox = self.sandbox().await?;
        let budget = sandbox.budget();
        let done = sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let body = inside.with(|access| stream::body(access, contents, |error| error, budget, None))?;
            let multi = guest.multi(inside)?;
            Ok(Ok(multi.call_tee(inside, locations, body.into(), options, compress, mode).await?))
        });
        match done.await? {
            Ok(results) => Ok(self::results(targets, results)?),
            Err(failure) => {
                let targets = results(targets, failure.targets)?;
                Err(TeeError { error: failure.error.into(), targets })
            }
        }
    }

    /// Opens an object of which every location holds a replica, decompressed if asked: the first that opens. If it fails
    /// on the way, the next one goes on at the same byte, if it is of the same version: its size and a hash that both
    /// backends know without reading are the same, or, where they know none, its bytes up to there. Versions are never
    /// mixed.
    ///
    /// # Errors
    /// If no replica can be opened, as [`Storage::read`]: that of the first that fails for another reason than
    /// [`ErrorCode::NotFound`], if there is one. If no replica can go on, the error of the one that failed last ends the contents.
    /// [`ErrorCode::InvalidArgument`] without a replica, with more than 256, or with the same one twice.
    pub async fn read_any(
        &self,
        replicas: &[Location],
        options: &ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader> {
        let replicas: Vec<_> = replicas.iter().map(types::Location::from).collect();
        let (options, decompress) = (options.into(), decompress.map(Into::into));
        self.open(Box::new(move |inside, guest| {
            Box::pin(async move {
                guest.multi(inside)?.call_read_any(inside, replicas, options, decompress).await
            })
        }))
        .await
    }
}

/// The outcomes by the locations that were given; a component that gives other ones is not believed.
fn results(targets: &[Location], results: Vec<wit::TargetResult>) -> Result<Vec<TargetResult>> {
    if !results.is_empty() && results.len() != targets.len() {
        let message = format!("the component gave {} results for {} targets", results.len(), targets.len());
        return Err(Error::new(ErrorCode::Other, message));
    }
    let result = |(target, result): (&Location, wit::TargetResult)| {
        Ok(TargetResult { target: target.clone(), outcome: result.outcome.try_into()? })
    };
    targets.iter().zip(results).map(result).collect()
}

impl From<Mode> for wit::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::All => Self::All,
            Mode::BestEffort => Self::BestEffort,
            Mode::Quorum => Self::Quorum,
        }
    }
}

impl TryFrom<wit::Outcome> for Outcome {
    type Error = Error;
    fn try_from(outcome: wit::Outcome) -> Result<Self> {
        Ok(match outcome {
            wit::Outcome::Written(info) => Self::Written(info.try_into()?),
            wit::Outcome::Failed(error) => Self::Failed(error.into()),
            wit::Outcome::Withheld => Self::Withheld,
            wit::Outcome::Undone => Self::Undone,
            wit::Outcome::Stranded(error) => Self::Stranded(error.into()),
        })
    }
}
