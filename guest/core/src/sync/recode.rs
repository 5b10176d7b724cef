//! Compressing or decompressing objects on the way: what they are called on the target, and the merge of two listings
//! whose names differ by it.
//!
//! A name is that of a compressed object if it ends in the extension of a codec, in small letters, with something
//! before it. What already has such a name is not compressed again, and what has none is not decompressed: both go as
//! they are. Directories keep their names.
//!
//! # The merge
//! The names that a sorted listing turns into need not be sorted: `a`, `a-b` become `a-b.gz`, `a.gz`. The merge goes by
//! the names of the compressed side. While an entry of the other side waits, everything that is met begins with its
//! path, since no other path lies between it and its path with an extension: so what waits is never more than the path
//! that is met has prefixes, and memory does not grow with the tree.

use std::collections::{BTreeMap, btree_map::Entry as Slot};

use omnistorage_types::{Path, PathError};

use super::{
    hidden::Hidden,
    merge::{Merge, MergeError, Side, Step},
};
use crate::{
    codec::Codec,
    encoding::extension,
    entry::{Entry, Listed, ListingFailure, ObjectKind},
};

/// How objects change on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recoding {
    /// They are compressed, and get the extension of the codec.
    Compress(Codec),
    /// They are decompressed, and lose the extension of their codec.
    Decompress,
}

/// The codec that the name of an object implies, and the path without its extension.
fn coded(path: &Path) -> Option<(Codec, &str)> {
    let (stem, extension) = extension(path.as_str())?;
    Some((Codec::ALL.into_iter().find(|codec| codec.extension() == extension)?, stem))
}

impl Recoding {
    /// The codec that an object of that path goes through; `None` if it goes as it is.
    ///
    /// ```
    /// use omnistorage_core::{Path, codec::Codec, sync::recode::Recoding};
    ///
    /// let (text, packed) = (Path::parse("a.txt")?, Path::parse("a.txt.gz")?);
    /// assert_eq!(Recoding::Compress(Codec::Zstd).codec(&text), Some(Codec::Zstd));
    /// assert_eq!(Recoding::Compress(Codec::Zstd).codec(&packed), None);
    /// assert_eq!(Recoding::Decompress.codec(&packed), Some(Codec::Gzip));
    /// assert_eq!(Recoding::Decompress.codec(&text), None);
    /// # Ok::<(), omnistorage_core::PathError>(())
    /// ```
    #[must_use]
    pub fn codec(self, path: &Path) -> Option<Codec> {
        match (self, coded(path)) {
            (Self::Compress(codec), None) => Some(codec),
            (Self::Decompress, Some((codec, _))) => Some(codec),
            _ => None,
        }
    }

    /// The path on the target of an object of the source.
    ///
    /// # Errors
    /// If it is too long with the extension.
    ///
    /// ```
    /// use omnistorage_core::{Path, codec::Codec, sync::recode::Recoding};
    ///
    /// let path = Recoding::Compress(Codec::Gzip).target_path(&Path::parse("d/a.txt")?)?;
    /// assert_eq!(path.as_str(), "d/a.txt.gz");
    /// assert_eq!(Recoding::Decompress.target_path(&path)?.as_str(), "d/a.txt");
    /// # Ok::<(), omnistorage_core::PathError>(())
    /// ```
    pub fn target_path(self, path: &Path) -> Result<Path, PathError> {
        match (self, coded(path)) {
            (Self::Compress(codec), None) => with_extension(path, codec),
            (Self::Decompress, Some((_, stem))) => Path::parse(stem),
            _ => Ok(path.clone()),
        }
    }

    /// The paths of the source that an object of the target can be of.
    #[must_use]
    pub fn source_paths(self, path: &Path) -> Vec<Path> {
        let stem = || coded(path).and_then(|(codec, stem)| Some((codec, Path::parse(stem).ok()?)));
        match self {
            Self::Compress(codec) => match stem() {
                Some((of, stem)) if of == codec && coded(&stem).is_none() => vec![stem, path.clone()],
                Some(_) => vec![path.clone()],
                // Nothing of the source becomes that.
                None => Vec::new(),
            },
            Self::Decompress => {
                let plain = coded(path).is_none().then(|| path.clone());
                let with = Codec::ALL.into_iter().filter_map(|codec| with_extension(path, codec).ok());
                plain.into_iter().chain(with).collect()
            }
        }
    }

