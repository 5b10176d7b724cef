//! Streams and futures between the host and a component: one producer and one consumer for all backends.

use std::{
    any::{Any, TypeId},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, channel::mpsc};
use tokio::sync::oneshot;
use wasmtime::{
    AsContextMut, StoreContextMut,
    component::{
        Destination, FutureConsumer, FutureReader, Lift, Source, StreamConsumer, StreamProducer,
        StreamReader, StreamResult,
    },
};

use super::{
    bindings::omnistorage::storage::types,
    budget::Budget,
    chunk::{CHUNK, Chunks, copy},
    failure::is_out_of_fuel,
    open::Held,
};
use crate::{Error, ErrorCode, Result, backend::Contents};

/// How a stream ended, in the types of the interface.
pub(super) type Verdict = Result<(), types::Error>;

/// Chunks or pieces of items in flight from a component: enough to overlap, few enough for backpressure.
const IN_FLIGHT: usize = 4;

/// Items in such a piece.
const PIECE: usize = 64;

/// Bytes in such a piece: more than that many objects take with all the metadata that a store keeps.
const PIECE_BYTES: usize = 8 << 20;

/// Bytes of the one value of a future, which only says how something ended.
const WORD_BYTES: usize = 64 << 10;

/// A body that the host hands to a component.
pub(super) struct Body {
    pub(super) contents: StreamReader<u8>,
    pub(super) completion: FutureReader<Verdict>,
}

/// Hands the contents of an object to a component, and counts them against its budget.
pub(super) fn body(
    mut store: impl AsContextMut,
    contents: Contents,
    explain: impl Fn(Error) -> Error + Send + 'static,
    budget: Budget,
    held: Option<Held>,
) -> wasmtime::Result<Body> {
    let (verdict, completion) = oneshot::channel();
    let producer = Producer {
        contents,
        rest: Bytes::new(),
        explain: Box::new(explain),
        verdict: Some(verdict),
        started: false,
        budget,
        _held: held,
    };
    Ok(Body {
        contents: StreamReader::new(&mut store, producer)?,
        completion: FutureReader::new(&mut store, completion)?,
    })
}

/// Feeds a component from the contents of an object.
pub(super) struct Producer {
    contents: Contents,
    /// The rest of a chunk that the component had no room for.
    rest: Bytes,
    /// Adds the place to an error.
    explain: Box<dyn Fn(Error) -> Error + Send>,
    verdict: Option<oneshot::Sender<Verdict>>,
    /// Whether bytes went to the component already; wasmtime may still hold some of them.
    started: bool,
    budget: Budget,
    _held: Option<Held>,
}

impl Producer {
    /// The next chunk, which is never empty; `None` at the end, after the completion was resolved.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(std::mem::take(&mut self.rest)));
        }
        loop {
            let verdict = match ready!(self.contents.as_mut().poll_next(cx)) {
                Some(Ok(chunk)) if chunk.is_empty() => continue,
                Some(Ok(chunk)) => return Poll::Ready(Some(chunk)),
                Some(Err(error)) => Err(error),
                None => Ok(()),
            };
            self.settle(verdict);
            return Poll::Ready(None);
        }
    }

    /// The next chunk, for the host itself; at the end, the completion is resolved.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        match self.contents.next().await {
            Some(Ok(chunk)) => Some(chunk),
            end => {
                self.settle(end.map_or(Ok(()), |failed| failed.map(drop)));
                None
            }
        }
    }

    fn settle(&mut self, verdict: Result<()>) {
        if let Some(sender) = self.verdict.take() {
            // The component may have dropped the future.
            let _ = sender.send(verdict.map_err(|error| (self.explain)(error).into()));
        }
    }
}

impl Drop for Producer {
    /// The reader left early. The future must still resolve: wasmtime treats a lost one as a fault of the host.
    fn drop(&mut self) {
        self.settle(Err(Error::new(ErrorCode::Cancelled, "the reader left before the end")));
    }
}

impl<D: 'static> StreamProducer<D> for Producer {
    type Item = u8;
    type Buffer = Bytes;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, u8, Bytes>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let this = self.get_mut();
        let room = destination.remaining(&mut store);
        if room == Some(0) {
            // A read of zero bytes asks whether there are any.
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let mut chunk = match this.poll_chunk(cx) {
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Ready(Some(chunk)) => chunk,
        };
        this.started = true;
        this.budget.tick();
        let Some(room) = room else {
            destination.set_buffer(chunk);
            return Poll::Ready(Ok(StreamResult::Completed));
        };
        this.rest = chunk.split_off(room.min(chunk.len()));
        let mut memory = destination.as_direct(store, 0);
        copy(&chunk, memory.remaining());
        memory.mark_written(chunk.len());
        Poll::Ready(Ok(StreamResult::Completed))
    }

    /// Lets the host recognise its own producer when a component hands the stream on untouched. Once bytes were read it
    /// stays a stream: those that wasmtime holds would be lost.
    fn try_into(this: Pin<Box<Self>>, wanted: TypeId) -> std::result::Result<Box<dyn Any>, Pin<Box<Self>>> {
        if wanted != TypeId::of::<Self>() || this.started {
            return Err(this);
        }
        let producer: Box<Self> = Pin::into_inner(this);
        Ok(producer)
    }
}

/// Takes a stream from a component: bytes in chunks, or records one by one. Its drop says nothing about why the
/// stream ended; that is what the completion is for.
struct Consumer<T> {
    sender: mpsc::Sender<T>,
    budget: Budget,
}

