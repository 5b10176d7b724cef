//! The memo of earlier runs: read beside the listings, and replaced whole at the end of the run.

mod read;
mod write;

use std::rc::Rc;

use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::{
        compare::{CompareOptions, Evidence},
        filter::Filter,
        memo::{Fact, Header, Identity, Ledger},
        recode::Recoding,
    },
};
use omnistorage_types::{Error, KeyRange, Location, MemoTrouble, Path, SyncOptions, Timestamp};

pub(super) use self::read::{Met, Recalling};
use self::{read::Recall, write::NewMemo};
use super::{operation::Operation, pair::Pair, sides::Sides};
use crate::{
    place::Place,
    planted::{self, Bug},
};

/// The memo of a run: what earlier runs found, and what this one finds.
pub(super) struct Memo {
    ledger: Ledger,
    /// The memo being written. A dry run writes none.
    new: Option<NewMemo>,
    recall: Option<Recall>,
    names: Names,
    /// When the run started to list.
    now: Timestamp,
    /// The etag of a file is made of its time; that of a store is not.
    may_look_the_same: bool,
    /// Times count as equal only if they match exactly, without the tolerance of the options.
    trusts_times: bool,
    pub(super) trouble: Option<MemoTrouble>,
}

/// The path under which a pair is remembered: the one that orders the merge.
#[derive(Clone)]
struct Names {
    recoding: Option<Recoding>,
    filter: Rc<Filter>,
    range: KeyRange,
}

impl Names {
    /// Of an object of the source.
    fn of(&self, source: &Path) -> Path {
        match self.recoding {
            // The merge has already refused objects that have no such path.
            Some(recoding @ Recoding::Compress(_)) => {
                recoding.target_path(source).unwrap_or_else(|_| source.clone())
            }
            _ => source.clone(),
        }
    }

    /// Whether the listings did not tell of an object since it is out of the range, or the filter leaves it out.
    fn leave_out(&self, fact: &Fact) -> bool {
        if !self.range.spans(fact.path.as_str()) {
            return true;
        }
        let is_left_out = |path: Path| {
            let entry = Entry {
                size: Some(fact.source.size),
                modified: fact.source.modified,
                ..Entry::new(path, ObjectKind::Object)
            };
            self.filter.excluded_above(&entry.path).is_some() || !self.filter.ruling(&entry).is_included()
        };
        match self.recoding {
            Some(recoding @ Recoding::Compress(_)) => {
                recoding.source_paths(&fact.path).into_iter().any(is_left_out)
            }
            _ => is_left_out(fact.path.clone()),
        }
    }
}

impl Memo {
    /// Opens the memo at a place; `None` if it would be of no use: where both listings carry given times, of one
    /// object, and for a move, which believes none and leaves nothing to remember.
    pub(super) async fn open(
        at: Location,
        sides: &Sides,
        compare: CompareOptions,
        operation: Operation,
        options: &SyncOptions,
    ) -> Result<Option<Self>, Error> {
        if compare.lists_given_times() || sides.single.is_some() || operation == Operation::Move {
            return Ok(None);
        }
        let place = Place::open(sides.source.port(), at).await?;
        let recoding = sides.recoder.as_ref().map(|recoder| recoder.recoding);
        let mut memo = Self {
            ledger: Ledger::default(),
            new: None,
            recall: None,
            names: Names { recoding, filter: sides.filter.clone(), range: sides.range.clone() },
            now: place.port.now(),
            may_look_the_same: !sides.source.lists_writes,
            trusts_times: options.modify_window.is_none() && !options.ignore_size,
            trouble: None,
        };
        if [&sides.source, &sides.target].into_iter().any(|side| side.overlaps(&place)) {
            memo.trouble = Some(MemoTrouble::Overlap);
            return Ok(Some(memo));
        }
        let header = Header {
            source: sides.source.location().to_string(),
            target: sides.target.location().to_string(),
            way: match recoding {
                None => String::new(),
                Some(Recoding::Compress(codec)) => format!("compress {}", codec.extension()),
                Some(Recoding::Decompress) => "decompress".to_owned(),
            },
        };
        memo.new = (!options.dry_run).then(|| NewMemo::begin(place.clone(), &header));
        memo.recall = Some(Recall::begin(place, header, memo.names.clone()));
        Ok(Some(memo))
    }

