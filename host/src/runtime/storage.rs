//! What the sandboxes of an application may touch, and the calls on single objects and listings.

use std::{
    num::NonZero,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt, future::BoxFuture, stream as streams};
use tokio::sync::oneshot;

use super::{
    Activity, Compression, DecompressOptions, Filter, Limits, Policy, Runtime,
    bindings::{exports::omnistorage::storage::objects, omnistorage::storage::types},
    common::Common,
    room::Room,
    sandbox::{Guest, Inside, Sandbox, Task},
    stream,
};
#[cfg(feature = "cluster")]
use crate::backend::limit::Limit;
use crate::{
    Error, Hash, HashAlgorithm, Location, ObjectInfo, Result,
    backend::{Backend, Capabilities, Contents, ListOptions, Listed, ReadOptions, Reader, WriteOptions},
    registry::Registry,
};

/// The backends that sandboxes may touch, and the library's functions on them. Cheap to clone. See the [module](super).
#[derive(Clone, Debug)]
pub struct Storage {
    runtime: Runtime,
    policy: Policy,
    /// For its sandboxes, if it has some of its own.
    room: Option<Room>,
}

/// Builds a [`Storage`], and with it the [`Policy`] of its sandboxes.
#[derive(Clone, Debug)]
pub struct StorageBuilder {
    runtime: Runtime,
    policy: Policy,
}

impl StorageBuilder {
    /// As [`Policy::mount`].
    #[must_use]
    pub fn mount(self, name: impl Into<String>, backend: Arc<dyn Backend>) -> Self {
        Self { policy: self.policy.mount(name, backend), ..self }
    }

    /// As [`Policy::grant_kinds`].
    #[must_use]
    pub fn grant_kinds(self, kinds: Registry) -> Self {
        Self { policy: self.policy.grant_kinds(kinds), ..self }
    }

    /// As [`Policy::limits`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { policy: self.policy.limits(limits), ..self }
    }

    /// As [`Policy::transfer`].
    #[must_use]
    pub fn transfer(self, transfer: bool) -> Self {
        Self { policy: self.policy.transfer(transfer), ..self }
    }

    /// The storage.
    #[must_use]
    pub fn build(self) -> Storage {
        Storage { runtime: self.runtime, policy: self.policy, room: None }
    }
}

impl Storage {
    /// Grants nothing yet.
    #[must_use]
    pub fn builder(runtime: &Runtime) -> StorageBuilder {
        StorageBuilder { runtime: runtime.clone(), policy: Policy::new() }
    }

    /// Sandboxes under a policy.
    #[must_use]
    pub fn new(runtime: &Runtime, policy: &Policy) -> Self {
        Self { runtime: runtime.clone(), policy: policy.clone(), room: None }
    }

    /// The backend granted by that name.
    pub(crate) fn mount(&self, name: &str) -> Option<Arc<dyn Backend>> {
        self.policy.grants.mounts.get(name).cloned()
    }

    /// The same with one more backend, or another one of that name.
    pub(crate) fn with_mount(&self, name: &str, backend: Arc<dyn Backend>) -> Self {
        Self { policy: self.policy.clone().mount(name, backend), ..self.clone() }
    }

    /// The same for the sandboxes of one job: they count together what they ask of their backends, and share one limit of
    /// bandwidth.
    pub(crate) fn in_common(&self) -> (Self, Activity) {
        let common = Common::default();
        let activity = common.activity.clone();
        let policy = Policy { common: Some(common), ..self.policy.clone() };
        (Self { policy, ..self.clone() }, activity)
    }

    /// The same with a limit from elsewhere for the sandboxes of jobs that have one of bandwidth, instead of their own.
    #[cfg(feature = "cluster")]
    pub(crate) fn limited_by(&self, limit: Arc<Limit>) -> Self {
        let policy = Policy { bandwidth: Some(limit), ..self.policy.clone() };
        Self { policy, ..self.clone() }
    }

    /// A sandbox for one job.
    pub(super) async fn sandbox(&self) -> Result<Sandbox> {
        Sandbox::new(&self.runtime.0, &self.policy, self.room()).await
    }

    fn room(&self) -> &Room {
        self.room.as_ref().unwrap_or_else(|| self.runtime.0.room())
    }

    /// The same with room of its own for work on as many of these cores as there is room for now, at least two; so many
    /// sandboxes are needed for so many cores, and so many beside it must find room, too. `None`: one core must do.
    pub(super) fn on_cores(
        &self,
        cores: NonZero<usize>,
        needed: impl Fn(usize) -> usize,
        beside: usize,
    ) -> Option<(Self, NonZero<usize>)> {
        (2..=cores.get()).rev().find_map(|cores| {
            let room = self.room().part(needed(cores), beside)?;
            Some((Self { room: Some(room), ..self.clone() }, NonZero::new(cores)?))
        })
    }

