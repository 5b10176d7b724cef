//! Weighs all ways to cut the next few thousand bytes, and takes the one that costs least.
//!
//! Source: the optimal parsing of LZMA and of the reference. Each position has the cheapest way that leads to it; from
//! there on it is reached further by a literal or by each match that begins there. Prices ([`Prices`]) are estimates.

use super::{
    super::{
        sequences::{MIN_MATCH, Sequences},
        tables::Tables,
    },
    Finder, Offsets, common_length,
    prices::Prices,
    tree::{Match, Tree},
};

/// Positions that are weighed at once.
const SPAN: usize = 4096;

/// Of fewer bytes there is nothing to learn in advance.
const WORTH_LEARNING: usize = 64;

/// The cheapest way to a position that is known so far.
#[derive(Clone, Copy)]
struct Node {
    price: u32,
    /// Of the match that ends here; 0 for a literal.
    length: u32,
    /// Of its offset.
    value: u32,
    /// Since the last match.
    literals: u32,
    /// As a decoder knows them here.
    offsets: Offsets,
}

const UNREACHED: Node = Node { price: u32::MAX, length: 0, value: 0, literals: 0, offsets: [0; 3] };

/// What is asked of the finder of a level.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Positions in the trees, as a power of two.
    pub(crate) tree_log: u32,
    /// Hashes, as a power of two.
    pub(crate) hash_log: u32,
    /// Bytes of the shortest match: 3 to 5.
    pub(crate) min_match: u32,
    /// How deep trees are searched, as a power of two.
    pub(crate) attempts_log: u32,
    /// A match of that length is taken at once.
    pub(crate) enough: usize,
    /// The first block of a frame is cut twice, to learn what it costs.
    pub(crate) learns: bool,
}

/// The finder of the highest levels.
#[derive(Clone)]
pub(crate) struct Optimal {
    tree: Tree,
    prices: Prices,
    effort: Effort,
    nodes: Box<[Node]>,
    matches: Vec<Match>,
    /// The matches of the cheapest way, the last one first: where each ends.
    path: Vec<(usize, Node)>,
}

impl Optimal {
    pub(crate) fn new(effort: Effort) -> Self {
        let Effort { tree_log, hash_log, min_match, attempts_log, .. } = effort;
        Self {
            tree: Tree::new(tree_log, hash_log, min_match, 1 << attempts_log),
            prices: Prices::new(),
            effort,
            nodes: vec![UNREACHED; SPAN + 1].into(),
            matches: Vec::new(),
            path: Vec::new(),
        }
    }

    /// Finds the matches at a position that the latest offsets make, and those of the tree, each longer than the one
    /// before.
    fn find_matches(&mut self, data: &[u8], at: usize, lowest: usize, literals: u32, offsets: &Offsets) {
        let shortest = if self.effort.min_match == 3 { 3 } else { 4 };
        let mut best = shortest - 1;
        self.matches.clear();
        for value in 1..=3 {
            let offset = latest(offsets, value, literals) as usize;
            if offset == 0 || offset > at - lowest {
                continue;
            }
            let length = common_length(data, at - offset, at);
            if length > best {
                best = length;
                self.matches.push(Match { length, value });
            }
        }
        if best < self.effort.enough {
            self.tree.find(data, at, lowest, best, &mut self.matches);
        }
    }

    /// Weighs what follows a position, after so many literals. Returns how far it came, and leaves the path.
    fn weigh(&mut self, data: &[u8], at: usize, lowest: usize, literals: usize, offsets: &Offsets) -> usize {
        let price = self.prices.literal_length(literals);
        self.path.clear();
        self.nodes[0] = Node { price, length: 0, value: 0, literals: literals as u32, offsets: *offsets };
        let (mut last, mut here) = (0, 0);
        loop {
            if here > 0 {
                self.arrive(data[at + here - 1], here);
            }
            let node = self.nodes[here];
            if at + here + 8 <= data.len() && (here < last || here == 0) {
                self.find_matches(data, at + here, lowest, node.literals, &node.offsets);
                if let Some(longest) = self.matches.last()
                    && (longest.length >= self.effort.enough || here + longest.length >= SPAN)
                {
                    let Match { length, value } = *longest;
                    let end = here + length;
                    self.path.push((end, Node { length: length as u32, value, ..UNREACHED }));
                    self.trace(here);
                    return end;
                }
                last = self.reach(here, last, &node);
            }
            if here == last {
                self.trace(last);
                return last.max(1);
            }
            here += 1;
        }
    }

