//! What an earlier run found, looked up path by path while the listings are merged.

use std::{cmp::Ordering, collections::VecDeque};

use omnistorage_types::Path;

use super::Fact;

/// What is known about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// More of the memo has to be pushed, or its end reported, before that can be said.
    Need,
    /// This.
    Fact(Fact),
    /// Nothing.
    Nothing,
}

/// The facts of a memo as they come, in the order of their paths.
#[derive(Debug, Default)]
pub struct Lookup {
    facts: VecDeque<Fact>,
    ended: bool,
}

impl Lookup {
    /// Hands in more of them.
    pub fn push(&mut self, facts: Vec<Fact>) {
        self.facts.extend(facts);
    }

    /// Tells that there are no more.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// What is known about a path. Those asked for should ascend: of one that comes late, nothing is known. Facts
    /// before it go to `passed`: no listing has told of them.
    pub fn seek(&mut self, path: &Path, passed: &mut Vec<Fact>) -> Sought {
        while let Some(first) = self.facts.pop_front() {
            match first.path.cmp(path) {
                Ordering::Less => passed.push(first),
                Ordering::Equal => return Sought::Fact(first),
                Ordering::Greater => {
                    self.facts.push_front(first);
                    return Sought::Nothing;
                }
            }
        }
        if self.ended { Sought::Nothing } else { Sought::Need }
    }

    /// What is left, of what has come.
    pub fn rest(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts).into()
    }

    /// Whether all of it has come.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }
}
