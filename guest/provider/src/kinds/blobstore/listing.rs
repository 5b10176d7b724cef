//! Listings: all names of the container, those that are asked for sorted, and the size of each when it is handed out.

use async_trait::async_trait;
use omnistorage::{
    ObjectInfo, ObjectKind, Path, Result,
    backend::{
        ListOptions, Listed, Listing, ListingFailure, Unlisted, limited,
        sorted::{SortOptions, SortedListing},
    },
};

use super::{
    KIND,
    container::{Container, Names},
    names,
};

/// Opens a listing of what is below a prefix.
///
/// # Errors
/// What the host says.
pub(super) fn list(container: &Container, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
    names::check(prefix)?;
    let unsorted = Unsorted { names: container.names()?, prefix: prefix.clone(), options: options.clone() };
    let sorted = SortedListing::new(Box::new(unsorted), SortOptions::default());
    let container = container.clone();
    let sized = Sized { container, prefix: prefix.clone(), sorted, last: None };
    Ok(limited(Box::new(sized), options.limit))
}

/// What the host lists, as entries without a size. A directory comes once for each object below it.
struct Unsorted {
    names: Names,
    prefix: Path,
    options: ListOptions,
}

impl Unsorted {
    /// What a name stands for, if it is asked for.
    fn entry(&self, name: &str) -> Option<Listed> {
        let below = match self.prefix.is_root() {
            true => name,
            false => name.strip_prefix(self.prefix.as_str())?.strip_prefix('/')?,
        };
        let Ok(path) = Path::parse(name) else {
            let is_asked_for = !below.is_empty() && self.options.spans(name);
            return is_asked_for.then(|| ListingFailure::of_name(KIND, name.as_bytes()).into());
        };
        if below.is_empty() || path.segments().any(names::is_temporary) {
            return None;
        }
        let info = match below.split_once('/') {
            Some((directory, _)) if !self.options.recursive => {
                let directory = Path::parse(directory).and_then(|directory| self.prefix.join(&directory));
                ObjectInfo::new(directory.ok()?, ObjectKind::Directory)
            }
            _ => ObjectInfo::new(path, ObjectKind::Object),
        };
        self.options.spans(info.path.as_str()).then(|| info.into())
    }
}

#[async_trait]
impl Listing for Unsorted {
    async fn next(&mut self, _: usize) -> Result<Vec<Listed>> {
        while let Some(page) = self.names.next()? {
            let entries: Vec<_> = page.iter().filter_map(|name| self.entry(name)).collect();
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        Ok(Vec::new())
    }
}

/// The same in order, each once, with sizes.
struct Sized {
    container: Container,
    prefix: Path,
    sorted: SortedListing,
    last: Option<(Path, ObjectKind)>,
}

impl Sized {
    /// An entry as it is handed out; `None` if it was already, or is gone by now.
    fn entry(&mut self, listed: Listed) -> Option<Listed> {
        let Listed::Entry(mut info) = listed else { return Some(listed) };
        let this = Some((info.path.clone(), info.kind));
        if std::mem::replace(&mut self.last, this.clone()) == this {
            return None;
        }
        if info.kind == ObjectKind::Object {
            match self.container.size(info.path.as_str()) {
                Ok(None) => return None,
                Ok(size) => info.size = size,
                Err(error) => {
                    let error = error.at(KIND, &info.path);
                    return Some(ListingFailure { what: Unlisted::Entry(info.path), error }.into());
                }
            }
        }
        Some(info.into())
    }
}

#[async_trait]
impl Listing for Sized {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        loop {
            let page = self.sorted.next(max).await.map_err(|error| error.at(KIND, &self.prefix))?;
            let is_end = page.is_empty();
            let entries: Vec<_> = page.into_iter().filter_map(|listed| self.entry(listed)).collect();
            if is_end || !entries.is_empty() {
                return Ok(entries);
            }
        }
    }
}
