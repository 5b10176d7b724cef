//! Lists a place page by page.

use std::rc::Rc;

use futures::{SinkExt, channel::mpsc};
use omnistorage_core::{
    entry::{Entry, Listed, ListingFailure, ObjectKind, Unlisted},
    sync::{
        filter::Filter,
        walk::{Walk, WalkStep},
    },
};
use omnistorage_types::{self as types, Error, ErrorCode, KeyRange, ListOptions, Path};

use super::{place::Reading, retry::retrying, seen::just_before};
use crate::{
    place::PAGE,
    planted::{self, Bug},
    port::{Listing, Storage},
};

/// The pages of a listing as they arrive. One or two pages are requested ahead.
pub(super) type Pages = mpsc::Receiver<Result<Vec<Listed>, Error>>;

/// The receiver of the pages is gone.
struct Left;

/// Where the pages are sent.
struct Sender(mpsc::Sender<Result<Vec<Listed>, Error>>);

impl Sender {
    async fn send(&mut self, page: Vec<Listed>) -> Result<(), Left> {
        if page.is_empty() { Ok(()) } else { self.0.send(Ok(page)).await.map_err(|_| Left) }
    }

    async fn fail(&mut self, error: Error) -> Result<(), Left> {
        self.0.send(Err(error)).await.map_err(|_| Left)
    }
}

impl Reading {
    /// Everything below this place that a filter may include.
    pub(super) fn pages(&self, filter: Rc<Filter>) -> Pages {
        self.included_pages(filter, KeyRange::default(), KeyRange::default())
    }

    /// The same in a range of paths; some beyond it may be among what is listed.
    pub(super) fn pages_in(&self, filter: Rc<Filter>, range: &KeyRange) -> Result<Pages, Error> {
        Ok(self.included_pages(filter, range.clone(), self.full_range(range)?))
    }

    /// Everything that a filter may include, in a range that is given relative to this place and in full. Directories
    /// that it leaves out are not listed: where they exist by themselves, or only some levels are wanted, the place is
    /// walked level by level; where they are only prefixes, a listing of everything costs fewer calls, and is begun
    /// again behind what is left out.
    fn included_pages(&self, filter: Rc<Filter>, range: KeyRange, full: KeyRange) -> Pages {
        let this = self.clone();
        if !filter.prunes() {
            self.list(self.prefix().clone(), full)
        } else if self.features().directories || filter.max_depth().is_some() {
            start(self.port(), async move |sender| this.walk(&filter, &range, &full, sender).await)
        } else {
            start(self.port(), async move |sender| this.list_around(&filter, &full, sender).await)
        }
    }

    /// Everything below this place.
    pub(super) fn all_pages(&self) -> Pages {
        self.list(self.prefix().clone(), KeyRange::default())
    }

    /// Everything below a directory of this place.
    pub(super) fn pages_below(&self, directory: &Path) -> Result<Pages, Error> {
        Ok(self.list(self.prefix().join(directory)?, KeyRange::default()))
    }

    fn list(&self, full: Path, range: KeyRange) -> Pages {
        let this = self.clone();
        start(self.port(), async move |sender| this.list_all(full, range, sender).await)
    }

    async fn list_all(&self, full: Path, range: KeyRange, sender: &mut Sender) -> Result<(), Left> {
        let mut listing = Cursor::new(self, full, true, range);
        loop {
            match listing.next().await {
                Ok(page) if page.is_empty() => return Ok(()),
                Ok(page) => sender.send(page).await?,
                Err(_) if planted::has(Bug::FailedListingEnds) => return Ok(()),
                Err(error) => return sender.fail(error).await,
            }
        }
    }

    /// Lists everything but what is in directories that the filter leaves out. A page that ends in such a directory is
    /// the last of its listing: the next begins behind the directory.
    async fn list_around(&self, filter: &Filter, range: &KeyRange, sender: &mut Sender) -> Result<(), Left> {
        let mut behind = range.after.clone();
        loop {
            let rest = KeyRange { after: behind.clone(), until: range.until.clone() };
            let mut listing = Cursor::new(self, self.prefix().clone(), true, rest);
            let mut left_out = LeftOut::default();
            loop {
                let page = match listing.next().await {
                    Ok(page) if page.is_empty() => return Ok(()),
                    Ok(page) => page,
                    Err(error) => return sender.fail(error).await,
                };
                let wanted = page.into_iter().filter(|listed| match listed {
                    Listed::Entry(entry) => !left_out.holds(filter, &entry.path),
                    Listed::Failure(_) => true,
                });
                sender.send(wanted.collect()).await?;
                // Nothing sorts behind the last character that exists.
                let next = left_out.last.as_ref().and_then(|directory| {
                    let last = Path::parse(char::MAX.to_string()).ok()?;
                    self.prefix().join(&directory.join(&last).ok()?).ok()
                });
                if next.is_some() {
                    if next <= behind {
                        let message = "the listing does not begin where it was asked to";
                        return sender.fail(self.error(ErrorCode::Other, &Path::root(), message)).await;
                    }
                    behind = next;
                    break;
                }
            }
        }
    }

