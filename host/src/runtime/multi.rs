//! One body to several targets at once, and one object from whichever of its replicas can be read.

use omnistorage_types::{Compression, DecompressOptions, Mode, TargetResult, TeeError};

use super::{
    Storage,
    bindings::{exports::omnistorage::storage::multi as wit, omnistorage::storage::types},
    sandbox::{Guest, Inside},
    stream,
};
use crate::{
    Error, ErrorCode, Location, Result,
    backend::{Contents, ReadOptions, Reader, WriteOptions},
};

impl Storage {
    /// Writes contents to every target at once, compressed once if asked, at the pace of the slowest: a few chunks are
    /// in memory, whatever the size. Results come in the order of the targets; unless the mode is [`Mode::All`], some
    /// may have failed.
    ///
    /// Nothing is visible anywhere before the contents have ended well and every remaining target has all of them. Then
    /// the targets commit one after another until the mode is satisfied; the rest commit at once.
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
    /// Too few targets hold the object. What was not committed never will be, and what was is undone: the old object is
    /// put back, or the new one deleted. [`Outcome::Stranded`](super::Outcome::Stranded) names a target where that
    /// could not be done, which takes two that cannot be undone: one whose backend does not promise
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

    /// Opens an object of which every location holds a replica, decompressed if asked: the first that opens. If it
    /// fails on the way, the next one goes on at the same byte, if it is of the same version: its size and a hash that
    /// both backends know without reading are the same, or, where they know none, its bytes up to there. Versions are
    /// never mixed.
    ///
    /// # Errors
    /// If no replica can be opened, as [`Storage::read`]: that of the first that fails for another reason than
    /// [`ErrorCode::NotFound`], if there is one. If no replica can go on, the error of the one that failed last ends
    /// the contents. [`ErrorCode::InvalidArgument`] without a replica, with more than 256, or with the same one twice.
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

/// The outcomes by the locations that were given; others that a component returns are refused.
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
