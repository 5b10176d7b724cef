//! Calls of the component: what each takes from the budget while it is at work, and its answer.

use std::{future::Future, ops::Deref};

use omnistorage_types::Path;
use wasmtime::component::{Access, Accessor, Resource};

use super::{
    bindings::omnistorage::storage::{backend as wit, types},
    budget::{Calling, Reserved},
    open::{OpenBackend, check_both, short_of_results},
    view::HasStorage,
    weight::Weight,
};
use crate::{Error, ErrorCode, Result, backend::layer::Operation};

/// What any call takes besides its arguments, in bytes: its own state and its answer.
const CALL: usize = 4096;

/// What each path of a call about many takes besides its bytes: its result, on the way to the component.
const ITEM: usize = 512;

/// A path is held four times: as it came, as it was checked, where the work is done, and in the result.
const COPIES: usize = 4;

/// A call of a backend that is at work.
pub(super) struct Call {
    open: OpenBackend,
    /// Or why the call may not be made.
    taken: Result<Taken>,
}

/// Released when the call ends.
struct Taken {
    _calling: Calling,
    arguments: Reserved,
}

impl Deref for Call {
    type Target = OpenBackend;

    fn deref(&self) -> &OpenBackend {
        &self.open
    }
}

/// Begins a call about one path, once another call may run; `more` is the size of its other arguments, in bytes.
pub(super) async fn begin<T: 'static>(
    accessor: &Accessor<T, HasStorage>,
    this: &Resource<OpenBackend>,
    operation: Operation,
    path: &str,
    more: usize,
) -> wasmtime::Result<Call> {
    let open = opened(accessor, this)?;
    open.activity.begins(operation);
    Ok(Call::new(open, path.len().saturating_add(more)).await)
}

/// The same for a call about many items. Too many items end the component.
pub(super) async fn begin_many<T: 'static, I: Weight>(
    accessor: &Accessor<T, HasStorage>,
    this: &Resource<OpenBackend>,
    operation: Operation,
    items: &[I],
) -> wasmtime::Result<Call> {
    let open = opened(accessor, this)?;
    let limit = open.budget.limits().items;
    if items.len() > limit {
        let message = format!(
            "the component put {} items into one call, and its limit is {limit}: make several calls, or raise \
             `Limits::items`",
            items.len()
        );
        return Err(Error::new(ErrorCode::LimitExceeded, message).into());
    }
    open.activity.begins(operation);
    let weights = items.iter().map(|item| item.weight().saturating_mul(COPIES).saturating_add(ITEM));
    let arguments = weights.fold(0, usize::saturating_add);
    Ok(Call::new(open, arguments).await)
}

/// The backend behind a handle of the component.
pub(super) fn opened<T: 'static>(
    accessor: &Accessor<T, HasStorage>,
    this: &Resource<OpenBackend>,
) -> wasmtime::Result<OpenBackend> {
    accessor.with(|mut access: Access<'_, T, HasStorage>| Ok(access.get().table.get(this)?.clone()))
}

impl Call {
    pub(super) async fn new(open: OpenBackend, arguments: usize) -> Self {
        let taken = match open.budget.reserve(arguments.saturating_add(CALL)) {
            // Wait for the turn last: the budget already counts what waits.
            Ok(arguments) => Ok(Taken { _calling: open.budget.call().await, arguments }),
            Err(error) => Err(error),
        };
        Self { open, taken }
    }

    /// Whether the call may be made.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]
    pub(super) fn check(&self) -> Result<()> {
        self.taken.as_ref().map(drop).map_err(Error::clone)
    }

    /// Checks a path, then does something with it; both may fail.
    pub(super) async fn with<R, F: Future<Output = Result<R>>>(
        &self,
        path: &str,
        act: impl FnOnce(Path) -> F,
    ) -> Result<R, types::Error> {
        let result = match self.check().and_then(|()| Ok(Path::parse(path)?)) {
            Ok(path) => {
                let done = act(path).await;
                self.budget.tick();
                done
            }
            Err(error) => Err(error),
        };
        result.map_err(|error| self.explain(error, path).into())
    }

    /// The same for a path of this backend and one of a target.
    pub(super) async fn between<R, F: Future<Output = Result<R>>>(
        &self,
        source: &str,
        target: &OpenBackend,
        to: &str,
        act: impl FnOnce(Path, Path) -> F,
    ) -> Result<R, types::Error> {
        let result = match self.check().and_then(|()| check_both(source, to)) {
            Ok((source, to)) => {
                let done = act(source, to).await;
                self.budget.tick();
                done
            }
            Err(error) => Err(error),
        };
        result.map_err(|error| self.explain_between(error, source, target, to).into())
    }

    /// The same for many paths. One that is refused does not hold up the others; results come in the order of the
    /// paths.
    pub(super) async fn with_many<R, F: Future<Output = Vec<Result<R>>>>(
        &self,
        paths: Vec<String>,
        act: impl FnOnce(Vec<Path>) -> F,
    ) -> Vec<Result<R, types::Error>> {
        self.with_each(paths, |path| path, |path| Ok(Path::parse(path.as_str())?), act).await
    }

    /// The same for many of anything that has a path.
    pub(super) async fn with_each<I, C: Clone, R, F: Future<Output = Vec<Result<R>>>>(
        &self,
        items: Vec<I>,
        path: impl Fn(&I) -> &str,
        check: impl Fn(&I) -> Result<C>,
        act: impl FnOnce(Vec<C>) -> F,
    ) -> Vec<Result<R, types::Error>> {
        let checked: Vec<_> = items.iter().map(|item| self.check().and_then(|()| check(item))).collect();
        let legal: Vec<_> = checked.iter().flatten().cloned().collect();
        let mut results = Vec::new().into_iter();
        // An empty request is no progress.
        if !legal.is_empty() {
            results = act(legal).await.into_iter();
            self.budget.tick();
        }
        let in_order = items.iter().zip(checked).map(|(item, checked)| {
            let result = match checked {
                Ok(_) => results.next().unwrap_or_else(|| Err(short_of_results())),
                Err(refused) => Err(refused),
            };
            result.map_err(|error| self.explain(error, path(item)).into())
        });
        in_order.collect()
    }

    /// The same for many copies.
    pub(super) async fn copy_many(
        &self,
        requests: Vec<wit::CopyRequest>,
        target: &OpenBackend,
    ) -> Vec<Result<types::ObjectInfo, types::Error>> {
        match self.check() {
            Ok(()) => self.open.copy_many(requests, target).await,
            Err(refused) => {
                let refuse =
                    |request: wit::CopyRequest| Err(self.explain(refused.clone(), &request.source).into());
                requests.into_iter().map(refuse).collect()
            }
        }
    }

    /// What the call started goes on by itself, and keeps its arguments.
    pub(super) fn leave(self) -> (OpenBackend, Option<Reserved>) {
        (self.open, self.taken.ok().map(|Taken { arguments, .. }| arguments))
    }
}
