//! The backends and listings that a component holds open, and the operations through them.

use std::{collections::HashSet, num::NonZeroU64, sync::Arc};

use futures::StreamExt;
use omnistorage_types::Path;
use tokio::sync::Mutex;

use super::{
    activity::Activity,
    bindings::omnistorage::storage::{backend as wit, types},
    budget::{Budget, Open, Reserved},
    chunk::CHUNK,
    common::Common,
    under_way::Moving,
    view::StorageCtx,
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        Backend, Capabilities, CopyRequest, Handle, Listed, Listing, Meter, WriteOptions, limit::Limit,
        transfer,
    },
};

/// A backend that a component opened.
#[derive(Clone, Debug)]
pub struct OpenBackend {
    handle: Handle,
    without_transfer: bool,
    common: Option<Common>,
    bandwidth: Option<Arc<Limit>>,
    pub(super) budget: Budget,
    pub(super) activity: Activity,
    _held: Arc<Held>,
}

/// What something open takes from the budget.
#[derive(Debug)]
pub(super) struct Held {
    _open: Open,
    _bytes: Option<Reserved>,
}

impl Held {
    pub(super) fn new(open: Open, bytes: Option<Reserved>) -> Self {
        Self { _open: open, _bytes: bytes }
    }
}

/// A listing that a component opened.
pub struct OpenListing {
    pub(super) backend: OpenBackend,
    pub(super) prefix: Path,
    // Calls on one cursor wait for each other.
    pub(super) listing: Arc<Mutex<Box<dyn Listing>>>,
    pub(super) _held: Held,
}

impl OpenBackend {
    pub(super) fn new(name: String, backend: Arc<dyn Backend>, ctx: &StorageCtx, held: Held) -> Self {
        Self {
            handle: Handle::new(name, backend),
            without_transfer: ctx.policy.grants.without_transfer,
            common: ctx.policy.common.clone(),
            bandwidth: ctx.policy.bandwidth.clone(),
            budget: ctx.budget.clone(),
            activity: ctx.activity.clone(),
            _held: Arc::new(held),
        }
    }

    /// The backend for a call; once closed, one that refuses every call.
    pub(super) fn backend(&self) -> &dyn Backend {
        self.handle.backend()
    }

    /// Limits the bytes a second from now on. A closed handle stays closed.
    pub(super) fn limit_bandwidth(&mut self, bytes_per_second: Option<NonZeroU64>) {
        match (&self.bandwidth, &self.common, bytes_per_second) {
            (Some(limit), _, Some(_)) => self.handle.limit_by(Some(Arc::clone(limit))),
            (None, Some(common), Some(rate)) => self.handle.limit_by(Some(common.limit(rate))),
            _ => self.handle.limit_bandwidth(bytes_per_second),
        }
    }

    /// Ends the use of this handle. The backend may be a mount, which belongs to the host.
    pub(super) fn close(&mut self) {
        self.handle.close();
    }

    /// The error as the component sees it, with the name by which it opened the backend.
    pub(super) fn explain(&self, error: Error, path: &str) -> Error {
        self.handle.explain(error, path)
    }

    /// The same for an entry of a listing.
    pub(super) fn explain_listed(&self, listed: Listed) -> Listed {
        self.handle.explain_listed(listed)
    }

    /// The same for a call with paths of two backends: names the one that failed.
    pub(super) fn explain_between(&self, error: Error, path: &str, target: &Self, to: &str) -> Error {
        self.handle.explain_between(error, path, &target.handle, to)
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.backend().capabilities();
        capabilities.features.transfer = !self.without_transfer;
        capabilities
    }

    /// Whether a copy to the target must be read and written, since a limit counts bytes that a copy within the store
    /// hides.
    fn must_count(&self, target: &Self) -> bool {
        !self.without_transfer && self.handle.must_count_bytes_to(&target.handle)
    }

    pub(super) async fn copy(&self, request: CopyRequest, target: &Self) -> Result<ObjectInfo> {
        let CopyRequest { source, target: to, mut options } = request;
        let (meter, _moving) = self.accompany(&to, &mut options);
        let copied = self.copy_metered(&source, target, &to, &options).await?;
        meter.ended_at(copied.size.unwrap_or(0));
        Ok(copied)
    }

    /// Meters what is copied with these options, and limits what is gathered in memory for it.
    fn accompany(&self, to: &Path, options: &mut WriteOptions) -> (Meter, Moving) {
        let (meter, moving) = self.activity.meter(to, options.expected_size);
        options.meter = meter.clone();
        options.allowance = self.budget.gathered().patient();
        (meter, moving)
    }

