//! Lines that change in place: one for each object that is under way, and below them that of the whole.

use std::{fmt::Display, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::{note, printable};

/// As many objects have a line. Each backend moves more than that at once, but nobody reads more.
const OBJECTS: usize = 8;

/// The bottom of a terminal.
pub(crate) struct Terminal {
    lines: MultiProgress,
    whole: ProgressBar,
    objects: Vec<ProgressBar>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let whole = lines.add(line("{spinner} {wide_msg} {elapsed}"));
        whole.enable_steady_tick(Duration::from_millis(100));
        Self { lines, whole, objects: Vec::new() }
    }

    /// Says how far the whole is, and each object.
    pub(super) fn update(&mut self, whole: &str, objects: &[String]) {
        let shown = objects.len().min(OBJECTS);
        while self.objects.len() < shown {
            self.objects.push(self.lines.insert_before(&self.whole, line("  {wide_msg}")));
        }
        for gone in self.objects.drain(shown..) {
            gone.finish_and_clear();
            self.lines.remove(&gone);
        }
        for (line, object) in self.objects.iter().zip(objects) {
            line.set_message(printable(object).into_owned());
        }
        self.whole.set_message(printable(whole).into_owned());
    }

    /// Writes a line that stays, above the others.
    pub(super) fn note(&self, text: impl Display) {
        self.lines.suspend(|| note(text));
    }
}

fn line(template: &str) -> ProgressBar {
    // Drawn by the lines together, once it is one of them.
    let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template(template) {
        line.set_style(style);
    }
    line
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for line in self.objects.iter().chain([&self.whole]) {
            line.finish_and_clear();
        }
    }
}
