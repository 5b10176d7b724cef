//! Listings that a filter has passed.

use omnistorage_core::{
    entry::Entry,
    sync::{
        filter::Filter,
        walk::{Walk, WalkStep},
    },
};
use omnistorage_types::{
    Error, ErrorCode, Filter as FilterOptions, ListOptions, Listed, ListingFailure, Location, ObjectInfo,
    ObjectKind, Path, Result, Unlisted,
};

use crate::{
    Engine,
    place::{PAGE, Place, below, unlisted_below},
    port::Listing,
};

/// A filtered listing under way.
pub struct Found {
    place: Place,
    /// `None`: it leaves everything.
    filter: Option<Filter>,
    way: Way,
    /// Look at each object that is found.
    looks: bool,
    /// What is known before anything else.
    first: Option<Vec<Listed>>,
}

/// How the place is listed.
enum Way {
    /// By one listing, of one level or of all.
    Listed(Box<dyn Listing>),
    /// Level by level, which leaves out directories as a whole.
    Walked(Box<Walked>),
    /// There is nothing to list: it is an object.
    Told,
}

/// A walk, and the listings of the directories that it is in.
struct Walked {
    walk: Walk<ObjectInfo>,
    open: Vec<Open>,
    options: ListOptions,
}

struct Open {
    directory: Path,
    listing: Box<dyn Listing>,
    /// Nothing came of it so far.
    is_empty: bool,
}

#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl Engine {
    /// What a filter leaves of what is below a prefix, or of an object.
    pub async fn find(&self, at: Location, filter: FilterOptions, options: ListOptions) -> Result<Found> {
        let leaves_all = filter == FilterOptions::default();
        let filter = Filter::new(filter)?;
        if options.start_after.is_some() {
            let message = "`start-after` is for listings without a filter";
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        let place = self.place(at).await?;
        let capabilities = place.backend.capabilities().await;
        let tells_writes = capabilities.modified_precision.is_some() && !capabilities.features.listed_times;
        let full_info = filter.asks_for_times() && tells_writes;
        let looks = options.full_info && !full_info;
        let options = ListOptions { full_info, ..options };
        // A level costs a listing. Where directories are only prefixes, one listing of everything costs fewer, unless
        // there is a depth.
        let walks = options.recursive
            && filter.prunes()
            && (capabilities.features.directories || filter.max_depth().is_some());
        let listing =
            place.list(ListOptions { recursive: options.recursive && !walks, ..options.clone() }).await?;
        let first = listing.next(PAGE).await?;
        if first.is_empty() {
            let found = place.stat_to_list().await;
            let info = crate::objects::or_shared(&place, found).await?;
            let first = match info.kind {
                ObjectKind::Directory => Vec::new(),
                _ => itself(&filter, &place, info),
            };
            return Ok(Found { place, filter: None, way: Way::Told, looks: false, first: Some(first) });
        }
        let (way, first) = if walks {
            let mut walk = Walk::new(place.path.clone());
            // The first level is open already.
            walk.next(|_| false);
            let (entries, failures) = apart(first);
            walk.push(entries);
            let open = vec![Open { directory: place.path.clone(), listing, is_empty: false }];
            (Way::Walked(Box::new(Walked { walk, open, options })), failures)
        } else {
            (Way::Listed(listing), first)
        };
        let filter = (!leaves_all).then_some(filter);
        let mut found = Found { place, filter, way, looks, first: None };
        found.first = Some(found.passed(first).await?);
        Ok(found)
    }
}

impl Found {
    /// A page of it; empty at the end.
    ///
    /// # Errors
    /// What ends the listing before it is complete.
    pub async fn next(&mut self) -> Result<Vec<Listed>> {
        loop {
            if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
                return Ok(first);
            }
            let page = match &mut self.way {
                Way::Told => return Ok(Vec::new()),
                Way::Listed(listing) => listing.next(PAGE).await?,
                Way::Walked(walked) => walked.next(&self.place, self.filter.as_ref()).await?,
            };
            if page.is_empty() {
                return Ok(page);
            }
            let passed = self.passed(page).await?;
            if !passed.is_empty() {
                return Ok(passed);
            }
        }
    }

    /// What the filter leaves of a page.
    async fn passed(&self, page: Vec<Listed>) -> Result<Vec<Listed>> {
        let mut passed = Vec::with_capacity(page.len());
        for listed in page {
            match listed {
                Listed::Entry(info) => {
                    if !self.passes(&info)? {
                        continue;
                    }
                    let looked_at = self.looks && info.kind == ObjectKind::Object;
                    passed.push(if looked_at { self.looked_at(info).await } else { Listed::Entry(info) });
                }
                Listed::Failure(failure) => {
                    let what = unlisted_below(failure.what.clone(), &self.place.path);
                    let what = what.map_err(|message| self.place.error(ErrorCode::InvalidPath, &message))?;
                    if self.filter.as_ref().is_none_or(|filter| filter.asks_for(&what)) {
                        passed.push(Listed::Failure(failure));
                    }
                }
            }
        }
        Ok(passed)
    }

    fn passes(&self, info: &ObjectInfo) -> Result<bool> {
        let Some(filter) = &self.filter else { return Ok(true) };
        let path = below(&info.path, &self.place.path);
        let path = path.map_err(|message| self.place.error(ErrorCode::InvalidPath, &message))?;
        if filter.excluded_above(&path).is_some() {
            return Ok(false);
        }
        Ok(match info.kind {
            ObjectKind::Directory => filter.includes_directory(&path),
            _ => filter.ruling(&Entry::of(info.clone(), path)).is_included(),
        })
    }

    async fn looked_at(&self, info: ObjectInfo) -> Listed {
        let path = info.path;
        match self.place.backend.stat(path.clone()).await {
            Ok(info) => Listed::Entry(info),
            Err(error) => ListingFailure { what: Unlisted::Entry(path), error }.into(),
        }
    }
}

