//! The trace of a command, from its beginning to its end.

use std::{
    env,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    super::{Globals, exit::Exit, output::note},
    clock::Clock,
    context::{Context, SpanId},
    otlp::{KeyValue, Kind, Span, Status},
    phases::Run,
    sender::Sender,
    settings::Settings,
};

/// Spans of a command; what is beyond is counted alone.
const MOST: u64 = 20_000;

/// How long the end of a command waits until the last spans are taken.
const PATIENCE: Duration = Duration::from_secs(2);

/// The trace of this command. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Traces(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    command: String,
    context: Context,
    clock: Clock,
    started: u64,
    sender: Sender,
    /// Spans so far.
    spans: AtomicU64,
    /// Spans that there was no room for.
    left_out: AtomicU64,
    /// The run that is under way.
    run: Mutex<Option<Run>>,
}

impl Traces {
    /// Begins the trace of a command, if the environment asks for one and it is sampled. What the environment asks for in
    /// vain is said.
    pub(in super::super) fn begin(command: &str, globals: &Globals) -> Option<Self> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let begun = Settings::read(variable).and_then(|settings| {
            let Some(settings) = settings else { return Ok(None) };
            let context = Context::new(variable("TRACEPARENT").as_deref(), variable("TRACESTATE"));
            if !settings.sampler.takes(&context) {
                return Ok(None);
            }
            let sender = Sender::start(settings)?;
            let clock = Clock::new();
            Ok(Some(Self(Arc::new(Shared {
                command: command.to_owned(),
                context,
                started: clock.now(),
                clock,
                sender,
                spans: AtomicU64::new(0),
                left_out: AtomicU64::new(0),
                run: Mutex::new(None),
            }))))
        });
        begun.unwrap_or_else(|why| {
            if !globals.quiet {
                note(format_args!("warning: there is no trace: {why}"));
            }
            None
        })
    }

    /// Ends the trace with how the command ended, and says what the collector did not take.
    pub(in super::super) fn end(&self, exit: u8, globals: &Globals) {
        let Shared { command, context, started, clock, .. } = &*self.0;
        let mut attributes = vec![
            KeyValue::text("omnistorage.command", command),
            KeyValue::number("process.exit.code", exit.into()),
        ];
        let left_out = self.0.left_out.load(Ordering::Relaxed);
        if left_out > 0 {
            attributes.push(KeyValue::number("omnistorage.spans.left_out", left_out));
        }
        let is_done = exit == Exit::Done as u8;
        let root = Span {
            parent_span_id: context.parent.map(Vec::from).unwrap_or_default(),
            name: format!("omnistorage {command}"),
            attributes,
            status: (!is_done).then(|| Status::error(format!("it ended with the exit code {exit}"))),
            flags: context.root_flags(),
            ..self.span(context.root, context.root, *started, clock.now())
        };
        let Err(why) = self.0.sender.end(root, PATIENCE) else { return };
        if !globals.quiet {
            note(format_args!("warning: the trace is not complete: {why}"));
        }
    }

    /// A span of this trace, without what is particular to it.
    pub(super) fn span(&self, id: SpanId, parent: SpanId, from: u64, to: u64) -> Span {
        let context = &self.0.context;
        Span {
            trace_id: context.trace.to_vec(),
            span_id: id.to_vec(),
            trace_state: context.state.clone(),
            parent_span_id: parent.to_vec(),
            kind: Kind::Internal.into(),
            start_time_unix_nano: from,
            end_time_unix_nano: to.max(from),
            flags: context.flags(),
            ..Span::default()
        }
    }

    /// The span that the command is.
    pub(super) fn root(&self) -> SpanId {
        self.0.context.root
    }

    /// Hands a span on, if there is room.
    pub(super) fn tell(&self, span: Span) {
        if self.0.spans.fetch_add(1, Ordering::Relaxed) < MOST {
            self.tell_always(span);
        } else {
            self.0.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands on a span that others are below.
    pub(super) fn tell_always(&self, span: Span) {
        if !self.0.sender.send(span) {
            self.0.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.0.clock.now()
    }

    /// The run that is under way.
    pub(super) fn run(&self) -> MutexGuard<'_, Option<Run>> {
        self.0.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
