//! Shows progress: lines without colour that change in place on a terminal, or on demand a line every so often.

#[cfg(target_family = "wasm")]
mod interval;
mod terminal;

use std::{io::IsTerminal, time::Duration};

#[cfg(not(target_family = "wasm"))]
use tokio::time::{Interval, MissedTickBehavior, interval};

#[cfg(target_family = "wasm")]
use self::interval::Interval;
use self::terminal::Terminal;
use super::output::{self, note};

/// Shows on standard error how far a command is.
pub(crate) enum Progress {
    Nothing,
    /// Changes in place.
    Terminal(Terminal),
    /// Anything but a terminal: a line every so often.
    Lines(Duration),
}

impl Progress {
    /// Shows progress if it is `wanted` and standard error is a terminal; or every so often, wherever messages go.
    pub(crate) fn new(wanted: bool, anywhere: Option<Duration>) -> Self {
        // What changes in place is drawn by a thread of its own.
        let is_terminal = cfg!(not(target_family = "wasm")) && std::io::stderr().is_terminal();
        match (wanted, is_terminal && !output::has_file()) {
            (false, _) => Self::Nothing,
            (true, false) => anywhere.map_or(Self::Nothing, Self::Lines),
            (true, true) => Self::Terminal(Terminal::new()),
        }
    }

    /// When to say how far it is.
    pub(crate) fn moments(&self) -> Moments {
        #[cfg(target_family = "wasm")]
        let every = |period| Moments(Some(Interval::of(period)));
        #[cfg(not(target_family = "wasm"))]
        let every = |period| {
            let mut interval = interval(period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval.reset(); // there is nothing to say at once
            Moments(Some(interval))
        };
        match self {
            Self::Nothing => Moments(None),
            Self::Terminal(_) => every(Duration::from_millis(100)),
            Self::Lines(period) => every(*period),
        }
    }

    /// Says how far the whole is and, where there is room for it, each object that is under way.
    pub(crate) fn update(&mut self, whole: impl FnOnce() -> String, objects: impl FnOnce() -> Vec<String>) {
        match self {
            Self::Nothing => {}
            Self::Terminal(terminal) => terminal.update(&whole(), &objects()),
            Self::Lines(_) => note(whole()),
        }
    }

    /// Writes a line that stays.
    pub(crate) fn note(&self, line: impl std::fmt::Display) {
        match self {
            Self::Nothing | Self::Lines(_) => note(line),
            Self::Terminal(terminal) => terminal.note(line),
        }
    }
}

/// See [`Progress::moments`].
pub(crate) struct Moments(Option<Interval>);

impl Moments {
    /// The next one, which may never come.
    pub(crate) async fn next(&mut self) {
        match &mut self.0 {
            Some(interval) => _ = interval.tick().await,
            None => std::future::pending().await,
        }
    }
}
