//! Receives a body from a component into an upload.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{FutureExt, StreamExt, channel::mpsc, future::BoxFuture};
use tokio::sync::oneshot;
use wasmtime::{
    StoreContextMut,
    component::{Accessor, FutureReader, HasData, Source, StreamConsumer, StreamReader, StreamResult},
};

use super::{
    budget::Budget,
    chunk::{CHUNK, Chunks},
    stream::{Producer, Verdict, once, undecided},
};
use crate::{Error, ErrorCode, ObjectInfo, Result, backend::Upload};

/// What is to be written.
pub(super) enum Body {
    /// The host's own body, which the component handed on untouched.
    Own(Box<Producer>),
    /// A body that the component writes.
    Made(StreamReader<u8>),
}

impl Body {
    pub(super) fn of<T: 'static, H: HasData>(accessor: &Accessor<T, H>, contents: StreamReader<u8>) -> Self {
        match accessor.with(|mut access| contents.try_into::<Producer>(&mut access)) {
            Ok(producer) => Self::Own(Box::new(producer)),
            Err(contents) => Self::Made(contents),
        }
    }

    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

/// An upload, and how its last push ended.
type Pushed = (Box<dyn Upload>, Result<()>);

/// Where the upload is.
enum Held {
    /// Ready for the next bytes.
    Ready(Box<dyn Upload>),
    /// Busy with a push, and back after it.
    Away(oneshot::Receiver<Pushed>),
    /// Failed, or handed back.
    Gone,
}

/// Feeds an upload with what a component writes. A push that is ready at once happens in place, and its chunk is filled
/// again while it is in the processor's cache; one that must wait goes on in [`receive`], while the component works on
/// the next bytes.
///
/// Being dropped says nothing about why the stream ended; the completion does.
struct Feeder {
    upload: Held,
    chunks: Chunks,
    /// Takes pushes that wait. There is never more than one: the next begins when the upload is back.
    waiting: Option<mpsc::UnboundedSender<BoxFuture<'static, ()>>>,
    done: Option<oneshot::Sender<Result<Held, Box<Pushed>>>>,
    budget: Budget,
}

impl Feeder {
    /// The upload, once its last push is done; `None` if that failed, or the upload is gone.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Option<Box<dyn Upload>>> {
        match mem::replace(&mut self.upload, Held::Gone) {
            Held::Ready(upload) => Poll::Ready(Some(upload)),
            Held::Gone => Poll::Ready(None),
            Held::Away(mut coming) => match coming.poll_unpin(cx) {
                Poll::Pending => {
                    self.upload = Held::Away(coming);
                    Poll::Pending
                }
                Poll::Ready(Ok((upload, Ok(())))) => Poll::Ready(Some(upload)),
                Poll::Ready(Ok(failed)) => {
                    self.give_back(Err(Box::new(failed)));
                    Poll::Ready(None)
                }
                // The write was given up.
                Poll::Ready(Err(_)) => Poll::Ready(None),
            },
        }
    }

    /// Begins a push, and completes it if it is ready at once; returns whether another may follow.
    fn push(&mut self, cx: &mut Context<'_>, mut upload: Box<dyn Upload>, bytes: &[u8]) -> bool {
        let chunk = match self.chunks.fill(bytes) {
            Ok(chunk) => chunk,
            Err(refused) => {
                self.give_back(Err(Box::new((upload, Err(refused)))));
                return false;
            }
        };
        self.budget.tick();
        let mut push = async move {
            let pushed = upload.push(chunk).await;
            (upload, pushed)
        }
        .boxed();
        match push.poll_unpin(cx) {
            Poll::Ready((upload, Ok(()))) => self.upload = Held::Ready(upload),
            Poll::Ready(failed) => {
                self.give_back(Err(Box::new(failed)));
                return false;
            }
            Poll::Pending => {
                let (back, coming) = oneshot::channel();
                // The receiver may be gone.
                let push = push.map(|pushed| drop(back.send(pushed))).boxed();
                let waits = self.waiting.as_ref().map(|waiting| waiting.unbounded_send(push));
                self.upload = Held::Away(coming);
                return waits.is_some_and(|sent| sent.is_ok());
            }
        }
        true
    }

    fn give_back(&mut self, upload: Result<Held, Box<Pushed>>) {
        self.waiting = None;
        if let Some(done) = self.done.take() {
            // If nobody waits for it, the write was given up, and dropping the upload leaves nothing.
            let _ = done.send(upload);
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        let upload = mem::replace(&mut self.upload, Held::Gone);
        self.give_back(Ok(upload));
    }
}

