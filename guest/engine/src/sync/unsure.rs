//! Pairs about which the listings do not tell enough: their times are asked for, or their hashes.

use futures::join;
use omnistorage_core::{
    entry::{Entry, HashAlgorithm},
    sync::compare::{CompareOptions, IfEqual, Reason, Verdict, after_hashing},
};

use super::{
    contents::hash_both,
    flight::{Bound, Done},
    recode::{Recoder, compare_listed},
    run::Run,
    sides::Reading,
};
use crate::imports::types::{Error, ErrorCode};

/// A pair, and what equal hashes mean.
pub(super) struct Unsure {
    pub(super) source: Entry,
    pub(super) target: Entry,
    pub(super) if_equal: IfEqual,
}

impl Run {
    /// Decides on a pair of which so much is known.
    pub(super) fn decide(&mut self, source: Entry, target: Entry, options: CompareOptions) {
        match compare_listed(self.sides.recoder, &source, &target, options) {
            Verdict::NeedTimes => self.ask_times(source, target),
            Verdict::NeedHash(if_equal) => {
                let size = source.size;
                if let Some(pairs) = self.unsure.add(Unsure { source, target, if_equal }, size) {
                    self.compare_contents(pairs);
                }
            }
            verdict => self.act(source, verdict),
        }
    }

    /// Asks for the times that the listings do not tell.
    fn ask_times(&mut self, source: Entry, target: Entry) {
        let (from, to, sides) =
            (self.sides.source.clone(), self.sides.target.clone(), self.compare.write_times);
        self.in_flight.start(Bound::Checkers, async move {
            let (known, there) =
                join!(with_time(&from, &source, sides.source), with_time(&to, &target, sides.target));
            let gone =
                || from.error(ErrorCode::NotFound, &source.path, "it was deleted while it was compared");
            let known = known.and_then(|known| known.ok_or_else(gone));
            Done::Timed(Box::new(source), known.and_then(|known| Ok((known, there?))).map(Box::new))
        });
    }

    /// Takes in what was asked for.
    pub(super) fn settle_times(&mut self, listed: Entry, pair: Result<Box<(Entry, Option<Entry>)>, Error>) {
        match pair.map(|pair| *pair) {
            Ok(_) if self.journal.report.stopped.is_some() => self.skip(&listed, Reason::LimitReached),
            Ok((source, Some(target))) => self.decide(source, target, self.compare.with_times()),
            Ok((source, None)) => self.queue(source, Reason::MissingOnTarget),
            Err(error) => self.fail(&listed.path, error),
        }
    }

    /// Compares by hash.
    pub(super) fn compare_contents(&mut self, pairs: Vec<Unsure>) {
        let (algorithm, options) = (self.sides.hash_algorithm(), self.compare);
        let (source, target) = (self.sides.source.clone(), self.sides.target.clone());
        let pairs = match self.sides.recoder {
            Some(recoder) => self.compare_recoded(recoder, pairs),
            None => pairs,
        };
        if pairs.is_empty() {
            return;
        }
        self.in_flight.start(Bound::Checkers, async move {
            Done::Compared(by_hash(&source, &target, pairs, algorithm, options).await)
        });
    }

    /// Compares those of which one side is compressed, and gives the others.
    fn compare_recoded(&mut self, recoder: Recoder, pairs: Vec<Unsure>) -> Vec<Unsure> {
        let (recoded, alike): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|pair| recoder.changes(&pair.source));
        if !recoded.is_empty() {
            let options = self.compare;
            let (source, target) = (self.sides.source.clone(), self.sides.target.clone());
            self.in_flight.start(Bound::Checkers, async move {
                let mut compared = Vec::with_capacity(recoded.len());
                for pair in recoded {
                    let verdict = recoder.decide(&source, &target, &pair.source, options).await;
                    compared.push((pair.source, verdict));
                }
                Done::Compared(compared)
            });
        }
        alike
    }
}

async fn with_time(side: &Reading, listed: &Entry, is_asked: bool) -> Result<Option<Entry>, Error> {
    if is_asked { side.stat(&listed.path).await } else { Ok(Some(listed.clone())) }
}

async fn by_hash(
    source: &Reading,
    target: &Reading,
    pairs: Vec<Unsure>,
    algorithm: HashAlgorithm,
    options: CompareOptions,
) -> Vec<(Entry, Result<Verdict, Error>)> {
    let entries: Vec<_> = pairs.iter().map(|pair| (&pair.source, &pair.target)).collect();
    let hashes = hash_both(source, target, &entries, algorithm).await;
    let verdict = |(Unsure { source, if_equal, .. }, hashes): (Unsure, Result<_, _>)| {
        let verdict =
            hashes.map(|(source, target)| after_hashing(if_equal, Some(&source), Some(&target), options));
        (source, verdict)
    };
    pairs.into_iter().zip(hashes).map(verdict).collect()
}
