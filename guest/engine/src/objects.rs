//! The interface `objects`: single objects and listings, with what a backend lacks done here.

use omnistorage_types::{
    Capabilities, Compression, DecompressOptions, Error, ErrorCode, Hash, HashAlgorithm, ListOptions, Listed,
    Location, ObjectInfo, ObjectKind, ReadOptions, Result, WriteOptions,
};

use crate::{
    Engine,
    body::{Coded, Source},
    compression::{decompressed_source, encoder},
    place::{PAGE, Place, below, entries},
    port::{Contents, Listing, Reader},
};

/// A listing under way.
pub struct Entries {
    /// Keeps the backend open as long as its listing.
    _place: Place,
    listing: Box<dyn Listing>,
    first: Option<Vec<Listed>>,
}

impl Entries {
    /// The next page; empty at the end.
    ///
    /// # Errors
    /// What ends the listing before it is complete.
    pub async fn next(&mut self) -> Result<Vec<Listed>> {
        match self.first.take() {
            Some(first) => Ok(first),
            None => self.listing.next(PAGE).await,
        }
    }
}

/// Errors are those of the WIT interface `objects`.
#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl Engine {
    pub(crate) async fn place(&self, at: Location) -> Result<Place> {
        Place::open(&self.port, at).await
    }

    /// What a backend can do.
    pub async fn features(&self, backend: &str) -> Result<Capabilities> {
        Ok(self.port.open(backend).await?.capabilities().await)
    }

    /// What is known about a path; a prefix that objects share counts as a directory.
    pub async fn stat(&self, at: Location) -> Result<ObjectInfo> {
        stat(&self.place(at).await?).await
    }

    /// What is below a prefix.
    pub async fn list(&self, at: Location, options: ListOptions) -> Result<Entries> {
        let place = self.place(at).await?;
        let listing = place.list(options).await?;
        let first = listing.next(PAGE).await?;
        if first.is_empty() {
            match place.stat_to_list().await?.kind {
                ObjectKind::Directory => {}
                _ => return Err(place.error(ErrorCode::NotDirectory, "it is an object, not a directory")),
            }
        }
        Ok(Entries { _place: place, listing, first: Some(first) })
    }

    /// An object as it comes, decompressed if asked.
    pub async fn read(
        &self,
        source: Location,
        options: ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader> {
        let place = self.place(source).await?;
        let Reader { info, contents } = place.read(options).await?;
        let contents = match decompress {
            None => contents,
            Some(options) => decompressed_source(Source::of(&place, contents), options),
        };
        Ok(Reader { info, contents })
    }

    /// Writes an object, compressed if asked.
    pub async fn write(
        &self,
        target: Location,
        contents: Contents,
        options: WriteOptions,
        compress: Option<Compression>,
    ) -> Result<ObjectInfo> {
        let encoder = compress.as_ref().map(encoder).transpose()?;
        let place = self.place(target).await?;
        let contents = match encoder {
            Some(encoder) => Box::new(Coded::new(Source::new(contents), Some(encoder))),
            None => contents,
        };
        place.backend.write(place.path, contents, options).await
    }

    /// Deletes an object that is there.
    pub async fn remove(&self, at: Location) -> Result<()> {
        let place = self.place(at).await?;
        if place.stat().await?.kind == ObjectKind::Directory {
            return Err(place.error(ErrorCode::IsDirectory, "it is a directory, not an object"));
        }
        place.backend.delete(vec![place.path]).await.pop().unwrap_or(Ok(()))
    }

    /// Deletes everything below a prefix.
    pub async fn purge(&self, at: Location) -> Result<u64> {
        let place = self.place(at).await?;
        match or_shared(&place, place.stat_to_list().await).await?.kind {
            ObjectKind::Directory => {}
            _ => return Err(place.error(ErrorCode::NotDirectory, "it is an object, not a directory")),
        }
        if place.backend.capabilities().await.features.purge {
            return place.backend.purge(place.path).await;
        }
        delete_below(&place).await
    }

    /// Removes what unfinished writes left behind that began at least this many seconds ago.
    pub async fn sweep(&self, at: Location, older_than_s: u64) -> Result<u64> {
        let place = self.place(at).await?;
        place.backend.sweep(place.path, older_than_s).await
    }

    /// Makes a directory.
    pub async fn mkdir(&self, at: Location) -> Result<()> {
        let place = self.place(at).await?;
        place.backend.mkdir(place.path).await
    }

    /// Removes an empty directory.
    pub async fn rmdir(&self, at: Location) -> Result<()> {
        let place = self.place(at).await?;
        place.backend.rmdir(place.path).await
    }

    /// The hash of an object.
    pub async fn compute_hash(&self, at: Location, algorithm: HashAlgorithm) -> Result<Hash> {
        let place = self.place(at).await?;
        place.backend.hash(place.path, algorithm).await
    }
}

/// What is known about a place. A prefix that objects share counts as a directory, also in a store without directories.
pub(crate) async fn stat(place: &Place) -> Result<ObjectInfo> {
    or_shared(place, place.stat().await).await
}

/// What was found at a place, or if nothing was, the directory that it is as a prefix of objects.
pub(crate) async fn or_shared(place: &Place, found: Result<ObjectInfo>) -> Result<ObjectInfo> {
    match found {
        Err(error) if error.code() == ErrorCode::NotFound && !place.path.is_root() => {
            if place.list(ListOptions::default()).await?.next(1).await?.is_empty() {
                return Err(error);
            }
            Ok(ObjectInfo::new(place.path.clone(), ObjectKind::Directory))
        }
        found => found,
    }
}

/// Purges through a backend that cannot do it in one call: objects as they are listed, then directories, deepest first.
async fn delete_below(place: &Place) -> Result<u64> {
    let listing = place.list(ListOptions { recursive: true, ..ListOptions::default() }).await?;
    let (mut deleted, mut directories, mut failed) = (0, Vec::new(), None);
    loop {
        let page = listing.next(PAGE).await?;
        if page.is_empty() {
            break;
        }
        let (entries, unlisted) = entries(page);
        failed = failed.or(unlisted);
        for entry in &entries {
            // If a backend lists what it was not asked for, that must not be deleted.
            if let Err(message) = below(&entry.path, &place.path) {
                return Err(place.error(ErrorCode::InvalidPath, &message));
            }
        }
        let (nested, objects): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.kind == ObjectKind::Directory);
        directories.extend(nested.into_iter().map(|entry| entry.path));
        let paths: Vec<_> = objects.into_iter().map(|entry| entry.path).collect();
        deleted += paths.len() as u64;
        place.backend.delete(paths).await.into_iter().collect::<Result<Vec<()>, Error>>()?;
    }
    // What could not be listed is still there.
    if let Some(error) = failed {
        return Err(error);
    }
    if place.backend.capabilities().await.features.directories {
        if !place.path.is_root() {
            directories.insert(0, place.path.clone());
        }
        for directory in directories.into_iter().rev() {
            place.backend.rmdir(directory).await?;
        }
    }
    Ok(deleted)
}
