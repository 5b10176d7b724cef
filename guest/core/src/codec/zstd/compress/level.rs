//! What a level means.

use super::{
    block::MAX_BLOCK,
    finder::{Double, Effort, Fast, Finder, Lazy, Optimal},
};

/// The parameters of a level.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    /// How far back matches reach, as a power of two.
    pub(super) window_log: u32,
    /// Whether literals are worth a code: the negative levels do without.
    pub(super) codes_literals: bool,
    search: Search,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    /// The table's size as a power of two, the length of the words it knows, and how many positions are skipped.
    Fast {
        log: u32,
        min_match: u32,
        skipped: usize,
    },
    /// The same of two tables.
    Double {
        long_log: u32,
        short_log: u32,
        min_match: u32,
    },
    /// The table's size and the number of places compared, both as powers of two, and how many bytes a match waits.
    Lazy {
        log: u32,
        attempts_log: u32,
        patience: u32,
    },
    Optimal(Effort),
}

const fn optimal(tree_log: u32, hash_log: u32, min_match: u32, attempts_log: u32, enough: usize) -> Search {
    Search::Optimal(Effort { tree_log, hash_log, min_match, attempts_log, enough, learns: min_match == 3 })
}

/// Behind a dictionary most contents are not longer.
const SHORT: usize = MAX_BLOCK / 8;

impl Level {
    /// A level on the reference's scale; beyond this table, the parameters of the nearest.
    pub(super) const fn new(level: i32) -> Self {
        let (window_log, search) = match level {
            ..=0 => {
                let skipped = level.unsigned_abs().saturating_sub(1) as usize;
                (19, Search::Fast { log: 13, min_match: 6, skipped })
            }
            1 => (19, Search::Fast { log: 14, min_match: 7, skipped: 0 }),
            2 => (20, Search::Fast { log: 16, min_match: 6, skipped: 0 }),
            3 => (21, Search::Double { long_log: 17, short_log: 16, min_match: 5 }),
            4 => (21, Search::Double { long_log: 18, short_log: 18, min_match: 5 }),
            5 => (21, Search::Lazy { log: 19, attempts_log: 3, patience: 0 }),
            6 => (21, Search::Lazy { log: 19, attempts_log: 3, patience: 1 }),
            7 => (21, Search::Lazy { log: 20, attempts_log: 4, patience: 1 }),
            8 => (21, Search::Lazy { log: 20, attempts_log: 4, patience: 2 }),
            9 => (22, Search::Lazy { log: 21, attempts_log: 4, patience: 2 }),
            10 => (22, Search::Lazy { log: 22, attempts_log: 5, patience: 2 }),
            11 => (22, Search::Lazy { log: 22, attempts_log: 6, patience: 2 }),
            12 => (22, Search::Lazy { log: 23, attempts_log: 6, patience: 2 }),
            13 => (22, optimal(21, 20, 4, 3, 32)),
            14 => (22, optimal(21, 20, 4, 4, 32)),
            15 => (22, optimal(22, 21, 4, 4, 48)),
            16 => (22, optimal(22, 21, 4, 5, 48)),
            17 => (23, optimal(22, 22, 4, 5, 64)),
            18 => (23, optimal(22, 22, 3, 6, 64)),
            19 => (23, optimal(23, 22, 3, 7, 256)),
            20 | 21 => (23, optimal(23, 22, 3, 8, 512)),
            _ => (23, optimal(23, 22, 3, 9, 999)),
        };
        Self { window_log, codes_literals: level > 0, search }
    }

    /// A finder; `length` is that of the contents if they are known to be short.
    pub(super) fn finder(self, length: Option<usize>) -> Box<dyn Finder> {
        // More places than positions are of no use; and among few positions shorter matches pay off.
        let most = length.map_or(u32::MAX, |length| length.max(256).next_power_of_two().ilog2() + 1);
        let shorter =
            u32::from(length.is_some()) + u32::from(length.is_some_and(|length| length <= MAX_BLOCK / 8));
        self.sized(most, shorter)
    }

    /// A finder for short contents behind a dictionary of that length.
    pub(super) fn finder_behind(self, dictionary: usize) -> Box<dyn Finder> {
        let search = match self.search {
            // There is more to compare than in the same contents without it.
            Search::Lazy { log, attempts_log, patience } => {
                Search::Lazy { log, attempts_log: (attempts_log + 1).min(6), patience }
            }
            search => search,
        };
        Self { search, ..self }.sized((dictionary + SHORT).next_power_of_two().ilog2(), 1)
    }

    /// A finder with at most `2^most` places, whose matches may be so much shorter.
    fn sized(self, most: u32, shorter: u32) -> Box<dyn Finder> {
        match self.search {
            Search::Fast { log, min_match, skipped } => {
                Box::new(Fast::new(log.min(most), min_match - shorter, skipped))
            }
            Search::Double { long_log, short_log, min_match } => {
                let min_match = (min_match - shorter).max(4);
                Box::new(Double::new(long_log.min(most), short_log.min(most), min_match))
            }
            Search::Lazy { log, attempts_log, patience } => {
                let (log, attempts, min_match) = (log.min(most), 1 << attempts_log, 5 - shorter.min(1));
                match attempts_log {
                    ..=4 => Box::new(Lazy::<16>::new(log, attempts, min_match, patience)),
                    5 => Box::new(Lazy::<32>::new(log, attempts, min_match, patience)),
                    _ => Box::new(Lazy::<64>::new(log, attempts, min_match, patience)),
                }
            }
            Search::Optimal(effort) => Box::new(Optimal::new(Effort {
                tree_log: effort.tree_log.min(most),
                hash_log: effort.hash_log.min(most),
                ..effort
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finder::MAX_POSITION_OF_ROWS, *};

    /// The history is at most two windows and a block long.
    #[test]
    fn rows_hold_any_position_of_the_history() {
        let lazy = (-10..=22).map(Level::new).filter(|level| matches!(level.search, Search::Lazy { .. }));
        let windows: Vec<_> = lazy.map(|level| 1 << level.window_log).collect();
        assert!(
            windows.len() == 8 && windows.iter().all(|window| 2 * window + MAX_BLOCK <= MAX_POSITION_OF_ROWS)
        );
    }
}
