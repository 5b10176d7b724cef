//! The merge of two sorted listings, while they stream.
//!
//! Both must be strictly ascending by the bytes of the paths: a listing that is not would make objects look missing,
//! and a sync delete what it should keep. So each step is checked, and memory holds only the batches in flight.
//!
//! What one listing could not tell comes as a step of its own, before anything is said of what it hides: there, what
//! the other side has is neither missing nor extra, but of unknown fate.
//!
//! ```
//! use omnistorage_core::{Path, PathError, entry::{Entry, Listed, ObjectKind}};
//! use omnistorage_core::sync::merge::{Merge, MergeError, Side, Step};
//!
//! let entry = |path| Ok::<_, PathError>(Listed::Entry(Entry::new(Path::parse(path)?, ObjectKind::Object)));
//! let (mut source, mut target) = (vec![vec![entry("a")?, entry("b")?]], vec![vec![entry("b")?, entry("c")?]]);
//!
//! let (mut merge, mut seen) = (Merge::new(), Vec::new());
//! loop {
//!     match merge.next()? {
//!         Step::Need(side) => {
//!             let listing = match side { Side::Source => &mut source, Side::Target => &mut target };
//!             match listing.pop() {
//!                 Some(batch) => merge.push(side, batch),
//!                 None => merge.end(side),
//!             }
//!         }
//!         Step::SourceOnly(source) => seen.push(format!("+{}", source.path)),
//!         Step::TargetOnly(target) => seen.push(format!("-{}", target.path)),
//!         Step::Both { source, .. } => seen.push(format!("={}", source.path)),
//!         Step::Failed { .. } | Step::Unknown { .. } => {}
//!         Step::End => break,
//!     }
//! }
//! assert_eq!(seen, ["+a", "=b", "-c"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{cmp::Ordering, collections::VecDeque, fmt};

use omnistorage_types::{Path, PathError};

use super::hidden::Hidden;
use crate::entry::{Entry, Listed, ListingFailure};

/// One of the two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Where it comes from.
    Source,
    /// What is made like it.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// What the merge has next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing before more of this side's listing is pushed, or its end reported.
    Need(Side),
    /// A path that only the source has.
    SourceOnly(Entry),
    /// A path that only the target has.
    TargetOnly(Entry),
    /// A path that both have, though perhaps not of the same kind.
    Both {
        /// What the source has.
        source: Entry,
        /// What the target has.
        target: Entry,
    },
    /// What a side could not list, and why.
    Failed {
        /// Whose listing.
        side: Side,
        /// What is missing there.
        failure: Box<ListingFailure>,
    },
    /// A path that one side has, where the listing of the other failed: whether that has it is not known.
    Unknown {
        /// Who has it.
        side: Side,
        /// What it has.
        entry: Entry,
    },
    /// Both listings are through.
    End,
}

/// Why the merge cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeError {
    /// A listing is not strictly ascending.
    Unsorted {
        /// Whose listing.
        side: Side,
        /// The path before.
        previous: Path,
        /// The path that should have come earlier, or not at all.
        path: Path,
    },
    /// Entries came after the end of a listing was told.
    AfterEnd {
        /// Whose listing.
        side: Side,
    },
    /// Two objects of the source would have one name on the target.
    Clash {
        /// Their paths.
        paths: [Path; 2],
        /// The path on the target.
        name: Path,
    },
    /// An object of the source has no name on the target.
    Name {
        /// Its path.
        path: Path,
        /// Why not.
        why: PathError,
    },
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsorted { side, previous, path } if previous == path => {
                write!(f, "the listing of the {side} holds {:?} twice", path.as_str())
            }
            Self::Unsorted { side, previous, path } => {
                let (previous, path) = (previous.as_str(), path.as_str());
                write!(f, "the listing of the {side} is not in byte order: {path:?} comes after {previous:?}")
            }
            Self::Clash { paths: [one, other], name } => write!(
                f,
                "both {:?} and {:?} of the source would be {:?} on the target: rename or exclude one of them",
                one.as_str(),
                other.as_str(),
                name.as_str()
            ),
            Self::Name { path, why } => {
                write!(f, "{:?} of the source gets no name on the target: {why}", path.as_str())
            }
            Self::AfterEnd { side } => write!(f, "the listing of the {side} went on after its end"),
        }
    }
}

impl std::error::Error for MergeError {}

/// The merge of the listings of a source and a target.
#[derive(Debug)]
pub struct Merge {
    source: Listing,
    target: Listing,
    error: Option<MergeError>,
}

