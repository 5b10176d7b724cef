//! What a level means.

use super::{
    block::MAX_BLOCK,
    finder::{Double, Fast, Finder, Lazy},
};

/// The parameters of a level.
#[derive(Clone, Copy)]
pub(super) struct Level {
    /// How far back matches reach, as a power of two.
    pub(super) window_log: u32,
    /// Whether literals are worth a code: the negative levels do without.
    pub(super) codes_literals: bool,
    search: Search,
}

#[derive(Clone, Copy)]
enum Search {
    /// The table's size as a power of two, the length of the words it knows, and how many positions are skipped.
    Fast { log: u32, min_match: u32, skipped: usize },
    /// The same of two tables.
    Double { long_log: u32, short_log: u32, min_match: u32 },
    /// The table's size and the number of places compared, both as powers of two, and how many bytes a match waits.
    Lazy { log: u32, attempts_log: u32, patience: u32 },
}

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
            12..17 => (22, Search::Lazy { log: 23, attempts_log: 6, patience: 2 }),
            _ => (23, Search::Lazy { log: 23, attempts_log: 6, patience: 2 }),
        };
        Self { window_log, codes_literals: level > 0, search }
    }

    /// A finder; `length` is that of the contents if they are known to be short.
    pub(super) fn finder(self, length: Option<usize>) -> Box<dyn Finder> {
        // More places than positions are of no use; and among few positions shorter matches pay off.
        let most = length.map_or(u32::MAX, |length| length.max(256).next_power_of_two().ilog2() + 1);
        let shorter =
            u32::from(length.is_some()) + u32::from(length.is_some_and(|length| length <= MAX_BLOCK / 8));
        match self.search {
            Search::Fast { log, min_match, skipped } => {
                Box::new(Fast::new(log.min(most), min_match - shorter, skipped))
            }
            Search::Double { long_log, short_log, min_match } => {
                let min_match = (min_match - shorter).max(4);
                Box::new(Double::new(long_log.min(most), short_log.min(most), min_match))
            }
            Search::Lazy { log, attempts_log, patience } => {
                let row_log = attempts_log.max(4);
                Box::new(Lazy::new(log.min(most), row_log, 1 << attempts_log, 5 - shorter.min(1), patience))
            }
        }
    }
}