impl<T> Consumer<T> {
    /// Makes room first: what was taken cannot be put back.
    fn poll_ready(&mut self, cx: &mut Context<'_>, finish: bool) -> Poll<Option<StreamResult>> {
        match self.sender.poll_ready(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(None),
            Poll::Ready(Err(_)) => Poll::Ready(Some(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Some(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn send(&mut self, value: T) -> StreamResult {
        self.budget.tick();
        match self.sender.start_send(value) {
            Ok(()) => StreamResult::Completed,
            Err(_) => StreamResult::Dropped,
        }
    }
}

/// Takes bytes from a component.
struct Outgoing {
    consumer: Consumer<Bytes>,
    chunks: Chunks,
}

impl<D: 'static> StreamConsumer<D> for Outgoing {
    type Item = u8;

    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let this = self.get_mut();
        let mut source = source.as_direct(store);
        let length = source.remaining().len().min(CHUNK);
        if length == 0 {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match this.consumer.poll_ready(cx, finish) {
            Poll::Ready(None) => {}
            Poll::Ready(Some(end)) => return Poll::Ready(Ok(end)),
            Poll::Pending => return Poll::Pending,
        }
        let chunk = this.chunks.fill(&source.remaining()[..length])?;
        source.mark_read(length);
        Poll::Ready(Ok(this.consumer.send(chunk)))
    }
}

/// Takes records from a component, in the pieces in which it wrote them.
struct Items<T>(Consumer<Vec<T>>);

impl<D: 'static, T: Lift + Unpin + Send + 'static> StreamConsumer<D> for Items<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let this = &mut self.get_mut().0;
        let length = source.remaining(&mut store);
        if length == 0 {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match this.poll_ready(cx, finish) {
            Poll::Ready(None) => {}
            Poll::Ready(Some(end)) => return Poll::Ready(Ok(end)),
            Poll::Pending => return Poll::Pending,
        }
        let mut items = Vec::with_capacity(length.min(PIECE));
        let what = "records that it hands over at once";
        within(store, PIECE_BYTES, what, |store| source.read(store, &mut items))?;
        Poll::Ready(Ok(this.send(items)))
    }
}

/// Takes a value of at most this many bytes from a component.
fn within<D>(
    mut store: StoreContextMut<'_, D>,
    limit: usize,
    what: &str,
    take: impl FnOnce(StoreContextMut<'_, D>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    let usual = store.hostcall_fuel();
    store.set_hostcall_fuel(limit.min(usual));
    let taken = take(store.as_context_mut());
    store.set_hostcall_fuel(usual);
    taken.map_err(|error| match is_out_of_fuel(&error) {
        true => Error::new(
            ErrorCode::LimitExceeded,
            format!("the component has {what} of more than {limit} bytes"),
        )
        .into(),
        false => error,
    })
}

/// Hands the one value of a component's future on.
struct Once<T>(Option<oneshot::Sender<T>>);

impl<D: 'static, T: Lift + Unpin + Send + 'static> FutureConsumer<D> for Once<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut value = None;
        within(store, WORD_BYTES, "a word on the end", |store| source.read(store, &mut value))?;
        if let (Some(sender), Some(value)) = (self.get_mut().0.take(), value) {
            // The receiver may be gone.
            let _ = sender.send(value);
        }
        Poll::Ready(Ok(()))
    }
}

/// The value of a component's future; an error if the component vanishes without one.
pub(super) fn once<T: Lift + Unpin + Send + 'static>(
    store: impl AsContextMut,
    future: FutureReader<T>,
) -> wasmtime::Result<oneshot::Receiver<T>> {
    let (sender, receiver) = oneshot::channel();
    future.pipe(store, Once(Some(sender)))?;
    Ok(receiver)
}

/// The records of a component's stream.
pub(super) fn items<T: Lift + Unpin + Send + 'static>(
    store: impl AsContextMut,
    stream: StreamReader<T>,
    budget: Budget,
) -> wasmtime::Result<mpsc::Receiver<Vec<T>>> {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    stream.pipe(store, Items(Consumer { sender, budget }))?;
    Ok(receiver)
}

/// The error for a completion that never came.
pub(super) fn undecided() -> Error {
    Error::new(ErrorCode::Cancelled, "the writer left without saying whether its bytes were complete")
}

/// A body from a component: the host's own, handed on untouched, or one that the component feeds.
pub(super) enum Incoming {
    /// Bytes go from backend to backend and never near the component.
    Own(Box<Producer>),
    /// Bytes come out of the component's memory.
    Fed(mpsc::Receiver<Bytes>),
}

impl Incoming {
    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Fed(chunks) => chunks.next().await,
            Self::Own(producer) => producer.next().await,
        }
    }

    /// The bytes; whether their end is the true one stands in the completion.
    pub(super) fn into_stream(self) -> impl Stream<Item = Bytes> + Send {
        futures::stream::unfold(self, async |mut incoming| {
            let chunk = incoming.next().await?;
            Some((chunk, incoming))
        })
    }
}

/// The two halves of a body from a component.
pub(super) fn incoming(
    mut store: impl AsContextMut,
    contents: StreamReader<u8>,
    completion: FutureReader<Verdict>,
    budget: Budget,
) -> wasmtime::Result<(Incoming, oneshot::Receiver<Verdict>)> {
    let incoming = match contents.try_into::<Producer>(&mut store) {
        Ok(producer) => Incoming::Own(Box::new(producer)),
        Err(contents) => {
            let (sender, receiver) = mpsc::channel(IN_FLIGHT);
            let chunks = Chunks::of(&budget);
            contents.pipe(&mut store, Outgoing { consumer: Consumer { sender, budget }, chunks })?;
            Incoming::Fed(receiver)
        }
    };
    Ok((incoming, once(&mut store, completion)?))
}
