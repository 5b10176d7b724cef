//! The interface `backend` as the host provides it: the one thing that a component can touch.

use std::{num::NonZeroU64, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::Mutex;
use wasmtime::component::{Access, Accessor, FutureReader, Resource, ResourceTable, StreamReader};

use super::{
    bindings::omnistorage::storage::{backend as wit, types},
    closed::Closed,
    open::{OpenBackend, OpenListing},
    receive, stream,
    view::{HasStorage, StorageCtxView},
};
use crate::{
    backend::{
        CopyRequest, ReadOptions, WriteOptions,
        layer::{Layered, Operation},
        limit::{Limit, LimitOptions},
        sorted::{SortOptions, SortedListing},
    },
    config::Config,
    error::{Error, ErrorCode, Result},
    hash::HashAlgorithm,
};

impl types::Host for StorageCtxView<'_> {}

impl wit::Host for StorageCtxView<'_> {
    fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        let grants = &self.ctx.grants;
        let mut names: Vec<_> =
            grants.mounts.keys().cloned().chain(grants.kinds.names().map(str::to_owned)).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

impl wit::HostBackend for StorageCtxView<'_> {
    fn capabilities(&mut self, this: Resource<OpenBackend>) -> wasmtime::Result<wit::Capabilities> {
        Ok(self.table.get(&this)?.capabilities().into())
    }

    fn limit_bandwidth(
        &mut self,
        this: Resource<OpenBackend>,
        bytes_per_second: Option<u64>,
    ) -> wasmtime::Result<()> {
        let open = self.table.get_mut(&this)?;
        let backend = open.below().clone();
        // Nothing a second would be nothing for ever.
        let limit = bytes_per_second.map(|bytes| NonZeroU64::new(bytes).unwrap_or(NonZeroU64::MIN));
        if limit.is_none() {
            (open.backend, open.unlimited) = (backend, None);
            return Ok(());
        }
        let limit = Limit::new(LimitOptions { bytes_per_second: limit, ..LimitOptions::default() });
        open.backend = Arc::new(Layered::new(backend.clone(), limit));
        open.unlimited = Some(backend);
        Ok(())
    }

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
    async fn pause(accessor: &Accessor<T, Self>, milliseconds: u32) -> wasmtime::Result<()> {
        let progress = accessor.with(|mut access| access.get().ctx.progress.clone());
        tokio::time::sleep(Duration::from_millis(milliseconds.into())).await;
        progress.tick();
        Ok(())
    }

    async fn open(
        accessor: &Accessor<T, Self>,
        name: String,
        config: Vec<(String, String)>,
    ) -> wasmtime::Result<Result<Resource<OpenBackend>, types::Error>> {
        accessor.with(|mut access| {
            let view = access.get();
            let (grants, progress) = (view.ctx.grants.clone(), view.ctx.progress.clone());
            let activity = view.ctx.activity.clone();
            progress.tick();
            let opened = match grants.mounts.get(&name) {
                Some(backend) => {
                    let config = config.into_iter().collect::<Config>();
                    config.finish(&format!("granted `{}`", name.escape_debug())).map(|()| backend.clone())
                }
                None => grants.kinds.open(&name, config.into_iter().collect()).map_err(|error| {
                    if error.code() != ErrorCode::UnknownBackend {
                        return error;
                    }
                    let message = format!("no backend `{}` was granted", name.escape_debug());
                    Error::new(ErrorCode::UnknownBackend, message)
                }),
            };
            let backend = match opened {
                Ok(backend) => backend,
                Err(error) => return Ok(Err(error.into())),
            };
            let without_transfer = grants.without_transfer;
            let name = name.into();
            let open = OpenBackend { name, backend, unlimited: None, without_transfer, progress, activity };
            push(view.table, open)
        })
    }
}

/// Puts something into the table of what a component opened; a full table is a limit that was reached, not a trap.
fn push<R: Send + 'static>(
    table: &mut ResourceTable,
    value: R,
) -> wasmtime::Result<Result<Resource<R>, types::Error>> {
    Ok(table.push(value).map_err(|_| {
        Error::new(ErrorCode::LimitExceeded, "too many backends and listings are open at once").into()
    }))
}

/// The backend of a call that begins.
fn opened<T: 'static>(
    accessor: &Accessor<T, HasStorage>,
    this: &Resource<OpenBackend>,
    operation: Operation,
) -> wasmtime::Result<OpenBackend> {
    accessor.with(|mut access: Access<'_, T, HasStorage>| {
        let view = access.get();
        let open = view.table.get(this)?.clone();
        open.progress.tick();
        open.activity.begins(operation);
        Ok(open)
    })
}

