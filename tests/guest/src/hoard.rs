//! Taking as much of the host as there is, and keeping it.

use std::{any::Any, future::Future, pin::Pin, task::Poll};

use futures::{StreamExt, poll, stream::FuturesUnordered};

use crate::{
    bindings::{wit_future, wit_stream},
    error,
    imports::{
        backend::{self, Backend, CopyRequest, ListOptions, ReadOptions, WriteCondition, WriteOptions},
        types::{Error, ErrorCode, HashAlgorithm, Location, ObjectInfo},
    },
};

/// More than any host lets a component have.
const MANY: usize = 1_000_000;

/// Takes what the second segment of the path says, again and again, until the host refuses; gives its error:
///
/// - `backends`: opens the backend.
/// - `reads`: opens the object `big`, and reads nothing of it.
/// - `listings`: begins to list.
/// - `writes`: begins to write, and says nothing more.
/// - `wholes`: reads the object `big` by value, many times at once.
/// - `values`: writes a MiB by value, and does not wait for it.
/// - `paths`: asks for the hashes of a thousand paths, and does not wait for them.
/// - `bodies`: begins to write, gives the first MiB, and says nothing more.
/// - `words`: begins to write, and says that it failed in a MiB of words.
/// - `handles`: makes streams.
/// - `memory`: allocates.
///
/// With `keep` as the first segment it says that it was refused by a directory `full/NAME`, and stays as it is.
pub(crate) async fn hoard(at: &Location) -> Result<(), Error> {
    let mut segments = at.path.split('/');
    let keeps = segments.next() == Some("keep");
    let (what, name) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let open = backend::open(at.backend.clone(), Vec::new()).await?;
    let mut hoard = Hoard::default();
    let refusal = match hoard.fill(&open, &at.backend, what, name).await {
        Err(refusal) => refusal,
        Ok(()) => error(ErrorCode::Other, "it got all that it wanted"),
    };
    if keeps {
        open.mkdir(format!("full/{name}")).await?;
        std::future::pending::<()>().await;
    }
    Err(refusal)
}

/// A call that was begun.
type Begun<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// What it has, and what it has begun.
#[derive(Default)]
struct Hoard<'a> {
    things: Vec<Box<dyn Any>>,
    calls: FuturesUnordered<Begun<'a>>,
}

impl<'a> Hoard<'a> {
    async fn fill(&mut self, open: &'a Backend, backend: &str, what: &str, name: &str) -> Result<(), Error> {
        let big = || "big".to_owned();
        for number in 0..MANY {
            let path = format!("hoarded/{name}/{number}");
            match what {
                "backends" => self.keep(backend::open(backend.to_owned(), Vec::new()).await?),
                "reads" => self.keep(open.read(big(), whole()).await?),
                "listings" => self.keep(open.list(String::new(), everything()).await?),
                "handles" => self.keep(wit_stream::new::<u8>()),
                "memory" => self.keep(vec![1_u8; 1 << 20]),
                "writes" => {
                    let (sink, stream) = wit_stream::new();
                    let (word, future) = wit_future::new(|| Err(error(ErrorCode::Cancelled, "it left")));
                    self.keep((sink, word));
                    self.begin(async move { open.write(path, stream, future, plain()).await.map(drop) })
                        .await?;
                }
                "bodies" => {
                    let (mut sink, stream) = wit_stream::new();
                    let (word, future) = wit_future::new(|| Err(error(ErrorCode::Cancelled, "it left")));
                    self.begin(async move { open.write(path, stream, future, plain()).await.map(drop) })
                        .await?;
                    self.begin(async move {
                        sink.write_all(vec![0; 1 << 20]).await;
                        // Neither an end nor a word.
                        let _kept = (sink, word);
                        std::future::pending().await
                    })
                    .await?;
                    backend::pause(1).await;
                }
                "words" => {
                    let (sink, stream) = wit_stream::new();
                    let (word, future) = wit_future::new(|| Ok(()));
                    self.keep(sink);
                    self.begin(async move { open.write(path, stream, future, plain()).await.map(drop) })
                        .await?;
                    let failed = Err(error(ErrorCode::Other, "x".repeat((1 << 20) + number)));
                    self.begin(
                        async move { word.write(failed).await.map_err(|_| error(ErrorCode::Other, "")) },
                    )
                    .await?;
                }
                "wholes" => {
                    self.begin(async move { open.read_all(big(), whole(), u32::MAX).await.map(drop) })
                        .await?;
                }
                "values" => {
                    let value = vec![0; 1 << 20];
                    self.begin(async move { open.write_all(path, value, plain()).await.map(drop) }).await?;
                }
                "paths" => {
                    let paths = vec![big(); 1000];
                    self.begin(async move {
                        let hashes = open.hash_many(paths, HashAlgorithm::Sha256).await;
                        hashes.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
                    })
                    .await?;
                }
                other => panic!("there is no hoard of {other:?}"),
            }
        }
        Ok(())
    }

