//! A range that ended whoever was at work on it: it is cut in halves, until one path is left that does so by itself.

use serde::{Deserialize, Serialize};

use super::{
    bounds::Bounds,
    connection::{Cluster, unavailable},
    entry::{Entry, read, written},
    queue::Work,
};
use crate::{KeyRange, Path, Result};

/// How often one path may end whoever is at work on it, before it is left alone.
const TWICE: u32 = 2;

/// How far a range is that is done piece by piece.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    /// All of it.
    whole: Bounds,
    /// What is left; the next piece is the last one.
    left: Vec<Piece>,
    /// Somebody is at work on the next piece, or was when it ended.
    is_at_work: bool,
    /// Where it was cut.
    borders: Vec<String>,
    /// What was done so far.
    done: Option<Entry>,
}

/// A part of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    bounds: Bounds,
    /// How often it ended whoever was at work on it.
    ended: u32,
}

/// What is to be done with a range next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To work on a piece.
    Try(KeyRange),
    /// To look where it can be cut: nobody comes to the end of it. `true`: the second time.
    Cut(KeyRange, bool),
    /// Nothing is left.
    End,
}

impl Piece {
    fn new(range: &KeyRange, ended: u32) -> Self {
        Self { bounds: range.into(), ended }
    }
}

impl Trial {
    /// Of a range that ended whoever was at work on it, or that was given back by somebody who is well.
    pub(super) fn new(range: &KeyRange, has_ended: bool) -> Self {
        Self {
            whole: range.into(),
            left: vec![Piece::new(range, u32::from(has_ended))],
            is_at_work: false,
            borders: Vec::new(),
            done: None,
        }
    }

    /// The range that it is about.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`](crate::ErrorCode::InvalidPath) if an end is no path.
    pub(super) fn whole(&self) -> Result<KeyRange> {
        self.whole.range()
    }

    /// Whoever was at work is no more.
    pub(super) fn take_over(&mut self) {
        if std::mem::take(&mut self.is_at_work)
            && let Some(piece) = self.left.last_mut()
        {
            piece.ended += 1;
        }
    }

    /// Whoever was at work leaves it, and is well.
    pub(super) fn leave(&mut self) {
        self.is_at_work = false;
    }

    /// What is to be done next.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`](crate::ErrorCode::InvalidPath) if an end is no path.
    pub(super) fn next(&self) -> Result<Next> {
        match self.left.last() {
            None => Ok(Next::End),
            Some(piece) if piece.ended > 0 => Ok(Next::Cut(piece.bounds.range()?, piece.ended >= TWICE)),
            Some(piece) => Ok(Next::Try(piece.bounds.range()?)),
        }
    }

    /// Cuts the next piece there.
    pub(super) fn cut(&mut self, range: KeyRange, border: Path) {
        let KeyRange { after, until } = range;
        self.left.pop();
        self.borders.push(border.to_string());
        for half in [KeyRange { after: Some(border.clone()), until }, KeyRange { after, until: Some(border) }]
        {
            self.left.push(Piece::new(&half, 0));
        }
    }

    /// Somebody is at work on the next piece.
    pub(super) fn begin(&mut self) {
        self.is_at_work = true;
    }

    /// The next piece is done, or left alone.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`](crate::ErrorCode::Corrupted) if what was counted does not add up.
    pub(super) fn end(&mut self, entry: Entry) -> Result<()> {
        self.is_at_work = false;
        self.left.pop();
        self.done = Some(match self.done.take() {
            Some(done) => done.plus(entry)?,
            None => entry,
        });
        Ok(())
    }

    /// Where it was cut, sorted.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`](crate::ErrorCode::InvalidPath) if one is no path.
    pub(super) fn borders(&self) -> Result<Vec<Path>> {
        let mut borders = Vec::with_capacity(self.borders.len());
        for border in &self.borders {
            borders.push(Path::parse(border.as_str())?);
        }
        borders.sort_unstable();
        Ok(borders)
    }

    /// What was done so far.
    pub(super) fn done(&self) -> Option<&Entry> {
        self.done.as_ref()
    }
}

impl Cluster {
    /// How far a range is that is done piece by piece.
    pub(super) async fn trial(&self, run: &str, work: &Work) -> Result<Option<Trial>> {
        let kept = self.ledger.get(key(run, work)).await;
        let kept = kept.map_err(|error| unavailable("tell of a range", &error))?;
        kept.map(|kept| read("how far a range is", &kept)).transpose()
    }

    /// Keeps that.
    pub(super) async fn keep_trial(&self, run: &str, work: &Work, trial: &Trial) -> Result<()> {
        let kept = self.ledger.put(key(run, work), written(trial)?).await;
        kept.map(drop).map_err(|error| unavailable("keep how far a range is", &error))
    }
}

fn key(run: &str, work: &Work) -> String {
    format!("{run}.trial.{}.{}", work.phase().as_str(), work.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::entry::Lines,
        ranges::{Counted, Counts},
        runtime::{Event, Report},
    };

    fn name(number: u32) -> Path {
        Path::parse(format!("{number:03}")).unwrap()
    }

    /// Of so many paths one ends whoever is at work on it.
    fn crashes(paths: u32, poison: u32) -> (u32, Vec<Path>, u64) {
        let whole = KeyRange { after: None, until: None };
        let (mut trial, mut crashes, mut left_alone) = (Trial::new(&whole, true), 1, Vec::new());
        let entry = |range: &KeyRange, checked| {
            let report = Report { checked, ..Report::default() };
            Lines::default().entry(range, "w", Ok(Event::counts(report)), None)
        };
        loop {
            let inside = |range: &KeyRange| -> Vec<Path> {
                (0..paths).map(name).filter(|path| range.spans(path.as_str())).collect()
            };
            match trial.next().unwrap() {
                Next::End => break,
                Next::Cut(range, is_second) => match inside(&range).as_slice() {
                    [path] if is_second => {
                        left_alone.push(path.clone());
                        trial.end(entry(&range, 0)).unwrap();
                    }
                    [_] | [] => {
                        trial.begin();
                        crashes += 1;
                        trial.take_over();
                    }
                    paths => trial.cut(range, paths[(paths.len() - 1) / 2].clone()),
                },
                Next::Try(range) => {
                    trial.begin();
                    if range.spans(name(poison).as_str()) {
                        crashes += 1;
                        trial.take_over();
                    } else {
                        trial.end(entry(&range, inside(&range).len() as u64)).unwrap();
                    }
                }
            }
        }
        let Some(Ok(Counts::Sync(report))) = trial.done().map(|done| done.outcome.clone().into()) else {
            panic!()
        };
        (crashes, left_alone, report.checked)
    }

    #[test]
    fn one_path_is_found_by_few_crashes_and_all_others_are_done() {
        for paths in [1, 2, 3, 8, 100, 500] {
            for poison in [0, paths / 3, paths - 1] {
                let (crashes, left_alone, checked) = crashes(paths, poison);
                assert_eq!(left_alone, [name(poison)], "{paths}");
                assert_eq!(checked, u64::from(paths) - 1);
                let most = 2 + paths.next_power_of_two().trailing_zeros();
                assert!(crashes <= most, "{crashes} of {most} crashes for {paths}");
            }
        }
    }

    #[test]
    fn whoever_leaves_a_range_in_good_health_blames_nothing() {
        let whole = KeyRange { after: None, until: None };
        let mut trial = Trial::new(&whole, false);
        trial.begin();
        trial.leave();
        trial.take_over();
        assert_eq!(trial.next().unwrap(), Next::Try(whole));
    }
}