    async fn walk(
        &self,
        filter: &Filter,
        range: &KeyRange,
        full_range: &KeyRange,
        sender: &mut Sender,
    ) -> Result<(), Left> {
        let mut walk = Walk::new(Path::root());
        let (mut open, mut found): (Vec<Cursor<'_>>, Vec<Listed>) = (Vec::new(), Vec::new());
        // Where directories do not exist by themselves, those of a level are only prefixes that objects share.
        let has_directories = self.features().directories;
        loop {
            let looks_into = |directory: &Path| {
                range.spans_below(directory.as_str()) && filter.ruling_on_directory(directory).is_included()
            };
            match walk.next(looks_into) {
                WalkStep::Enter(directory) => match self.prefix().join(&directory) {
                    Ok(full) => {
                        let level = level_range(&full, full_range);
                        open.push(Cursor::new(self, full, false, level));
                    }
                    Err(why) => return sender.fail(why.into()).await,
                },
                WalkStep::Need => match open.last_mut() {
                    Some(listing) => match listing.next().await {
                        Ok(page) if page.is_empty() => {
                            walk.end();
                            found.extend(listing.vanished().await);
                        }
                        Ok(page) => {
                            let (entries, failures) = apart(page);
                            found.extend(failures);
                            walk.push(entries);
                        }
                        // An error that ends the whole listing.
                        Err(error) if open.len() == 1 || error.code() == ErrorCode::BackendClosed => {
                            return sender.fail(error).await;
                        }
                        Err(error) => {
                            walk.end();
                            found.extend(open.last().map(|listing| listing.failed(error)));
                        }
                    },
                    None => walk.end(),
                },
                WalkStep::Leave => drop(open.pop()),
                WalkStep::Entry(entry) if entry.kind == ObjectKind::Directory && !has_directories => {}
                WalkStep::Entry(entry) => found.push(Listed::Entry(entry)),
                WalkStep::End => return sender.send(found).await,
            }
            if found.len() >= PAGE as usize {
                sender.send(std::mem::take(&mut found)).await?;
            }
        }
    }
}

/// The entries of a page, and what it could not list.
fn apart(page: Vec<Listed>) -> (Vec<Entry>, Vec<Listed>) {
    let (mut entries, mut failures) = (Vec::with_capacity(page.len()), Vec::new());
    for listed in page {
        match listed {
            Listed::Entry(entry) => entries.push(entry),
            failure @ Listed::Failure(_) => failures.push(failure),
        }
    }
    (entries, failures)
}

/// The position in a listing. After a failure it resumes behind the last entry.
struct Cursor<'a> {
    place: &'a Reading,
    prefix: Path,
    recursive: bool,
    listing: Option<Box<dyn Listing>>,
    /// The rest of the listing.
    rest: KeyRange,
    /// Whether there has been an entry.
    has_found: bool,
    /// Failures that were returned since the last entry.
    given: u64,
    /// How many of these a reopened listing repeats, since it starts behind an entry.
    repeated: u64,
}

impl<'a> Cursor<'a> {
    fn new(place: &'a Reading, prefix: Path, recursive: bool, rest: KeyRange) -> Self {
        Self { place, prefix, recursive, listing: None, rest, has_found: false, given: 0, repeated: 0 }
    }

    /// The next page; `None` at the end.
    async fn next(&mut self) -> Result<Vec<Listed>, Error> {
        loop {
            let page = retrying(&self.place.attempts, async || {
                let listing = match self.listing.take() {
                    Some(listing) => listing,
                    None => {
                        self.repeated = self.given;
                        self.open().await?
                    }
                };
                let page = listing.next(PAGE).await?;
                self.listing = Some(listing);
                Ok(page)
            });
            let page = page.await?;
            let is_end = page.is_empty();
            let page = self.take(page)?;
            if is_end || !page.is_empty() {
                return Ok(page);
            }
        }
    }

