//! Listings in byte order, from backends that list in another order: sorted in memory if they are short, and on disk
//! otherwise.
//!
//! Entries are gathered in a run of some MiB. A full run is sorted and written to a temporary file; when all entries
//! are there, the runs are merged while they are read. So memory does not grow with the listing, and the disk needs
//! room for it once: some hundred bytes for each entry. A component has memory alone.

mod disk;
mod record;
mod run;

use std::path::PathBuf;

use async_trait::async_trait;

use self::{
    disk::{File, temporary},
    run::{Gathering, Merged, Sorted},
};
use super::{Listed, Listing};
use crate::{Error, ErrorCode, Result};

/// Entries asked for at once.
const PAGE: usize = 1000;

/// How much a [`SortedListing`] may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortOptions {
    /// Bytes of entries in memory; more go to disk. Default 16 MiB; in a component 256 MiB, some million entries.
    pub memory: usize,
    /// Bytes on disk; more are refused, so that an endless listing cannot fill it. Default 16 GiB, which is some
    /// hundred million entries; in a component none.
    pub disk: u64,
    /// Where temporary files go. Default: where the system has them.
    pub directory: PathBuf,
}

impl Default for SortOptions {
    #[cfg(not(target_family = "wasm"))]
    fn default() -> Self {
        Self { memory: 16 << 20, disk: 16 << 30, directory: std::env::temp_dir() }
    }

    #[cfg(target_family = "wasm")]
    fn default() -> Self {
        Self { memory: 256 << 20, disk: 0, directory: PathBuf::new() }
    }
}

/// A listing in byte order of the paths, made from one in any order. The first entry comes when the last one is known.
/// Entries that are listed twice come twice.
///
/// ```
/// use async_trait::async_trait;
/// use omnistorage::{
///     ObjectInfo, ObjectKind, Path, Result,
///     backend::{Listed, Listing, sorted::{SortOptions, SortedListing}},
/// };
///
/// /// Lists `b`, then `a`.
/// struct Backwards(Vec<&'static str>);
///
/// #[async_trait]
/// impl Listing for Backwards {
///     async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
///         let paths = self.0.drain(..max.min(self.0.len()));
///         paths.map(|path| Ok(ObjectInfo::new(Path::parse(path)?, ObjectKind::Object).into())).collect()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let mut listing = SortedListing::new(Box::new(Backwards(vec!["b", "a"])), SortOptions::default());
/// let paths: Vec<_> = listing.next(10).await?.iter().map(|listed| listed.path().to_string()).collect();
/// assert_eq!(paths, ["a", "b"]);
/// # Ok(())
/// # }
/// ```
pub struct SortedListing(State);

enum State {
    Unsorted(Box<dyn Listing>, SortOptions),
    Sorted(Sorted),
    /// An error ended it, or a call was dropped.
    BrokenOff,
}

impl SortedListing {
    /// Sorts a listing.
    #[must_use]
    pub fn new(listing: Box<dyn Listing>, options: SortOptions) -> Self {
        Self(State::Unsorted(listing, options))
    }
}

impl std::fmt::Debug for SortedListing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SortedListing").finish_non_exhaustive()
    }
}

#[async_trait]
impl Listing for SortedListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let sorted = match std::mem::replace(&mut self.0, State::BrokenOff) {
            State::Unsorted(listing, options) => sort(listing, options).await?,
            State::Sorted(sorted) => sorted,
            State::BrokenOff => {
                return Err(Error::new(ErrorCode::Other, "the listing ended before it was complete"));
            }
        };
        let (batch, sorted) = match sorted {
            Sorted::InMemory(mut run) => (run.take(max)?, Sorted::InMemory(run)),
            Sorted::OnDisk(mut merged) => {
                blocking(move || Ok((merged.take(max)?, Sorted::OnDisk(merged)))).await?
            }
        };
        self.0 = State::Sorted(sorted);
        Ok(batch)
    }
}

/// Reads a listing to its end.
async fn sort(mut listing: Box<dyn Listing>, options: SortOptions) -> Result<Sorted> {
    let mut gathering = Gathering::default();
    let mut spilled: Option<Spilled> = None;
    loop {
        let page = listing.next(PAGE).await?;
        if page.is_empty() {
            break;
        }
        page.iter().for_each(|listed| gathering.push(listed));
        if gathering.size() >= options.memory {
            let full = std::mem::take(&mut gathering);
            let (before, options) = (spilled.take(), options.clone());
            spilled = Some(blocking(move || Spilled::add(before, full, &options)).await?);
        }
    }
    match spilled {
        None => Ok(Sorted::InMemory(gathering.sort())),
        Some(before) => blocking(move || Spilled::add(Some(before), gathering, &options)?.merge()).await,
    }
}

/// Runs on disk, one behind the other.
struct Spilled {
    file: File,
    ends: Vec<u64>,
}

impl Spilled {
    fn add(before: Option<Self>, run: Gathering, options: &SortOptions) -> Result<Self> {
        let start = before.as_ref().and_then(|before| before.ends.last().copied()).unwrap_or(0);
        let end = start + run.size() as u64;
        if end > options.disk {
            let SortOptions { memory, disk, .. } = options;
            let message = format!(
                "the listing is longer than what may be sorted: {memory} bytes in memory and {disk} on disk"
            );
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        let mut spilled = match before {
            Some(before) => before,
            None => Self { file: temporary(&options.directory)?, ends: vec![0] },
        };
        run.sort().write(&mut spilled.file)?;
        spilled.ends.push(end);
        Ok(spilled)
    }

    fn merge(self) -> Result<Sorted> {
        Ok(Sorted::OnDisk(Box::new(Merged::new(self.file, &self.ends)?)))
    }
}

#[cfg(not(target_family = "wasm"))]
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let broken_off = |error| Error::new(ErrorCode::Cancelled, format!("the sorting was broken off: {error}"));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(broken_off(error)))
}

#[cfg(target_family = "wasm")]
async fn blocking<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    work()
}

#[cfg(test)]
mod tests;