    async fn copy_metered(
        &self,
        source: &Path,
        target: &Self,
        to: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        if self.must_count(target) {
            return self.transfer(source, target, to, options).await;
        }
        let copied = self.backend().copy_to(source, target.backend(), to, options).await;
        match copied {
            Err(error) if error.code() == ErrorCode::Unsupported && !self.without_transfer => {
                self.transfer(source, target, to, options).await
            }
            copied => copied,
        }
    }

    /// Moves an object in one step, if the backends can.
    pub(super) async fn relocate(
        &self,
        source: &Path,
        target: &Self,
        to: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        if self.without_transfer && !self.handle.is_closed() && !self.handle.is_same_as(&target.handle) {
            return Err(Error::unsupported(self.backend().kind(), "move to another backend"));
        }
        self.backend().move_to(source, target.backend(), to, options).await
    }

    /// Copies by reading here and writing there.
    async fn transfer(
        &self,
        source: &Path,
        target: &Self,
        to: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let _open = self.budget.open_file()?;
        let _chunks = self.budget.reserve(AHEAD)?;
        transfer(self.backend(), source, target.backend(), to, options).await
    }

    /// Copies many. A request that is refused does not hold up the others; results come in the order of the requests.
    pub(super) async fn copy_many(
        &self,
        requests: Vec<wit::CopyRequest>,
        target: &Self,
    ) -> Vec<Result<types::ObjectInfo, types::Error>> {
        let names: Vec<_> =
            requests.iter().map(|request| (request.source.clone(), request.target.clone())).collect();
        let checked: Vec<_> = requests.into_iter().map(check).collect();
        let mut legal: Vec<_> = checked.iter().flatten().cloned().collect();
        let meters: Vec<_> =
            legal.iter_mut().map(|request| self.accompany(&request.target, &mut request.options)).collect();
        let short_ways = if self.must_count(target) {
            let refused = |request: &CopyRequest| {
                let kind = self.backend().kind();
                Err(Error::unsupported(kind, "copy").at(kind, &request.source))
            };
            legal.iter().map(refused).collect()
        } else if legal.is_empty() {
            Vec::new()
        } else {
            let copied = self.backend().copy_many(&legal, target.backend()).await;
            self.budget.tick();
            copied
        };
        let mut results = short_ways.into_iter().zip(meters);
        // If two copies have the same target, the second must win.
        let targets: HashSet<_> = legal.iter().map(|request| &request.target).collect();
        let at_once = if targets.len() == legal.len() { COPIES } else { 1 };
        let mut copies = Vec::with_capacity(names.len());
        for ((name, to), checked) in names.iter().zip(checked) {
            let short_way = if checked.is_ok() { results.next() } else { None };
            copies.push(async move {
                let result = match (checked, short_way) {
                    (Err(refused), _) => {
                        return Err(self.explain_between(refused, name, target, to).into());
                    }
                    (Ok(request), Some((Err(error), _))) if error.code() == ErrorCode::Unsupported => {
                        self.copy(request, target).await
                    }
                    (Ok(_), Some((Ok(copied), (meter, _)))) => {
                        meter.ended_at(copied.size.unwrap_or(0));
                        Ok(copied)
                    }
                    (Ok(_), Some((failed, _))) => failed,
                    (Ok(_), None) => Err(short_of_results()),
                };
                self.budget.tick();
                result.map(Into::into).map_err(|error| self.explain_between(error, name, target, to).into())
            });
        }
        futures::stream::iter(copies).buffered(at_once).collect().await
    }
}

/// How many copies of one call read and write at once.
const COPIES: usize = 16;

/// Bytes of a stream in flight: the chunk in use, and the next one.
pub(super) const AHEAD: usize = 2 * CHUNK;

fn check(request: wit::CopyRequest) -> Result<CopyRequest> {
    let (source, target) = check_both(&request.source, &request.target)?;
    Ok(CopyRequest { source, target, options: request.options.try_into()? })
}

pub(super) fn check_both(source: &str, target: &str) -> Result<(Path, Path)> {
    let source = Path::parse(source)?;
    Ok((source, Path::parse(target).map_err(|error| Error::from(error).on_target())?))
}

/// The error for a backend of another crate that broke the contract.
pub(super) fn short_of_results() -> Error {
    Error::new(ErrorCode::Other, "the backend gave fewer results than it was asked for")
}
