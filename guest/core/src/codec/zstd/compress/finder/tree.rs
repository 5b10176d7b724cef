//! Binary trees of earlier positions, sorted by what follows them: one tree for each hash.
//!
//! Source: the idea is that of the match finder of LZMA, and the reference has it at its highest levels. The latest
//! position is the root. To insert one is to search for it: on the way down the tree is cut into what sorts before it and
//! what sorts behind, and its longest matches are met.

use super::{Table, common_length, half, hash, word};

/// A match with what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) length: usize,
    /// As it is coded (section 3.1.1.5).
    pub(super) value: u32,
}

/// Matches of three bytes pay off up to this distance.
const NEAR: usize = 1 << 18;

/// Positions are known by numbers that grow by as much as the history loses, so that no number has to be changed when it
/// slides; except at this one.
const MOST: usize = 1 << 31;

/// Behind a position with a match longer than this, some are left out: to compare them would take long.
const LONG: usize = 384;
const MOST_SKIPPED: usize = 192;

/// The trees.
#[derive(Clone)]
pub(super) struct Tree {
    /// The root of each.
    roots: Table,
    /// Of words of three bytes, the latest.
    near: Option<Table>,
    /// Of each position, its subtrees: of what sorts before it, and of what sorts behind.
    nodes: Box<[u32]>,
    /// Positions that have a node, less one.
    mask: usize,
    /// Bits of a word that are not hashed.
    ignored: u32,
    /// How deep to search.
    attempts: usize,
    /// The number of the position 0.
    zero: usize,
    /// The number of the first position that is not in a tree.
    next: usize,
}

impl Tree {
    /// Of the last `2^log` positions, with `2^hash_log` hashes of `min_match` bytes; 3 stands for 4, and 3 beside them.
    pub(super) fn new(log: u32, hash_log: u32, min_match: u32, attempts: usize) -> Self {
        Self {
            roots: Table::new(hash_log),
            near: (min_match == 3).then(|| Table::new(hash_log.min(17))),
            nodes: vec![0; 2 << log].into(),
            mask: (1 << log) - 1,
            ignored: 64 - 8 * min_match.max(4),
            attempts,
            zero: 0,
            next: 0,
        }
    }

    /// Adds the matches at a position that are longer than `best`, each longer than the one before. None begins before
    /// `lowest`, or there. Positions are asked for in ascending order, and only as long as eight bytes follow.
    pub(super) fn find(
        &mut self,
        data: &[u8],
        at: usize,
        lowest: usize,
        best: usize,
        matches: &mut Vec<Match>,
    ) {
        let number = at + self.zero;
        if self.next < number {
            while self.next < number {
                self.insert(data, self.next - self.zero, lowest, usize::MAX, &mut Vec::new());
            }
            // A repetition that begins in a match that was taken may go on far beyond it, and is to be found here.
            self.next = number;
        }
        // Otherwise it is within a repetition.
        if self.next == number {
            self.insert(data, at, lowest, best, matches);
        }
    }

    /// Inserts the next position.
    fn insert(&mut self, data: &[u8], at: usize, lowest: usize, mut best: usize, matches: &mut Vec<Match>) {
        let number = at + self.zero;
        self.next = number + 1;
        let Some(bytes) = word(data, at) else { return };
        if let Some(near) = &mut self.near {
            let place = near.replace(hash(bytes, 40), number);
            let is_match = place > lowest + self.zero
                && number - place < NEAR
                && half(data, place - self.zero).is_some_and(|half| (half ^ bytes as u32) << 8 == 0);
            if best < 3 && is_match {
                best = common_length(data, place - self.zero, at);
                matches.push(Match { length: best, value: (number - place) as u32 + 3 });
            }
        }
        let mut place = self.roots.replace(hash(bytes, self.ignored), number);
        // Whose nodes were not taken by later positions.
        let lowest = (lowest + self.zero).max(number.saturating_sub(self.mask));
        let node = 2 * (number & self.mask);
        let (mut before, mut behind) = (node, node + 1);
        let (mut before_length, mut behind_length) = (0, 0);
        // Where the repetition ends which the position is in; and the length of the longest match.
        let (mut end, mut longest) = (number + 9, 0);
        for _ in 0..self.attempts {
            if place <= lowest {
                break;
            }
            let earlier = place - self.zero;
            let known = before_length.min(behind_length);
            let length = known + common_length(data, earlier + known, at + known);
            end = end.max(place + length);
            longest = longest.max(length);
            if length > best {
                best = length;
                matches.push(Match { length, value: (number - place) as u32 + 3 });
            }
            let (Some(theirs), Some(ours)) = (data.get(earlier + length), data.get(at + length)) else {
                // Nothing tells which sorts first: the tree ends here.
                break;
            };
            let subtrees = 2 * (place & self.mask);
            if theirs < ours {
                self.nodes[before] = place as u32;
                (before, before_length) = (subtrees + 1, length);
            } else {
                self.nodes[behind] = place as u32;
                (behind, behind_length) = (subtrees, length);
            }
            place = self.nodes[if theirs < ours { before } else { behind }] as usize;
        }
        self.nodes[before] = 0;
        self.nodes[behind] = 0;
        self.next = (end - 8).max(number + 1 + longest.saturating_sub(LONG).min(MOST_SKIPPED));
    }

    /// Inserts the content of a dictionary, with which the data begin.
    pub(super) fn learn(&mut self, content: &[u8]) {
        self.begin(1);
        // The last positions have too few bytes yet: they come with the first of the frame.
        let end = content.len().saturating_sub(7);
        while self.next < end {
            self.insert(content, self.next, 0, usize::MAX, &mut Vec::new());
        }
        self.next = end.max(1);
    }

    /// Forgets all positions from there on, of a history that ends at `end`: they may be inserted again.
    pub(super) fn forget(&mut self, from: usize, end: usize) {
        // With greater numbers, what was inserted lies before the lowest place.
        self.zero += end - from;
        self.next = from + self.zero;
    }

    /// A frame begins there.
    pub(super) fn begin(&mut self, at: usize) {
        self.next = at + self.zero;
    }

    /// The history lost this many bytes at its start.
    pub(super) fn slide(&mut self, by: usize) {
        self.zero += by;
        if self.zero > MOST {
            // Nodes keep their places.
            let gone = self.zero & !self.mask;
            self.zero -= gone;
            self.next = self.next.saturating_sub(gone);
            self.roots.slide(gone);
            self.near.iter_mut().for_each(|near| near.slide(gone));
            for place in &mut self.nodes {
                *place = place.saturating_sub(gone as u32);
            }
        }
    }
}
