//! The interface `backend` as it is exported.

use std::{cell::RefCell, num::NonZeroU64, time::Duration};

use bytes::Bytes;
use futures::lock::Mutex;
use omnistorage::{
    Config, Path, Result,
    backend::{Handle, ListOptions, ObjectVersion, ReadOptions, WriteOptions},
};
use omnistorage_types::wit::{FromWit, IntoWit};
use wasip3::clocks::monotonic_clock;
use wit_bindgen::StreamReader;

use crate::{
    bindings::Component,
    body::{self, Completion},
    copies, grants,
    types::{self, Error},
    wit::{self, BackendBorrow, CopyRequest, Guest, GuestBackend, GuestListing, ObjectReader},
};

/// Entries of a listing at once, whatever the caller asks for.
const MAX_PAGE: u32 = 10_000;

impl Guest for Component {
    type Backend = Open;
    type Listing = Cursor;

    async fn pause(milliseconds: u32) {
        monotonic_clock::wait_for(u64::from(milliseconds) * 1_000_000).await;
    }

    async fn names() -> Vec<String> {
        grants::names()
    }

    async fn open(name: String, config: Vec<(String, String)>) -> Result<wit::Backend, Error> {
        let backend = grants::open(&name)?;
        if !config.is_empty() {
            config.into_iter().collect::<Config>().finish(&format!("granted `{}`", name.escape_debug()))?;
        }
        Ok(wit::Backend::new(Open(RefCell::new(Handle::new(name, backend)))))
    }
}

/// A backend that a caller opened.
#[allow(unreachable_pub, reason = "a public trait of the bindings names it")]
pub struct Open(RefCell<Handle>);

impl Open {
    /// The handle as it is now: what is begun through it may go on after it was closed.
    fn handle(&self) -> Handle {
        self.0.borrow().clone()
    }

    /// Checks a path, then does something with it; both may fail.
    async fn at<R>(
        &self,
        path: &str,
        act: impl AsyncFnOnce(&Handle, &Path) -> Result<R>,
    ) -> Result<R, Error> {
        let handle = self.handle();
        let done = match Path::parse(path) {
            Ok(path) => act(&handle, &path).await,
            Err(error) => Err(error.into()),
        };
        done.map_err(|error| handle.explain(error, path).into())
    }

    /// The same for many. A path that is refused does not keep the others: the results stand in the order of the paths.
    async fn at_each<R>(
        &self,
        paths: Vec<String>,
        act: impl AsyncFnOnce(&Handle, &[Path]) -> Vec<Result<R>>,
    ) -> Vec<Result<R, Error>> {
        self.of_each(paths, |path| path, |path| Ok(Path::parse(path.as_str())?), act).await
    }

    /// The same for many of anything that has a path.
    async fn of_each<I, C: Clone, R>(
        &self,
        items: Vec<I>,
        path: impl Fn(&I) -> &str,
        check: impl Fn(&I) -> Result<C>,
        act: impl AsyncFnOnce(&Handle, &[C]) -> Vec<Result<R>>,
    ) -> Vec<Result<R, Error>> {
        let handle = self.handle();
        let checked: Vec<_> = items.iter().map(check).collect();
        let legal: Vec<_> = checked.iter().flatten().cloned().collect();
        let mut results = act(&handle, &legal).await.into_iter();
        let in_order = items.iter().zip(checked).map(|(item, checked)| {
            let result = match checked {
                Ok(_) => results.next().unwrap_or_else(|| Err(short_of_results())),
                Err(refused) => Err(refused),
            };
            result.map_err(|error| handle.explain(error, path(item)).into())
        });
        in_order.collect()
    }

    /// The same as [`Open::at`] for a path here and one of a target.
    async fn between<R>(
        &self,
        source: &str,
        target: &Self,
        to: &str,
        act: impl AsyncFnOnce(&Handle, &Path, &Handle, &Path) -> Result<R>,
    ) -> Result<R, Error> {
        let (handle, target) = (self.handle(), target.handle());
        let done = match copies::check_both(source, to) {
            Ok((source, to)) => act(&handle, &source, &target, &to).await,
            Err(error) => Err(error),
        };
        done.map_err(|error| handle.explain_between(error, source, &target, to).into())
    }
}

