//! What a component holds of a backend that it opened, and what is done through it.

use std::{collections::HashSet, future::Future, sync::Arc};

use futures::StreamExt;
use omnistorage_path::Path;
use tokio::sync::Mutex;

use super::{
    activity::Activity,
    bindings::omnistorage::storage::{backend as wit, types},
    limits::Progress,
};
use crate::{
    backend::{Backend, Capabilities, CopyRequest, Listing, Meter, WriteOptions, transfer},
    error::{Error, ErrorCode, Result},
    object::ObjectInfo,
};

/// A backend that a component opened.
#[derive(Clone, Debug)]
pub struct OpenBackend {
    pub(super) name: Arc<str>,
    pub(super) backend: Arc<dyn Backend>,
    /// What `backend` stands before while its bandwidth is limited: the bytes must then pass through it.
    pub(super) unlimited: Option<Arc<dyn Backend>>,
    pub(super) without_transfer: bool,
    pub(super) progress: Progress,
    pub(super) activity: Activity,
}

/// A listing that a component opened.
pub struct OpenListing {
    pub(super) backend: OpenBackend,
    pub(super) prefix: Path,
    // Calls of one cursor wait for each other.
    pub(super) listing: Arc<Mutex<Box<dyn Listing>>>,
}

impl OpenBackend {
    /// The error as a component sees it: at the name by which it opened the backend.
    pub(super) fn explain(&self, error: Error, path: &str) -> Error {
        let path = error.location().map_or_else(|| path.to_owned(), |(_, path)| path.to_owned());
        error.at_location(self.name.to_string(), path)
    }

    /// The same of a call that is about a path of this backend and one of another: where it failed.
    fn explain_between(&self, error: Error, path: &str, target: &Self, to: &str) -> Error {
        if error.is_on_target() { target.explain(error, to) } else { self.explain(error, path) }
    }

    /// Checks a path here and one of a target, then does something with both; all may fail.
    pub(super) async fn between<R, F: Future<Output = Result<R>>>(
        &self,
        source: &str,
        target: &Self,
        to: &str,
        act: impl FnOnce(Path, Path) -> F,
    ) -> Result<R, types::Error> {
        let result = match check_both(source, to) {
            Ok((source, to)) => act(source, to).await,
            Err(error) => Err(error),
        };
        self.progress.tick();
        result.map_err(|error| self.explain_between(error, source, target, to).into())
    }

    /// Checks a path, then does something with it; both may fail.
    pub(super) async fn with<R, F: Future<Output = Result<R>>>(
        &self,
        path: &str,
        act: impl FnOnce(Path) -> F,
    ) -> Result<R, types::Error> {
        let result = match Path::parse(path) {
            Ok(path) => act(path).await,
            Err(error) => Err(error.into()),
        };
        self.progress.tick();
        result.map_err(|error| self.explain(error, path).into())
    }

    /// The same for many. A path that is refused does not keep the others: the results stand in the order of the
    /// paths.
    pub(super) async fn with_many<R, F: Future<Output = Vec<Result<R>>>>(
        &self,
        paths: Vec<String>,
        act: impl FnOnce(Vec<Path>) -> F,
    ) -> Vec<Result<R, types::Error>> {
        let checked: Vec<_> = paths.iter().map(|path| Path::parse(path.as_str())).collect();
        let legal: Vec<_> = checked.iter().flatten().cloned().collect();
        let mut results = act(legal).await.into_iter();
        self.progress.tick();
        let in_order = paths.iter().zip(checked).map(|(path, checked)| {
            let result = match checked {
                Ok(_) => results.next().unwrap_or_else(|| Err(short_of_results())),
                Err(refused) => Err(refused.into()),
            };
            result.map_err(|error| self.explain(error, path).into())
        });
        in_order.collect()
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.backend.capabilities();
        capabilities.features.transfer = !self.without_transfer;
        capabilities
    }

    /// The backend itself.
    pub(super) fn below(&self) -> &Arc<dyn Backend> {
        self.unlimited.as_ref().unwrap_or(&self.backend)
    }

    /// Whether a copy to the target must not take a short way, on which nobody counts the bytes. What a store copies
    /// within itself does not count.
    fn must_count(&self, target: &Self) -> bool {
        self.unlimited.is_some() && !self.without_transfer && !Arc::ptr_eq(self.below(), target.below())
    }