    /// One call, in a sandbox of its own.
    pub(super) async fn call<R>(
        &self,
        call: impl AsyncFnOnce(&Inside, &Guest) -> wasmtime::Result<std::result::Result<R, types::Error>>,
    ) -> Result<R> {
        let job = async |inside: &Inside, guest: &Guest| Ok(call(inside, guest).await?.map_err(Error::from));
        self.sandbox().await?.run(job).await
    }

    /// What a backend can do.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownBackend`](crate::ErrorCode::UnknownBackend).
    pub async fn features(&self, backend: &str) -> Result<Capabilities> {
        let backend = backend.to_owned();
        let call = async |inside: &Inside, guest: &Guest| {
            guest.objects(inside)?.call_features(inside, backend).await
        };
        self.call(call).await?.try_into()
    }

    /// What is known about an object, a directory, or a prefix that has objects below it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound).
    pub async fn stat(&self, at: &Location) -> Result<ObjectInfo> {
        let at = at.into();
        let call = async |inside: &Inside, guest: &Guest| guest.objects(inside)?.call_stat(inside, at).await;
        self.call(call).await?.try_into()
    }

    /// Lists what is below a prefix, in byte order of the full paths.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) if there is no such directory or prefix,
    /// [`ErrorCode::NotDirectory`](crate::ErrorCode::NotDirectory) if it is an object.
    pub async fn list(&self, at: &Location, options: &ListOptions) -> Result<Entries> {
        let (at, options) = (at.into(), options.into());
        self.listing(Box::new(move |inside, guest| {
            Box::pin(async move { guest.objects(inside)?.call_list(inside, at, options).await })
        }))
        .await
    }

