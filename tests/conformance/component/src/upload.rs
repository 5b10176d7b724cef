//! An upload in steps, made of one call that takes a stream.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    channel::oneshot,
    future::{Either, select},
};
use omnistorage::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{Upload, WriteOptions},
};
use send_wrapper::SendWrapper;
use wit_bindgen::{FutureWriter, StreamResult, StreamWriter, spawn_local};

use crate::{
    bindings::{omnistorage::storage::types, wit_future, wit_stream},
    imported::plain,
    wit,
};

/// A `write` that is under way.
pub(crate) struct Sent(SendWrapper<State>);

struct State {
    contents: Option<StreamWriter<u8>>,
    completion: FutureWriter<Result<(), types::Error>>,
    outcome: oneshot::Receiver<Result<types::ObjectInfo, types::Error>>,
}

impl Sent {
    pub(crate) async fn begin(
        backend: Arc<wit::Backend>,
        path: String,
        options: &WriteOptions,
    ) -> Result<Self> {
        let (mut contents, reader) = wit_stream::new();
        let (completion, completed) = wit_future::new(|| Err(cancelled().into()));
        let (tell, mut outcome) = oneshot::channel();
        let options = plain(options);
        spawn_local(async move {
            let _ = tell.send(backend.write(path, reader, completed, options).await);
        });
        // A write of nothing ends once somebody reads, or nobody will: what is refused at once is refused here.
        let told = match select(&mut outcome, pin!(contents.write(Vec::new()))).await {
            Either::Left((told, _)) => Some(told),
            Either::Right(((StreamResult::Dropped, _), outcome)) => Some(outcome.await),
            Either::Right(_) => None,
        };
        if let Some(Ok(Err(error))) = told {
            return Err(error.into());
        }
        Ok(Self(SendWrapper::new(State { contents: Some(contents), completion, outcome })))
    }
}

#[async_trait]
impl Upload for Sent {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let state = &mut *self.0;
        SendWrapper::new(async move {
            let Some(contents) = &mut state.contents else { return Err(cancelled()) };
            if contents.write_all(chunk.to_vec()).await.is_empty() {
                return Ok(());
            }
            // It takes no more: the reason is what came of the call.
            state.contents = None;
            match (&mut state.outcome).await {
                Ok(Err(error)) => Err(error.into()),
                _ => Err(cancelled()),
            }
        })
        .await
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        SendWrapper::new(async move {
            let State { contents, completion, outcome } = self.0.take();
            drop(contents);
            let _ = completion.write(Ok(())).await;
            match outcome.await {
                Ok(done) => ObjectInfo::try_from(done?),
                Err(oneshot::Canceled) => Err(cancelled()),
            }
        })
        .await
    }

    async fn abort(self: Box<Self>) {
        SendWrapper::new(async move {
            let State { contents, completion, outcome } = self.0.take();
            drop(contents);
            let _ = completion.write(Err(cancelled().into())).await;
            let _ = outcome.await;
        })
        .await;
    }
}

fn cancelled() -> Error {
    Error::new(ErrorCode::Cancelled, "the write was given up")
}
