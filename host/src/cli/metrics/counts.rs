//! The counters of a command, and how Prometheus reads them.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{backend::layer::Operation, runtime::Activity};

/// What the runs of a command did so far.
pub(super) struct Counts {
    command: &'static str,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By their names in `--json`.
    events: BTreeMap<&'static str, u64>,
    /// Of each run, the last one being under way.
    activities: Vec<Activity>,
}

impl Counts {
    pub(super) fn new(command: &'static str) -> Self {
        Self { command, started: Instant::now(), state: Mutex::default() }
    }

    pub(super) fn begin(&self, activity: &Activity) {
        self.state().activities.push(activity.clone());
    }

    pub(super) fn count(&self, event: &'static str) {
        *self.state().events.entry(event).or_default() += 1;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the text format of Prometheus, version 0.0.4:
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>. Names are those that OpenTelemetry's come to there:
    /// the unit, then `total` for what only grows. No label needs escapes: all values are words of ours.
    pub(super) fn text(&self) -> String {
        let state = self.state();
        let sum = |count: &dyn Fn(&Activity) -> u64| state.activities.iter().map(count).sum::<u64>();
        let command = self.command;
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, String)]| {
            // To write to a string does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{{command=\"{command}\"{labels}}} {value}");
            }
        };
        let events: Vec<_> = state
            .events
            .iter()
            .map(|(event, count)| (format!(",event=\"{event}\""), count.to_string()))
            .collect();
        metric("omnistorage_events_total", "counter", "Events of the run, by what was done.", &events);
        let bytes = sum(&Activity::bytes_moved).to_string();
        metric(
            "omnistorage_transferred_bytes_total",
            "counter",
            "Bytes moved, those of unfinished and failed objects included.",
            &[(String::new(), bytes)],
        );
        let calls: Vec<_> = Operation::ALL
            .into_iter()
            .map(|operation| {
                let calls = sum(&|activity: &Activity| activity.calls(operation));
                (format!(",operation=\"{}\"", operation.as_str()), calls.to_string())
            })
            .collect();
        metric("omnistorage_backend_calls_total", "counter", "Calls of the backends.", &calls);
        let seconds = format!("{:.3}", self.started.elapsed().as_secs_f64());
        let runs = state.activities.len().to_string();
        metric("omnistorage_runs_total", "counter", "Runs begun: see --runs.", &[(String::new(), runs)]);
        metric(
            "omnistorage_elapsed_seconds",
            "gauge",
            "Time since the command began.",
            &[(String::new(), seconds)],
        );
        text
    }
}
