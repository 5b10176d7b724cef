//! Finders that know the content of a dictionary.
//!
//! To look through the content takes longer than to compress a small object. So that is done once, and each object gets a
//! copy of what came of it. The tables are as small as the content allows, since they are what is copied.

use std::cell::RefCell;

use super::{finder::Finder, level::Level, tables::Tables};

/// A finder that looked through a dictionary, of the level that was asked for last.
#[derive(Default)]
pub(super) struct Index(RefCell<Option<(Level, Box<dyn Finder>)>>);

impl Index {
    /// A finder for contents behind a dictionary; `length` is theirs if they are known to be short.
    pub(super) fn finder(
        &self,
        level: Level,
        length: Option<usize>,
        content: &[u8],
        known: Option<&Tables>,
    ) -> Box<dyn Finder> {
        if length.is_none() {
            // What is long needs large tables, and takes longer than the dictionary.
            let mut finder = level.finder(None);
            finder.learn(content, known);
            return finder;
        }
        let mut kept = self.0.borrow_mut();
        let kept = match kept.take() {
            Some(same) if same.0 == level => kept.insert(same),
            _ => {
                let mut finder = level.finder_behind(content.len());
                finder.learn(content, known);
                kept.insert((level, finder))
            }
        };
        kept.1.copy()
    }
}