/// A backend broke its word.
fn short_of_results() -> omnistorage::Error {
    let message = "the backend gave fewer results than it was asked for";
    omnistorage::Error::new(omnistorage::ErrorCode::Other, message)
}

fn write_options(options: types::WriteOptions) -> Result<WriteOptions> {
    Ok(omnistorage_types::WriteOptions::from_wit(options)?.into())
}

impl GuestBackend for Open {
    async fn capabilities(&self) -> types::Capabilities {
        let mut capabilities = self.handle().backend().capabilities();
        capabilities.features.transfer = !cfg!(feature = "detours");
        capabilities.into_wit()
    }

    async fn read(&self, path: String, options: types::ReadOptions) -> Result<ObjectReader, Error> {
        let handle = self.handle();
        let reader = self
            .at(&path, async |handle, path| {
                handle.backend().read(path, &ReadOptions::from_wit(options)?).await
            })
            .await?;
        let (contents, completion) = body::outgoing(reader.contents, handle, path);
        Ok(ObjectReader { info: reader.info.into_wit(), contents, completion })
    }

    async fn read_all(&self, path: String, options: types::ReadOptions, max: u32) -> Result<Vec<u8>, Error> {
        self.at(&path, async |handle, path| {
            let options = ReadOptions::from_wit(options)?;
            Ok(handle.backend().read_all(path, &options, max as usize).await?.into())
        })
        .await
    }

    async fn write(
        &self,
        path: String,
        contents: StreamReader<u8>,
        completion: Completion,
        options: types::WriteOptions,
    ) -> Result<types::ObjectInfo, Error> {
        self.at(&path, async |handle, path| {
            let upload = handle.backend().write(path, &write_options(options)?).await?;
            Ok(body::receive(upload, contents, completion).await?.into_wit())
        })
        .await
    }

    async fn write_all(
        &self,
        path: String,
        contents: Vec<u8>,
        options: types::WriteOptions,
    ) -> Result<types::ObjectInfo, Error> {
        self.at(&path, async |handle, path| {
            let options = write_options(options)?;
            Ok(handle.backend().write_all(path, Bytes::from(contents), &options).await?.into_wit())
        })
        .await
    }

    async fn exists(&self, path: String) -> Result<bool, Error> {
        self.at(&path, async |handle, path| handle.backend().exists(path).await).await
    }

    async fn stat(&self, path: String) -> Result<types::ObjectInfo, Error> {
        self.at(&path, async |handle, path| Ok(handle.backend().stat(path).await?.into_wit())).await
    }

    async fn list(&self, prefix: String, options: types::ListOptions) -> Result<wit::Listing, Error> {
        let handle = self.handle();
        let listing = self
            .at(&prefix, async |handle, prefix| {
                handle.backend().list(prefix, &ListOptions::from_wit(options)?).await
            })
            .await?;
        Ok(wit::Listing::new(Cursor { handle, prefix, listing: Mutex::new(listing) }))
    }

    async fn delete(&self, paths: Vec<String>) -> Vec<Result<(), Error>> {
        self.at_each(paths, async |handle, paths| handle.backend().delete(paths).await).await
    }

    async fn delete_if_match(&self, versions: Vec<wit::ObjectVersion>) -> Vec<Result<(), Error>> {
        let checked = |version: &wit::ObjectVersion| ObjectVersion::from_wit(version.clone());
        let delete = async |handle: &Handle, versions: &[_]| handle.backend().delete_if_match(versions).await;
        self.of_each(versions, |version| &version.path, checked, delete).await
    }

    async fn mkdir(&self, path: String) -> Result<(), Error> {
        self.at(&path, async |handle, path| handle.backend().mkdir(path).await).await
    }

    async fn rmdir(&self, path: String) -> Result<(), Error> {
        self.at(&path, async |handle, path| handle.backend().rmdir(path).await).await
    }

