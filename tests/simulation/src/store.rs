//! What a store holds, and the promises that it keeps: an object is there as a whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use omnistorage_types::{
    Capabilities, Error, ErrorCode, Features, Hash, HashAlgorithm, ListOptions, Listed, ListingFailure,
    Metadata, ObjectInfo, ObjectKind, Path, Result, Timestamp, Unlisted, WriteCondition, WriteOptions,
};

/// What kind of store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As a file system: directories, given times in listings, moves.
    Files,
    /// As S3: listings tell when objects were written, and hashes.
    Hashes,
    /// As S3 with parts: listings tell when objects were written, and etags that are no hashes.
    Etags,
    /// Keeps no times and knows no hashes, but etags.
    Plain,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Files, Self::Hashes, Self::Etags, Self::Plain];

    /// What such a store can do.
    #[must_use]
    pub(crate) fn capabilities(self) -> Capabilities {
        let is_files = self == Self::Files;
        Capabilities {
            features: Features {
                copy: true,
                move_to: is_files,
                purge: true,
                transfer: true,
                directories: is_files,
                set_modified: self != Self::Plain,
                custom_metadata: !is_files,
                content_type: !is_files,
                range_read: true,
                atomic_write: true,
                if_absent: true,
                if_match: !is_files,
                sorted_list: true,
                listed_times: is_files,
                batches: is_files,
                conditional_copy: matches!(self, Self::Hashes | Self::Plain),
                conditional_delete: matches!(self, Self::Hashes | Self::Plain),
                partial_list: false,
            },
            hashes: if self == Self::Hashes { vec![HashAlgorithm::Md5] } else { Vec::new() },
            modified_precision: (self != Self::Plain).then(|| std::time::Duration::from_nanos(1)),
        }
    }
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its bytes.
    pub(crate) contents: Vec<u8>,
    /// The time that it was given.
    pub(crate) modified: Timestamp,
    /// When it was written.
    pub(crate) written: Timestamp,
    /// Which write it was, of all.
    version: u64,
    metadata: Metadata,
}

/// What it holds.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// What kind it is.
    pub(crate) kind: Kind,
    objects: BTreeMap<Path, Object>,
    directories: BTreeMap<Path, Timestamp>,
    /// Directories that cannot be read.
    pub(crate) locked: BTreeSet<Path>,
    /// What listings do not show, with all that is below it.
    pub(crate) unshown: BTreeSet<Path>,
    writes: u64,
}

impl Store {
    /// An empty one.
    #[must_use]
    pub(crate) fn new(kind: Kind) -> Self {
        let (objects, directories) = (BTreeMap::new(), BTreeMap::new());
        Self { kind, objects, directories, locked: BTreeSet::new(), unshown: BTreeSet::new(), writes: 0 }
    }

