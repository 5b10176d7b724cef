//! Where to cut a range of paths into parts, without listing it.
//!
//! All that is asked of a store is a probe: the first key of a range. A few rounds of them give keys that share the range
//! among several listings. From the last key that is known, the outermost position is found at which later keys differ
//! from it: what they have in common before that says nothing. There the characters that begin something are looked for,
//! and the first key of each is a border. So every border is a key that somebody saw, and a legal path, whatever the
//! keys look like; shares are even as far as the characters are.

use std::collections::BTreeMap;

use omnistorage_types::{KeyRange, Path};

/// Probes in a round.
const AT_ONCE: usize = 8;

/// Rounds that look for characters.
const ROUNDS: usize = 2;

/// Bytes of a probe that is made up. Stores take keys of 1,024 bytes, with what stands before the place.
const MAX_PROBE: usize = 800;

/// How far from the first character the first round looks.
const LADDER: [u32; AT_ONCE] = [1, 2, 4, 8, 16, 32, 64, 1024];

/// What a cut needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutStep {
    /// The first key of each of these ranges, all of which may be asked for at once: see [`Cut::found`].
    Probe(Vec<KeyRange>),
    /// The borders, sorted: keys that were found. None of them is the end of the range. Each ends a part, and the next part
    /// begins after it.
    Done(Vec<Path>),
}

/// A range that is being cut.
///
/// ```
/// use omnistorage_core::sync::cut::{Cut, CutStep};
/// use omnistorage_types::{KeyRange, Path};
///
/// let keys: Vec<Path> = (0..1000).map(|n| Path::parse(format!("object-{n:03}"))).collect::<Result<_, _>>()?;
/// let mut cut = Cut::new(KeyRange::default(), 4);
/// let borders = loop {
///     match cut.step() {
///         CutStep::Done(borders) => break borders,
///         CutStep::Probe(ranges) => {
///             let first = |range: &KeyRange| keys.iter().find(|key| range.spans(key.as_str())).cloned();
///             cut.found(ranges.iter().map(first).collect());
///         }
///     }
/// };
/// assert!(!borders.is_empty() && borders.len() <= 4);
/// assert!(borders.iter().all(|border| keys.contains(border)));
/// # Ok::<(), omnistorage_types::PathError>(())
/// ```
#[derive(Debug)]
pub struct Cut {
    until: Option<Path>,
    most: usize,
    state: State,
    /// What the probes that were asked for are about.
    asked: Vec<u32>,
}

#[derive(Debug)]
enum State {
    /// The first key of all is not known.
    Begin,
    /// Looking for the outermost position at which keys behind `low` differ from it.
    Level {
        low: Path,
        /// Where the characters of `low` begin, and its end.
        positions: Vec<usize>,
        /// Up to here, nothing differs.
        dead: Option<usize>,
        /// Here something differs: the first key that does.
        living: Option<(usize, Path)>,
    },
    /// Looking for the characters behind a prefix.
    Characters(Characters),
    Done(Vec<Path>),
}

/// The characters that keys of one prefix go on with.
#[derive(Debug)]
struct Characters {
    prefix: String,
    /// The first key of each.
    first: BTreeMap<u32, Path>,
    /// Nothing goes on with a character behind this one.
    last: u32,
    rounds: usize,
}

impl Cut {
    /// Cuts a range, of which what comes up to its beginning is done with, at no more than so many borders.
    #[must_use]
    pub fn new(range: KeyRange, most: usize) -> Self {
        let state = match range.after {
            _ if most == 0 => State::Done(Vec::new()),
            None => State::Begin,
            Some(low) => State::level(low),
        };
        Self { until: range.until, most, state, asked: Vec::new() }
    }

    /// What is needed next. Asked again, it says the same.
    pub fn step(&mut self) -> CutStep {
        loop {
            let probes = match &mut self.state {
                State::Begin => vec![(0, None)],
                State::Level { low, positions, dead, living } => {
                    level_probes(low, positions, *dead, living.as_ref())
                }
                State::Characters(characters) => characters.probes(),
                State::Done(borders) => return CutStep::Done(borders.clone()),
            };
            if probes.is_empty() {
                self.advance();
                continue;
            }
            self.asked = probes.iter().map(|(about, _)| *about).collect();
            let range = |(_, after)| KeyRange { after, until: self.until.clone() };
            return CutStep::Probe(probes.into_iter().map(range).collect());
        }
    }

    /// Takes in the first keys of the ranges that were asked for, in their order; `None` where there is none.
    pub fn found(&mut self, keys: Vec<Option<Path>>) {
        let asked = std::mem::take(&mut self.asked);
        for (about, key) in asked.into_iter().zip(keys) {
            // The end of the range ends its last part anyway.
            let key = key.filter(|key| self.until.as_ref() != Some(key));
            match &mut self.state {
                State::Begin => {
                    self.state = match key {
                        Some(low) => State::level(low),
                        None => State::Done(Vec::new()),
                    };
                }
                State::Level { low, dead, living, .. } => {
                    let position = about as usize;
                    // What has the last character there is sorts behind what looks for something else.
                    match key.filter(|key| key > low) {
                        Some(key) if living.as_ref().is_none_or(|(known, _)| position < *known) => {
                            *living = Some((position, key));
                        }
                        Some(_) => {}
                        None => *dead = Some(dead.map_or(position, |known| known.max(position))),
                    }
                }
                State::Characters(characters) => characters.found(about, key),
                State::Done(_) => {}
            }
        }
        if let State::Characters(characters) = &mut self.state {
            characters.rounds += 1;
        }
    }

