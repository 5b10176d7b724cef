use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use omnistorage::{
    Backend, Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result,
    backend::{
        Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WholeListing, WholeUpload,
        WriteOptions, require_object,
    },
};

/// A store of values by key. There are none any more once it is closed.
#[derive(Clone, Debug)]
pub(crate) struct KeyValue(Arc<Mutex<Option<BTreeMap<Path, Bytes>>>>);

impl KeyValue {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(BTreeMap::new()))))
    }

    fn with<T>(&self, path: &Path, act: impl FnOnce(&mut BTreeMap<Path, Bytes>) -> Result<T>) -> Result<T> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = values.as_mut().ok_or_else(Error::backend_closed).and_then(act);
        done.map_err(|error| error.at(self.kind(), path))
    }
}

fn info(path: &Path, value: &Bytes) -> ObjectInfo {
    ObjectInfo { size: Some(value.len() as u64), ..ObjectInfo::new(path.clone(), ObjectKind::Object) }
}

#[async_trait]
impl Backend for KeyValue {
    fn kind(&self) -> &str {
        "key-value"
    }

    fn capabilities(&self) -> Capabilities {
        let features = Features { atomic_write: true, sorted_list: true, ..Features::default() };
        Capabilities { features, ..Capabilities::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let value = self.with(path, |values| {
            require_object(path)?;
            options.require_whole(self.kind())?;
            values.get(path).cloned().ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such key"))
        })?;
        Ok(Reader { info: info(path, &value), contents: async { Ok(value) }.into_stream().boxed() })
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.with(path, |_| require_object(path).and_then(|()| options.require_plain(self.kind())))?;
        let (store, path) = (self.clone(), path.clone());
        let put = async move |value: Bytes| {
            let info = info(&path, &value);
            store.with(&path, |values| Ok(values.insert(path.clone(), value))).map(|_| info)
        };
        Ok(Box::new(WholeUpload::new(options, put)))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.with(path, |values| match values.get(path) {
            Some(value) => Ok(info(path, value)),
            None if path.is_root() => Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory)),
            None => Err(Error::new(ErrorCode::NotFound, "there is no such key")),
        })
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let store = self.clone();
        let is_open = move || store.with(&Path::root(), |_| Ok(()));
        self.with(prefix, |values| {
            let objects = values.iter().map(|(path, value)| info(path, value));
            Ok(Box::new(WholeListing::new(objects, prefix, options, is_open)) as Box<dyn Listing>)
        })
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let delete =
            |path| self.with(path, |values| require_object(path).map(|()| drop(values.remove(path))));
        paths.iter().map(delete).collect()
    }

    async fn close(&self) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(())
    }
}