    /// The path on the target of anything that the source lists.
    fn target_of(self, entry: &Entry) -> Result<Path, MergeError> {
        if entry.kind != ObjectKind::Object {
            return Ok(entry.path.clone());
        }
        self.target_path(&entry.path).map_err(|why| MergeError::Name { path: entry.path.clone(), why })
    }
}

fn with_extension(path: &Path, codec: Codec) -> Result<Path, PathError> {
    Path::parse(format!("{path}.{}", codec.extension()))
}

/// The merge of the listings of a source and a target whose names a [`Recoding`] changes. Steps are those of [`Merge`],
/// but for their order, and that the two paths of [`Step::Both`] differ.
#[derive(Debug)]
pub struct Recoded {
    recoding: Recoding,
    source: Queue,
    target: Queue,
    /// Of the source, and of the target.
    hidden: [Hidden; 2],
    /// What waits, by the path on the target.
    waiting: BTreeMap<Path, Waiting>,
    error: Option<MergeError>,
}

/// What may become a pair.
#[derive(Debug, Default)]
struct Waiting {
    source: Option<Entry>,
    target: Option<Entry>,
    /// The path on the source of what took this name.
    taken_by: Option<Path>,
}

/// One listing, checked, with its next entry in sight.
#[derive(Debug)]
struct Queue {
    side: Side,
    merge: Merge,
    next: Option<Entry>,
    ended: bool,
}

/// What a look at a listing comes to.
enum Look {
    /// The next entry is in sight, or there is none any more.
    Seen,
    Need,
    Failed(Box<ListingFailure>),
}

impl Queue {
    fn new(side: Side) -> Self {
        let mut merge = Merge::new();
        merge.end(match side {
            Side::Source => Side::Target,
            Side::Target => Side::Source,
        });
        Self { side, merge, next: None, ended: false }
    }

    /// Sees to it that the next entry is in sight.
    fn look(&mut self) -> Result<Look, MergeError> {
        if self.next.is_none() && !self.ended {
            match self.merge.next()? {
                Step::SourceOnly(entry) | Step::TargetOnly(entry) | Step::Unknown { entry, .. } => {
                    self.next = Some(entry);
                }
                Step::Failed { failure, .. } => return Ok(Look::Failed(failure)),
                Step::End => self.ended = true,
                Step::Need(_) | Step::Both { .. } => return Ok(Look::Need),
            }
        }
        Ok(Look::Seen)
    }
}

impl Recoded {
    /// Of two listings of which nothing is known yet.
    #[must_use]
    pub fn new(recoding: Recoding) -> Self {
        let (source, target) = (Queue::new(Side::Source), Queue::new(Side::Target));
        let hidden = [Hidden::new(), Hidden::new()];
        Self { recoding, source, target, hidden, waiting: BTreeMap::new(), error: None }
    }

    /// As [`Merge::push`].
    pub fn push(&mut self, side: Side, page: Vec<Listed>) {
        self.queue(side).merge.push(side, page);
    }

    /// As [`Merge::end`].
    pub fn end(&mut self, side: Side) {
        self.queue(side).merge.end(side);
    }

