//! The interface `objects`.

use omnistorage_engine::port::Reader as Opened;
use omnistorage_types::{
    Listed, Location, Result as Outcome,
    wit::{FromWit, IntoWit},
};
use wit_bindgen::{FutureWriter, StreamWriter, spawn_local};

use crate::{
    answer,
    bindings::{wit_future, wit_stream},
    body::{brought, cancelled, outgoing},
    compression_exports::{Body, DecompressOptions},
    engine,
    filters::Filter,
    objects_exports::{CompressionOptions, Entries, Guest, Reader},
    types::{
        self, Capabilities, Error, Hash, HashAlgorithm, ListOptions, ObjectInfo, ReadOptions, WriteOptions,
    },
};

impl Guest for crate::Component {
    async fn features(backend: String) -> Result<Capabilities, Error> {
        answer(engine().features(&backend).await)
    }

    async fn stat(at: types::Location) -> Result<ObjectInfo, Error> {
        answer(engine().stat(Location::from_wit(at)?).await)
    }

    async fn list(at: types::Location, options: ListOptions) -> Result<Entries, Error> {
        let mut listing = engine().list(Location::from_wit(at)?, FromWit::from_wit(options)?).await?;
        Ok(handed_on(async move || listing.next().await))
    }

    async fn find(at: types::Location, filter: Filter, options: ListOptions) -> Result<Entries, Error> {
        let (filter, options) = (FromWit::from_wit(filter)?, FromWit::from_wit(options)?);
        let mut found = engine().find(Location::from_wit(at)?, filter, options).await?;
        Ok(handed_on(async move || found.next().await))
    }

    async fn read(
        source: types::Location,
        options: ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader, Error> {
        let (options, decompress) = (FromWit::from_wit(options)?, FromWit::from_wit(decompress)?);
        let Opened { info, contents } =
            engine().read(Location::from_wit(source)?, options, decompress).await?;
        Ok(Reader { info: info.into_wit(), contents: outgoing(contents) })
    }

    async fn write(
        target: types::Location,
        contents: Body,
        options: WriteOptions,
        compress: Option<CompressionOptions>,
    ) -> Result<ObjectInfo, Error> {
        let (options, compress) = (FromWit::from_wit(options)?, FromWit::from_wit(compress)?);
        let contents = brought(contents.contents, contents.completion);
        answer(engine().write(Location::from_wit(target)?, contents, options, compress).await)
    }

    async fn remove(at: types::Location) -> Result<(), Error> {
        Ok(engine().remove(Location::from_wit(at)?).await?)
    }

    async fn purge(at: types::Location) -> Result<u64, Error> {
        Ok(engine().purge(Location::from_wit(at)?).await?)
    }

    async fn sweep(at: types::Location, older_than_s: u64) -> Result<u64, Error> {
        Ok(engine().sweep(Location::from_wit(at)?, older_than_s).await?)
    }

    async fn mkdir(at: types::Location) -> Result<(), Error> {
        Ok(engine().mkdir(Location::from_wit(at)?).await?)
    }

    async fn rmdir(at: types::Location) -> Result<(), Error> {
        Ok(engine().rmdir(Location::from_wit(at)?).await?)
    }

    async fn compute_hash(at: types::Location, algorithm: HashAlgorithm) -> Result<Hash, Error> {
        answer(engine().compute_hash(Location::from_wit(at)?, FromWit::from_wit(algorithm)?).await)
    }
}

/// A listing that is handed on as it comes: pages, of which an empty one is the end.
fn handed_on(pages: impl AsyncFnMut() -> Outcome<Vec<Listed>> + 'static) -> Entries {
    let (sink, entries) = wit_stream::new();
    let (verdict, completion) = wit_future::new(|| Err(cancelled()));
    spawn_local(hand_on(pages, sink, verdict));
    Entries { entries, completion }
}

/// Hands a listing on, page by page, until its end or until nobody reads it.
async fn hand_on(
    mut pages: impl AsyncFnMut() -> Outcome<Vec<Listed>>,
    mut sink: StreamWriter<types::Listed>,
    completion: FutureWriter<Result<(), Error>>,
) {
    let verdict = loop {
        match pages().await {
            Ok(page) if page.is_empty() => break Ok(()),
            Ok(page) => {
                if !sink.write_all(page.into_wit()).await.is_empty() {
                    break Err(cancelled());
                }
            }
            Err(error) => break Err(error.into_wit()),
        }
    };
    drop(sink);
    // A reader that left does not want to know.
    let _ = completion.write(verdict).await;
}