/// The two backends of a copy or a move that begins.
fn both<T: 'static>(
    accessor: &Accessor<T, HasStorage>,
    this: &Resource<OpenBackend>,
    target: &Resource<OpenBackend>,
    operation: Operation,
) -> wasmtime::Result<(OpenBackend, OpenBackend)> {
    let open = opened(accessor, this, operation)?;
    let to = accessor.with(|mut access: Access<'_, T, HasStorage>| {
        wasmtime::error::Ok(access.get().table.get(target)?.clone())
    })?;
    Ok((open, to))
}

impl<T: Send + 'static> wit::HostListingWithStore<T> for HasStorage {
    async fn next(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenListing>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<types::ObjectInfo>, types::Error>> {
        let (backend, prefix, listing) = accessor.with(|mut access| {
            let open: &OpenListing = access.get().table.get(&this)?;
            wasmtime::error::Ok((open.backend.clone(), open.prefix.clone(), open.listing.clone()))
        })?;
        backend.activity.begins(Operation::ListNext);
        let entries = listing.lock().await.next(max.clamp(1, MAX_PAGE) as usize).await;
        backend.progress.tick();
        Ok(entries
            .map(|entries| entries.into_iter().map(Into::into).collect())
            .map_err(|error| backend.explain(error, prefix.as_str()).into()))
    }
}

/// Entries of a listing at once, whatever the guest asks for.
const MAX_PAGE: u32 = 10_000;

type Reply<R> = wasmtime::Result<Result<R, types::Error>>;

