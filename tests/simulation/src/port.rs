//! The stores of a run as the port of an engine: each call takes its time, and fails as the faults of the run have it.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use async_trait::async_trait;
use futures::future::LocalBoxFuture;
use omnistorage_engine::port::{Backend, Body, Contents, Listing, Reader, Storage};
use omnistorage_types::{
    Capabilities, CopyRequest, Error, ErrorCode, Hash, HashAlgorithm, ListOptions, Listed, ObjectInfo,
    ObjectVersion, Path, ReadOptions, Result, Timestamp, WriteOptions,
};

use crate::{
    store::{Kind, Object, Store},
    tree,
    watch::{FOREIGN, Promise, Watch},
    world::World,
};

/// How much goes wrong, each in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Calls that fail before they did anything.
    pub(crate) before: u32,
    /// Calls that did what they were to do, and whose answer is lost.
    pub(crate) lost: u32,
    /// Bodies that break half way.
    pub(crate) broken: u32,
    /// Calls beside which somebody else writes to the store.
    pub(crate) foreign: u32,
}

/// The stores of a run, by their names.
#[derive(Clone)]
pub(crate) struct Stores(Rc<Inner>);

struct Inner {
    world: World,
    stores: BTreeMap<String, Rc<RefCell<Store>>>,
    faults: Cell<Faults>,
    calls: RefCell<BTreeMap<&'static str, u64>>,
    /// The next contents of a foreign writer.
    foreign: Cell<u64>,
    /// Which store foreign writers write to.
    shared: RefCell<Option<String>>,
    watch: RefCell<Option<Watch>>,
}

impl Stores {
    /// Stores of these names and kinds.
    #[must_use]
    pub(crate) fn new(world: World, kinds: &[(&str, Kind)]) -> Self {
        let stores =
            kinds.iter().map(|(name, kind)| ((*name).to_owned(), Rc::new(RefCell::new(Store::new(*kind)))));
        let (stores, faults, calls) = (stores.collect(), Cell::default(), RefCell::default());
        Self(Rc::new(Inner {
            world,
            stores,
            faults,
            calls,
            foreign: Cell::new(0),
            shared: RefCell::default(),
            watch: RefCell::default(),
        }))
    }

    /// A store.
    ///
    /// # Panics
    /// If there is none of that name.
    #[must_use]
    pub(crate) fn store(&self, name: &str) -> Rc<RefCell<Store>> {
        Rc::clone(&self.0.stores[name])
    }

    /// What goes wrong from now on.
    pub(crate) fn set_faults(&self, faults: Faults) {
        self.0.faults.set(faults);
    }

    /// Foreign writers write to this store.
    pub(crate) fn share(&self, name: &str) {
        self.0.shared.replace(Some(name.to_owned()));
    }

    /// Watches what the engine is told and does from now on.
    pub(crate) fn watch(&self, promise: Promise) {
        self.0.watch.replace(Some(Watch::new(promise)));
    }

    /// What was seen since, and nothing more is.
    pub(crate) fn take_watch(&self) -> Option<Watch> {
        self.0.watch.take()
    }

    /// The calls since this was asked last, by their names.
    #[must_use]
    pub(crate) fn take_calls(&self) -> BTreeMap<&'static str, u64> {
        self.0.calls.take()
    }
}

#[async_trait(?Send)]
impl Storage for Stores {
    async fn open(&self, name: &str) -> Result<Rc<dyn Backend>> {
        let Some(store) = self.0.stores.get(name) else {
            return Err(Error::new(ErrorCode::UnknownBackend, format!("there is no store `{name}`")));
        };
        Ok(Rc::new(Opened { name: name.to_owned(), store: Rc::clone(store), stores: self.clone() }))
    }

    async fn pause(&self, milliseconds: u32) {
        self.0.world.sleep(Duration::from_millis(milliseconds.into())).await;
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.0.world.spawn(task);
    }

    fn now(&self) -> Timestamp {
        self.0.world.clock()
    }
}

/// A store that was opened.
#[derive(Clone)]
struct Opened {
    name: String,
    store: Rc<RefCell<Store>>,
    stores: Stores,
}

impl Opened {
    fn world(&self) -> &World {
        &self.stores.0.world
    }

    /// Begins a call: it takes its time, and may fail before it does anything.
    async fn begin(&self, call: &'static str, about: &dyn std::fmt::Display) -> Result<()> {
        *self.stores.0.calls.borrow_mut().entry(call).or_default() += 1;
        self.take_time().await;
        let faults = self.stores.0.faults.get();
        if self.world().happens(faults.foreign) {
            self.write_as_somebody_else();
        }
        if self.world().happens(faults.before) {
            return Err(self.fail(call, about, "nothing was done"));
        }
        self.world().tell(|| format!("{}: {call} {about}", self.name));
        Ok(())
    }

