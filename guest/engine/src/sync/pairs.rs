//! The pairs of both listings, in order.

use std::rc::Rc;

use futures::{FutureExt, StreamExt, future::LocalBoxFuture};
use omnistorage_core::{
    entry::{Entry, Listed, ObjectKind, Unlisted},
    sync::{
        filter::Filter,
        merge::{self, Merge, MergeError, Side},
        recode::{Recoded, Recoding},
    },
};
use omnistorage_types::{Error, ErrorCode, KeyRange};

use super::{
    pages::Pages,
    sides::Sides,
    unshown::{Doubts, Steps, TOGETHER},
};

/// The next item of the merge.
pub(super) type Step = merge::Step;

/// Both listings, merged while they stream.
pub(super) struct Pairs {
    merge: Listings,
    recoding: Option<Recoding>,
    /// `None` where there is nothing to list.
    source: Option<Pages>,
    target: Option<Pages>,
    filter: Rc<Filter>,
    range: KeyRange,
    source_has_objects: bool,
    /// Where a listing may leave names out.
    doubts: Option<Doubts>,
    /// Steps about which something is asked.
    asking: Option<LocalBoxFuture<'static, Steps>>,
    /// Steps about which it was.
    settled: Steps,
}

impl Pairs {
    /// Of two trees, or of a single object and what stands at its place.
    pub(super) async fn new(sides: &Sides) -> Result<Self, Error> {
        let recoding = sides.recoder.as_ref().map(|recoder| recoder.recoding);
        let mut merge = match recoding {
            None => Listings::Alike(Box::default()),
            Some(recoding) => Listings::Recoded(Box::new(Recoded::new(recoding))),
        };
        let Some(name) = &sides.single else {
            return Ok(Self {
                merge,
                recoding,
                source: Some(sides.source.pages_in(sides.filter.clone(), &sides.range)?),
                target: Some(sides.target.pages_in(sides.filter.for_target().into(), &sides.range)?),
                filter: sides.filter.clone(),
                range: sides.range.clone(),
                source_has_objects: false,
                doubts: Doubts::of(sides),
                asking: None,
                settled: Steps::new(),
            });
        };
        for side in [Side::Source, Side::Target] {
            let name = match side {
                Side::Source => name.clone(),
                Side::Target => sides.target_path(name),
            };
            // An object with another name is not the one that would be replaced.
            let found = match sides.range.spans(name.as_str()) {
                true => sides.side(side).stat_named(&name).await?,
                false => None,
            };
            merge.push(side, found.into_iter().map(Listed::Entry).collect());
            merge.end(side);
        }
        let (filter, range) = (sides.filter.clone(), sides.range.clone());
        Ok(Self {
            merge,
            recoding,
            source: None,
            target: None,
            filter,
            range,
            source_has_objects: false,
            doubts: None,
            asking: None,
            settled: Steps::new(),
        })
    }

    /// Whether an object of the source is in sight. One page of each listing is, before the first step.
    pub(super) fn source_has_objects(&self) -> bool {
        self.source_has_objects
    }

    /// The next pair that the filter includes. Cancel-safe: it may be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Step, Error> {
        loop {
            if let Some(step) = self.settled.pop_front() {
                match self.screen(step?) {
                    Some(step) => return Ok(step),
                    None => continue,
                }
            }
            if let Some(asking) = &mut self.asking {
                self.settled = asking.await;
                self.asking = None;
                continue;
            }
            let step = self.listed().await?;
            let Some(doubts) = self.doubts.as_ref().filter(|doubts| doubts.concern(&step)).cloned() else {
                return Ok(step);
            };
            self.asking = Some(doubts.ask(self.gather(step)));
        }
    }

    /// A step and those behind it that are known already.
    fn gather(&mut self, first: Step) -> Steps {
        let mut steps = Steps::from([Ok(first)]);
        while steps.len() < TOGETHER && !matches!(steps.back(), Some(Ok(Step::End) | Err(_))) {
            match self.listed().now_or_never() {
                Some(step) => steps.push_back(step),
                None => break,
            }
        }
        steps
    }

    /// The next pair as the listings show it. Cancel-safe, too.
    async fn listed(&mut self) -> Result<Step, Error> {
        loop {
            let side = match self.merge.next() {
                Ok(Step::Need(side)) => side,
                Ok(step) => match self.screen(step) {
                    Some(step) => return Ok(step),
                    None => continue,
                },
                Err(why) => {
                    let code = match why {
                        MergeError::Clash { .. } | MergeError::Name { .. } => ErrorCode::InvalidArgument,
                        MergeError::Unsorted { .. } | MergeError::AfterEnd { .. } => ErrorCode::Other,
                    };
                    return Err(Error::new(code, why.to_string()));
                }
            };
            let pages = match side {
                Side::Source => &mut self.source,
                Side::Target => &mut self.target,
            };
            let page = match pages {
                Some(pages) => pages.next().await,
                None => None,
            };
            match page {
                Some(page) => {
                    let mut page = page?;
                    if !self.range.is_whole() {
                        page.retain(|listed| lies_in(&self.range, listed));
                    }
                    if side == Side::Source && !self.source_has_objects {
                        let is_meant = |listed: &Listed| match listed {
                            Listed::Entry(entry) => {
                                entry.kind == ObjectKind::Object && self.filter.ruling(entry).is_included()
                            }
                            Listed::Failure(_) => false,
                        };
                        self.source_has_objects = page.iter().any(is_meant);
                    }
                    self.merge.push(side, page);
                }
                None => self.merge.end(side),
            }
        }
    }

    /// What the filter leaves of a step. An object that only the target has is judged by what it is called on the
    /// source: if anything that it could be of is excluded, it stays.
    fn screen(&self, step: Step) -> Option<Step> {
        let (Some(recoding), Step::TargetOnly(target)) = (self.recoding, &step) else {
            return self.filter.screen(step);
        };
        let names = recoding.source_paths(&target.path);
        if target.kind != ObjectKind::Object || names.is_empty() {
            return self.filter.screen(step);
        }
        let is_meant = |path| {
            // The size on the source is different.
            let entry = Entry { path, size: None, ..target.clone() };
            self.filter.screen(Step::TargetOnly(entry)).is_some()
        };
        names.into_iter().all(is_meant).then_some(step)
    }
}

/// Whether an entry, or what a failure hides, is at least partly in the range.
fn lies_in(range: &KeyRange, listed: &Listed) -> bool {
    match listed {
        Listed::Entry(entry) => range.spans(entry.path.as_str()),
        Listed::Failure(failure) => match &failure.what {
            Unlisted::Directory(path) => range.spans_below(path.as_str()),
            Unlisted::Entry(path) => range.spans(path.as_str()) || range.spans_below(path.as_str()),
            Unlisted::Name { name, .. } => range.spans(name),
        },
    }
}

/// The merge, of names that stay the same or that change on the way.
enum Listings {
    Alike(Box<Merge>),
    Recoded(Box<Recoded>),
}

impl Listings {
    fn push(&mut self, side: Side, page: Vec<Listed>) {
        match self {
            Self::Alike(merge) => merge.push(side, page),
            Self::Recoded(merge) => merge.push(side, page),
        }
    }

    fn end(&mut self, side: Side) {
        match self {
            Self::Alike(merge) => merge.end(side),
            Self::Recoded(merge) => merge.end(side),
        }
    }

    fn next(&mut self) -> Result<Step, MergeError> {
        match self {
            Self::Alike(merge) => merge.next(),
            Self::Recoded(merge) => merge.next(),
        }
    }
}