    /// Goes on to the next question, when one is answered.
    fn advance(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Done(Vec::new()));
        self.state = match state {
            State::Level { low, living: Some((position, key)), positions, .. } => {
                let prefix =
                    positions.get(position).and_then(|at| low.as_str().get(..*at)).unwrap_or_default();
                match Characters::begin(prefix, key.clone(), self.until.as_ref()) {
                    Some(characters) => State::Characters(characters),
                    None => State::Done(vec![key]),
                }
            }
            State::Characters(characters) => {
                State::Done(thinned(characters.first.into_values().collect(), self.most))
            }
            State::Begin | State::Level { .. } | State::Done(_) => State::Done(Vec::new()),
        };
    }
}

/// As many of some borders as are wanted, evenly spread over them.
#[must_use]
pub fn thinned(borders: Vec<Path>, most: usize) -> Vec<Path> {
    let count = borders.len();
    if count <= most {
        return borders;
    }
    // The middle of each of as many equal shares.
    let is_chosen = |at: usize| (0..most).any(|share| (2 * share + 1) * count / (2 * most) == at);
    borders.into_iter().enumerate().filter_map(|(at, border)| is_chosen(at).then_some(border)).collect()
}

impl State {
    fn level(low: Path) -> Self {
        let ends = low.as_str().char_indices().map(|(at, _)| at);
        let mut positions: Vec<_> = ends.take_while(|at| *at < MAX_PROBE).collect();
        positions.push(low.as_str().len());
        Self::Level { low, positions, dead: None, living: None }
    }
}

/// Behind what to look at some positions between those that are known, evenly spread. At the last position, the end of
/// the key, all keys behind it differ; at another one, those that do not begin with it and the character there.
fn level_probes(
    low: &Path,
    positions: &[usize],
    dead: Option<usize>,
    living: Option<&(usize, Path)>,
) -> Vec<(u32, Option<Path>)> {
    let begin = dead.map_or(0, |dead| dead + 1);
    let end = living.map_or(positions.len(), |(living, _)| *living);
    let open = end.saturating_sub(begin);
    // The last one is among them: it alone tells whether there is anything.
    let mut chosen: Vec<_> = (1..=AT_ONCE).map(|share| begin + (share * open).div_ceil(AT_ONCE)).collect();
    chosen.dedup();
    if open == 0 {
        return Vec::new();
    }
    let behind = |next: usize| {
        let position = next.checked_sub(1)?;
        let path = match positions.get(next) {
            Some(next) => Path::parse(format!("{}{}", low.as_str().get(..*next)?, char::MAX)).ok()?,
            None => low.clone(),
        };
        Some((u32::try_from(position).ok()?, Some(path)))
    };
    chosen.into_iter().filter_map(behind).collect()
}

impl Characters {
    /// Of the keys that begin with `prefix`, from one that was found on; `None` if it goes on with nothing.
    fn begin(prefix: &str, key: Path, until: Option<&Path>) -> Option<Self> {
        let next = |key: &Path| key.as_str().strip_prefix(prefix).and_then(|rest| rest.chars().next());
        let first = u32::from(next(&key)?);
        // Where the end of the range has another prefix, any character may come.
        let last = until.and_then(next).map_or(u32::from(char::MAX), u32::from);
        Some(Self { prefix: prefix.to_owned(), first: BTreeMap::from([(first, key)]), last, rounds: 0 })
    }

    /// Behind which characters to look.
    fn probes(&self) -> Vec<(u32, Option<Path>)> {
        let Some((first, _)) = self.first.first_key_value().filter(|_| self.rounds < ROUNDS) else {
            return Vec::new();
        };
        let candidates: Vec<u32> = match self.rounds {
            0 => LADDER.iter().filter_map(|step| first.checked_add(*step)).collect(),
            _ => self.between(),
        };
        let behind = |character: u32| {
            let path =
                Path::parse(format!("{}{}{}", self.prefix, char::from_u32(character)?, char::MAX)).ok()?;
            Some((character, Some(path)))
        };
        candidates.into_iter().filter(|character| *character < self.last).filter_map(behind).collect()
    }

    /// Characters between those that are known, most where most are unknown.
    fn between(&self) -> Vec<u32> {
        let known: Vec<_> = self.first.keys().copied().collect();
        let ends = known.iter().skip(1).map(|next| next - 1).chain([self.last]);
        let mut gaps: Vec<_> = known.iter().copied().zip(ends).filter(|(begin, end)| begin < end).collect();
        let mut chosen = Vec::new();
        while chosen.len() < AT_ONCE
            && let Some(widest) =
                gaps.iter().enumerate().max_by_key(|(_, (begin, end))| end - begin).map(|(at, _)| at)
        {
            let (begin, end) = gaps.swap_remove(widest);
            let middle = begin + (end - begin) / 2;
            chosen.push(middle);
            gaps.extend([(begin, middle), (middle + 1, end)].into_iter().filter(|(begin, end)| begin < end));
        }
        chosen.sort_unstable();
        chosen
    }

    /// Takes in the first key behind all that go on with `character` or one before it.
    fn found(&mut self, character: u32, key: Option<Path>) {
        let next = key.as_ref().and_then(|key| key.as_str().strip_prefix(&*self.prefix)?.chars().next());
        match (key, next) {
            (Some(key), Some(next)) => drop(self.first.entry(u32::from(next)).or_insert(key)),
            // Behind the prefix, or nothing at all.
            _ => self.last = self.last.min(character),
        }
    }
}