    /// Lists what a filter leaves of what is below a prefix, in byte order of the full paths; of an object, itself. Of
    /// the options, [`full_info`](ListOptions::full_info) costs requests for what the filter leaves alone.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) if there is no such object, directory or prefix,
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) for a malformed filter, and with
    /// [`start_after`](ListOptions::start_after).
    pub async fn find(&self, at: &Location, filter: &Filter, options: &ListOptions) -> Result<Entries> {
        let (at, filter, options) = (at.into(), filter.into(), options.into());
        self.listing(Box::new(move |inside, guest| {
            Box::pin(async move { guest.objects(inside)?.call_find(inside, at, filter, options).await })
        }))
        .await
    }

    /// A call that lists, in a sandbox that lives as long as its entries.
    async fn listing(&self, call: List) -> Result<Entries> {
        let sandbox = self.sandbox().await?;
        let budget = sandbox.budget();
        let (started, start) = oneshot::channel();
        let task = Task::spawn(sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let listed = match call(inside, guest).await? {
                Ok(listed) => listed,
                Err(error) => return Ok(Err(error.into())),
            };
            let (entries, completion) = inside.with(|mut access| {
                let entries = stream::items(&mut access, listed.entries, budget)?;
                wasmtime::error::Ok((entries, stream::once(&mut access, listed.completion)?))
            })?;
            // The caller may have left already.
            let _ = started.send(entries);
            Ok(completion.await.map_err(|_| stream::undecided())?.map_err(Error::from))
        }));
        match start.await {
            Ok(pages) => {
                let entries = pages.flat_map(|page| streams::iter(page.into_iter().map(Listed::try_from)));
                Ok(Entries(entries.chain(at_the_end(task)).boxed()))
            }
            Err(_) => Err(task.failure().await),
        }
    }

    /// Opens an object, decompressed if asked.
    ///
    /// # Errors
    /// As [`Backend::read`]; what is wrong with compressed bytes ends the contents.
    pub async fn read(
        &self,
        source: &Location,
        options: &ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader> {
        let (source, options, decompress) = (source.into(), options.into(), decompress.map(Into::into));
        self.open(Box::new(move |inside, guest| {
            Box::pin(
                async move { guest.objects(inside)?.call_read(inside, source, options, decompress).await },
            )
        }))
        .await
    }

    /// A call that opens an object, in a sandbox that lives as long as its contents.
    pub(super) async fn open(&self, call: Open) -> Result<Reader> {
        let sandbox = self.sandbox().await?;
        let budget = sandbox.budget();
        let (started, start) = oneshot::channel();
        let task = Task::spawn(sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let reader = match call(inside, guest).await? {
                Ok(reader) => reader,
                Err(error) => return Ok(Err(error.into())),
            };
            let (incoming, completion) = inside.with(|access| {
                stream::incoming(access, reader.contents.contents, reader.contents.completion, budget)
            })?;
            // The caller may have left already.
            let _ = started.send((reader.info, incoming));
            Ok(completion.await.map_err(|_| stream::undecided())?.map_err(Error::from))
        }));
        match start.await {
            Ok((info, incoming)) => Ok(Reader {
                info: info.try_into()?,
                contents: incoming.into_stream().map(Ok).chain(at_the_end(task)).boxed(),
            }),
            Err(_) => Err(task.failure().await),
        }
    }

    /// Writes an object, compressed if asked. Commits once the contents have ended without an error.
    ///
    /// # Errors
    /// The error of the contents; as [`Backend::write`]. The old object stays.
    pub async fn write(
        &self,
        target: &Location,
        contents: Contents,
        options: &WriteOptions,
        compress: Option<Compression>,
    ) -> Result<ObjectInfo> {
        let (target, options, compress) = (target.into(), options.into(), compress.map(Into::into));
        let sandbox = self.sandbox().await?;
        let budget = sandbox.budget();
        let written = sandbox.run(async move |inside: &Inside, guest: &Guest| {
            let body = inside.with(|access| stream::body(access, contents, |error| error, budget, None))?;
            let written =
                guest.objects(inside)?.call_write(inside, target, body.into(), options, compress).await?;
            Ok(written.map_err(Error::from))
        });
        written.await?.try_into()
    }

    /// Writes an object by value.
    ///
    /// # Errors
    /// As [`Storage::write`].
    pub async fn write_all(
        &self,
        target: &Location,
        contents: Bytes,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.write(target, streams::once(async { Ok(contents) }).boxed(), options, None).await
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound), [`ErrorCode::IsDirectory`](crate::ErrorCode::IsDirectory).
    pub async fn remove(&self, at: &Location) -> Result<()> {
        let at = at.into();
        let call =
            async |inside: &Inside, guest: &Guest| guest.objects(inside)?.call_remove(inside, at).await;
        self.call(call).await
    }

    /// Deletes everything below a prefix, and the directory; returns the number of objects deleted.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound),
    /// [`ErrorCode::NotDirectory`](crate::ErrorCode::NotDirectory).
    pub async fn purge(&self, at: &Location) -> Result<u64> {
        let at = at.into();
        let call = async |inside: &Inside, guest: &Guest| guest.objects(inside)?.call_purge(inside, at).await;
        self.call(call).await
    }

    /// Removes what unfinished writes left behind below a prefix at least this long ago, and returns how many. See
    /// [`Backend::sweep`](crate::Backend::sweep).
    ///
    /// # Errors
    /// What the store says.
    pub async fn sweep(&self, at: &Location, older_than: Duration) -> Result<u64> {
        let (at, age) = (at.into(), older_than.as_secs());
        let call =
            async |inside: &Inside, guest: &Guest| guest.objects(inside)?.call_sweep(inside, at, age).await;
        self.call(call).await
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) where a directory exists only through its objects.
    pub async fn mkdir(&self, at: &Location) -> Result<()> {
        let at = at.into();
        let call = async |inside: &Inside, guest: &Guest| guest.objects(inside)?.call_mkdir(inside, at).await;
        self.call(call).await
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// As [`Backend::rmdir`].
    pub async fn rmdir(&self, at: &Location) -> Result<()> {
        let at = at.into();
        let call = async |inside: &Inside, guest: &Guest| guest.objects(inside)?.call_rmdir(inside, at).await;
        self.call(call).await
    }

    /// The hash of an object.
    ///
    /// # Errors
    /// As [`Backend::hash`].
    pub async fn hash(&self, at: &Location, algorithm: HashAlgorithm) -> Result<Hash> {
        let at = at.into();
        let call = async |inside: &Inside, guest: &Guest| {
            guest.objects(inside)?.call_compute_hash(inside, at, algorithm.into()).await
        };
        self.call(call).await?.try_into()
    }
}

/// A call of the component that lists.
type List = Box<
    dyn for<'a> FnOnce(
            &'a Inside,
            &'a Guest,
        )
            -> BoxFuture<'a, wasmtime::Result<std::result::Result<objects::Entries, types::Error>>>
        + Send,
>;

/// A call of the component that opens an object.
type Open = Box<
    dyn for<'a> FnOnce(
            &'a Inside,
            &'a Guest,
        )
            -> BoxFuture<'a, wasmtime::Result<std::result::Result<objects::Reader, types::Error>>>
        + Send,
>;

/// Yields nothing if the task ends well, or else its error; keeps the task alive until then.
fn at_the_end<T: Send + 'static>(task: Task<()>) -> impl Stream<Item = Result<T>> + Send {
    streams::once(task.join()).filter_map(async |outcome| outcome.err().map(Err))
}

/// A listing as it comes. An error ends it. An end without one means that it is complete, except for the failures among
/// the entries. Dropping it ends the sandbox behind it.
pub struct Entries(Pin<Box<dyn Stream<Item = Result<Listed>> + Send>>);

impl Stream for Entries {
    type Item = Result<Listed>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}