impl Walked {
    /// The next entries and failures; none at the end.
    async fn next(&mut self, place: &Place, filter: Option<&Filter>) -> Result<Vec<Listed>> {
        let has_directories = place.backend.capabilities().await.features.directories;
        let looks_into = |directory: &Path| {
            let included =
                |path: &Path| filter.is_none_or(|filter| filter.ruling_on_directory(path).is_included());
            below(directory, &place.path).is_ok_and(|path| included(&path))
        };
        let mut found = Vec::new();
        while found.len() < PAGE as usize {
            match self.walk.next(looks_into) {
                WalkStep::Enter(directory) => {
                    let listing = place.backend.list(directory.clone(), self.options_of_a_level()).await;
                    let is_open = listing.is_ok();
                    let listing = listing.unwrap_or_else(|error| {
                        found.push(unlisted(directory.clone(), error));
                        Box::new(Nothing)
                    });
                    self.open.push(Open { directory, listing, is_empty: is_open });
                }
                WalkStep::Need => match self.open.last_mut() {
                    Some(open) => match open.listing.next(PAGE).await {
                        Ok(page) if page.is_empty() => {
                            self.walk.end();
                            found.extend(vanished(place, open).await);
                        }
                        Ok(page) => {
                            open.is_empty = false;
                            let (entries, failures) = apart(page);
                            found.extend(failures);
                            self.walk.push(entries);
                        }
                        Err(error) if self.open.len() == 1 || error.code() == ErrorCode::BackendClosed => {
                            return Err(error);
                        }
                        Err(error) => {
                            found
                                .extend(self.open.last().map(|open| unlisted(open.directory.clone(), error)));
                            self.walk.end();
                        }
                    },
                    None => self.walk.end(),
                },
                WalkStep::Leave => drop(self.open.pop()),
                WalkStep::Entry(info) if info.kind == ObjectKind::Directory && !has_directories => {}
                WalkStep::Entry(info) => found.push(Listed::Entry(info)),
                WalkStep::End => break,
            }
        }
        Ok(found)
    }

    fn options_of_a_level(&self) -> ListOptions {
        ListOptions { recursive: false, ..self.options.clone() }
    }
}

/// A listing that holds nothing.
struct Nothing;

#[async_trait::async_trait(?Send)]
impl Listing for Nothing {
    async fn next(&self, _max: u32) -> Result<Vec<Listed>> {
        Ok(Vec::new())
    }
}

/// Of a directory in which nothing was found: whether it is there at all. One that was moved away since it was listed
/// lists nothing, and what was in it is elsewhere.
async fn vanished(place: &Place, open: &Open) -> Option<Listed> {
    if !open.is_empty || !place.backend.capabilities().await.features.directories {
        return None;
    }
    let error = match place.backend.stat(open.directory.clone()).await {
        Ok(info) if info.kind == ObjectKind::Directory => return None,
        Ok(_) => None,
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => Some(error),
    };
    let message = "the directory was moved, deleted or replaced while it was listed: try again";
    let error =
        error.unwrap_or_else(|| Error::new(ErrorCode::Unavailable, message).at(&place.name, &open.directory));
    Some(unlisted(open.directory.clone(), error))
}

fn unlisted(directory: Path, error: Error) -> Listed {
    ListingFailure { what: Unlisted::Directory(directory), error }.into()
}

/// An object in place of what is below it, if the filter leaves it: judged by its name.
fn itself(filter: &Filter, place: &Place, info: ObjectInfo) -> Vec<Listed> {
    let name = place.path.name().and_then(|name| Path::parse(name).ok());
    let entry = name.map(|name| Entry::of(info.clone(), name));
    let passes = entry.is_some_and(|entry| filter.ruling(&entry).is_included());
    if passes { vec![Listed::Entry(info)] } else { Vec::new() }
}

/// The entries of a page, and what it could not list.
fn apart(page: Vec<Listed>) -> (Vec<ObjectInfo>, Vec<Listed>) {
    let (mut entries, mut failures) = (Vec::with_capacity(page.len()), Vec::new());
    for listed in page {
        match listed {
            Listed::Entry(entry) => entries.push(entry),
            failure @ Listed::Failure(_) => failures.push(failure),
        }
    }
    (entries, failures)
}
