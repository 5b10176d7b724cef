//! The calls of a backend as spans.

use std::future::Future;

use bytes::Bytes;

use super::{
    context::new_span_id,
    otlp::{KeyValue, Kind, Span, Status},
    traces::Traces,
};
use crate::{
    Error, Result,
    backend::layer::{Call, Layer, Operation},
};

/// Writes down each call of a backend, but for the pieces of bodies.
#[derive(Debug)]
pub(crate) struct Calls(Traces);

impl Calls {
    pub(in super::super) fn of(traces: &Traces) -> Self {
        Self(traces.clone())
    }
}

/// A call that has begun. One that is given up ends when this is dropped.
struct Begun<'a> {
    traces: &'a Traces,
    call: Call<'a>,
    started: u64,
    is_told: bool,
}

impl Begun<'_> {
    fn end(mut self, error: Option<&Error>) {
        self.tell(error.map(|error| error.code().as_str()));
    }

    /// With the code of what failed. Messages may tell more than a collector should know.
    fn tell(&mut self, failed: Option<&'static str>) {
        self.is_told = true;
        let Self { traces, call, started, .. } = self;
        let now = traces.now();
        let parent = traces.parent_of(call.operation, *started, now);
        let mut attributes = vec![
            KeyValue::text("omnistorage.backend", call.backend),
            KeyValue::text("omnistorage.operation", call.operation.as_str()),
            KeyValue::text("omnistorage.path", call.path.as_str()),
        ];
        attributes.extend(failed.map(|code| KeyValue::text("error.type", code)));
        traces.tell(Span {
            name: call.operation.as_str().to_owned(),
            kind: Kind::Client.into(),
            attributes,
            status: failed.map(Status::error),
            ..traces.span(new_span_id(), parent, *started, now)
        });
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(Some("cancelled"));
        }
    }
}

/// What a span of its own would tell nothing about: pieces of bodies, what the other side of a copy tells, the end.
const fn is_detail(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ReadChunk | Operation::Push | Operation::CopyFrom | Operation::MoveFrom | Operation::Close
    )
}

impl Layer for Calls {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if is_detail(call.operation) {
            return run.await;
        }
        let begun = Begun { traces: &self.0, call, started: self.0.now(), is_told: false };
        let outcome = run.await;
        begun.end(outcome.as_ref().err());
        outcome
    }

    /// Of a body, the end that is none is told of.
    async fn chunk(
        &self,
        call: Call<'_>,
        next: impl Future<Output = Option<Result<Bytes>>> + Send,
    ) -> Option<Result<Bytes>> {
        let started = self.0.now();
        let chunk = next.await;
        if let Some(Err(error)) = &chunk {
            Begun { traces: &self.0, call, started, is_told: false }.end(Some(error));
        }
        chunk
    }
}
