//! Who does which part of a run whose ranges are at work in one process.
//!
//! Parts that are cut beforehand wait for whoever is free. When none waits, one that is at work gives away about half of
//! what it has not come to yet, at a border that is known to lie there. Such borders are looked for before anybody waits for
//! them. So all come to their ends at about the same time, wherever the objects lie.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::sync::Notify;

use crate::{KeyRange, Path, ranges::reach::Reach};

/// Pages, of both sides, that a part lists without coming to a border before some are looked for in what is left of it; and
/// as many must be left, as far as can be told. A search takes some 25 requests.
const PAGES: f64 = 32.0;
/// As many are enough when somebody waits for work.
const PAGES_AT_ONCE: f64 = 8.0;
/// A known path in what was not listed yet.
#[derive(Debug)]
struct Border {
    path: Path,
    /// How much lies between it and the next one, or the end.
    weight: f64,
}

/// A part that is at work.
#[derive(Debug)]
struct Share {
    reach: Reach,
    /// Sorted.
    borders: Vec<Border>,
    /// How much lies between the border that it came by last, or its beginning, and the next one, or its end.
    weight: f64,
    /// The pages that were listed when it came by that border.
    begun: f64,
    /// The pages that were listed when borders were looked for the last time.
    searched: Option<f64>,
    is_searched: bool,
}

/// The parts of a range.
///
/// How much lies between borders is not known. What is between those of one search counts as equal parts of what was
/// searched, so that all together weigh one; how many pages that is, those tell that were listed already.
#[derive(Debug)]
pub(crate) struct Shares {
    waiting: VecDeque<KeyRange>,
    at_work: BTreeMap<usize, Share>,
    /// The number of the next part.
    next: usize,
    /// Told of each page that a part lists.
    progress: Arc<Notify>,
    /// The pages between borders that parts came by, and what these counted.
    listed: Listed,
}

/// What a part gives away.
#[cfg(feature = "cluster")]
#[derive(Debug)]
pub(crate) struct Given {
    /// What it keeps.
    pub(crate) kept: KeyRange,
    pub(crate) rest: KeyRange,
    /// How much the rest is.
    pub(crate) weight: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Listed {
    pages: f64,
    weight: f64,
}

impl Listed {
    /// How many pages a weight is; `None`: nobody knows yet.
    fn pages(self, weight: f64) -> Option<f64> {
        (self.weight > 0.0).then(|| weight * self.pages / self.weight)
    }

    /// The weight of pages.
    fn weight_of(self, pages: f64) -> Option<f64> {
        (self.pages > 0.0).then(|| pages * self.weight / self.pages)
    }
}

impl Shares {
    pub(crate) fn new(parts: impl IntoIterator<Item = KeyRange>) -> Self {
        Self {
            waiting: parts.into_iter().collect(),
            at_work: BTreeMap::new(),
            next: 0,
            progress: Arc::default(),
            listed: Listed::default(),
        }
    }

    /// Is told of each page that a part lists.
    pub(super) fn progress(&self) -> Arc<Notify> {
        Arc::clone(&self.progress)
    }

    /// A part for whoever is free, with its number; `None`: there is none now.
    pub(super) fn take(&mut self) -> Option<(usize, Reach)> {
        let (range, weight, borders) = match self.waiting.pop_front() {
            Some(range) => (range, 1.0, Vec::new()),
            None => self.split()?,
        };
        Some(self.begin_with(range, weight, borders))
    }

    /// A part that comes from elsewhere is at work from now on: about so much of one that was cut at the beginning.
    #[cfg(feature = "cluster")]
    pub(crate) fn begin(&mut self, range: KeyRange, weight: f64) -> (usize, Reach) {
        self.begin_with(range, weight, Vec::new())
    }

    /// A part for somebody elsewhere; `None`: there is none now.
    #[cfg(feature = "cluster")]
    pub(crate) fn give(&mut self) -> Option<Given> {
        let (number, rest, weight, borders) = self.split_one()?;
        let weight = weight + borders.iter().map(|border| border.weight).sum::<f64>();
        Some(Given { kept: self.at_work.get(&number)?.reach.range(), rest, weight })
    }

    /// Ends a part where it is, and gives what is left of it; `None`: nothing was listed yet, or all.
    #[cfg(feature = "cluster")]
    pub(crate) fn end_early(&mut self, number: usize) -> Option<Given> {
        self.come_by();
        let listed = self.listed;
        let share = self.at_work.get_mut(&number)?;
        let rest = share.reach.end_here()?;
        let ahead = share.ahead();
        share.borders.clear();
        let (left, since) = match share.left(listed) {
            Some(_) => share.weights(listed),
            None => (share.weight / 2.0, share.weight / 2.0),
        };
        share.weight = since;
        Some(Given { kept: share.reach.range(), rest, weight: left + ahead })
    }

    /// The most pages that are left of a part, as far as is known, if some of it could be given away.
    #[cfg(feature = "cluster")]
    pub(crate) fn most_pages(&mut self) -> Option<f64> {
        self.come_by();
        let listed = self.listed;
        let pages = |share: &Share| {
            let ahead = listed.pages(share.ahead()).unwrap_or_default();
            let left = share.left(listed).map_or(f64::MAX, |left| left + ahead);
            let has_more = !share.reach.rest().is_empty() && left >= PAGES_AT_ONCE;
            (has_more && share.reach.pages() as f64 >= PAGES_AT_ONCE).then_some(left)
        };
        self.at_work.values().filter_map(pages).max_by(f64::total_cmp)
    }