impl<D: 'static> StreamConsumer<D> for Feeder {
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
        // Make room first: what was taken cannot be put back.
        let upload = match this.poll_ready(cx) {
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            ready => ready!(ready),
        };
        let Some(upload) = upload else { return Poll::Ready(Ok(StreamResult::Dropped)) };
        let goes_on = this.push(cx, upload, &source.remaining()[..length]);
        source.mark_read(length);
        Poll::Ready(Ok(if goes_on { StreamResult::Completed } else { StreamResult::Dropped }))
    }
}

/// Feeds an upload from the component's stream, to its end.
async fn feed<T: 'static, H: HasData>(
    accessor: &Accessor<T, H>,
    upload: Box<dyn Upload>,
    contents: StreamReader<u8>,
    budget: &Budget,
) -> wasmtime::Result<Option<Pushed>> {
    let ((waiting, mut waits), (done, ended)) = (mpsc::unbounded(), oneshot::channel());
    accessor.with(|mut access| {
        let feeder = Feeder {
            upload: Held::Ready(upload),
            chunks: Chunks::of(budget),
            waiting: Some(waiting),
            done: Some(done),
            budget: budget.clone(),
        };
        contents.pipe(&mut access, feeder)
    })?;
    while let Some(push) = waits.next().await {
        push.await;
        budget.tick();
    }
    Ok(match ended.await {
        Ok(Ok(Held::Ready(upload))) => Some((upload, Ok(()))),
        Ok(Ok(Held::Away(coming))) => coming.await.ok(),
        Ok(Ok(Held::Gone)) | Err(_) => None,
        Ok(Err(failed)) => Some(*failed),
    })
}

/// Pushes the host's own bytes, which the component handed on untouched, and resolves the completion at their end.
async fn hand_on(mut producer: Box<Producer>, mut upload: Box<dyn Upload>, budget: &Budget) -> Pushed {
    while let Some(chunk) = producer.next().await {
        budget.tick();
        if let Err(error) = upload.push(chunk).await {
            return (upload, Err(error));
        }
    }
    (upload, Ok(()))
}

/// Writes a body from a component, and commits only if its completion says that the end is the true one.
pub(super) async fn receive<T: 'static, H: HasData>(
    accessor: &Accessor<T, H>,
    upload: Box<dyn Upload>,
    contents: Body,
    completion: FutureReader<Verdict>,
    budget: &Budget,
) -> wasmtime::Result<Result<ObjectInfo>> {
    let decision = accessor.with(|mut access| once(&mut access, completion))?;
    let pushed = match contents {
        Body::Own(producer) => Some(hand_on(producer, upload, budget).await),
        Body::Made(contents) => feed(accessor, upload, contents, budget).await?,
    };
    let Some((upload, pushed)) = pushed else {
        return Ok(Err(Error::new(ErrorCode::Cancelled, "the write was given up")));
    };
    let refused = match pushed {
        Err(error) => error,
        Ok(()) => match decision.await {
            Ok(Ok(())) => return Ok(upload.commit().await),
            Ok(Err(error)) => error.into(),
            Err(_) => undecided(),
        },
    };
    upload.abort().await;
    Ok(Err(refused))
}

/// Refuses a body: nobody reads it, and its writer is told.
pub(super) fn close<T: 'static, H: HasData>(
    accessor: &Accessor<T, H>,
    contents: Body,
    mut completion: FutureReader<Verdict>,
) -> wasmtime::Result<()> {
    accessor.with(|mut access| {
        match contents {
            Body::Own(producer) => drop(producer),
            Body::Made(mut contents) => contents.close(&mut access)?,
        }
        completion.close(&mut access)
    })
}