    /// Whether an earlier run found this very pair to be the same.
    pub(super) async fn tells(
        at: Location,
        sides: &Sides,
        compare: CompareOptions,
        options: &SyncOptions,
        (source, target): (&Entry, &Entry),
    ) -> Result<bool, Error> {
        let options = SyncOptions { dry_run: true, ..options.clone() };
        let memo = Self::open(at, sides, compare, Operation::Sync, &options).await?;
        let Some(recall) = memo.and_then(|memo| memo.recall) else { return Ok(false) };
        let fact = recall.find(&source.path).await;
        Ok(fact.is_some_and(|fact| fact.holds(source, target)))
    }

    /// What earlier runs found, to be merged with the listings.
    pub(super) fn take_recall(&mut self) -> Option<Recall> {
        self.recall.take()
    }

    /// Takes over what the memo says about paths up to this pair.
    pub(super) fn pass(&mut self, passed: Vec<Fact>, trouble: Option<MemoTrouble>) {
        self.trouble = self.trouble.or(trouble);
        if self.new.is_some() {
            // Paths that the listings no longer contain are forgotten.
            passed
                .into_iter()
                .filter(|fact| self.names.leave_out(fact))
                .for_each(|fact| self.ledger.keep(fact));
        }
    }

    /// Handles a pair, and returns whether an earlier run found it to be the same.
    pub(super) fn meet(&mut self, source: &Entry, target: &Entry, known: Option<Fact>) -> bool {
        if let Some(fact) = known.filter(|fact| fact.holds(source, target) || planted::has(Bug::BelievesMemo))
        {
            if self.new.is_some() {
                self.ledger.keep(fact);
            }
            return true;
        }
        self.meet_new(source, Identity::of_target(target));
        false
    }

    /// Handles an object of the source whose target is not known yet.
    pub(super) fn meet_new(&mut self, source: &Entry, target: Option<Identity>) {
        let identity = Identity::of_source(source)
            .filter(|identity| !self.may_look_the_same || identity.is_settled(self.now));
        if let Some(identity) = identity.filter(|_| self.new.is_some()) {
            self.ledger.meet(self.names.of(&source.path), identity, target);
        }
    }

    /// Remembers that a pair is the same.
    pub(super) fn confirm(&mut self, pair: &Pair, evidence: Evidence) {
        let is_proven = match evidence {
            Evidence::Contents => true,
            Evidence::Times => self.trusts_times,
            Evidence::Memo | Evidence::WriteTime | Evidence::Size | Evidence::Directories => false,
        };
        if is_proven && pair.as_listed {
            self.ledger.confirm(&self.names.of(&pair.source.path));
        }
    }

    /// Forgets a pair that is not what was listed any more.
    pub(super) fn forget(&mut self, source: &Path) {
        self.ledger.forget(&self.names.of(source));
    }

    /// Notes that an object is about to be transferred.
    pub(super) fn reopen(&mut self, source: &Path) {
        self.ledger.reopen(&self.names.of(source));
    }

    /// An object was transferred: what was listed of it is what the target has now, if that can be told.
    pub(super) fn written(&mut self, source: &Path, target: Option<Identity>) {
        let path = self.names.of(source);
        match target {
            Some(target) => self.ledger.write(&path, target),
            None => self.ledger.forget(&path),
        }
    }

    /// Sends what is settled, and waits while writing the memo lags behind.
    pub(super) async fn flush(&mut self) {
        while let Some(fact) = self.ledger.pop() {
            self.write(&fact).await;
        }
    }

    /// Gives up a memo that cannot be written. That is no reason to end the run.
    async fn write(&mut self, fact: &Fact) {
        let Some(new) = &mut self.new else { return };
        new.write(fact);
        if new.is_full() && new.flush().await.is_err() {
            self.new = None;
            self.trouble.get_or_insert(MemoTrouble::NotKept);
        }
    }

    /// Replaces the memo of the last run by this one.
    pub(super) async fn finish(mut self) -> Option<MemoTrouble> {
        self.flush().await;
        while let Some(fact) = self.ledger.finish() {
            self.write(&fact).await;
        }
        if let Some(new) = self.new.take()
            && new.finish().await.is_err()
        {
            self.trouble.get_or_insert(MemoTrouble::NotKept);
        }
        self.trouble
    }

    /// Keeps the memo of the last run.
    pub(super) async fn abandon(self) -> Option<MemoTrouble> {
        if let Some(new) = self.new {
            new.abandon().await;
        }
        self.trouble
    }
}
