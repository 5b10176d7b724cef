//! The first pass of a run whose ranges are at work in this process.

use std::collections::BTreeMap;

use futures::{StreamExt, stream::FuturesUnordered};

use super::{AtOnce, parts::Parts};
use crate::{
    KeyRange, Path, Result,
    ranges::{
        counts::{Counted, Counts},
        pass::Pass,
        reach::Reach,
        shares::Shares,
        sum::Done,
        tiles::Tiles,
        told::{Telling, Tells},
    },
};

/// Borders that are looked for at a time.
const BORDERS: u32 = 16;

impl<E: Counted + Tells> AtOnce<E> {
    /// The first pass, over all ranges. Which they are shows at its end.
    pub(super) async fn merge(&self) -> Merged<E> {
        let whole = self.options.range();
        let mut shares = match &self.parts {
            Parts::Fixed(tiles) => Shares::new(tiles.ranges()),
            Parts::Moving => Shares::new([whole.clone()]),
        };
        let progress = shares.progress();
        let (mut jobs, mut searches, mut merged) =
            (FuturesUnordered::new(), FuturesUnordered::new(), Vec::new());
        loop {
            while jobs.len() < self.at_work
                && let Some((number, reach)) = shares.take()
            {
                jobs.push(self.merge_one(number, reach));
            }
            if jobs.is_empty() {
                return Merged::of(whole, merged);
            }
            while matches!(self.parts, Parts::Moving)
                && let Some((number, rest)) = shares.next_search(jobs.len() < self.at_work)
            {
                searches.push(self.search(number, rest));
            }
            tokio::select! {
                Some((number, part)) = jobs.next() => {
                    shares.done(number);
                    merged.push(part);
                }
                Some((number, borders)) = searches.next() => shares.found(number, borders),
                () = progress.notified() => {}
            }
        }
    }

    /// Borders in what is left of a part. Where none can be found, fewer are at work, and these tell whatever is wrong.
    async fn search(&self, number: usize, rest: KeyRange) -> (usize, Vec<Path>) {
        let [source, _] = &self.sides;
        (number, self.storage.cut(source, &rest, BORDERS).await.unwrap_or_default())
    }

    /// The first pass over one range.
    async fn merge_one(&self, number: usize, reach: Reach) -> (usize, Part<E>) {
        let [source, target] = &self.sides;
        let storage = match self.parts {
            Parts::Moving => reach.around(&self.storage, [source, target]),
            Parts::Fixed(_) => self.storage.clone(),
        };
        let options = Pass::Merge.options(&self.options, &reach.range());
        let mut told = E::Told::default();
        let job = E::begin(&storage, self.operation, [source, target], &options).await;
        let counts = self.follow(job, &mut told, Telling::First).await;
        (number, Part { range: reach.range(), counts, told })
    }
}

/// A range of the first pass, when it is done.
struct Part<E: Counted + Tells> {
    range: KeyRange,
    counts: Result<Counts>,
    told: E::Told,
}

/// What came of the first pass.
pub(super) struct Merged<E: Tells> {
    pub(super) tiles: Tiles,
    /// Of each of the tiles.
    pub(super) told: Vec<E::Told>,
    pub(super) done: BTreeMap<usize, Done>,
}

impl<E: Counted + Tells> Merged<E> {
    /// Of all parts of a range, in any order.
    fn of(whole: KeyRange, mut parts: Vec<Part<E>>) -> Self {
        parts.sort_unstable_by(|one, other| one.range.after.cmp(&other.range.after));
        let borders = parts.iter().filter_map(|part| part.range.until.clone());
        let tiles = Tiles::new(whole, borders);
        let (mut told, mut done) = (Vec::with_capacity(parts.len()), BTreeMap::new());
        for (index, part) in parts.into_iter().enumerate() {
            let Part { range, counts, told: of_it } = part;
            done.insert(index, Done { range, counts, waiting: E::waiting(&of_it) });
            told.push(of_it);
        }
        Self { tiles, told, done }
    }
}
