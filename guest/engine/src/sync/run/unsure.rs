//! Pairs for which the listings do not say enough: their times or hashes are looked up.

use futures::join;
use omnistorage_core::{
    entry::Entry,
    sync::compare::{CompareOptions, IfEqual, Reason, Verdict, after_hashing},
};
use omnistorage_types::{Error, ErrorCode};

use super::Run;
use crate::sync::{
    contents::{Hashed, hash_both},
    fence::Seen,
    flight::{Bound, Done},
    pair::Pair,
    place::Reading,
    recode::{Recoder, compare_listed},
};

/// A pair to be decided by its hashes.
pub(super) struct Unsure {
    pub(super) pair: Pair,
    pub(super) if_equal: IfEqual,
    options: CompareOptions,
}

impl Run {
    /// Decides on a pair, given what is known about it.
    pub(super) fn decide(&mut self, pair: Pair, options: CompareOptions) {
        match compare_listed(self.sides.recoder.as_ref(), &pair.source, &pair.target, options) {
            Verdict::NeedTimes => self.ask_times(pair),
            Verdict::NeedHash(if_equal) => {
                let size = pair.source.size;
                if let Some(pairs) = self.unsure.add(Unsure { pair, if_equal, options }, size) {
                    self.compare_contents(pairs);
                }
            }
            verdict => {
                // The next listing will say the same.
                if options.lists_given_times() {
                    self.remember(&pair, verdict);
                }
                self.act(pair, verdict);
            }
        }
    }

    /// Remembers that a pair is the same.
    fn remember(&mut self, pair: &Pair, verdict: Verdict) {
        if let (Some(memo), Verdict::Same(evidence)) = (&mut self.memo, verdict) {
            memo.confirm(pair, evidence);
        }
    }

    /// Looks up times that the listings do not carry.
    pub(super) fn ask_times(&mut self, pair: Pair) {
        let (from, to, sides) =
            (self.sides.source.clone(), self.sides.target.clone(), self.compare.write_times);
        self.in_flight.start(Bound::Checkers, async move {
            let (known, there) = join!(
                with_time(&from, &pair.source, sides.source),
                with_time(&to, &pair.target, sides.target)
            );
            let gone =
                || from.error(ErrorCode::NotFound, &pair.source.path, "it was deleted while it was compared");
            let known = known.and_then(|known| known.ok_or_else(gone));
            Done::Timed(Box::new(pair), known.and_then(|known| Ok((known, there?))).map(Box::new))
        });
    }

    /// Handles the times that were looked up.
    pub(super) fn settle_times(&mut self, listed: Pair, seen: Result<Box<(Entry, Option<Entry>)>, Error>) {
        match seen.map(|seen| *seen) {
            Ok(_) if self.journal.report.stopped.is_some() => self.skip(&listed.source, Reason::LimitReached),
            Ok((source, Some(target))) => {
                let confirmed = &mut self.compare.confirmed;
                confirmed.source |= confirms(&source, &listed.source);
                confirmed.target |= confirms(&target, &listed.target);
                let pair = listed.seen(source, target);
                if let Some(memo) = self.memo.as_mut().filter(|_| !pair.as_listed) {
                    memo.forget(&pair.source.path);
                }
                self.decide(pair, self.compare.with_times());
            }
            Ok((source, None)) => self.queue(source, Reason::MissingOnTarget, Seen::Nothing),
            Err(error) => self.fail(&listed.source.path, error),
        }
    }

    /// Handles the result of a comparison of contents.
    pub(super) fn settle_comparison(&mut self, pair: Pair, verdict: Result<Verdict, Error>) {
        match verdict {
            Ok(_) if self.journal.report.stopped.is_some() => self.skip(&pair.source, Reason::LimitReached),
            Ok(Verdict::NeedTimes) => self.ask_times(pair),
            Ok(verdict) => {
                self.remember(&pair, verdict);
                self.act(pair, verdict);
            }
            Err(error) => self.fail(&pair.source.path, error),
        }
    }

    /// Compares by hash.
    pub(super) fn compare_contents(&mut self, pairs: Vec<Unsure>) {
        let (source, target) = (self.sides.source.clone(), self.sides.target.clone());
        let pairs = match self.sides.recoder.clone() {
            Some(recoder) => self.compare_recoded(recoder, pairs),
            None => pairs,
        };
        if pairs.is_empty() {
            return;
        }
        self.in_flight
            .start(Bound::Checkers, async move { Done::Compared(by_hash(&source, &target, pairs).await) });
    }

    /// Compares pairs of which one side is compressed, and returns the others.
    fn compare_recoded(&mut self, recoder: Recoder, pairs: Vec<Unsure>) -> Vec<Unsure> {
        let (recoded, alike): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|unsure| recoder.changes(&unsure.pair.source));
        if !recoded.is_empty() {
            let (source, target) = (self.sides.source.clone(), self.sides.target.clone());
            self.in_flight.start(Bound::Checkers, async move {
                let mut compared = Vec::with_capacity(recoded.len());
                for Unsure { pair, options, .. } in recoded {
                    compared.push(match recoder.decide(&source, &target, &pair, options).await {
                        Ok((seen, verdict)) => (seen, Ok(verdict)),
                        Err(error) => (pair, Err(error)),
                    });
                }
                Done::Compared(compared)
            });
        }
        alike
    }
}

/// Whether a look at an object tells the hash that was listed: what only looks like one, it does not.
fn confirms(seen: &Entry, listed: &Entry) -> bool {
    listed.hashes.iter().any(|hash| seen.hashes.contains(hash))
}

async fn with_time(side: &Reading, listed: &Entry, is_asked: bool) -> Result<Option<Entry>, Error> {
    if is_asked { side.stat(&listed.path).await } else { Ok(Some(listed.clone())) }
}

async fn by_hash(
    source: &Reading,
    target: &Reading,
    pairs: Vec<Unsure>,
) -> Vec<(Pair, Result<Verdict, Error>)> {
    let entries: Vec<_> = pairs.iter().map(|unsure| (&unsure.pair.source, &unsure.pair.target)).collect();
    let hashed = hash_both(source, target, &entries).await;
    let verdict = |(Unsure { pair, if_equal, options }, hashed): (Unsure, Result<_, _>)| {
        let hashed: Result<Hashed, Error> = hashed;
        (pair, hashed.map(|hashed| after_hashing(if_equal, hashed.hashes(), options)))
    };
    pairs.into_iter().zip(hashed).map(verdict).collect()
}
