//! A run as a span, and its phases below it.

use super::{
    context::{SpanId, new_span_id},
    otlp::{KeyValue, Span, Status},
    phases::{Phase, Run, Times},
    traces::Traces,
};
use crate::{Error, backend::layer::Operation};

/// A run, which ends as it says, or is given up when this is dropped.
pub(in super::super) struct RunSpan {
    traces: Traces,
    is_ended: bool,
}

impl Traces {
    /// Begins a run.
    pub(in super::super) fn begin_run(&self) -> RunSpan {
        *self.run() = Some(Run { id: new_span_id(), from: self.now(), phases: [None; Phase::ALL.len()] });
        RunSpan { traces: self.clone(), is_ended: false }
    }

    /// The span that a call belongs to: a phase of the run, or the command where there is none.
    pub(super) fn parent_of(&self, operation: Operation, from: u64, to: u64) -> SpanId {
        let Some(run) = &mut *self.run() else { return self.root() };
        // It may have begun while the run was being started.
        run.from = run.from.min(from);
        let times = &mut run.phases[Phase::of(operation) as usize];
        let times = times.get_or_insert_with(|| Times { id: new_span_id(), from, to });
        (times.from, times.to) = (times.from.min(from), times.to.max(to));
        times.id
    }

    fn end_run(&self, errors: u64, bytes: Option<u64>, status: Option<Status>) {
        let Some(Run { id, from, phases }) = self.run().take() else { return };
        let now = self.now();
        for (phase, times) in Phase::ALL.into_iter().zip(phases) {
            if let Some(Times { id: phase_id, from, to }) = times {
                self.tell_always(Span { name: phase.name().to_owned(), ..self.span(phase_id, id, from, to) });
            }
        }
        let mut attributes = vec![KeyValue::number("omnistorage.errors", errors)];
        attributes.extend(bytes.map(|bytes| KeyValue::number("omnistorage.bytes", bytes)));
        self.tell_always(Span {
            name: "run".to_owned(),
            attributes,
            status,
            ..self.span(id, self.root(), from, now)
        });
    }
}

impl RunSpan {
    /// An object failed.
    pub(in super::super) fn failed(&self, path: &str, error: Option<&Error>) {
        let now = self.traces.now();
        let Some(parent) = self.traces.run().as_ref().map(|run| run.id) else { return };
        let code = error.map_or("other", |error| error.code().as_str());
        self.traces.tell(Span {
            name: "failed object".to_owned(),
            attributes: vec![KeyValue::text("omnistorage.path", path), KeyValue::text("error.type", code)],
            status: Some(Status::error(code)),
            ..self.traces.span(new_span_id(), parent, now, now)
        });
    }

    /// It ended by itself, with so many errors and after so many bytes were moved, if that is known.
    pub(in super::super) fn end(mut self, errors: u64, bytes: Option<u64>) {
        self.is_ended = true;
        let status = (errors > 0).then(|| Status::error(format!("{errors} errors")));
        self.traces.end_run(errors, bytes, status);
    }
}

impl Drop for RunSpan {
    fn drop(&mut self) {
        if !self.is_ended {
            self.traces.end_run(0, None, Some(Status::error("it was given up")));
        }
    }
}