    /// Ends a call that did what it was to do: its answer may be lost.
    async fn end<T>(
        &self,
        call: &'static str,
        about: &dyn std::fmt::Display,
        answer: Result<T>,
    ) -> Result<T> {
        self.take_time().await;
        let lost = self.stores.0.faults.get().lost;
        if answer.is_ok() && self.world().happens(lost) {
            return Err(self.fail(call, about, "the answer is lost"));
        }
        if let Err(error) = &answer {
            self.world().tell(|| format!("{}: {call} {about}: {error}", self.name));
        }
        answer
    }

    /// What is in a directory that cannot be read cannot be read either.
    fn check_locked(&self, path: &Path) -> Result<()> {
        let store = self.store.borrow();
        match store.locked.iter().find(|directory| path.starts_with(directory)) {
            Some(_) => Err(Error::new(ErrorCode::PermissionDenied, "the directory cannot be read")),
            None => Ok(()),
        }
    }

    async fn take_time(&self) {
        let world = self.world();
        // Most answers are quick, some are not, and now and then one is very late.
        let micros = world.chance(|rng| match rng.u32(0..100) {
            0..80 => rng.u64(1..2_000),
            80..98 => rng.u64(2_000..50_000),
            _ => rng.u64(50_000..3_000_000),
        });
        world.sleep(Duration::from_micros(micros)).await;
    }

    fn fail(&self, call: &str, about: &dyn std::fmt::Display, what: &str) -> Error {
        let world = self.world();
        let code = world.one_of(&[ErrorCode::Unavailable, ErrorCode::Timeout, ErrorCode::RateLimited]);
        world.tell(|| format!("{}: {call} {about} fails ({code}), {what}", self.name));
        let error = Error::new(code, format!("a fault: {what}"));
        match code {
            ErrorCode::RateLimited => {
                error.with_retry_after(Duration::from_millis(world.chance(|rng| rng.u64(1..500))))
            }
            _ => error,
        }
    }

    /// Lets whoever watches look.
    fn watched(&self, see: impl FnOnce(&mut Watch, &str)) {
        if let Some(watch) = &mut *self.stores.0.watch.borrow_mut() {
            see(watch, &self.name);
        }
    }

    /// What stands in the place of an object, and its etag.
    fn standing(&self, path: &Path) -> Option<(Object, String)> {
        let store = self.store.borrow();
        Some((store.object(path)?.clone(), store.info(path).ok()?.etag?))
    }

    /// Puts an object in its place.
    fn put(&self, path: &Path, contents: Vec<u8>, options: &WriteOptions) -> Result<ObjectInfo> {
        let (old, now) = (self.standing(path), self.now());
        let info = self.store.borrow_mut().put(path, contents.clone(), options, now)?;
        self.watched(|watch, name| watch.wrote(name, path, old, &contents));
        Ok(info)
    }

    /// Deletes an object, of a version or whatever is there.
    async fn remove(&self, path: &Path, etag: Option<&str>) -> Result<()> {
        self.begin("delete", path).await?;
        let old = self.standing(path);
        let deleted = match (etag, &old) {
            (Some(etag), Some((_, found))) if etag != found => {
                Err(Error::new(ErrorCode::PreconditionFailed, "it is another version"))
            }
            _ => self.store.borrow_mut().delete(path),
        };
        if deleted.is_ok() {
            self.watched(|watch, name| watch.deleted(name, path, old));
        }
        self.end("delete", path, deleted).await
    }

    /// Somebody else replaces an object of this store, adds one or deletes one.
    fn write_as_somebody_else(&self) {
        if self.stores.0.shared.borrow().as_deref() != Some(self.name.as_str()) {
            return;
        }
        let world = self.world();
        let mut store = self.store.borrow_mut();
        let paths: Vec<Path> = store.objects().map(|(path, _)| path.clone()).collect();
        let path = match paths.is_empty() || world.happens(300) {
            true => tree::path(world),
            false => paths[world.chance(|rng| rng.usize(0..paths.len()))].clone(),
        };
        if world.happens(100) {
            world.tell(|| format!("{}: somebody else deletes {path}", self.name));
            let _ = store.delete(&path);
            return;
        }
        let number = self.stores.0.foreign.replace(self.stores.0.foreign.get() + 1);
        let contents = [FOREIGN, format!(" {number}").as_bytes()].concat();
        world.tell(|| format!("{}: somebody else writes {path}", self.name));
        let _ = store.put(&path, contents, &WriteOptions::default(), world.clock());
    }

    fn now(&self) -> Timestamp {
        self.world().clock()
    }
}

