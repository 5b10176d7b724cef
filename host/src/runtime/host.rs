//! The host's side of the interface `backend`: all that a component can touch.

use std::{num::NonZeroU64, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::Mutex;
use wasmtime::component::{Accessor, FutureReader, Resource, ResourceTable, StreamReader};

use super::{
    bindings::omnistorage::storage::{backend as wit, types},
    by_value::by_value,
    call::{Call, begin, begin_many, opened},
    open::{AHEAD, Held, OpenBackend, OpenListing},
    receive, stream,
    view::{HasStorage, StorageCtx, StorageCtxView},
    weight::Weight,
};
use crate::{
    Error, ErrorCode, HashAlgorithm, Result,
    backend::{
        CopyRequest, ListOptions, ObjectVersion, ReadOptions, WriteOptions,
        layer::Operation,
        limited,
        sorted::{SortOptions, SortedListing},
    },
    config::Config,
};

impl types::Host for StorageCtxView<'_> {}

impl wit::Host for StorageCtxView<'_> {}

impl wit::HostBackend for StorageCtxView<'_> {
    fn drop(&mut self, this: Resource<OpenBackend>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl wit::HostListing for StorageCtxView<'_> {
    fn drop(&mut self, this: Resource<OpenListing>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl<T: Send + 'static> wit::HostWithStore<T> for HasStorage {
    async fn names(accessor: &Accessor<T, Self>) -> wasmtime::Result<Vec<String>> {
        accessor.with(|mut access| Ok(access.get().ctx.policy.names().map(str::to_owned).collect()))
    }

    async fn pause(accessor: &Accessor<T, Self>, milliseconds: u32) -> wasmtime::Result<()> {
        let budget = accessor.with(|mut access| access.get().ctx.budget.clone());
        tokio::time::sleep(Duration::from_millis(milliseconds.into())).await;
        // A pause of zero is no progress: it must not buy time to compute.
        if milliseconds > 0 {
            budget.tick();
        }
        Ok(())
    }

    async fn open(
        accessor: &Accessor<T, Self>,
        name: String,
        config: Vec<(String, String)>,
    ) -> wasmtime::Result<Result<Resource<OpenBackend>, types::Error>> {
        accessor.with(|mut access| {
            let view = access.get();
            let opened = match open(view.ctx, name, config) {
                Ok(opened) => opened,
                Err(error) => return Ok(Err(error.into())),
            };
            push(view.table, opened)
        })
    }
}

/// Opens a mount, or a backend of a kind that the component may open.
fn open(ctx: &StorageCtx, name: String, config: Vec<(String, String)>) -> Result<OpenBackend> {
    let config = config.into_iter().collect::<Config>();
    if let Some(backend) = ctx.policy.grants.mounts.get(&name).cloned() {
        if config.keys().next().is_some() {
            config.finish(&format!("granted `{}`", name.escape_debug()))?;
        }
        let held = Held::new(ctx.budget.open()?, None);
        return Ok(OpenBackend::new(name, backend, ctx, held));
    }
    let held = Held::new(ctx.budget.open_file()?, Some(ctx.budget.reserve(KIND)?));
    let config = config.charged_to(Arc::new(ctx.budget.clone()));
    let backend = ctx.policy.grants.kinds.open(&name, config).map_err(|error| match error.code() {
        ErrorCode::UnknownBackend => {
            Error::new(ErrorCode::UnknownBackend, format!("no backend `{}` was granted", name.escape_debug()))
        }
        _ => error,
    })?;
    ctx.budget.tick();
    Ok(OpenBackend::new(name, backend, ctx, held))
}

/// What a backend takes that the component opens by itself, in bytes: its settings and connections.
const KIND: usize = 1 << 20;

/// Adds to the table of what a component opened; a full table is a limit reached, not a trap.
fn push<R: Send + 'static>(
    table: &mut ResourceTable,
    value: R,
) -> wasmtime::Result<Result<Resource<R>, types::Error>> {
    Ok(table.push(value).map_err(|_| {
        let message = "the component holds as much open as the table of its host has room for: close some";
        Error::new(ErrorCode::LimitExceeded, message).into()
    }))
}

impl<T: Send + 'static> wit::HostListingWithStore<T> for HasStorage {
    async fn next(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenListing>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<types::Listed>, types::Error>> {
        let (backend, prefix, listing) = accessor.with(|mut access| {
            let open: &OpenListing = access.get().table.get(&this)?;
            wasmtime::error::Ok((open.backend.clone(), open.prefix.clone(), open.listing.clone()))
        })?;
        backend.activity.begins(Operation::ListNext);
        let call = Call::new(backend, 0).await;
        let next = async || {
            call.check()?;
            // As many as the budget has room for.
            let max = max.clamp(1, MAX_PAGE) as usize;
            let page = call.budget.reserve_up_to(max.saturating_mul(ENTRY));
            let entries = listing.lock().await.next((page.bytes() / ENTRY).max(1)).await?;
            // Asking again after the end is no progress.
            if !entries.is_empty() {
                call.budget.tick();
            }
            Ok::<_, Error>(entries)
        };
        Ok(next()
            .await
            .map(|entries| entries.into_iter().map(|listed| call.explain_listed(listed).into()).collect())
            .map_err(|error| call.explain(error, prefix.as_str()).into()))
    }
}

/// The most entries per answer, whatever the guest asks for.
const MAX_PAGE: u32 = 10_000;

/// What an entry takes on its way to the guest, in bytes.
const ENTRY: usize = 1024;

/// How much of a listing is sorted in memory at least, in bytes.
const LEAST_SORTED: usize = 64 * 1024;

type Reply<R> = wasmtime::Result<Result<R, types::Error>>;

impl<T: Send + 'static> wit::HostBackendWithStore<T> for HasStorage {
    async fn capabilities(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
    ) -> wasmtime::Result<types::Capabilities> {
        accessor.with(|mut access| Ok(access.get().table.get(&this)?.capabilities().into()))
    }

    async fn read(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        options: types::ReadOptions,
    ) -> Reply<wit::ObjectReader> {
        let call = begin(accessor, &this, Operation::Read, &path, options.weight()).await?;
        let opened = call.with(&path, async |path| {
            let options = ReadOptions::try_from(options)?;
            let (open, mut bytes) = (call.budget.open_file()?, call.budget.reserve(AHEAD)?);
            let reader = call.backend().read(&path, &options).await?;
            // Do not read ahead beyond the end.
            let size = reader.info.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(AHEAD);
            bytes.resize(size.min(AHEAD))?;
            Ok((reader, Held::new(open, Some(bytes))))
        });
        let (reader, held) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        let (open, _) = call.leave();
        let budget = open.budget.clone();
        let explain = move |error| open.explain(error, &path);
        accessor.with(|access| {
            let body = stream::body(access, reader.contents, explain, budget, Some(held))?;
            let info = reader.info.into();
            Ok(Ok(wit::ObjectReader { info, contents: body.contents, completion: body.completion }))
        })
    }

    async fn read_all(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        options: types::ReadOptions,
        max: u32,
    ) -> Reply<Vec<u8>> {
        let call = begin(accessor, &this, Operation::ReadAll, &path, options.weight()).await?;
        let read = call.with(&path, async |path| {
            by_value(&call, &path, &ReadOptions::try_from(options)?, max as usize).await
        });
        Ok(read.await.map(Vec::from))
    }

    async fn write(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        contents: StreamReader<u8>,
        completion: FutureReader<Result<(), types::Error>>,
        options: types::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let call = begin(accessor, &this, Operation::Write, &path, options.weight()).await?;
        let contents = receive::Body::of(accessor, contents);
        let gathered = call.budget.gathered();
        // A body that the component writes must not wait for room, which the component may be holding itself.
        let allowance = if contents.is_own() { gathered.patient() } else { gathered };
        let begun = call.with(&path, async |path| {
            let options = WriteOptions { allowance, ..options.try_into()? };
            let held = call.budget.open_file()?;
            let upload = call.backend().write(&path, &options).await?;
            Ok((call.activity.metered(upload, &path, options.expected_size), held))
        });
        let (upload, _held) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                receive::close(accessor, contents, completion)?;
                return Ok(Err(error));
            }
        };
        // A stream may last, so it does not take a call's turn.
        let (open, _arguments) = call.leave();
        let received = receive::receive(accessor, upload, contents, completion, &open.budget).await?;
        Ok(received.map(Into::into).map_err(|error| open.explain(error, &path).into()))
    }

    async fn write_all(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        contents: Vec<u8>,
        options: types::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let arguments = contents.len().saturating_add(options.weight());
        let call = begin(accessor, &this, Operation::WriteAll, &path, arguments).await?;
        let written = call.with(&path, async |path| {
            let options = WriteOptions { allowance: call.budget.gathered(), ..options.try_into()? };
            call.backend().write_all(&path, Bytes::from(contents), &options).await
        });
        Ok(written.await.map(Into::into))
    }

    async fn exists(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, path: String) -> Reply<bool> {
        let call = begin(accessor, &this, Operation::Exists, &path, 0).await?;
        Ok(call.with(&path, async |path| call.backend().exists(&path).await).await)
    }

    async fn stat(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
    ) -> Reply<types::ObjectInfo> {
        let call = begin(accessor, &this, Operation::Stat, &path, 0).await?;
        Ok(call.with(&path, async |path| call.backend().stat(&path).await).await.map(Into::into))
    }

    async fn list(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        prefix: String,
        options: types::ListOptions,
    ) -> Reply<Resource<OpenListing>> {
        let call = begin(accessor, &this, Operation::List, &prefix, options.weight()).await?;
        let listed = call.with(&prefix, async |prefix| {
            let (open, mut bytes) = (call.budget.open_file()?, None);
            let options: ListOptions = options.try_into()?;
            let is_sorted = call.backend().capabilities().features.sorted_list;
            // Of what is to be sorted, the first entries are known at the end.
            let limit = if is_sorted { options.limit } else { None };
            let mut listing = call.backend().list(&prefix, &ListOptions { limit, ..options.clone() }).await?;
            if !is_sorted {
                let sorting = SortOptions::default();
                // With less memory it spills to the disk sooner.
                let room = call.budget.reserve_up_to(sorting.memory.min(call.budget.limits().memory / 8));
                let sorting = SortOptions { memory: room.bytes().max(LEAST_SORTED), ..sorting };
                let sorted = Box::new(SortedListing::new(listing, sorting));
                (listing, bytes) = (limited(sorted, options.limit), Some(room));
            }
            Ok((prefix, listing, Held::new(open, bytes)))
        });
        let (prefix, listing, held) = match listed.await {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        let (backend, _) = call.leave();
        let listing = Arc::new(Mutex::new(listing));
        let listing = OpenListing { backend, prefix, listing, _held: held };
        accessor.with(|mut access| push(access.get().table, listing))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        paths: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<(), types::Error>>> {
        let call = begin_many(accessor, &this, Operation::Delete, &paths).await?;
        Ok(call.with_many(paths, async |paths| call.backend().delete(&paths).await).await)
    }

    async fn delete_if_match(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        versions: Vec<wit::ObjectVersion>,
    ) -> wasmtime::Result<Vec<Result<(), types::Error>>> {
        let call = begin_many(accessor, &this, Operation::Delete, &versions).await?;
        let checked = |version: &wit::ObjectVersion| ObjectVersion::try_from(version.clone());
        let delete = async |versions: Vec<_>| call.backend().delete_if_match(&versions).await;
        Ok(call.with_each(versions, |version| &version.path, checked, delete).await)
    }

    async fn mkdir(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, path: String) -> Reply<()> {
        let call = begin(accessor, &this, Operation::Mkdir, &path, 0).await?;
        Ok(call.with(&path, async |path| call.backend().mkdir(&path).await).await)
    }

    async fn rmdir(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, path: String) -> Reply<()> {
        let call = begin(accessor, &this, Operation::Rmdir, &path, 0).await?;
        Ok(call.with(&path, async |path| call.backend().rmdir(&path).await).await)
    }

    async fn purge(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, prefix: String) -> Reply<u64> {
        let call = begin(accessor, &this, Operation::Purge, &prefix, 0).await?;
        Ok(call.with(&prefix, async |prefix| call.backend().purge(&prefix).await).await)
    }

    async fn sweep(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        prefix: String,
        older_than_s: u64,
    ) -> Reply<u64> {
        let call = begin(accessor, &this, Operation::Sweep, &prefix, 0).await?;
        let age = Duration::from_secs(older_than_s);
        Ok(call.with(&prefix, async |prefix| call.backend().sweep(&prefix, age).await).await)
    }

    async fn copy(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        source: String,
        target_backend: Resource<OpenBackend>,
        target: String,
        options: types::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let to = opened(accessor, &target_backend)?;
        let more = target.weight().saturating_add(options.weight());
        let call = begin(accessor, &this, Operation::CopyTo, &source, more).await?;
        let copied = call.between(&source, &to, &target, async |source, target| {
            call.copy(CopyRequest { source, target, options: options.try_into()? }, &to).await
        });
        Ok(copied.await.map(Into::into))
    }

    async fn copy_many(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        requests: Vec<wit::CopyRequest>,
        target_backend: Resource<OpenBackend>,
    ) -> wasmtime::Result<Vec<Result<types::ObjectInfo, types::Error>>> {
        let to = opened(accessor, &target_backend)?;
        let call = begin_many(accessor, &this, Operation::CopyTo, &requests).await?;
        Ok(call.copy_many(requests, &to).await)
    }

    async fn move_(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        source: String,
        target_backend: Resource<OpenBackend>,
        target: String,
        options: types::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let to = opened(accessor, &target_backend)?;
        let more = target.weight().saturating_add(options.weight());
        let call = begin(accessor, &this, Operation::Move, &source, more).await?;
        let moved = call.between(&source, &to, &target, async |source, target| {
            let options = WriteOptions { allowance: call.budget.gathered().patient(), ..options.try_into()? };
            call.relocate(&source, &to, &target, &options).await
        });
        Ok(moved.await.map(Into::into))
    }

    async fn set_modified(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        modified: types::Timestamp,
    ) -> Reply<()> {
        let call = begin(accessor, &this, Operation::SetModified, &path, 0).await?;
        let set =
            call.with(&path, async |path| call.backend().set_modified(&path, modified.try_into()?).await);
        Ok(set.await)
    }

    async fn hash(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        algorithm: types::HashAlgorithm,
    ) -> Reply<types::Hash> {
        let call = begin(accessor, &this, Operation::Hash, &path, 0).await?;
        let algorithm = HashAlgorithm::from(algorithm);
        let hashed = call.with(&path, async |path| call.backend().hash(&path, algorithm).await);
        Ok(hashed.await.map(Into::into))
    }

    async fn hash_many(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        paths: Vec<String>,
        algorithm: types::HashAlgorithm,
    ) -> wasmtime::Result<Vec<Result<types::Hash, types::Error>>> {
        let call = begin_many(accessor, &this, Operation::Hash, &paths).await?;
        let algorithm = HashAlgorithm::from(algorithm);
        let hashed = call.with_many(paths, async |paths| call.backend().hash_many(&paths, algorithm).await);
        Ok(hashed.await.into_iter().map(|hashed| hashed.map(Into::into)).collect())
    }

    async fn limit_bandwidth(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        bytes_per_second: Option<u64>,
    ) -> wasmtime::Result<()> {
        // At a rate of zero no copy would ever end.
        let limit = bytes_per_second.map(|bytes| NonZeroU64::new(bytes).unwrap_or(NonZeroU64::MIN));
        accessor.with(|mut access| {
            access.get().table.get_mut(&this)?.limit_bandwidth(limit);
            Ok(())
        })
    }

    async fn close(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>) -> Reply<()> {
        // A mount belongs to the host: only this handle is closed.
        accessor.with(|mut access| {
            access.get().table.get_mut(&this)?.close();
            Ok(Ok(()))
        })
    }
}