    fn keep(&mut self, thing: impl Any) {
        self.things.push(Box::new(thing));
    }

    /// Begins a call, and looks after the others.
    async fn begin(&mut self, call: impl Future<Output = Result<(), Error>> + 'a) -> Result<(), Error> {
        self.calls.push(Box::pin(call));
        while let Poll::Ready(Some(ended)) = poll!(self.calls.next()) {
            ended?;
        }
        Ok(())
    }
}

/// Puts so many items into one call, which the second segment names: `delete`, `hash-many` or `copy-many`.
pub(crate) async fn items(open: &Backend, path: &str) -> Result<(), Error> {
    const ITEMS: usize = 200_000;
    let results = match path.split('/').nth(1).unwrap_or_default() {
        "delete" => open.delete(vec![String::new(); ITEMS]).await.len(),
        "hash-many" => open.hash_many(vec![String::new(); ITEMS], HashAlgorithm::Md5).await.len(),
        "copy-many" => {
            let request = || CopyRequest { source: String::new(), target: String::new(), options: plain() };
            open.copy_many(std::iter::repeat_with(request).take(ITEMS).collect(), open).await.len()
        }
        other => panic!("there is no call {other:?} of many"),
    };
    Err(error(ErrorCode::Other, format!("there are {results} results")))
}

/// Does nothing for ever, without computing for long.
pub(crate) async fn idle(open: &Backend, path: &str) -> Result<ObjectInfo, Error> {
    loop {
        match path.split('/').nth(1).unwrap_or_default() {
            "pause" => backend::pause(0).await,
            "delete" => drop(open.delete(Vec::new()).await),
            "copy-many" => drop(open.copy_many(Vec::new(), open).await),
            "refused" => drop(open.stat("..".to_owned()).await),
            other => panic!("there is no idling by {other:?}"),
        }
    }
}

/// Closes the backend and tries to open it again by the back door; succeeds if every call says that it is closed.
pub(crate) async fn reopen(open: &Backend) -> Result<(), Error> {
    open.limit_bandwidth(Some(1 << 30)).await;
    open.close().await?;
    for limit in [None, Some(1), None] {
        open.limit_bandwidth(limit).await;
        let path = || "x".to_owned();
        let refusals = [
            open.stat(path()).await.err(),
            open.exists(path()).await.err(),
            open.read(path(), whole()).await.err(),
            open.read_all(path(), whole(), 1).await.err(),
            open.write_all(path(), Vec::new(), plain()).await.err(),
            open.list(path(), everything()).await.err(),
            open.delete(vec![path()]).await.into_iter().find_map(Result::err),
            open.mkdir(path()).await.err(),
            open.rmdir(path()).await.err(),
            open.purge(path()).await.err(),
            open.sweep(path(), 0).await.err(),
            open.copy(path(), open, path(), plain()).await.err(),
            open.move_(path(), open, path(), plain()).await.err(),
            open.hash(path(), HashAlgorithm::Md5).await.err(),
            open.hash_many(vec![path()], HashAlgorithm::Md5).await.into_iter().find_map(Result::err),
        ];
        for (call, refusal) in refusals.into_iter().enumerate() {
            if refusal.as_ref().is_none_or(|error| error.code != ErrorCode::BackendClosed) {
                return Err(error(ErrorCode::Other, format!("call {call}, limit {limit:?}: {refusal:?}")));
            }
        }
    }
    Ok(())
}

pub(crate) fn whole() -> ReadOptions {
    ReadOptions { offset: 0, length: None, if_match: None }
}

fn everything() -> ListOptions {
    ListOptions { recursive: true, start_after: None, until: None, limit: None, full_info: false }
}

fn plain() -> WriteOptions {
    WriteOptions {
        condition: WriteCondition::Always,
        content_type: None,
        modified: None,
        metadata: Vec::new(),
        expected_size: None,
        expected_hash: None,
    }
}