    pub(super) async fn copy(&self, request: CopyRequest, target: &Self) -> Result<ObjectInfo> {
        let CopyRequest { source, target: to, mut options } = request;
        let meter = self.meter(&mut options);
        let copied = self.copy_metered(&source, target, &to, &options).await?;
        meter.ended_at(copied.size.unwrap_or(0));
        Ok(copied)
    }

    /// Meters what is written with these options.
    fn meter(&self, options: &mut WriteOptions) -> Meter {
        options.meter = self.activity.meter();
        options.meter.clone()
    }

    async fn copy_metered(
        &self,
        source: &Path,
        target: &Self,
        to: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        if self.must_count(target) {
            return transfer(&*self.backend, source, &*target.backend, to, options).await;
        }
        let copied = self.backend.copy_to(source, &*target.backend, to, options).await;
        match copied {
            Err(error) if error.code() == ErrorCode::Unsupported && !self.without_transfer => {
                transfer(&*self.backend, source, &*target.backend, to, options).await
            }
            copied => copied,
        }
    }

    /// Moves an object in one step, if there is a way.
    pub(super) async fn relocate(
        &self,
        source: &Path,
        target: &Self,
        to: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        if self.without_transfer && !Arc::ptr_eq(self.below(), target.below()) {
            return Err(Error::unsupported(self.backend.kind(), "move to another backend"));
        }
        self.backend.move_to(source, &*target.backend, to, options).await
    }

    /// Copies many. A request that is refused does not keep the others: the results stand in their order.
    pub(super) async fn copy_many(
        &self,
        requests: Vec<wit::CopyRequest>,
        target: &Self,
    ) -> Vec<Result<types::ObjectInfo, types::Error>> {
        let names: Vec<_> =
            requests.iter().map(|request| (request.source.clone(), request.target.clone())).collect();
        let checked: Vec<_> = requests.into_iter().map(check).collect();
        let mut legal: Vec<_> = checked.iter().flatten().cloned().collect();
        let meters: Vec<_> = legal.iter_mut().map(|request| self.meter(&mut request.options)).collect();
        let short_ways = if self.must_count(target) {
            let refused = |request: &CopyRequest| {
                let kind = self.backend.kind();
                Err(Error::unsupported(kind, "copy").at(kind, &request.source))
            };
            legal.iter().map(refused).collect()
        } else {
            self.backend.copy_many(&legal, &*target.backend).await
        };
        let mut results = short_ways.into_iter().zip(meters);
        self.progress.tick();
        // Of two copies to one target the second must win.
        let targets: HashSet<_> = legal.iter().map(|request| &request.target).collect();
        let at_once = if targets.len() == legal.len() { COPIES } else { 1 };
        let mut copies = Vec::with_capacity(names.len());
        for ((name, to), checked) in names.iter().zip(checked) {
            let short_way = if checked.is_ok() { results.next() } else { None };
            copies.push(async move {
                let result = match (checked, short_way) {
                    (Err(refused), _) => Err(refused),
                    (Ok(request), Some((Err(error), _))) if error.code() == ErrorCode::Unsupported => {
                        self.copy(request, target).await
                    }
                    (Ok(_), Some((Ok(copied), meter))) => {
                        meter.ended_at(copied.size.unwrap_or(0));
                        Ok(copied)
                    }
                    (Ok(_), Some((failed, _))) => failed,
                    (Ok(_), None) => Err(short_of_results()),
                };
                self.progress.tick();
                result.map(Into::into).map_err(|error| self.explain_between(error, name, target, to).into())
            });
        }
        futures::stream::iter(copies).buffered(at_once).collect().await
    }
}

/// Copies of one call by reading and writing, at a time.
const COPIES: usize = 16;

fn check(request: wit::CopyRequest) -> Result<CopyRequest> {
    let (source, target) = check_both(&request.source, &request.target)?;
    Ok(CopyRequest { source, target, options: request.options.into() })
}

fn check_both(source: &str, target: &str) -> Result<(Path, Path)> {
    let source = Path::parse(source)?;
    Ok((source, Path::parse(target).map_err(|error| Error::from(error).on_target())?))
}

/// A backend from outside this crate broke its word.
fn short_of_results() -> Error {
    Error::new(ErrorCode::Other, "the backend gave fewer results than it was asked for")
}
