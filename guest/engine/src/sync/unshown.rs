//! What a listing may leave out: where a backend says that its listings may lack names, a name is asked for before it counts
//! as missing there.

use std::collections::VecDeque;

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream};
use omnistorage_core::{
    entry::{Entry, ListingFailure, ObjectKind, Unlisted},
    sync::merge::{Side, Step},
};
use omnistorage_types::{Error, Path};

use super::{
    place::Reading,
    recode::Recoder,
    sides::{Sides, Unshown},
};

/// Names asked for at a time.
const LOOKS: usize = 8;

/// Steps of the merge that wait for each other's answers.
pub(super) const TOGETHER: usize = 64;

/// Steps of the merge, or why it ended, with what was asked about them.
pub(super) type Steps = VecDeque<Result<Step, Error>>;

/// The places whose listings are not believed when they lack a name.
#[derive(Clone)]
pub(super) struct Doubts {
    source: Option<Reading>,
    target: Option<Reading>,
    recoder: Option<Recoder>,
    unshown: Unshown,
}

impl Doubts {
    /// Those of a run over two trees; `None` if both listings show all there is.
    pub(super) fn of(sides: &Sides) -> Option<Self> {
        let doubted = |side: &Reading| side.hides_names().then(|| side.clone());
        let source = (sides.unshown != Unshown::Unasked).then(|| doubted(&sides.source)).flatten();
        let target = doubted(&sides.target);
        let (recoder, unshown) = (sides.recoder.clone(), sides.unshown);
        (source.is_some() || target.is_some()).then_some(Self { source, target, recoder, unshown })
    }

    /// Whether a step rests on a name that a listing lacks.
    pub(super) fn concern(&self, step: &Step) -> bool {
        let counts = |entry: &Entry| matches!(entry.kind, ObjectKind::Object | ObjectKind::Directory);
        match step {
            Step::SourceOnly(entry) => self.target.is_some() && counts(entry),
            Step::TargetOnly(entry) => self.source.is_some() && counts(entry),
            _ => false,
        }
    }

    /// Asks what the steps rest on.
    pub(super) fn ask(self, steps: Steps) -> LocalBoxFuture<'static, Steps> {
        async move {
            let asked = stream::iter(steps).map(async |step| match step {
                Ok(step) if self.concern(&step) => Ok(self.settle(step).await),
                step => step,
            });
            asked.buffered(LOOKS).collect().await
        }
        .boxed_local()
    }

    async fn settle(&self, step: Step) -> Step {
        let (side, path) = match &step {
            Step::SourceOnly(entry) => (Side::Target, entry.path.clone()),
            Step::TargetOnly(entry) => (Side::Source, entry.path.clone()),
            _ => return step,
        };
        match (self.look(side, &path).await, step) {
            (Ok(Some(target)), Step::SourceOnly(source)) => Step::Both { source, target },
            (Ok(Some(source)), Step::TargetOnly(target)) => match self.unshown {
                Unshown::Compared => Step::Both { source, target },
                Unshown::Kept | Unshown::Unasked => Step::Unknown { side: Side::Target, entry: target },
            },
            (Ok(_), step) => step,
            (Err(error), _) => {
                let failure = ListingFailure { what: Unlisted::Entry(path), error };
                Step::Failed { side, failure: Box::new(failure) }
            }
        }
    }

    /// What a side has under the name of what the other one has.
    async fn look(&self, side: Side, path: &Path) -> Result<Option<Entry>, Error> {
        let (place, names) = match (side, &self.recoder) {
            (Side::Source, Some(recoder)) => (&self.source, recoder.recoding.source_paths(path)),
            (Side::Source, None) => (&self.source, vec![path.clone()]),
            (Side::Target, Some(recoder)) => (&self.target, vec![recoder.target_path(path)]),
            (Side::Target, None) => (&self.target, vec![path.clone()]),
        };
        let Some(place) = place else { return Ok(None) };
        for name in names {
            if let Some(mut there) = place.stat_named(&name).await? {
                if place.lists_writes {
                    // It is the time that it was given: it does not compare with those of the listing.
                    there.modified = None;
                }
                return Ok(Some(there));
            }
        }
        Ok(None)
    }
}