    fn begin_with(&mut self, range: KeyRange, weight: f64, borders: Vec<Border>) -> (usize, Reach) {
        let number = self.next;
        self.next += 1;
        let reach = Reach::new(range, &self.progress);
        let share =
            Share { reach: reach.clone(), borders, weight, begun: 0.0, searched: None, is_searched: false };
        self.at_work.insert(number, share);
        (number, reach)
    }

    /// A part is done.
    pub(crate) fn done(&mut self, number: usize) {
        if let Some(share) = self.at_work.remove(&number) {
            self.listed.pages += share.since_border();
            self.listed.weight += share.weight;
        }
    }

    /// A part in which it is time to look for borders, and what is left of it. Until they are [found](Self::found), it is not
    /// given again.
    pub(crate) fn next_search(&mut self, is_waited_for: bool) -> Option<(usize, KeyRange)> {
        self.come_by();
        let (listed, is_first) = (self.listed, self.next == 1);
        let pages = if is_waited_for { PAGES_AT_ONCE } else { PAGES };
        let (number, share) = self.at_work.iter_mut().find(|(_, share)| {
            let is_due = is_first && share.searched.is_none() || share.since_search() >= pages;
            let is_worth_it =
                share.left(listed).is_none_or(|left| left >= pages) && !share.reach.rest().is_empty();
            share.borders.is_empty() && !share.is_searched && is_due && is_worth_it
        })?;
        share.is_searched = true;
        Some((*number, share.reach.rest()))
    }

    /// Borders that were found in a part, sorted.
    pub(crate) fn found(&mut self, number: usize, borders: Vec<Path>) {
        // It may be done by now.
        let Some(share) = self.at_work.get_mut(&number) else { return };
        share.is_searched = false;
        share.searched = Some(share.reach.pages() as f64);
        let (left, since) = share.weights(self.listed);
        let weight = left / (borders.len() + 1) as f64;
        share.weight = since + weight;
        share.borders = borders.into_iter().map(|path| Border { path, weight }).collect();
        self.come_by();
    }

    /// Takes away about half of what is left of the part of which most is left, as far as can be told.
    fn split(&mut self) -> Option<(KeyRange, f64, Vec<Border>)> {
        self.split_one().map(|(_, range, weight, borders)| (range, weight, borders))
    }

    /// The same, and which part that was.
    fn split_one(&mut self) -> Option<(usize, KeyRange, f64, Vec<Border>)> {
        self.come_by();
        let (number, share) =
            self.at_work.iter_mut().max_by(|(_, one), (_, other)| one.ahead().total_cmp(&other.ahead()))?;
        let mut behind = share.ahead();
        let (left, _) = share.weights(self.listed);
        let half = (left + behind) / 2.0;
        let is_more_than_half = |border: &&Border| {
            let is_more = behind > half;
            behind -= border.weight;
            is_more
        };
        let kept = share.borders.iter().take_while(is_more_than_half).count();
        let mut given = share.borders.split_off(kept.min(share.borders.len().saturating_sub(1))).into_iter();
        let Border { path, weight } = given.next()?;
        let range = share.reach.end_at(&path)?;
        Some((*number, range, weight, given.collect()))
    }

    /// Leaves out borders that parts came by.
    fn come_by(&mut self) {
        for share in self.at_work.values_mut() {
            share.come_by(&mut self.listed);
        }
    }
}

impl Share {
    /// Pages since the last border.
    fn since_border(&self) -> f64 {
        self.reach.pages() as f64 - self.begun
    }

    /// Pages since borders were looked for, and since the last border.
    fn since_search(&self) -> f64 {
        self.reach.pages() as f64 - self.searched.unwrap_or_default().max(self.begun)
    }

    /// Pages that are left up to the next border, or the end; `None`: nobody knows yet. When there are more than there
    /// should be, there may be as many again.
    fn left(&self, listed: Listed) -> Option<f64> {
        let since = self.since_border();
        let left = listed.pages(self.weight)? - since;
        Some(if left > 0.0 { left } else { since })
    }

    /// How much is left up to the next border, or the end, and how much was listed since the last one.
    fn weights(&self, listed: Listed) -> (f64, f64) {
        let known = || Some((listed.weight_of(self.left(listed)?)?, listed.weight_of(self.since_border())?));
        known().unwrap_or((self.weight, 0.0))
    }

    /// How much lies behind the next border.
    fn ahead(&self) -> f64 {
        self.borders.iter().map(|border| border.weight).sum()
    }

    /// Leaves out borders that it came by.
    fn come_by(&mut self, listed: &mut Listed) {
        let rest = self.reach.rest();
        let is_ahead =
            |border: &Border| rest.spans(border.path.as_str()) && rest.until.as_ref() != Some(&border.path);
        let passed = self.borders.iter().take_while(|border| !is_ahead(border)).count();
        for border in self.borders.drain(..passed) {
            listed.pages += self.reach.pages() as f64 - self.begun;
            listed.weight += self.weight;
            self.weight = border.weight;
            self.begun = self.reach.pages() as f64;
        }
    }
}