/// What is in flight of one listing.
#[derive(Debug)]
struct Listing {
    entries: VecDeque<Listed>,
    last: Option<Path>,
    hidden: Hidden,
    ended: bool,
}

impl Default for Merge {
    fn default() -> Self {
        Self::new()
    }
}

impl Merge {
    /// Of two listings of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self { source: Listing::new(), target: Listing::new(), error: None }
    }

    /// Hands in what comes next of a listing. It is checked here; what is wrong, [`next`](Self::next) tells.
    pub fn push(&mut self, side: Side, page: Vec<Listed>) {
        if let Err(error) = self.listing(side).push(side, page) {
            self.error.get_or_insert(error);
        }
    }

    /// Tells that a listing is complete.
    pub fn end(&mut self, side: Side) {
        self.listing(side).ended = true;
    }

    /// The next step, in byte order of the paths. What a side could not list comes as soon as that is known.
    ///
    /// # Errors
    /// What is wrong with a listing. It is final: every later call gives it again.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where this one asks for more")]
    pub fn next(&mut self) -> Result<Step, MergeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        for side in [Side::Source, Side::Target] {
            let listing = self.listing(side);
            if let Some(failure) = listing.next_failure() {
                return Ok(Step::Failed { side, failure });
            }
            if listing.entries.is_empty() && !listing.ended {
                return Ok(Step::Need(side));
            }
        }
        let order = match (self.source.front(), self.target.front()) {
            (Some(source), Some(target)) => source.cmp(target),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let source = if order.is_le() { self.source.next_entry() } else { None };
        let target = if order.is_ge() { self.target.next_entry() } else { None };
        Ok(match (source, target) {
            (Some(source), Some(target)) => Step::Both { source, target },
            (Some(entry), None) if self.target.hidden.holds(&entry.path) => {
                Step::Unknown { side: Side::Source, entry }
            }
            (None, Some(entry)) if self.source.hidden.holds(&entry.path) => {
                Step::Unknown { side: Side::Target, entry }
            }
            (Some(source), None) => Step::SourceOnly(source),
            (None, Some(target)) => Step::TargetOnly(target),
            (None, None) => Step::End,
        })
    }

    const fn listing(&mut self, side: Side) -> &mut Listing {
        match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        }
    }
}

impl Listing {
    const fn new() -> Self {
        Self { entries: VecDeque::new(), last: None, hidden: Hidden::new(), ended: false }
    }

    fn push(&mut self, side: Side, page: Vec<Listed>) -> Result<(), MergeError> {
        if page.is_empty() {
            return Ok(());
        }
        if self.ended {
            return Err(MergeError::AfterEnd { side });
        }
        let mut previous = self.last.as_ref();
        for listed in &page {
            let (path, in_time) = match listed {
                Listed::Entry(entry) => (&entry.path, previous.is_none_or(|previous| *previous < entry.path)),
                Listed::Failure(failure) => match failure.what.covers() {
                    Some(path) => (path, previous.is_none_or(|previous| !is_behind(previous, path))),
                    None => continue,
                },
            };
            if let Some(previous) = previous.filter(|_| !in_time) {
                return Err(MergeError::Unsorted { side, previous: previous.clone(), path: path.clone() });
            }
            if matches!(listed, Listed::Entry(_)) {
                previous = Some(path);
            }
        }
        self.last = previous.cloned();
        if self.entries.is_empty() {
            self.entries = page.into();
        } else {
            self.entries.extend(page);
        }
        Ok(())
    }

    /// What could not be listed, if that comes next.
    fn next_failure(&mut self) -> Option<Box<ListingFailure>> {
        if !matches!(self.entries.front()?, Listed::Failure(_)) {
            return None;
        }
        match self.entries.pop_front()? {
            Listed::Failure(failure) => {
                self.hidden.add(&failure.what);
                Some(failure)
            }
            Listed::Entry(_) => None,
        }
    }

    fn front(&self) -> Option<&Path> {
        match self.entries.front()? {
            Listed::Entry(entry) => Some(&entry.path),
            Listed::Failure(_) => None,
        }
    }

    fn next_entry(&mut self) -> Option<Entry> {
        match self.entries.pop_front()? {
            Listed::Entry(entry) => Some(entry),
            Listed::Failure(_) => None,
        }
    }
}

/// Whether a path sorts behind another one and all that is below that.
fn is_behind(path: &Path, other: &Path) -> bool {
    !path.starts_with(other) && path.as_str().bytes().gt(other.as_str().bytes().chain([b'/']))
}