    /// The next step.
    ///
    /// # Errors
    /// As [`Merge::next`], and if two objects of the source would have one name on the target.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where this one asks for more")]
    pub fn next(&mut self) -> Result<Step, MergeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let step = self.advance();
        if let Err(error) = &step {
            self.error = Some(error.clone());
        }
        step
    }

    fn queue(&mut self, side: Side) -> &mut Queue {
        match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        }
    }

    fn advance(&mut self) -> Result<Step, MergeError> {
        loop {
            for (queue, hidden) in [&mut self.source, &mut self.target].into_iter().zip(&mut self.hidden) {
                match queue.look()? {
                    Look::Seen => {}
                    Look::Need => return Ok(Step::Need(queue.side)),
                    Look::Failed(failure) => {
                        hidden.add(&failure.what);
                        return Ok(Step::Failed { side: queue.side, failure });
                    }
                }
            }
            let step = match self.recoding {
                Recoding::Compress(_) => self.compressing()?,
                Recoding::Decompress => self.decompressing()?,
            };
            if let Some(step) = step {
                return Ok(self.known(step));
            }
        }
    }

    /// What only one side has may be on the other all the same, where that could not be listed.
    fn known(&mut self, step: Step) -> Step {
        let [of_source, of_target] = &mut self.hidden;
        match step {
            Step::SourceOnly(entry) if of_target.holds(&entry.path) => {
                Step::Unknown { side: Side::Source, entry }
            }
            Step::TargetOnly(entry) if of_source.holds(&entry.path) => {
                Step::Unknown { side: Side::Target, entry }
            }
            step => step,
        }
    }

    /// Sources wait until no other can come before them by its new name.
    fn compressing(&mut self) -> Result<Option<Step>, MergeError> {
        let Self { source, target, waiting, .. } = self;
        let source_path = source.next.as_ref().map(|entry| &entry.path);
        let target_path = target.next.as_ref().map(|entry| &entry.path);
        let first = waiting.first_key_value().map(|(path, _)| path);
        // What the source will give comes behind what it gives next.
        let comes_first = |path: &Path| source_path.is_none_or(|source| source > path);
        if let Some(extra) = target_path
            && comes_first(extra)
            && first.is_none_or(|first| extra < first)
        {
            return Ok(target.next.take().map(Step::TargetOnly));
        }
        if let Some(first) = first
            && comes_first(first)
        {
            let is_there = target_path == Some(first);
            let Some((_, Waiting { source: Some(source), .. })) = waiting.pop_first() else {
                return Ok(None);
            };
            let target = if is_there { target.next.take() } else { None };
            return Ok(Some(match target {
                Some(target) => Step::Both { source, target },
                None => Step::SourceOnly(source),
            }));
        }
        let Some(next) = source.next.take() else { return Ok(Some(Step::End)) };
        match waiting.entry(self.recoding.target_of(&next)?) {
            Slot::Vacant(slot) => {
                slot.insert(Waiting { source: Some(next), ..Waiting::default() });
                Ok(None)
            }
            Slot::Occupied(slot) => {
                let other = slot.get().source.as_ref().map_or_else(Path::root, |other| other.path.clone());
                Err(MergeError::Clash { paths: [other, next.path], name: slot.key().clone() })
            }
        }
    }

    /// Targets wait until no source can come any more that turns into them.
    fn decompressing(&mut self) -> Result<Option<Step>, MergeError> {
        let Self { source, target, waiting, .. } = self;
        let source_path = source.next.as_ref().map(|entry| &entry.path);
        let is_over = |path: &Path| {
            source_path.is_none_or(|next| {
                // The last extension in the order of bytes.
                let last = Codec::ALL.map(Codec::extension).into_iter().max().unwrap_or_default();
                next.as_str().as_bytes() > format!("{path}.{last}").as_bytes()
            })
        };
        if let Some(over) = waiting.keys().find(|path| is_over(path)).cloned() {
            let gone = waiting.remove(&over);
            return Ok(gone.and_then(|gone| gone.target).map(Step::TargetOnly));
        }
        let target_path = target.next.as_ref().map(|entry| &entry.path);
        if target_path.is_some_and(|target| source_path.is_none_or(|source| target <= source)) {
            if let Some(next) = target.next.take() {
                let slot = waiting.entry(next.path.clone()).or_default();
                slot.target = Some(next);
            }
            return Ok(None);
        }
        let Some(next) = source.next.take() else { return Ok(Some(Step::End)) };
        let name = self.recoding.target_of(&next)?;
        let slot = waiting.entry(name.clone()).or_default();
        if let Some(other) = slot.taken_by.replace(next.path.clone()) {
            return Err(MergeError::Clash { paths: [other, next.path], name });
        }
        Ok(Some(match slot.target.take() {
            Some(target) => Step::Both { source: next, target },
            None => Step::SourceOnly(next),
        }))
    }
}
