//! The pairs of both listings: in order, or those of several ranges at once.
//!
//! A store gives one page after another, and each takes its time. So with several ranges there are several lanes, and
//! whoever asks for the next pair gets it from the lane that has one. As long as there could be more lanes, what is left of
//! one is cut by probes, and its parts become lanes of their own. A lane is cut only when it has shown some pages, so
//! that cuts are few beside the pages that they save the time of.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use omnistorage_types::{Error, KeyRange, Path};

pub(super) use super::lane::Step;
use super::{
    lane::{Lane, Listing},
    probe::borders,
    sides::Sides,
};

/// Pages of both sides that the first lane shows before it is cut: small places cost no probe.
const BEFORE_FIRST_CUT: u64 = 4;

/// The same of a lane that comes from a cut: a cut costs some 25 requests, which a short lane is not worth.
const BEFORE_CUT: u64 = 32;

/// The same after a cut that found no border.
const AFTER_NOTHING: u64 = 64;

/// Borders of a cut, at most: more than lanes, so that who is done goes on with a part that waits.
const MOST_BORDERS: usize = 16;

/// Both listings, merged while they stream.
pub(super) struct Pairs {
    listing: Listing,
    /// Lanes at once.
    most: usize,
    lanes: Vec<Running>,
    /// The lane that is asked first.
    turn: usize,
    /// Ranges that wait for a lane.
    waiting: VecDeque<KeyRange>,
    cuts: FuturesUnordered<LocalBoxFuture<'static, (u64, Vec<Path>)>>,
    /// Lanes that were begun.
    begun: u64,
    /// The lane of the last step.
    lane: u64,
    source_has_objects: bool,
}

/// A lane, and when it is cut.
struct Running {
    number: u64,
    lane: Lane,
    is_being_cut: bool,
    /// Not before so many pages.
    cut_from: u64,
}

impl Pairs {
    /// Of two trees, as many ranges at once as the run may list, or of a single object and what stands at its place.
    pub(super) async fn new(sides: &Sides) -> Result<Self, Error> {
        Self::at_once(sides, sides.ranges).await
    }

    /// The same in order.
    pub(super) async fn in_order(sides: &Sides) -> Result<Self, Error> {
        Self::at_once(sides, 1).await
    }

    async fn at_once(sides: &Sides, most: usize) -> Result<Self, Error> {
        let listing = Listing::of(sides);
        let (mut lane, most) = match &sides.single {
            Some(name) => (listing.single(sides, name).await?, 1),
            None => (listing.lane(sides.range.clone())?, most),
        };
        lane.keeps_place = most > 1;
        let first = Running { number: 0, lane, is_being_cut: false, cut_from: BEFORE_FIRST_CUT };
        Ok(Self {
            listing,
            most,
            lanes: vec![first],
            turn: 0,
            waiting: VecDeque::new(),
            cuts: FuturesUnordered::new(),
            begun: 1,
            lane: 0,
            source_has_objects: false,
        })
    }

    /// Whether an object of the source is in sight. In order, one page of each listing is, before the first step.
    pub(super) fn source_has_objects(&self) -> bool {
        self.source_has_objects || self.lanes.iter().any(|running| running.lane.source_has_objects)
    }

    /// The number of the lane that the last step is from: its steps are in order.
    pub(super) const fn lane(&self) -> u64 {
        self.lane
    }

    /// The next pair that the filter leaves. May be dropped half way, and called again.
    pub(super) async fn next(&mut self) -> Result<Step, Error> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Step, Error>> {
        loop {
            let mut is_behind = true;
            for _ in 0..self.lanes.len() {
                let Some(running) = self.lanes.get_mut(self.turn) else { break };
                let polled = pin!(running.lane.next()).poll(context);
                match polled {
                    Poll::Ready(Ok(Step::End)) => {
                        self.source_has_objects |= running.lane.source_has_objects;
                        self.lanes.remove(self.turn);
                        self.turn = 0;
                        is_behind = false;
                        break;
                    }
                    Poll::Ready(step) => {
                        self.lane = running.number;
                        return Poll::Ready(step);
                    }
                    Poll::Pending => self.turn = (self.turn + 1) % self.lanes.len(),
                }
            }
            while let Poll::Ready(Some((number, borders))) = self.cuts.poll_next_unpin(context) {
                self.cut(number, borders);
            }
            let has_begun = self.begin()?;
            if self.lanes.is_empty() {
                return Poll::Ready(Ok(Step::End));
            }
            // Whatever was begun has to be asked once, so that it wakes whoever waits.
            if is_behind && !has_begun {
                return Poll::Pending;
            }
        }
    }

    /// Begins the lanes and the cuts that there is room for; says whether there were any.
    fn begin(&mut self) -> Result<bool, Error> {
        let mut has_begun = false;
        while self.lanes.len() < self.most
            && let Some(range) = self.waiting.pop_front()
        {
            let mut lane = self.listing.lane(range)?;
            lane.keeps_place = true;
            self.lanes.push(Running { number: self.begun, lane, is_being_cut: false, cut_from: BEFORE_CUT });
            self.begun += 1;
            has_begun = true;
        }
        while self.lanes.len() + self.cuts.len() < self.most {
            let may_be_cut =
                |running: &&mut Running| !running.is_being_cut && running.lane.pages >= running.cut_from;
            // What has shown the most is the longest, as far as anybody can tell.
            let Some(running) =
                self.lanes.iter_mut().filter(may_be_cut).max_by_key(|running| running.lane.pages)
            else {
                break;
            };
            running.is_being_cut = true;
            let (source, target) = (self.listing.source.clone(), self.listing.target.clone());
            let (number, rest) = (running.number, running.lane.rest());
            self.cuts.push(Box::pin(async move {
                // Without borders it takes longer, and that is all.
                let borders = borders([&source, &target], &rest, MOST_BORDERS).await;
                (number, borders.unwrap_or_default())
            }));
            has_begun = true;
        }
        Ok(has_begun)
    }

    /// Ends a lane at the first border, and lets the rest of its range wait in parts. It has gone on meanwhile.
    fn cut(&mut self, number: u64, mut borders: Vec<Path>) {
        let Some(running) = self.lanes.iter_mut().find(|running| running.number == number) else { return };
        let rest = running.lane.rest();
        borders.retain(|border| rest.spans(border.as_str()) && rest.until.as_ref() != Some(border));
        running.is_being_cut = false;
        running.cut_from = running.lane.pages + if borders.is_empty() { AFTER_NOTHING } else { BEFORE_CUT };
        let Some(first) = borders.first() else { return };
        running.lane.end_at(first.clone());
        let ends = borders.iter().skip(1).cloned().map(Some).chain([rest.until]);
        let parts = borders.iter().cloned().map(Some).zip(ends);
        self.waiting.extend(parts.map(|(after, until)| KeyRange { after, until }));
    }
}