    /// What it can do.
    #[must_use]
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.kind.capabilities();
        capabilities.features.partial_list = !self.unshown.is_empty();
        capabilities
    }

    /// All objects.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Path, &Object)> {
        self.objects.iter()
    }

    /// An object.
    #[must_use]
    pub(crate) fn object(&self, path: &Path) -> Option<&Object> {
        self.objects.get(path)
    }

    /// Puts an object in place, or says why it cannot be.
    ///
    /// # Errors
    /// As those of the interface `backend`.
    pub(crate) fn put(
        &mut self,
        path: &Path,
        contents: Vec<u8>,
        options: &WriteOptions,
        now: Timestamp,
    ) -> Result<ObjectInfo> {
        let refused = |code, message: &str| Err(Error::new(code, message));
        match (&options.condition, self.objects.get(path)) {
            (WriteCondition::IfAbsent, Some(_)) => {
                return refused(ErrorCode::PreconditionFailed, "there is something already");
            }
            (WriteCondition::IfMatch(etag), old) if old.map(etag_of).as_ref() != Some(etag) => {
                return refused(ErrorCode::PreconditionFailed, "it is another version");
            }
            _ => {}
        }
        if options.expected_size.is_some_and(|size| size != contents.len() as u64) {
            return refused(ErrorCode::Corrupted, "it is not of the expected size");
        }
        if options.expected_hash.as_ref().is_some_and(|hash| *hash != hash_of(hash.algorithm, &contents)) {
            return refused(ErrorCode::Corrupted, "it is not of the expected hash");
        }
        if self.kind == Kind::Files {
            if self.directories.contains_key(path) || path.is_root() {
                return refused(ErrorCode::IsDirectory, "it is a directory");
            }
            self.make_directories_above(path, now)?;
        }
        self.writes += 1;
        let object = Object {
            contents,
            modified: options.modified.unwrap_or(now),
            written: now,
            version: self.writes,
            metadata: options.metadata.clone(),
        };
        self.objects.insert(path.clone(), object);
        self.info(path)
    }

    fn make_directories_above(&mut self, path: &Path, now: Timestamp) -> Result<()> {
        let above: Vec<_> =
            std::iter::successors(path.parent(), Path::parent).filter(|path| !path.is_root()).collect();
        if above.iter().any(|directory| self.objects.contains_key(directory)) {
            return Err(Error::new(ErrorCode::NotDirectory, "an object is in the way"));
        }
        for directory in above {
            self.directories.entry(directory).or_insert(now);
        }
        Ok(())
    }

    /// What is known of a path.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]
    pub(crate) fn info(&self, path: &Path) -> Result<ObjectInfo> {
        if let Some(object) = self.objects.get(path) {
            return Ok(self.entry(path, object, true));
        }
        if path.is_root() || self.directories.contains_key(path) {
            let mut info = ObjectInfo::new(path.clone(), ObjectKind::Directory);
            info.modified = self.directories.get(path).copied();
            return Ok(info);
        }
        Err(Error::new(ErrorCode::NotFound, "there is nothing"))
    }

    /// What a listing tells, or all that a look does.
    fn entry(&self, path: &Path, object: &Object, is_full: bool) -> ObjectInfo {
        let modified = match self.kind {
            Kind::Files => Some(object.modified),
            Kind::Hashes | Kind::Etags if is_full => Some(object.modified),
            Kind::Hashes | Kind::Etags => Some(object.written),
            Kind::Plain => None,
        };
        let hashes = match self.kind {
            Kind::Hashes => vec![hash_of(HashAlgorithm::Md5, &object.contents)],
            _ => Vec::new(),
        };
        ObjectInfo {
            size: Some(object.contents.len() as u64),
            modified,
            etag: Some(etag_of(object)),
            hashes,
            metadata: if is_full { object.metadata.clone() } else { Vec::new() },
            ..ObjectInfo::new(path.clone(), ObjectKind::Object)
        }
    }

    /// A page of a listing, as things are now: at most `max` of what is below a prefix and behind a path.
    #[must_use]
    pub(crate) fn page(
        &self,
        prefix: &Path,
        options: &ListOptions,
        after: Option<&Path>,
        max: usize,
    ) -> Vec<Listed> {
        let mut found: BTreeMap<Path, Listed> = BTreeMap::new();
        let is_behind = |path: &Path| {
            after.is_none_or(|after| path > after) && options.until.as_ref().is_none_or(|until| path <= until)
        };
        let is_hidden = |path: &Path| {
            let mut above = std::iter::successors(path.parent(), Path::parent);
            above.any(|directory| self.locked.contains(&directory) && directory.starts_with(prefix))
                || self.unshown.iter().any(|unshown| path.starts_with(unshown) && unshown != prefix)
        };
        for (path, object) in &self.objects {
            let Some(inside) = path.strip_prefix(prefix).filter(|inside| !inside.is_root()) else { continue };
            if is_hidden(path) {
                continue;
            }
            if !options.recursive && inside.parent().is_some_and(|above| !above.is_root()) {
                // A prefix that objects share.
                let Some(first) = inside.segments().next() else { continue };
                if let Ok(directory) = Path::parse(first).and_then(|first| prefix.join(&first))
                    && is_behind(&directory)
                {
                    let info = ObjectInfo::new(directory.clone(), ObjectKind::Directory);
                    found.entry(directory).or_insert(Listed::Entry(info));
                }
                continue;
            }
            if is_behind(path) {
                found.insert(path.clone(), Listed::Entry(self.entry(path, object, options.full_info)));
            }
        }
        for (path, modified) in &self.directories {
            let Some(inside) = path.strip_prefix(prefix).filter(|inside| !inside.is_root()) else { continue };
            let is_deeper = inside.parent().is_some_and(|above| !above.is_root());
            if is_hidden(path) || !is_behind(path) || (!options.recursive && is_deeper) {
                continue;
            }
            let mut info = ObjectInfo::new(path.clone(), ObjectKind::Directory);
            info.modified = Some(*modified);
            found.insert(path.clone(), Listed::Entry(info));
        }
        let mut page: Vec<Listed> = Vec::new();
        for (path, listed) in found {
            if page.len() >= max {
                break;
            }
            page.push(listed);
            if options.recursive && self.locked.contains(&path) {
                let error = Error::new(ErrorCode::PermissionDenied, "the directory cannot be read");
                page.push(ListingFailure { what: Unlisted::Directory(path), error }.into());
            }
        }
        page
    }

    /// Deletes an object; one that is not there is fine.
    ///
    /// # Errors
    /// [`ErrorCode::IsDirectory`]
    pub(crate) fn delete(&mut self, path: &Path) -> Result<()> {
        if self.directories.contains_key(path) {
            return Err(Error::new(ErrorCode::IsDirectory, "it is a directory"));
        }
        self.objects.remove(path);
        Ok(())
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// [`ErrorCode::NotDirectory`]
    pub(crate) fn mkdir(&mut self, path: &Path, now: Timestamp) -> Result<()> {
        if self.objects.contains_key(path) {
            return Err(Error::new(ErrorCode::NotDirectory, "an object is in the way"));
        }
        self.make_directories_above(path, now)?;
        if !path.is_root() {
            self.directories.entry(path.clone()).or_insert(now);
        }
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::NotDirectory`]; [`ErrorCode::NotEmpty`].
    pub(crate) fn rmdir(&mut self, path: &Path) -> Result<()> {
        if self.objects.contains_key(path) {
            return Err(Error::new(ErrorCode::NotDirectory, "it is an object"));
        }
        if !self.directories.contains_key(path) {
            return Err(Error::new(ErrorCode::NotFound, "there is no such directory"));
        }
        let is_below = |other: &Path| other != path && other.starts_with(path);
        if self.objects.keys().any(is_below) || self.directories.keys().any(is_below) {
            return Err(Error::new(ErrorCode::NotEmpty, "it is not empty"));
        }
        self.directories.remove(path);
        Ok(())
    }

    /// Moves an object over whatever is at the target.
    ///
    /// # Errors
    /// As those of the interface `backend`.
    pub(crate) fn rename(
        &mut self,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
        now: Timestamp,
    ) -> Result<ObjectInfo> {
        let Some(object) = self.objects.get(source).cloned() else {
            return Err(Error::new(ErrorCode::NotFound, "there is nothing to move"));
        };
        if options.condition == WriteCondition::IfAbsent && self.objects.contains_key(target) {
            return Err(Error::new(ErrorCode::PreconditionFailed, "there is something already"));
        }
        if self.directories.contains_key(target) {
            return Err(Error::new(ErrorCode::IsDirectory, "it is a directory"));
        }
        self.make_directories_above(target, now)?;
        self.objects.remove(source);
        let modified = options.modified.unwrap_or(object.modified);
        self.objects.insert(target.clone(), Object { modified, ..object });
        self.info(target)
    }

    /// Gives an object or a directory a time.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]
    pub(crate) fn set_modified(&mut self, path: &Path, modified: Timestamp, now: Timestamp) -> Result<()> {
        self.writes += 1;
        if let Some(object) = self.objects.get_mut(path) {
            object.modified = modified;
            if self.kind != Kind::Files {
                // A store writes the object once more for it.
                (object.written, object.version) = (now, self.writes);
            }
            return Ok(());
        }
        match self.directories.get_mut(path) {
            Some(time) => {
                *time = modified;
                Ok(())
            }
            None => Err(Error::new(ErrorCode::NotFound, "there is nothing")),
        }
    }

    /// The hash of an object.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]
    pub(crate) fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        match self.objects.get(path) {
            Some(object) => Ok(hash_of(algorithm, &object.contents)),
            None => Err(Error::new(ErrorCode::NotFound, "there is nothing")),
        }
    }

    /// Deletes everything below a prefix.
    pub(crate) fn purge(&mut self, prefix: &Path) -> u64 {
        let before = self.objects.len();
        self.objects.retain(|path, _| !path.starts_with(prefix));
        self.directories.retain(|path, _| !path.starts_with(prefix));
        (before - self.objects.len()) as u64
    }
}

/// Changes with every write.
fn etag_of(object: &Object) -> String {
    format!("v{}-{}-{}", object.version, object.modified.seconds, object.modified.nanoseconds)
}

/// Not a real one, but equal for what is equal alone: FNV-1a, as often as a digest has eights of bytes.
#[must_use]
pub(crate) fn hash_of(algorithm: HashAlgorithm, contents: &[u8]) -> Hash {
    let mut digest = Vec::new();
    for round in 0_u64.. {
        let mut state = 0xcbf2_9ce4_8422_2325 ^ round;
        for byte in contents {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        digest.extend(state.to_be_bytes());
        if digest.len() >= algorithm.digest_len() {
            break;
        }
    }
    digest.truncate(algorithm.digest_len());
    Hash { algorithm, digest }
}