    /// Comes to a position: by a literal if that is cheaper than the match that ends there.
    #[inline(always)]
    fn arrive(&mut self, literal: u8, here: usize) {
        let before = self.nodes[here - 1];
        let literals = before.literals + 1;
        let prices = &self.prices;
        let price = before.price + prices.literal(literal) + prices.literal_length(literals as usize);
        let price = price.saturating_sub(prices.literal_length(before.literals as usize));
        let node = &mut self.nodes[here];
        if price <= node.price {
            *node = Node { price, length: 0, value: 0, literals, offsets: before.offsets };
            return;
        }
        let Node { length, value, .. } = *node;
        let start = self.nodes[here - length as usize];
        self.nodes[here].offsets = following(&start.offsets, value, start.literals);
    }

    /// Reaches what lies behind each match at a position.
    #[inline(always)]
    fn reach(&mut self, here: usize, mut last: usize, node: &Node) -> usize {
        let base = node.price + self.prices.literal_length(0);
        let mut length = MIN_MATCH;
        for found in &self.matches {
            let end = here + found.length;
            if end > last {
                self.nodes[last + 1..=end].fill(UNREACHED);
                last = end;
            }
            let base = base + self.prices.offset(found.value);
            while length <= found.length {
                let price = base + self.prices.match_length(length);
                let node = &mut self.nodes[here + length];
                if price < node.price {
                    *node = Node { price, length: length as u32, value: found.value, ..UNREACHED };
                }
                length += 1;
            }
        }
        last
    }

    /// Adds the matches on the way to a position.
    fn trace(&mut self, mut here: usize) {
        while here > 0 {
            let node = self.nodes[here];
            if node.length == 0 {
                here -= 1;
            } else {
                self.path.push((here, node));
                here -= node.length as usize;
            }
        }
    }

    /// Cuts a block.
    fn cut(
        &mut self,
        data: &[u8],
        start: usize,
        lowest: usize,
        offsets: &mut Offsets,
        sequences: &mut Sequences,
    ) {
        self.prices.begin(&data[start..]);
        let (mut anchor, mut at) = (start, start);
        while at + 8 <= data.len() {
            let reached = self.weigh(data, at, lowest, at - anchor, offsets);
            for (end, node) in self.path.drain(..).rev() {
                let (length, end) = (node.length as usize, at + end);
                let begin = end - length;
                *offsets = following(offsets, node.value, (begin - anchor) as u32);
                self.prices.count(&data[anchor..begin], node.value, length);
                sequences.push(data, anchor, begin, node.value, length);
                anchor = end;
            }
            self.prices.settle();
            at += reached;
        }
        sequences.end(data, anchor);
    }
}

/// What an offset value of 1 to 3 means after literals, or without (section 3.1.1.5).
#[inline(always)]
fn latest(offsets: &Offsets, value: u32, literals: u32) -> u32 {
    match value + u32::from(literals == 0) {
        1 => offsets[0],
        2 => offsets[1],
        3 => offsets[2],
        _ => offsets[0].wrapping_sub(1),
    }
}

/// The latest offsets behind a match.
#[inline(always)]
fn following(offsets: &Offsets, value: u32, literals: u32) -> Offsets {
    let [first, second, third] = *offsets;
    match value + u32::from(literals == 0) {
        _ if value > 3 => [value - 3, first, second],
        1 => *offsets,
        2 => [second, first, third],
        3 => [third, first, second],
        _ => [first.wrapping_sub(1), first, second],
    }
}

impl Finder for Optimal {
    fn find(
        &mut self,
        data: &[u8],
        start: usize,
        lowest: usize,
        offsets: &mut Offsets,
        sequences: &mut Sequences,
    ) {
        if start == lowest {
            // A frame begins, and knows nothing of those before.
            self.prices = Prices::new();
            self.tree.begin(start);
            if self.effort.learns && data.len() - start >= WORTH_LEARNING {
                self.cut(data, start, lowest, &mut offsets.clone(), sequences);
                sequences.begin(data.len() - start);
                self.tree.forget(start, data.len());
            }
        }
        self.cut(data, start, lowest, offsets, sequences);
    }

    fn slide(&mut self, by: usize) {
        self.tree.slide(by);
    }

    fn learn(&mut self, content: &[u8], known: Option<&Tables>) {
        self.tree.learn(content);
        if let Some(known) = known {
            self.prices = Prices::of(known);
        }
    }

    fn copy(&self) -> Box<dyn Finder> {
        Box::new(self.clone())
    }
}
