//! A range that somebody had before: if it ended them, it is done piece by piece. Each crash halves what is left to blame, and
//! a path that ends whoever is at work on it twice is left alone, as one that failed.

use futures::StreamExt;

use super::part::Part;
use crate::{
    Error, ErrorCode, KeyRange, Location, Path, Result,
    backend::ListOptions,
    cluster::{
        entry::{Entry, Lines, Outcome as Came},
        queue::Work,
        range::{Lease, Outcome},
        trial::{Next, Trial},
    },
    ranges::{Counts, Extra, Operation, Tiles},
    runtime::{Action, Activity, CheckEntry, CheckReport, Difference, Event, Report},
};

/// Paths that are kept in mind to find the middle of a range.
const SAMPLE: usize = 4_096;

/// Where a piece can be cut.
enum Cut {
    At(Path),
    /// There is one path, or none.
    Nowhere(Option<Path>),
}

impl Part {
    /// Does a range piece by piece, from where whoever had it before came to an end.
    pub(super) async fn in_pieces(
        &self,
        work: &Work,
        range: &KeyRange,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Result<Outcome> {
        let (run, cluster) = (&self.record.run.id, &self.worker.0.cluster);
        let mut trial = cluster.trial(run, work).await?.unwrap_or_else(|| Trial::new(range, true));
        let whole = trial.whole()?;
        trial.take_over();
        loop {
            if !lease.holds().await {
                return Ok(Outcome::Lost);
            }
            match trial.next()? {
                Next::End => break,
                Next::Cut(range, is_second) => match lease.keep(self.cut(&range), &Activity::default()).await
                {
                    None => return Ok(Outcome::Lost),
                    Some(cut) => match cut? {
                        Cut::At(border) => trial.cut(range, border),
                        Cut::Nowhere(path) if is_second => {
                            let path = path.map_or_else(|| format!("{range:?}"), |path| path.to_string());
                            (self.worker.0.say)(format!(
                                "run {run}: `{path}` ends whoever is at work on it: left alone"
                            ));
                            trial.end(self.poisoned(&range, path))?;
                        }
                        Cut::Nowhere(_) => match self.piece(&mut trial, work, &range, extra, lease).await? {
                            None => {}
                            Some(other) => return Ok(other),
                        },
                    },
                },
                Next::Try(range) => match self.piece(&mut trial, work, &range, extra, lease).await? {
                    None => {}
                    Some(other) => return Ok(other),
                },
            }
            if trial.done().is_some_and(|done| matches!(done.outcome, Came::Failed(_))) {
                break;
            }
        }
        // Whatever happens to the directories, no piece is to blame.
        cluster.keep_trial(run, work, &trial).await?;
        let Some(done) = trial.done() else {
            return Err(Error::new(ErrorCode::Corrupted, "a range has no piece"));
        };
        let entry = Entry { bounds: (&whole).into(), ..done.clone() };
        self.joined(entry, Tiles::new(whole, trial.borders()?), extra.is_some(), lease).await
    }

    /// The entry of all pieces, when the directories are done that a border of theirs parts from what is in them.
    async fn joined(&self, entry: Entry, pieces: Tiles, deletes: bool, lease: &mut Lease) -> Result<Outcome> {
        let run = &self.record.run;
        let changes =
            matches!(run.task.operation, Operation::Transfer(_)) && !run.options.options(None)?.dry_run;
        let target = &self.opened.target.backend;
        if !changes
            || pieces.count() == 1
            || !self.opened.storage.features(target).await?.features.directories
        {
            return Ok(Outcome::Done(Box::new(entry)));
        }
        let Some((lines, counts)) = self.tidied(&pieces, deletes, lease).await? else {
            return Ok(Outcome::Lost);
        };
        // What was compared there is counted already.
        let counts = counts.and_then(Counts::report).map(|report| {
            let Report { transferred, bytes, updated_times, errors, .. } = report;
            Counts::Sync(Report { transferred, bytes, updated_times, errors, ..Report::default() })
        });
        let last = lines.entry(pieces.whole(), &self.worker.0.name, counts, None);
        Ok(Outcome::Done(Box::new(entry.plus(last)?)))
    }

    /// Works on the next piece; what came of it if it was not done.
    async fn piece(
        &self,
        trial: &mut Trial,
        work: &Work,
        range: &KeyRange,
        extra: Option<Extra>,
        lease: &mut Lease,
    ) -> Result<Option<Outcome>> {
        let (run, cluster) = (&self.record.run.id, &self.worker.0.cluster);
        // As many as are left to be deleted.
        let gone = match trial.done().map(|done| &done.outcome) {
            Some(Came::Counted(Counts::Sync(report))) => report.deleted,
            _ => 0,
        };
        let extra = extra.map(|extra| Extra { extras: extra.extras.saturating_sub(gone), ..extra });
        trial.begin();
        cluster.keep_trial(run, work, trial).await?;
        match self.over(range, extra, lease).await? {
            // What was seen counts only if the places are still there.
            Outcome::Done(entry) => match self.witnesses().await {
                Ok(None) => {
                    trial.end(*entry)?;
                    Ok(None)
                }
                Ok(Some(error)) => Ok(Some(Outcome::Later(error))),
                Err(message) => Ok(Some(Outcome::Later(Error::new(ErrorCode::Unavailable, message)))),
            },
            other => Ok(Some(other)),
        }
    }

    /// Says that this worker leaves a range and is well, so that nobody blames the range.
    pub(super) async fn leave(&self, work: &Work, range: &KeyRange) -> Result<()> {
        let (run, cluster) = (&self.record.run.id, &self.worker.0.cluster);
        let mut trial = cluster.trial(run, work).await?.unwrap_or_else(|| Trial::new(range, false));
        trial.leave();
        cluster.keep_trial(run, work, &trial).await
    }

    /// Finds the middle of what is in a range, on both sides.
    async fn cut(&self, range: &KeyRange) -> Result<Cut> {
        let mut paths = Vec::new();
        for side in [&self.opened.source, &self.opened.target] {
            paths.extend(self.sample(side, range).await?);
        }
        paths.sort_unstable();
        paths.dedup();
        match paths.as_mut_slice() {
            [] => Ok(Cut::Nowhere(None)),
            [one] => Ok(Cut::Nowhere(Some(one.clone()))),
            more => Ok(more.get((more.len() - 1) / 2).cloned().map_or(Cut::Nowhere(None), Cut::At)),
        }
    }

    /// Paths of a side, spread evenly over a range: all of them, or some thousands.
    async fn sample(&self, side: &Location, range: &KeyRange) -> Result<Vec<Path>> {
        let full = |end: &Option<Path>| end.as_ref().map(|end| side.path.join(end)).transpose();
        let options = ListOptions {
            recursive: true,
            start_after: full(&range.after)?,
            until: full(&range.until)?,
            ..ListOptions::default()
        };
        let is_absent = |error: &Error| matches!(error.code(), ErrorCode::NotFound | ErrorCode::NotDirectory);
        let mut entries = match self.opened.storage.list(side, &options).await {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let (mut paths, mut every, mut passed) = (Vec::new(), 1, 0_u64);
        while let Some(listed) = entries.next().await {
            let listed = match listed {
                Err(error) if is_absent(&error) => break,
                listed => listed?,
            };
            let Ok(entry) = listed.into_entry() else { continue };
            let Some(path) = entry.path.strip_prefix(&side.path) else { continue };
            if passed % every == 0 {
                paths.push(path);
            }
            passed += 1;
            if paths.len() > SAMPLE {
                let mut keep = false;
                paths.retain(|_| {
                    keep = !keep;
                    keep
                });
                every *= 2;
            }
        }
        Ok(paths)
    }

    /// The entry of a path that is left alone.
    fn poisoned(&self, range: &KeyRange, path: String) -> Entry {
        let message = "poison: whoever is at work on it comes to an end, and so it is left alone";
        let (mut lines, error) = (Lines::default(), Some(Error::new(ErrorCode::Other, message)));
        let counts = match self.record.run.task.operation {
            Operation::Transfer(_) => {
                lines.add(Event { action: Action::Failed, path, size: None, reason: None, error });
                Counts::Sync(Report { checked: 1, source_objects: 1, errors: 1, ..Report::default() })
            }
            Operation::Check => {
                lines.add(CheckEntry { path, difference: Difference::Error, reason: None, error });
                Counts::Check(CheckReport { checked: 1, errors: 1, ..CheckReport::default() })
            }
        };
        lines.entry(range, &self.worker.0.name, Ok(counts), None)
    }
}
