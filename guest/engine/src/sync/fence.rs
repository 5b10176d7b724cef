//! What a write may replace: what was seen in its place, and nothing that came there since.
//!
//! A listing tells what stands at a path, and much later the object of the source is written there. Somebody else may have
//! written meanwhile. So a write has the condition that its place is as it was seen, wherever the target checks that in
//! the request that writes. If it is not, the run looks again and decides anew.

use std::cell::{Cell, RefCell};

use omnistorage_core::entry::{Entry, ObjectKind};
use omnistorage_types::{Error, ObjectInfo, WriteCondition};

use super::{copying::is_unsupported, place::Reading};
use crate::planted::{self, Bug};

/// What was seen in the place of an object on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing.
    Nothing,
    /// An object with this etag.
    Version(String),
    /// Something of which no version is known.
    Something,
}

impl Seen {
    /// What a listing or a look tells.
    pub(super) fn of(there: &Entry) -> Self {
        match &there.etag {
            Some(etag) if there.kind == ObjectKind::Object => Self::Version(etag.clone()),
            _ => Self::Something,
        }
    }
}

/// What was seen last in the place of an object, which changes when this run writes there.
#[derive(Clone, Debug)]
pub(super) struct LastSeen(RefCell<Seen>);

impl LastSeen {
    pub(super) fn new(seen: Seen) -> Self {
        Self(RefCell::new(seen))
    }

    /// What this run wrote, whatever comes of it: it may be replaced by another attempt.
    pub(super) fn wrote(&self, written: &ObjectInfo) {
        self.0.replace(written.etag.clone().map_or(Seen::Something, Seen::Version));
    }

    pub(super) fn get(&self) -> Seen {
        self.0.borrow().clone()
    }
}

/// Which conditions the target of a run takes at no further request.
#[derive(Debug)]
pub(super) struct Fences {
    /// What is listed as missing takes no place that is taken, whatever that costs.
    is_exclusive: bool,
    if_absent: bool,
    if_match: bool,
    /// The target claimed to take conditions, and refused one.
    are_refused: Cell<bool>,
}

impl Fences {
    pub(super) fn between(source: &Reading, target: &Reading) -> Self {
        let (from, to) = (source.features(), target.features());
        // Only two places of one kind can copy within their store. If neither of them checks conditions as it copies,
        // this may be such a pair, and a condition would take requests more.
        let is_free = to.conditional_copy || from.conditional_copy || !from.copy;
        let is_file_system = target.is_file_system();
        Self {
            is_exclusive: is_file_system,
            if_absent: to.if_absent && is_free,
            if_match: to.if_match && is_free && !is_file_system,
            are_refused: Cell::new(false),
        }
    }

    /// The condition of a write over what was seen.
    pub(super) fn condition(&self, seen: Seen) -> WriteCondition {
        let are_kept = !self.are_refused.get() && !planted::has(Bug::ReplacesUnseen);
        match seen {
            Seen::Nothing if self.is_exclusive || (self.if_absent && are_kept) => WriteCondition::IfAbsent,
            Seen::Version(etag) if self.if_match && are_kept => WriteCondition::IfMatch(etag),
            _ => WriteCondition::Always,
        }
    }

    /// Makes a write under its condition, or without it where the target refuses conditions after all.
    pub(super) async fn conditionally<T>(
        &self,
        condition: WriteCondition,
        write: impl AsyncFn(WriteCondition) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let written = write(condition.clone()).await;
        if !is_unsupported(&written) || !self.may_do_without(&condition) {
            return written;
        }
        let written = write(WriteCondition::Always).await?;
        self.refused(&condition);
        Ok(written)
    }

    /// Whether a write that was refused as unsupported may be made without its condition.
    pub(super) fn may_do_without(&self, condition: &WriteCondition) -> bool {
        match condition {
            WriteCondition::Always => false,
            WriteCondition::IfAbsent => !self.is_exclusive,
            WriteCondition::IfMatch(_) => true,
        }
    }

    /// The target took a write without this condition, and had refused it with it. Whoever refuses to create alone
    /// refuses all conditions; of versions, some objects may have none.
    pub(super) fn refused(&self, condition: &WriteCondition) {
        if *condition == WriteCondition::IfAbsent {
            self.are_refused.set(true);
        }
    }
}
