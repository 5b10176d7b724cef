//! One path as a listing tells of it. A look may tell other things: more than the listing, and of another name, where a
//! file system takes two for one.

use omnistorage_core::entry::{Entry, ObjectKind};
use omnistorage_types::{Error, ListOptions, Listed, Path};

use super::place::Reading;
use crate::place::PAGE;

/// What the listing of a directory says about a path in it.
enum Told {
    Entry(Entry),
    /// Nothing with this name exists.
    Nothing,
    /// The listing is incomplete.
    Unknown,
}

impl Reading {
    /// What a run sees at a path: the listed entry, even if a look-up would return more.
    pub(super) async fn seen(&self, path: &Path) -> Result<Option<Entry>, Error> {
        let seen = self.stat_named(path).await?;
        if !self.lists_writes || seen.as_ref().is_none_or(|seen| seen.kind != ObjectKind::Object) {
            return Ok(seen);
        }
        match self.look_up(path).await? {
            Told::Entry(listed) => Ok(Some(listed)),
            Told::Nothing | Told::Unknown => Ok(seen),
        }
    }

    /// The entry at a path that has exactly this name.
    pub(super) async fn stat_named(&self, path: &Path) -> Result<Option<Entry>, Error> {
        let found = self.stat(path).await?;
        // A listing that may lack the name cannot tell how it is written.
        if found.is_none() || path.is_root() || !self.is_file_system() || self.hides_names() {
            return Ok(found);
        }
        match self.look_up(path).await? {
            Told::Nothing => Ok(None),
            Told::Entry(_) | Told::Unknown => Ok(found),
        }
    }

    /// Whether the listings of the directories above a path lead to it, or may.
    pub(super) async fn shows(&self, path: &Path) -> Result<bool, Error> {
        let above = std::iter::successors(Some(path.clone()), Path::parent);
        for path in above.filter(|path| !path.is_root()) {
            if matches!(self.look_up(&path).await?, Told::Nothing) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn look_up(&self, path: &Path) -> Result<Told, Error> {
        let full = self.full(path)?;
        let directory = self.full(&path.parent().unwrap_or_default())?;
        let options = ListOptions {
            start_after: just_before(full.as_str()),
            until: Some(full.clone()),
            ..ListOptions::default()
        };
        let listing = self.backend().list(directory, options).await?;
        let mut is_complete = true;
        loop {
            let page = listing.next(PAGE).await?;
            let is_last = page.is_empty();
            for listed in page {
                match listed {
                    Listed::Failure(_) => is_complete = false,
                    Listed::Entry(info) if info.path == full => return self.entry(info).map(Told::Entry),
                    Listed::Entry(info) if info.path > full => return Ok(nothing_if(is_complete)),
                    Listed::Entry(_) => {}
                }
            }
            if is_last {
                return Ok(nothing_if(is_complete));
            }
        }
    }
}

const fn nothing_if(is_complete: bool) -> Told {
    if is_complete { Told::Nothing } else { Told::Unknown }
}

/// A path shortly before another one beside it, in byte order; `None` if that is easier looked for from the beginning.
pub(super) fn just_before(path: &str) -> Option<Path> {
    let last = path.chars().next_back()?;
    let stem = path.get(..path.len() - last.len_utf8())?;
    let before = char::from_u32(u32::from(last).checked_sub(1)?).filter(|before| !"/\0".contains(*before))?;
    Path::parse(format!("{stem}{before}{}", char::MAX)).ok()
}