    async fn purge(&self, prefix: String) -> Result<u64, Error> {
        self.at(&prefix, async |handle, prefix| handle.backend().purge(prefix).await).await
    }

    async fn sweep(&self, prefix: String, older_than_s: u64) -> Result<u64, Error> {
        let age = Duration::from_secs(older_than_s);
        self.at(&prefix, async |handle, prefix| handle.backend().sweep(prefix, age).await).await
    }

    async fn copy(
        &self,
        source: String,
        target_backend: BackendBorrow<'_>,
        target: String,
        options: types::WriteOptions,
    ) -> Result<types::ObjectInfo, Error> {
        let to = target_backend.get::<Self>();
        self.between(&source, to, &target, async |from, source, to, target| {
            Ok(copies::copy(from, source, to, target, &write_options(options)?).await?.into_wit())
        })
        .await
    }

    async fn copy_many(
        &self,
        requests: Vec<CopyRequest>,
        target_backend: BackendBorrow<'_>,
    ) -> Vec<Result<types::ObjectInfo, Error>> {
        let (from, to) = (self.handle(), target_backend.get::<Self>().handle());
        let copied = copies::copy_many(&from, requests, &to).await;
        copied.into_iter().map(|result| result.map(IntoWit::into_wit).map_err(Into::into)).collect()
    }

    async fn move_(
        &self,
        source: String,
        target_backend: BackendBorrow<'_>,
        target: String,
        options: types::WriteOptions,
    ) -> Result<types::ObjectInfo, Error> {
        let to = target_backend.get::<Self>();
        self.between(&source, to, &target, async |from, source, to, target| {
            let options = write_options(options)?;
            Ok(from.backend().move_to(source, to.backend(), target, &options).await?.into_wit())
        })
        .await
    }

    async fn set_modified(&self, path: String, modified: types::Timestamp) -> Result<(), Error> {
        self.at(&path, async |handle, path| {
            handle.backend().set_modified(path, FromWit::from_wit(modified)?).await
        })
        .await
    }

    async fn hash(&self, path: String, algorithm: types::HashAlgorithm) -> Result<types::Hash, Error> {
        self.at(&path, async |handle, path| {
            Ok(handle.backend().hash(path, algorithm.into()).await?.into_wit())
        })
        .await
    }

    async fn hash_many(
        &self,
        paths: Vec<String>,
        algorithm: types::HashAlgorithm,
    ) -> Vec<Result<types::Hash, Error>> {
        let hashed = self
            .at_each(paths, async |handle, paths| handle.backend().hash_many(paths, algorithm.into()).await);
        hashed.await.into_iter().map(|result| result.map(IntoWit::into_wit)).collect()
    }

    async fn limit_bandwidth(&self, bytes_per_second: Option<u64>) {
        // Nothing a second would be nothing for ever.
        let limit = bytes_per_second.map(|bytes| NonZeroU64::new(bytes).unwrap_or(NonZeroU64::MIN));
        self.0.borrow_mut().limit_bandwidth(limit);
    }

    async fn close(&self) -> Result<(), Error> {
        // Others may have the backend open: this handle is closed.
        self.0.borrow_mut().close();
        Ok(())
    }
}

/// A listing that a caller opened. Calls of one cursor wait for each other.
#[allow(unreachable_pub, reason = "a public trait of the bindings names it")]
pub struct Cursor {
    handle: Handle,
    prefix: String,
    listing: Mutex<Box<dyn omnistorage::backend::Listing>>,
}

impl GuestListing for Cursor {
    async fn next(&self, max: u32) -> Result<Vec<types::Listed>, Error> {
        let max = max.clamp(1, MAX_PAGE) as usize;
        match self.listing.lock().await.next(max).await {
            Ok(page) => {
                Ok(page.into_iter().map(|listed| self.handle.explain_listed(listed).into_wit()).collect())
            }
            Err(error) => Err(self.handle.explain(error, &self.prefix).into()),
        }
    }
}
