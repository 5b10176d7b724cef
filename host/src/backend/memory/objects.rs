//! The objects by path, and the rules of what may stand where.

use std::{collections::BTreeMap, ops::Bound};

use omnistorage_types::Path;

use super::{
    KIND,
    capacity::{Capacity, Room},
    chunks::Chunks,
};
use crate::{
    Error, ErrorCode, Metadata, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{WriteCondition, WriteOptions, require_object},
};

/// An object.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) contents: Chunks,
    etag: String,
    modified: Timestamp,
    content_type: Option<String>,
    metadata: Metadata,
}

impl Object {
    /// A new object, checked against what the options expect; it gets its etag when it is published.
    pub(super) fn new(contents: Chunks, options: &WriteOptions) -> Result<Self> {
        contents.check(options)?;
        let mut object = Self {
            contents,
            etag: String::new(),
            modified: Timestamp::now(),
            content_type: None,
            metadata: Metadata::new(),
        };
        object.describe(options)?;
        Ok(object)
    }

    /// Takes what the options give; the rest stays.
    fn describe(&mut self, options: &WriteOptions) -> Result<()> {
        if let Some(modified) = options.modified {
            self.modified = modified;
        }
        if options.content_type.is_some() {
            self.content_type.clone_from(&options.content_type);
        }
        if !options.metadata.is_empty() {
            self.metadata.clone_from(&options.metadata);
            self.metadata.sort();
            if let Some([(key, _), _]) = self.metadata.array_windows().find(|[(a, _), (b, _)]| a == b) {
                let message = format!("the metadata has the key `{}` twice", key.escape_debug());
                return Err(Error::new(ErrorCode::InvalidArgument, message));
            }
        }
        Ok(())
    }

    /// How many bytes its attributes take.
    fn weight(&self) -> usize {
        let metadata = self.metadata.iter().map(|(key, value)| key.len() + value.len());
        self.content_type.as_ref().map_or(0, String::len) + metadata.sum::<usize>()
    }

    /// What is known about it, under that path.
    pub(super) fn info(&self, path: &Path) -> ObjectInfo {
        ObjectInfo {
            path: path.clone(),
            kind: ObjectKind::Object,
            size: Some(self.contents.size()),
            modified: Some(self.modified),
            etag: Some(self.etag.clone()),
            content_type: self.content_type.clone(),
            hashes: Vec::new(),
            metadata: self.metadata.clone(),
        }
    }

    /// Whether it is the requested version, if one is requested.
    pub(super) fn check_etag(&self, if_match: Option<&str>) -> Result<()> {
        match if_match {
            Some(etag) if etag != self.etag => {
                Err(Error::new(ErrorCode::PreconditionFailed, "the object no longer has the etag asked for"))
            }
            _ => Ok(()),
        }
    }
}

/// The objects by path, in byte order.
pub(super) struct Objects {
    by_path: BTreeMap<Path, Entry>,
    published: u64,
    capacity: Capacity,
}

/// An object in its place.
struct Entry {
    object: Object,
    /// For all but the contents.
    _room: Room,
}

/// What an object takes in addition to its bytes, its name and its attributes.
const ENTRY: usize = 256;

/// Everything below a prefix: its bounds in byte order, where `0` is what follows `/`.
pub(super) fn below(prefix: &str) -> (String, Bound<String>) {
    if prefix.is_empty() {
        (String::new(), Bound::Unbounded)
    } else {
        (format!("{prefix}/"), Bound::Excluded(format!("{prefix}0")))
    }
}

