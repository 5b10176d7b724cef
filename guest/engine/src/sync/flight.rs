//! Calls in flight, grouped by the limit that applies to them.

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use omnistorage_core::{entry::Entry, sync::compare::Verdict};
use omnistorage_types::{Error, Path};

use super::{pair::Pair, rename::Renamed, transfer::Carried};

/// The result of a call.
pub(super) enum Done {
    Carried(Vec<Carried>),
    Compared(Vec<(Pair, Result<Verdict, Error>)>),
    /// A pair as it was listed, and as it is now.
    Timed(Box<Pair>, Result<Box<(Entry, Option<Entry>)>, Error>),
    TimeSet(Box<Entry>, Result<(), Error>),
    /// From the source.
    Removed(Vec<(Entry, Result<(), Error>)>),
    /// From the target.
    Deleted(Vec<(Path, Result<(), Error>)>),
    /// An object of the source, and what it was on the target.
    Renamed(Box<Entry>, Box<Entry>, Renamed),
}

impl Done {
    /// Whether this is a change, or a failed one, after which nothing else is to be done.
    pub(super) const fn is_change(&self) -> bool {
        match self {
            Self::Compared(_)
            | Self::Timed(..)
            | Self::Renamed(_, _, Renamed::Failed | Renamed::Unknown(_)) => false,
            Self::Carried(_)
            | Self::TimeSet(..)
            | Self::Removed(_)
            | Self::Deleted(_)
            | Self::Renamed(_, _, Renamed::Moved | Renamed::Copied(_)) => true,
        }
    }
}

/// Which limit applies to a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Transfers,
    Checkers,
}

/// Calls in flight.
pub(super) struct InFlight {
    calls: FuturesUnordered<LocalBoxFuture<'static, (Bound, Done)>>,
    transfers: Share,
    checkers: Share,
}

struct Share {
    used: u32,
    limit: u32,
}

impl InFlight {
    pub(super) fn new(transfers: u32, checkers: u32) -> Self {
        let share = |limit| Share { used: 0, limit };
        Self { calls: FuturesUnordered::new(), transfers: share(transfers), checkers: share(checkers) }
    }

    /// Whether another call of any kind may start.
    pub(super) fn has_room(&self) -> bool {
        [&self.transfers, &self.checkers].into_iter().all(|share| share.used < share.limit)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn start(&mut self, bound: Bound, call: impl Future<Output = Done> + 'static) {
        self.share(bound).used += 1;
        self.calls.push(Box::pin(async move { (bound, call.await) }));
    }

    /// The result of the next call to finish; `None` if there is none in flight.
    pub(super) async fn next(&mut self) -> Option<Done> {
        let (bound, done) = self.calls.next().await?;
        self.share(bound).used -= 1;
        Some(done)
    }

    const fn share(&mut self, bound: Bound) -> &mut Share {
        match bound {
            Bound::Transfers => &mut self.transfers,
            Bound::Checkers => &mut self.checkers,
        }
    }
}