fn opened(backend: &dyn Backend) -> Result<&Opened> {
    let opened = (backend as &dyn Any).downcast_ref::<Opened>();
    opened.ok_or_else(|| Error::new(ErrorCode::Unsupported, "the target is not of this world"))
}

#[async_trait(?Send)]
impl Backend for Opened {
    async fn capabilities(&self) -> Capabilities {
        self.store.borrow().capabilities()
    }

    async fn read(&self, path: Path, options: ReadOptions) -> Result<Reader> {
        self.begin("read", &path).await?;
        self.check_locked(&path)?;
        let info = self.store.borrow().info(&path)?;
        let contents = match self.store.borrow().object(&path) {
            Some(object) => object.contents.clone(),
            None => return Err(Error::new(ErrorCode::IsDirectory, "it is a directory")),
        };
        if options.if_match.is_some() && options.if_match != info.etag {
            return Err(Error::new(ErrorCode::PreconditionFailed, "it is another version"));
        }
        let from = usize::try_from(options.offset).unwrap_or(usize::MAX).min(contents.len());
        let length = options.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        let to = from.saturating_add(length).min(contents.len());
        let breaks_at = self
            .world()
            .happens(self.stores.0.faults.get().broken)
            .then(|| self.world().chance(|rng| rng.usize(0..=to - from)));
        let body = Bytes { of: self.clone(), path, rest: contents[from..to].to_vec(), breaks_at, given: 0 };
        Ok(Reader { info, contents: Box::new(body) })
    }

    async fn write(&self, path: Path, mut contents: Contents, options: WriteOptions) -> Result<ObjectInfo> {
        self.begin("write", &path).await?;
        let breaks = self.world().happens(self.stores.0.faults.get().broken);
        let mut bytes = Vec::new();
        while let Some(chunk) = contents.next(Vec::new()).await? {
            bytes.extend(chunk);
            self.take_time().await;
            if breaks && self.world().happens(500) {
                return Err(self.fail("write", &path, "half of it is forgotten"));
            }
        }
        let written = self.put(&path, bytes, &options);
        self.end("write", &path, written).await
    }

    async fn stat(&self, path: Path) -> Result<ObjectInfo> {
        self.begin("stat", &path).await?;
        let info = self.store.borrow().info(&path);
        let info = self.end("stat", &path, info).await;
        if info.is_ok() || matches!(&info, Err(error) if error.code() == ErrorCode::NotFound) {
            self.watched(|watch, name| watch.told(name, &path, info.as_ref().ok()));
        }
        info
    }

    async fn list(&self, prefix: Path, options: ListOptions) -> Result<Box<dyn Listing>> {
        self.begin("list", &prefix).await?;
        let (last, left) = (RefCell::new(options.start_after.clone()), Cell::new(options.limit));
        Ok(Box::new(Cursor { of: self.clone(), prefix, options, last, left }))
    }

    async fn delete(&self, paths: Vec<Path>) -> Vec<Result<()>> {
        let mut results = Vec::with_capacity(paths.len());
        for path in paths {
            results.push(self.remove(&path, None).await);
        }
        results
    }

    async fn delete_if_match(&self, versions: Vec<ObjectVersion>) -> Vec<Result<()>> {
        let mut results = Vec::with_capacity(versions.len());
        for ObjectVersion { path, etag } in versions {
            results.push(match self.capabilities().await.features.conditional_delete {
                true => self.remove(&path, Some(&etag)).await,
                false => Err(Error::new(ErrorCode::Unsupported, "it tells no versions apart")),
            });
        }
        results
    }

    async fn mkdir(&self, path: Path) -> Result<()> {
        self.begin("mkdir", &path).await?;
        let now = self.now();
        let made = self.store.borrow_mut().mkdir(&path, now);
        self.end("mkdir", &path, made).await
    }

    async fn rmdir(&self, path: Path) -> Result<()> {
        self.begin("rmdir", &path).await?;
        let removed = self.store.borrow_mut().rmdir(&path);
        self.end("rmdir", &path, removed).await
    }

    async fn purge(&self, prefix: Path) -> Result<u64> {
        self.begin("purge", &prefix).await?;
        let purged = self.store.borrow_mut().purge(&prefix);
        self.end("purge", &prefix, Ok(purged)).await
    }

    async fn sweep(&self, _prefix: Path, _older_than_s: u64) -> Result<u64> {
        Ok(0)
    }

