//! The merge of two sorted listings, while they stream.
//!
//! Both must be strictly ascending by the bytes of the paths: a listing that is not would make objects look missing,
//! and a sync delete what it should keep. So each step is checked, and memory holds only the batches in flight.
//!
//! ```
//! use omnistorage_core::{Path, PathError, entry::{Entry, ObjectKind}, sync::merge::{Merge, MergeError, Side, Step}};
//!
//! let entry = |path| Ok::<_, PathError>(Entry::new(Path::parse(path)?, ObjectKind::Object));
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
//!         Step::End => break,
//!     }
//! }
//! assert_eq!(seen, ["+a", "=b", "-c"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{cmp::Ordering, collections::VecDeque, fmt};

use omnistorage_path::{Path, PathError};

use crate::entry::Entry;

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
    /// Nothing before more of this side's listing is pushed, or its end told.
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
#[derive(Debug, Default)]
pub struct Merge {
    source: Listing,
    target: Listing,
    error: Option<MergeError>,
}

/// What is in flight of one listing.
#[derive(Debug, Default)]
struct Listing {
    entries: VecDeque<Entry>,
    last: Option<Path>,
    ended: bool,
}

impl Merge {
    /// Of two listings of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands in the next entries of a listing. They are checked here; what is wrong, [`next`](Self::next) tells.
    pub fn push(&mut self, side: Side, entries: Vec<Entry>) {
        if let Err(error) = self.listing(side).push(side, entries) {
            self.error.get_or_insert(error);
        }
    }

    /// Tells that a listing is complete.
    pub fn end(&mut self, side: Side) {
        self.listing(side).ended = true;
    }

    /// The next step, in byte order of the paths.
    ///
    /// # Errors
    /// What is wrong with a listing. It is final: every later call gives it again.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where this one asks for more")]
    pub fn next(&mut self) -> Result<Step, MergeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        for (side, listing) in [(Side::Source, &self.source), (Side::Target, &self.target)] {
            if listing.entries.is_empty() && !listing.ended {
                return Ok(Step::Need(side));
            }
        }
        let order = match (self.source.entries.front(), self.target.entries.front()) {
            (Some(source), Some(target)) => source.path.cmp(&target.path),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let source = if order.is_le() { self.source.entries.pop_front() } else { None };
        let target = if order.is_ge() { self.target.entries.pop_front() } else { None };
        Ok(match (source, target) {
            (Some(source), Some(target)) => Step::Both { source, target },
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
    fn push(&mut self, side: Side, entries: Vec<Entry>) -> Result<(), MergeError> {
        let Some(newest) = entries.last() else { return Ok(()) };
        if self.ended {
            return Err(MergeError::AfterEnd { side });
        }
        let mut previous = self.last.as_ref();
        for Entry { path, .. } in &entries {
            if let Some(previous) = previous.filter(|previous| *previous >= path) {
                return Err(MergeError::Unsorted { side, previous: previous.clone(), path: path.clone() });
            }
            previous = Some(path);
        }
        self.last = Some(newest.path.clone());
        if self.entries.is_empty() {
            self.entries = entries.into();
        } else {
            self.entries.extend(entries);
        }
        Ok(())
    }
}
