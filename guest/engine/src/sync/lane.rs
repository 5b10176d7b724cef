//! One range of both listings, merged while they stream.

use std::rc::Rc;

use futures::StreamExt;
use omnistorage_core::{
    entry::{Entry, Listed, ObjectKind, Unlisted},
    sync::{
        filter::Filter,
        merge::{self, Merge, MergeError, Side},
        recode::{Recoded, Recoding},
    },
};
use omnistorage_types::{Error, ErrorCode, KeyRange, Path};

use super::{pages::Pages, place::Reading, sides::Sides};

/// What the merge of both listings has next.
pub(super) type Step = merge::Step;

/// Where lanes come from: both places, as far as they are listed.
pub(super) struct Listing {
    pub(super) source: Reading,
    pub(super) target: Reading,
    filter: Rc<Filter>,
    target_filter: Rc<Filter>,
    recoding: Option<Recoding>,
}

impl Listing {
    pub(super) fn of(sides: &Sides) -> Self {
        Self {
            source: sides.source.clone(),
            target: sides.target.clone(),
            filter: sides.filter.clone(),
            target_filter: sides.filter.for_target().into(),
            recoding: sides.recoder.map(|recoder| recoder.recoding),
        }
    }

    /// Begins to list a range of both.
    pub(super) fn lane(&self, range: KeyRange) -> Result<Lane, Error> {
        let source = self.source.pages_in(self.filter.clone(), &range)?;
        let target = self.target.pages_in(self.target_filter.clone(), &range)?;
        Ok(Lane { source: Some(source), target: Some(target), ..self.empty(range) })
    }

    /// The lane of one object and what stands at its place, which are all that there is.
    pub(super) async fn single(&self, sides: &Sides, name: &Path) -> Result<Lane, Error> {
        let mut lane = self.empty(sides.range.clone());
        for side in [Side::Source, Side::Target] {
            let name = match side {
                Side::Source => name.clone(),
                Side::Target => sides.target_path(name),
            };
            // What is called otherwise is not what the object would replace.
            let found = match sides.range.spans(name.as_str()) {
                true => sides.side(side).stat_named(&name).await?,
                false => None,
            };
            lane.merge.push(side, found.into_iter().map(Listed::Entry).collect());
            lane.merge.end(side);
        }
        Ok(lane)
    }

    fn empty(&self, range: KeyRange) -> Lane {
        Lane {
            merge: match self.recoding {
                None => Listings::Alike(Box::default()),
                Some(recoding) => Listings::Recoded(Box::new(Recoded::new(recoding))),
            },
            recoding: self.recoding,
            source: None,
            target: None,
            filter: self.filter.clone(),
            range,
            last: None,
            keeps_place: false,
            pages: 0,
            source_has_objects: false,
        }
    }
}

/// The merge of one range.
pub(super) struct Lane {
    merge: Listings,
    recoding: Option<Recoding>,
    /// Absent where there is nothing to list.
    source: Option<Pages>,
    target: Option<Pages>,
    filter: Rc<Filter>,
    range: KeyRange,
    /// The path of the last step, if it is kept.
    last: Option<Path>,
    /// Whether it may be cut: then it keeps where it is.
    pub(super) keeps_place: bool,
    /// Pages that came.
    pub(super) pages: u64,
    /// Whether an object of the source was in sight.
    pub(super) source_has_objects: bool,
}

impl Lane {
    /// What is still to come.
    pub(super) fn rest(&self) -> KeyRange {
        KeyRange {
            after: self.last.clone().or_else(|| self.range.after.clone()),
            until: self.range.until.clone(),
        }
    }

    /// Ends the range earlier than it was to end.
    pub(super) fn end_at(&mut self, until: Path) {
        self.range.until = Some(until);
    }

    /// The next pair that the filter leaves. May be dropped half way, and called again.
    pub(super) async fn next(&mut self) -> Result<Step, Error> {
        loop {
            let side = match self.merge.next() {
                Ok(Step::Need(side)) => side,
                Ok(step) => {
                    match place(&step) {
                        Some(path) if self.is_beyond(path) => return Ok(Step::End),
                        Some(path) if self.keeps_place => self.last = Some(path.clone()),
                        _ => {}
                    }
                    match self.screen(step) {
                        Some(step) => return Ok(step),
                        None => continue,
                    }
                }
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
                    self.pages += 1;
                    let is_last = self.reaches_end(&page);
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
                    match side {
                        _ if !is_last => {}
                        Side::Source => self.source = None,
                        Side::Target => self.target = None,
                    }
                }
                None => self.merge.end(side),
            }
        }
    }

    /// Whether nothing of the range comes after a page: the listing may have been begun with a later end.
    fn reaches_end(&self, page: &[Listed]) -> bool {
        let last = page.iter().rev().find_map(|listed| match listed {
            Listed::Entry(entry) => Some(&entry.path),
            Listed::Failure(_) => None,
        });
        self.recoding.is_none()
            && last.zip(self.range.until.as_ref()).is_some_and(|(last, until)| last >= until)
    }

    /// Whether a path comes after the range: it was listed before the range was ended earlier.
    fn is_beyond(&self, path: &Path) -> bool {
        self.recoding.is_none() && self.range.until.as_ref().is_some_and(|until| path > until)
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
            // Its size is another on the source.
            let entry = Entry { path, size: None, ..target.clone() };
            self.filter.screen(Step::TargetOnly(entry)).is_some()
        };
        names.into_iter().all(is_meant).then_some(step)
    }
}

/// Where a step is; what could not be listed may be told of early.
const fn place(step: &Step) -> Option<&Path> {
    match step {
        Step::SourceOnly(entry) | Step::TargetOnly(entry) | Step::Unknown { entry, .. } => Some(&entry.path),
        Step::Both { source, .. } => Some(&source.path),
        Step::Failed { .. } | Step::Need(_) | Step::End => None,
    }
}

/// Whether what is listed, or what a failure leaves out, lies in a range, at least in part.
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

/// The merge, of names that are alike or of names that change on the way.
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
