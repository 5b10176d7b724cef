//! What a run finds, brought into the order of a memo: pairs are met in order, and settled in any.

use std::collections::BTreeMap;

use omnistorage_types::Path;

use super::{Fact, Identity};

/// So many pairs may wait for one that is slow. What takes longer is not remembered, and costs a look next time.
const WAITING: usize = 10_000;

/// The pairs that were met and are not written yet.
#[derive(Debug, Default)]
pub struct Ledger {
    pairs: BTreeMap<Path, Pair>,
    /// The last one that was written or given up.
    last: Option<Path>,
}

#[derive(Debug)]
enum Pair {
    /// What was listed of both; not of a target that is to be written, nor of what may change and look the same.
    Open {
        source: Option<Identity>,
        target: Option<Identity>,
    },
    Settled(Fact),
}

impl Ledger {
    /// Meets a fact that an earlier run found, and that may hold on.
    pub fn keep(&mut self, fact: Fact) {
        if self.is_ahead(&fact.path) {
            self.pairs.insert(fact.path.clone(), Pair::Settled(fact));
        }
    }

    /// Meets a pair of which nothing is known yet, as it is listed.
    pub fn meet(&mut self, path: Path, source: Identity, target: Option<Identity>) {
        if self.is_ahead(&path) {
            self.pairs.insert(path, Pair::Open { source: Some(source), target });
        }
    }

    /// Both are the same, as they were listed.
    pub fn confirm(&mut self, path: &Path) {
        self.settle(path, None);
    }

    /// The target has what was listed of the source, and is this now.
    pub fn write(&mut self, path: &Path, target: Identity) {
        self.settle(path, Some(target));
    }

    /// Nothing can be said of a pair: what was known does not hold, or what was looked at is not what was listed.
    pub fn forget(&mut self, path: &Path) {
        self.pairs.remove(path);
    }

    /// The target is about to be written: what was known of it does not hold any more.
    pub fn reopen(&mut self, path: &Path) {
        if let Some(pair) = self.pairs.get_mut(path) {
            let source = match pair {
                Pair::Open { source, .. } => source.take(),
                Pair::Settled(fact) => Some(fact.source.clone()),
            };
            *pair = Pair::Open { source, target: None };
        }
    }

    /// The next fact to write: before the first pair that is open, unless too many wait for it.
    pub fn pop(&mut self) -> Option<Fact> {
        loop {
            let too_many = self.pairs.len() > WAITING;
            if matches!(self.pairs.first_key_value()?.1, Pair::Open { .. }) && !too_many {
                return None;
            }
            if let Some(fact) = self.take_first() {
                return Some(fact);
            }
        }
    }

    /// The next fact to write, once nothing that is open will be settled any more.
    pub fn finish(&mut self) -> Option<Fact> {
        while !self.pairs.is_empty() {
            if let Some(fact) = self.take_first() {
                return Some(fact);
            }
        }
        None
    }

    /// A memo is in order: what comes late is not in it.
    fn is_ahead(&self, path: &Path) -> bool {
        self.last.as_ref().is_none_or(|last| last < path)
    }

    /// A pair that was not met, or waited too long, stays forgotten.
    fn settle(&mut self, path: &Path, written: Option<Identity>) {
        let Some(pair) = self.pairs.get_mut(path) else { return };
        let Pair::Open { source, target } = pair else { return };
        if let (Some(source), Some(target)) = (source.take(), written.or_else(|| target.take())) {
            *pair = Pair::Settled(Fact { path: path.clone(), source, target });
        }
    }

    fn take_first(&mut self) -> Option<Fact> {
        let (path, pair) = self.pairs.pop_first()?;
        self.last = Some(path);
        match pair {
            Pair::Open { .. } => None,
            Pair::Settled(fact) => Some(fact),
        }
    }
}