impl Objects {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self { by_path: BTreeMap::new(), published: 0, capacity }
    }

    /// The object of that path.
    pub(super) fn get(&self, path: &Path) -> Result<&Object> {
        require_object(path)?;
        let entry = self.by_path.get(path);
        entry.map(|entry| &entry.object).ok_or_else(|| Error::new(ErrorCode::NotFound, "no such object"))
    }

    /// The object at that path, as the beginning of a copy with these options; errors get the path.
    pub(super) fn source(&self, path: &Path, options: &WriteOptions) -> Result<Object> {
        let copy = || {
            let mut object = self.get(path)?.clone();
            object.contents.check(options)?;
            object.describe(options)?;
            Ok(object)
        };
        copy().map_err(|error: Error| error.at(KIND, path))
    }

    /// The objects whose paths lie within the bounds, in byte order.
    pub(super) fn range(&self, from: Bound<&str>, to: Bound<&str>) -> impl Iterator<Item = (&Path, &Object)> {
        // `BTreeMap::range` panics where the bounds are the wrong way round.
        let is_empty = match (from, to) {
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
                from >= to
            }
            _ => false,
        };
        let entries = (!is_empty).then(|| self.by_path.range::<str, _>((from, to)));
        entries.into_iter().flatten().map(|(path, entry)| (path, &entry.object))
    }

    /// Whether there are objects below that path.
    pub(super) fn has_below(&self, path: &str) -> bool {
        let (from, to) = below(path);
        self.range(Bound::Included(&from), to.as_ref().map(String::as_str)).next().is_some()
    }

    /// Whether an object may be written there, now.
    pub(super) fn check_write(&self, path: &Path, condition: &WriteCondition) -> Result<()> {
        require_object(path)?;
        if self.has_below(path.as_str()) {
            return Err(Error::new(ErrorCode::IsDirectory, "there are objects below this path"));
        }
        for (slash, _) in path.as_str().match_indices('/') {
            let above = &path.as_str()[..slash];
            if self.by_path.contains_key(above) {
                let message = format!("`{}` is an object and can have none below it", above.escape_debug());
                return Err(Error::new(ErrorCode::NotDirectory, message));
            }
        }
        match (condition, self.by_path.get(path)) {
            (WriteCondition::Always, _) | (WriteCondition::IfAbsent, None) => Ok(()),
            (WriteCondition::IfAbsent, Some(_)) => {
                Err(Error::new(ErrorCode::PreconditionFailed, "there is an object already"))
            }
            (WriteCondition::IfMatch(_), None) => {
                Err(Error::new(ErrorCode::PreconditionFailed, "there is no object to replace"))
            }
            (WriteCondition::IfMatch(etag), Some(entry)) => entry.object.check_etag(Some(etag)),
        }
    }

    /// Puts an object in its place, if it may stand there.
    pub(super) fn publish(
        &mut self,
        path: &Path,
        object: Object,
        condition: &WriteCondition,
    ) -> Result<ObjectInfo> {
        self.check_write(path, condition)?;
        let room = self.capacity.take((ENTRY + path.as_str().len() + object.weight()) as u64)?;
        self.published += 1;
        let object = Object { etag: self.published.to_string(), ..object };
        let info = object.info(path);
        self.by_path.insert(path.clone(), Entry { object, _room: room });
        Ok(info)
    }

    /// Removes an object, if there is one.
    pub(super) fn remove(&mut self, path: &Path) -> Result<()> {
        require_object(path)?;
        self.by_path.remove(path);
        Ok(())
    }

    /// Removes an object, if it is of that version. One that is gone is fine.
    pub(super) fn remove_version(&mut self, path: &Path, etag: &str) -> Result<()> {
        require_object(path)?;
        if let Some(entry) = self.by_path.get(path) {
            entry.object.check_etag(Some(etag))?;
        }
        self.remove(path)
    }

    /// Removes all objects below a prefix, and counts them.
    pub(super) fn purge(&mut self, prefix: &Path) -> Result<u64> {
        if self.by_path.contains_key(prefix) {
            return Err(Error::new(ErrorCode::NotDirectory, "this is an object"));
        }
        let (from, to) = below(prefix.as_str());
        let bounds = (Bound::Included(from.as_str()), to.as_ref().map(String::as_str));
        let paths: Vec<Path> = self.range(bounds.0, bounds.1).map(|(path, _)| path.clone()).collect();
        paths.iter().for_each(|path| drop(self.by_path.remove(path)));
        Ok(paths.len() as u64)
    }

    /// Sets the modification time.
    pub(super) fn set_modified(&mut self, path: &Path, modified: Timestamp) -> Result<()> {
        self.get(path)?;
        if let Some(entry) = self.by_path.get_mut(path) {
            entry.object.modified = modified;
        }
        Ok(())
    }
}