    /// What a page holds that was not returned before.
    fn take(&mut self, page: Vec<types::Listed>) -> Result<Vec<Listed>, Error> {
        let last = page.iter().rev().find_map(|listed| match listed {
            types::Listed::Entry(info) => Some(info.path.clone()),
            types::Listed::Failure(_) => None,
        });
        self.has_found |= last.is_some();
        self.rest.after = last.or(self.rest.after.take());
        let mut taken = Vec::with_capacity(page.len());
        for listed in page {
            match listed {
                types::Listed::Entry(_) => (self.given, self.repeated) = (0, 0),
                types::Listed::Failure(_) if self.repeated > 0 => {
                    self.repeated -= 1;
                    continue;
                }
                types::Listed::Failure(_) if planted::has(Bug::UnlistedIsMissing) => continue,
                types::Listed::Failure(_) => self.given += 1,
            }
            taken.push(self.place.listed(listed)?);
        }
        Ok(taken)
    }

    /// Why the rest of the directory cannot be listed.
    fn failed(&self, error: Error) -> Listed {
        let directory = self.prefix.strip_prefix(self.place.prefix()).unwrap_or_default();
        Listed::Failure(Box::new(ListingFailure { what: Unlisted::Directory(directory), error }))
    }

    /// Of a directory in which nothing was found: whether it is there at all. One that was moved away since it was
    /// listed lists nothing, and what was in it is elsewhere.
    async fn vanished(&self) -> Option<Listed> {
        let directory = self.prefix.strip_prefix(self.place.prefix())?;
        let is_empty = !self.has_found && self.given == 0;
        if !is_empty || directory.is_root() || !self.place.features().directories {
            return None;
        }
        match self.place.stat(&directory).await {
            Ok(Some(found)) if found.kind == ObjectKind::Directory => None,
            Ok(_) => {
                let message = "the directory was moved, deleted or replaced while it was listed: try again";
                Some(self.failed(self.place.error(ErrorCode::Unavailable, &directory, message)))
            }
            Err(error) => Some(self.failed(error)),
        }
    }

    async fn open(&self) -> Result<Box<dyn Listing>, Error> {
        let options = ListOptions {
            recursive: self.recursive,
            start_after: self.rest.after.clone(),
            until: self.rest.until.clone(),
            full_info: self.place.full_info,
            ..ListOptions::default()
        };
        self.place.backend().list(self.prefix.clone(), options).await
    }
}

/// What is to be listed of one level of a directory, so that nothing of a range is missing. A directory that sorts
/// before the range may have something in it, if what the range begins after begins with its name.
fn level_range(directory: &Path, range: &KeyRange) -> KeyRange {
    let first = |after: &Path| {
        let name = after.strip_prefix(directory)?;
        let shortest = name.as_str().bytes().skip(1).position(|byte| byte <= b'/').map(|at| at + 1);
        let shortest = Path::parse(&name.as_str()[..shortest.unwrap_or(name.as_str().len())]).ok()?;
        just_before(directory.join(&shortest).ok()?.as_str())
    };
    KeyRange { after: range.after.as_ref().and_then(first), until: range.until.clone() }
}

/// Remembers what the filter excluded last: in a sorted listing, neighbours are mostly in the same directory.
#[derive(Default)]
struct LeftOut {
    /// The directory of the last entry, if it was excluded.
    last: Option<Path>,
    /// The directory of the last entry that was included.
    wanted: Option<Path>,
}

impl LeftOut {
    /// Whether an entry is in an excluded directory.
    fn holds(&mut self, filter: &Filter, path: &Path) -> bool {
        if self.last.as_ref().is_some_and(|directory| path.starts_with(directory)) {
            return true;
        }
        let parent = path.parent();
        if self.last.is_some() || self.wanted != parent {
            self.last = filter.excluded_above(path).map(|(directory, _)| directory);
            self.wanted = parent.filter(|_| self.last.is_none());
        }
        self.last.is_some()
    }
}

/// Lists in the background.
fn start(port: &Rc<dyn Storage>, list: impl AsyncFnOnce(&mut Sender) -> Result<(), Left> + 'static) -> Pages {
    let (sender, pages) = mpsc::channel(0);
    port.spawn(Box::pin(async move {
        // The receiver may be gone.
        let _ = list(&mut Sender(sender)).await;
    }));
    pages
}