    async fn copy_many(&self, requests: Vec<CopyRequest>, target: &dyn Backend) -> Vec<Result<ObjectInfo>> {
        let to = match opened(target) {
            Ok(to) => to,
            Err(error) => return requests.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut results = Vec::with_capacity(requests.len());
        for CopyRequest { source, target, options } in requests {
            results.push(match to.begin("copy", &target).await {
                Ok(()) => {
                    let object = self.store.borrow().object(&source).cloned();
                    let copied = match object {
                        Some(object) => {
                            let modified = options.modified.or(Some(object.modified));
                            let options = WriteOptions { modified, ..options };
                            // The bytes take their time, and what they are was known before.
                            to.take_time().await;
                            to.put(&target, object.contents, &options)
                        }
                        None => Err(Error::new(ErrorCode::NotFound, "there is nothing to copy")),
                    };
                    to.end("copy", &target, copied).await
                }
                Err(error) => Err(error),
            });
        }
        results
    }

    async fn move_to(
        &self,
        source: Path,
        target_backend: &dyn Backend,
        target: Path,
        options: WriteOptions,
    ) -> Result<ObjectInfo> {
        let to = opened(target_backend)?;
        if to.name != self.name {
            return Err(Error::new(ErrorCode::Unsupported, "they are two stores"));
        }
        self.begin("move", &target).await?;
        let now = self.now();
        let moved = self.store.borrow_mut().rename(&source, &target, &options, now);
        self.end("move", &target, moved).await
    }

    async fn set_modified(&self, path: Path, modified: Timestamp) -> Result<()> {
        self.begin("set-modified", &path).await?;
        let now = self.now();
        let set = self.store.borrow_mut().set_modified(&path, modified, now);
        self.end("set-modified", &path, set).await
    }

    async fn hash(&self, path: Path, algorithm: HashAlgorithm) -> Result<Hash> {
        self.begin("hash", &path).await?;
        let hash = self.store.borrow().hash(&path, algorithm);
        self.end("hash", &path, hash).await
    }

    async fn hash_many(&self, paths: Vec<Path>, algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        let mut hashes = Vec::with_capacity(paths.len());
        for path in paths {
            hashes.push(self.hash(path, algorithm).await);
        }
        hashes
    }

    async fn limit_bandwidth(&self, _bytes_per_second: Option<u64>) {}
}

/// Bytes of an object, in pieces.
struct Bytes {
    of: Opened,
    path: Path,
    rest: Vec<u8>,
    /// After so many bytes it fails.
    breaks_at: Option<usize>,
    given: usize,
}

#[async_trait(?Send)]
impl Body for Bytes {
    async fn next(&mut self, _buffer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        self.of.take_time().await;
        if self.breaks_at.is_some_and(|at| self.given >= at) {
            return Err(self.of.fail("read", &self.path, "the body breaks"));
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let most = self.breaks_at.map_or(self.rest.len(), |at| (at - self.given).min(self.rest.len())).max(1);
        let size = self.of.world().chance(|rng| rng.usize(1..=most));
        let rest = self.rest.split_off(size);
        self.given += size;
        Ok(Some(std::mem::replace(&mut self.rest, rest)))
    }
}

/// A listing, which shows each page as things are when it is asked for.
struct Cursor {
    of: Opened,
    prefix: Path,
    options: ListOptions,
    last: RefCell<Option<Path>>,
    /// How many entries are still wanted.
    left: Cell<Option<u64>>,
}

#[async_trait(?Send)]
impl Listing for Cursor {
    async fn next(&self, max: u32) -> Result<Vec<Listed>> {
        self.of.begin("page", &self.prefix).await?;
        self.of.check_locked(&self.prefix)?;
        // A page may hold less than was asked for.
        let most = self.of.world().chance(|rng| rng.u32(1..=max.min(20))) as usize;
        let left = self.left.get().map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        if left == 0 {
            return Ok(Vec::new());
        }
        let page = {
            let last = self.last.borrow();
            self.of.store.borrow().page(&self.prefix, &self.options, last.as_ref(), most.min(left))
        };
        let last = page.iter().rev().find_map(|listed| match listed {
            Listed::Entry(entry) => Some(entry.path.clone()),
            Listed::Failure(_) => None,
        });
        let told = ListOptions {
            start_after: self.last.borrow().clone(),
            until: if page.is_empty() { self.options.until.clone() } else { last.clone() },
            ..self.options.clone()
        };
        let infos = page.iter().filter_map(|listed| match listed {
            Listed::Entry(info) => Some(info.clone()),
            Listed::Failure(_) => None,
        });
        let is_proof = !self.of.store.borrow().capabilities().features.partial_list;
        self.of.watched(|watch, name| watch.listed(name, &self.prefix, told, is_proof, infos));
        if last.is_some() {
            self.last.replace(last);
        }
        let entries = page.iter().filter(|listed| matches!(listed, Listed::Entry(_))).count() as u64;
        self.left.set(self.left.get().map(|left| left.saturating_sub(entries)));
        Ok(page)
    }
}
