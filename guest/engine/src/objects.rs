//! The interface `objects`: single objects and listings, with what a backend lacks done here.

use futures::join;
use omnistorage_core::codec;
use wit_bindgen::{FutureWriter, StreamWriter, spawn_local};

use crate::{
    backends::Place,
    bindings::{wit_future, wit_stream},
    body::{Coded, Sink, Source},
    compression::decompressed,
    convert::place_of,
    error::cancelled,
    exports::{
        compression::{Body, DecompressOptions},
        objects::{CompressionOptions, Entries, Guest, Reader},
    },
    imports::{
        backend::{self, Capabilities, Features, ListOptions, Listing, ReadOptions, WriteOptions},
        types::{Error, ErrorCode, Hash, HashAlgorithm, Listed, Location, ObjectInfo, ObjectKind},
    },
};

/// Entries asked for at once.
pub(crate) const PAGE: u32 = 1000;

impl Guest for crate::Component {
    async fn features(backend: String) -> Result<Capabilities, Error> {
        Ok(backend::open(backend, Vec::new()).await?.capabilities())
    }

    async fn stat(at: Location) -> Result<ObjectInfo, Error> {
        stat(&Place::open(at).await?).await
    }

    async fn list(at: Location, options: ListOptions) -> Result<Entries, Error> {
        let place = Place::open(at).await?;
        let listing = place.backend.list(place.path(), options).await?;
        let first = listing.next(PAGE).await?;
        if first.is_empty() {
            match place.stat().await?.kind {
                ObjectKind::Directory => {}
                _ => return Err(place.error(ErrorCode::NotDirectory, "it is an object, not a directory")),
            }
        }
        let (sink, entries) = wit_stream::new();
        let (completion, verdict) = wit_future::new(|| Err(cancelled()));
        spawn_local(async move {
            // The backend stays open for as long as its listing.
            let _place = place;
            hand_on(listing, first, sink, completion).await;
        });
        Ok(Entries { entries, completion: verdict })
    }

    async fn read(
        source: Location,
        options: ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader, Error> {
        let place = Place::open(source).await?;
        let reader = place.backend.read(place.path(), options).await?;
        let info = reader.info.clone();
        let contents = match decompress {
            None => Body { contents: reader.contents, completion: reader.completion },
            Some(options) => decompressed(Source::of(&place, reader), options),
        };
        Ok(Reader { info, contents })
    }

    async fn write(
        target: Location,
        contents: Body,
        options: WriteOptions,
        compress: Option<CompressionOptions>,
    ) -> Result<ObjectInfo, Error> {
        let encoder =
            compress.map(|options| codec::encoder(options.codec.into(), options.level)).transpose()?;
        let place = Place::open(target).await?;
        let Some(encoder) = encoder else {
            return place.backend.write(place.path(), contents.contents, contents.completion, options).await;
        };
        let (sink, body) = Sink::new();
        let write = place.backend.write(place.path(), body.contents, body.completion, options);
        let (written, ()) = join!(write, Coded::new(contents.into(), Some(encoder)).pump(sink));
        written
    }

    async fn remove(at: Location) -> Result<(), Error> {
        let place = Place::open(at).await?;
        if place.stat().await?.kind == ObjectKind::Directory {
            return Err(place.error(ErrorCode::IsDirectory, "it is a directory, not an object"));
        }
        place.backend.delete(vec![place.path()]).await.pop().unwrap_or(Ok(()))
    }

    async fn purge(at: Location) -> Result<u64, Error> {
        let place = Place::open(at).await?;
        match stat(&place).await?.kind {
            ObjectKind::Directory => {}
            _ => return Err(place.error(ErrorCode::NotDirectory, "it is an object, not a directory")),
        }
        if place.backend.capabilities().features.contains(Features::PURGE) {
            return place.backend.purge(place.path()).await;
        }
        delete_below(&place).await
    }

    async fn sweep(at: Location, older_than_s: u64) -> Result<u64, Error> {
        let place = Place::open(at).await?;
        place.backend.sweep(place.path(), older_than_s).await
    }

    async fn mkdir(at: Location) -> Result<(), Error> {
        let place = Place::open(at).await?;
        place.backend.mkdir(place.path()).await
    }

    async fn rmdir(at: Location) -> Result<(), Error> {
        let place = Place::open(at).await?;
        place.backend.rmdir(place.path()).await
    }

    async fn compute_hash(at: Location, algorithm: HashAlgorithm) -> Result<Hash, Error> {
        let place = Place::open(at).await?;
        place.backend.hash(place.path(), algorithm).await
    }
}

/// What stands at a place; a prefix that objects share counts as a directory, also where directories do not exist
/// by themselves.
pub(crate) async fn stat(place: &Place) -> Result<ObjectInfo, Error> {
    match place.stat().await {
        Err(error) if error.code == ErrorCode::NotFound => {
            let options = ListOptions { recursive: false, start_after: None, full_info: false };
            if place.backend.list(place.path(), options).await?.next(1).await?.is_empty() {
                return Err(error);
            }
            Ok(ObjectInfo {
                path: place.path(),
                kind: ObjectKind::Directory,
                size: None,
                modified: None,
                etag: None,
                content_type: None,
                hashes: Vec::new(),
                metadata: Vec::new(),
            })
        }
        found => found,
    }
}

/// Hands a listing on, page by page, until its end or until nobody reads it.
async fn hand_on(
    listing: Listing,
    mut page: Vec<Listed>,
    mut sink: StreamWriter<Listed>,
    completion: FutureWriter<Result<(), Error>>,
) {
    let verdict = loop {
        if page.is_empty() {
            break Ok(());
        }
        if !sink.write_all(page).await.is_empty() {
            break Err(cancelled());
        }
        match listing.next(PAGE).await {
            Ok(next) => page = next,
            Err(error) => break Err(error),
        }
    };
    drop(sink);
    // A reader that left does not want to know.
    let _ = completion.write(verdict).await;
}

/// Purges where the backend has no call for it: objects as they are listed, then the directories, deepest first.
async fn delete_below(place: &Place) -> Result<u64, Error> {
    let options = ListOptions { recursive: true, start_after: None, full_info: false };
    let listing = place.backend.list(place.path(), options).await?;
    let (mut deleted, mut directories, mut failed) = (0, Vec::new(), None);
    loop {
        let page = listing.next(PAGE).await?;
        if page.is_empty() {
            break;
        }
        let mut entries = Vec::with_capacity(page.len());
        for listed in page {
            match listed {
                Listed::Entry(entry) => entries.push(entry),
                Listed::Failure(failure) => drop(failed.get_or_insert(failure.error)),
            }
        }
        for entry in &entries {
            // A backend that lists what it was not asked for must not have it deleted.
            if let Err(message) = place_of(&entry.path, &place.path) {
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
    if place.backend.capabilities().features.contains(Features::DIRECTORIES) {
        if !place.path.is_root() {
            directories.insert(0, place.path());
        }
        for directory in directories.into_iter().rev() {
            place.backend.rmdir(directory).await?;
        }
    }
    Ok(deleted)
}