impl<T: Send + 'static> wit::HostBackendWithStore<T> for HasStorage {
    async fn read(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        options: wit::ReadOptions,
    ) -> Reply<wit::ObjectReader> {
        let open = opened(accessor, &this, Operation::Read)?;
        let options: ReadOptions = options.into();
        let opened = open.with(&path, async |path| open.backend.read(&path, &options).await).await;
        let reader = match opened {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error)),
        };
        let progress = open.progress.clone();
        let explain = move |error| open.explain(error, &path);
        accessor.with(|access| {
            let body = stream::body(access, reader.contents, explain, progress)?;
            let info = reader.info.into();
            Ok(Ok(wit::ObjectReader { info, contents: body.contents, completion: body.completion }))
        })
    }

    async fn read_all(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        options: wit::ReadOptions,
        max: u32,
    ) -> Reply<Vec<u8>> {
        let open = opened(accessor, &this, Operation::ReadAll)?;
        let options: ReadOptions = options.into();
        let read = open.with(&path, async |path| open.backend.read_all(&path, &options, max as usize).await);
        Ok(read.await.map(Vec::from))
    }

    async fn write(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        contents: StreamReader<u8>,
        completion: FutureReader<Result<(), types::Error>>,
        options: wit::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let open = opened(accessor, &this, Operation::Write)?;
        let options: WriteOptions = options.into();
        let begun = open.with(&path, async |path| open.backend.write(&path, &options).await).await;
        let upload = match begun {
            Ok(upload) => open.activity.metered(upload),
            Err(error) => {
                receive::close(accessor, contents, completion)?;
                return Ok(Err(error));
            }
        };
        let received =
            receive::receive(accessor, upload, contents, completion, open.progress.clone()).await?;
        Ok(received.map(Into::into).map_err(|error| open.explain(error, &path).into()))
    }

    async fn write_all(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        contents: Vec<u8>,
        options: wit::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let open = opened(accessor, &this, Operation::WriteAll)?;
        let (options, contents): (WriteOptions, _) = (options.into(), Bytes::from(contents));
        let written = open.with(&path, async |path| open.backend.write_all(&path, contents, &options).await);
        Ok(written.await.map(Into::into))
    }

    async fn exists(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, path: String) -> Reply<bool> {
        let open = opened(accessor, &this, Operation::Exists)?;
        Ok(open.with(&path, async |path| open.backend.exists(&path).await).await)
    }

    async fn stat(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
    ) -> Reply<types::ObjectInfo> {
        let open = opened(accessor, &this, Operation::Stat)?;
        Ok(open.with(&path, async |path| open.backend.stat(&path).await).await.map(Into::into))
    }

    async fn list(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        prefix: String,
        options: wit::ListOptions,
    ) -> Reply<Resource<OpenListing>> {
        let open = opened(accessor, &this, Operation::List)?;
        let listed = open.with(&prefix, async |prefix| {
            let mut listing = open.backend.list(&prefix, &options.try_into()?).await?;
            if !open.backend.capabilities().features.sorted_list {
                listing = Box::new(SortedListing::new(listing, SortOptions::default()));
            }
            Ok((prefix, listing))
        });
        let (prefix, listing) = match listed.await {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        let listing = OpenListing { backend: open.clone(), prefix, listing: Arc::new(Mutex::new(listing)) };
        accessor.with(|mut access| push(access.get().table, listing))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        paths: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<(), types::Error>>> {
        let open = opened(accessor, &this, Operation::Delete)?;
        Ok(open.with_many(paths, async |paths| open.backend.delete(&paths).await).await)
    }

    async fn mkdir(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, path: String) -> Reply<()> {
        let open = opened(accessor, &this, Operation::Mkdir)?;
        Ok(open.with(&path, async |path| open.backend.mkdir(&path).await).await)
    }

    async fn rmdir(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, path: String) -> Reply<()> {
        let open = opened(accessor, &this, Operation::Rmdir)?;
        Ok(open.with(&path, async |path| open.backend.rmdir(&path).await).await)
    }

    async fn purge(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>, prefix: String) -> Reply<u64> {
        let open = opened(accessor, &this, Operation::Purge)?;
        Ok(open.with(&prefix, async |prefix| open.backend.purge(&prefix).await).await)
    }

    async fn sweep(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        prefix: String,
        older_than_s: u64,
    ) -> Reply<u64> {
        let open = opened(accessor, &this, Operation::Sweep)?;
        let age = Duration::from_secs(older_than_s);
        Ok(open.with(&prefix, async |prefix| open.backend.sweep(&prefix, age).await).await)
    }

    async fn copy(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        source: String,
        target_backend: Resource<OpenBackend>,
        target: String,
        options: wit::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let (open, to) = both(accessor, &this, &target_backend, Operation::CopyTo)?;
        let copied = open.between(&source, &to, &target, async |source, target| {
            open.copy(CopyRequest { source, target, options: options.into() }, &to).await
        });
        Ok(copied.await.map(Into::into))
    }

    async fn copy_many(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        requests: Vec<wit::CopyRequest>,
        target_backend: Resource<OpenBackend>,
    ) -> wasmtime::Result<Vec<Result<types::ObjectInfo, types::Error>>> {
        let (open, to) = both(accessor, &this, &target_backend, Operation::CopyTo)?;
        Ok(open.copy_many(requests, &to).await)
    }

    async fn move_(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        source: String,
        target_backend: Resource<OpenBackend>,
        target: String,
        options: wit::WriteOptions,
    ) -> Reply<types::ObjectInfo> {
        let (open, to) = both(accessor, &this, &target_backend, Operation::Move)?;
        let options: WriteOptions = options.into();
        let moved = open.between(&source, &to, &target, async |source, target| {
            open.relocate(&source, &to, &target, &options).await
        });
        Ok(moved.await.map(Into::into))
    }

    async fn set_modified(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        modified: types::Timestamp,
    ) -> Reply<()> {
        let open = opened(accessor, &this, Operation::SetModified)?;
        Ok(open.with(&path, async |path| open.backend.set_modified(&path, modified.into()).await).await)
    }

    async fn hash(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        path: String,
        algorithm: types::HashAlgorithm,
    ) -> Reply<types::Hash> {
        let open = opened(accessor, &this, Operation::Hash)?;
        let algorithm = HashAlgorithm::from(algorithm);
        let hashed = open.with(&path, async |path| open.backend.hash(&path, algorithm).await);
        Ok(hashed.await.map(Into::into))
    }

    async fn hash_many(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenBackend>,
        paths: Vec<String>,
        algorithm: types::HashAlgorithm,
    ) -> wasmtime::Result<Vec<Result<types::Hash, types::Error>>> {
        let open = opened(accessor, &this, Operation::Hash)?;
        let algorithm = HashAlgorithm::from(algorithm);
        let hashed = open.with_many(paths, async |paths| open.backend.hash_many(&paths, algorithm).await);
        Ok(hashed.await.into_iter().map(|hashed| hashed.map(Into::into)).collect())
    }

    async fn close(accessor: &Accessor<T, Self>, this: Resource<OpenBackend>) -> Reply<()> {
        // A mount belongs to the host: this handle is closed, not what others use.
        accessor.with(|mut access| {
            let open = access.get().table.get_mut(&this)?;
            open.backend = Arc::new(Closed::of(&*open.backend));
            Ok(Ok(()))
        })
    }
}
