//! A run of `check`.

use futures::{StreamExt, future::LocalBoxFuture, join, stream::FuturesUnordered};
use omnistorage_core::{
    entry::{Entry, HashAlgorithm, ObjectKind},
    sync::{compare::Reason, merge::Step},
};

use super::{
    job::Outlet,
    pairs::Pairs,
    sides::{Reading, Sides},
};
use crate::{
    body::Source,
    exports::sync::{CheckEntry, CheckReport, Comparison, Difference, SyncOptions},
    imports::{
        backend::ReadOptions,
        types::{Error, Location},
    },
};

/// What a comparison came to: the reason of a difference, or none.
type Found = Result<Option<Reason>, Error>;

/// Runs to the end. An error is what kept the check from being carried through.
pub(super) async fn run(
    source: Location,
    target: Location,
    options: SyncOptions,
    entries: Outlet<CheckEntry>,
) -> Result<CheckReport, Error> {
    let sides = Sides::open(source, target).await?;
    let mut pairs = Pairs::new(&sides).await?;
    let mut check = Check { entries, report: EMPTY };
    let outcome = check.compare_all(&sides, &mut pairs, &options).await;
    check.entries.flush().await;
    outcome.map(|()| check.report)
}

/// Nothing found yet.
const EMPTY: CheckReport =
    CheckReport { checked: 0, same: 0, differ: 0, missing_on_source: 0, missing_on_target: 0, errors: 0 };

struct Check {
    entries: Outlet<CheckEntry>,
    report: CheckReport,
}

impl Check {
    async fn compare_all(
        &mut self,
        sides: &Sides,
        pairs: &mut Pairs,
        options: &SyncOptions,
    ) -> Result<(), Error> {
        let mut comparing: FuturesUnordered<LocalBoxFuture<'_, (Entry, Found)>> = FuturesUnordered::new();
        loop {
            if self.entries.is_full() {
                self.entries.flush().await;
            }
            if comparing.len() >= options.checkers as usize
                && let Some((entry, found)) = comparing.next().await
            {
                self.tell(&entry, found);
            }
            match pairs.next().await? {
                Step::SourceOnly(entry) => self.tell(&entry, Ok(Some(Reason::MissingOnTarget))),
                Step::TargetOnly(_) if options.one_way => {}
                Step::TargetOnly(entry) => self.tell(&entry, Ok(Some(Reason::MissingOnSource))),
                Step::Both { source, target } => match known(&source, &target, options.comparison) {
                    Some(found) => self.tell(&source, Ok(found)),
                    None => comparing.push(Box::pin(async move {
                        let found = compare(sides, &source, options.comparison).await;
                        (source, found)
                    })),
                },
                Step::Need(_) => {}
                Step::End => break,
            }
        }
        while let Some((entry, found)) = comparing.next().await {
            self.tell(&entry, found);
        }
        Ok(())
    }

    /// Directories are not compared: they exist by what is in them.
    fn tell(&mut self, entry: &Entry, found: Found) {
        let missing = matches!(found, Ok(Some(Reason::MissingOnSource | Reason::MissingOnTarget)));
        if entry.kind == ObjectKind::Directory && (missing || matches!(found, Ok(None))) {
            return;
        }
        let report = &mut self.report;
        let (difference, counter) = match &found {
            Ok(None) => (Difference::Same, &mut report.same),
            Ok(Some(Reason::MissingOnSource)) => (Difference::MissingOnSource, &mut report.missing_on_source),
            Ok(Some(Reason::MissingOnTarget)) => (Difference::MissingOnTarget, &mut report.missing_on_target),
            Ok(Some(_)) => (Difference::Differ, &mut report.differ),
            Err(_) => (Difference::Error, &mut report.errors),
        };
        *counter += 1;
        report.checked += 1;
        let reason = found.as_ref().ok().and_then(|reason| reason.map(|reason| reason.as_str().to_owned()));
        let path = entry.path.as_str().to_owned();
        self.entries.push(CheckEntry { path, difference, reason, error: found.err() });
    }
}

/// What the listings alone tell; `None` if the contents have to.
fn known(source: &Entry, target: &Entry, comparison: Comparison) -> Option<Option<Reason>> {
    if source.kind != target.kind {
        return Some(Some(Reason::KindDiffers));
    }
    match source.kind {
        ObjectKind::Object => {}
        ObjectKind::Directory => return Some(None),
        ObjectKind::Symlink => return Some(Some(Reason::SymbolicLink)),
        ObjectKind::Special => return Some(Some(Reason::SpecialFile)),
    }
    match (source.size, target.size) {
        (Some(source), Some(target)) if source != target => Some(Some(Reason::SizeDiffers)),
        (Some(_), Some(_)) if comparison == Comparison::SizeOnly => Some(None),
        (None, _) | (_, None) if comparison == Comparison::SizeOnly => Some(Some(Reason::SizeUnknown)),
        _ => None,
    }
}

async fn compare(sides: &Sides, entry: &Entry, comparison: Comparison) -> Found {
    let same = match comparison {
        Comparison::Always => same_bytes(sides, entry).await?,
        _ => same_hash(sides, entry, sides.hash_algorithm()).await?,
    };
    Ok((!same).then_some(Reason::ContentsDiffer))
}

async fn same_hash(sides: &Sides, entry: &Entry, algorithm: HashAlgorithm) -> Result<bool, Error> {
    let (source, target) =
        join!(sides.source.hash(&entry.path, algorithm), sides.target.hash(&entry.path, algorithm));
    Ok(source?.digest == target?.digest)
}

/// Compares byte by byte. An error of either side is an error, also where the bytes differ before it.
async fn same_bytes(sides: &Sides, entry: &Entry) -> Result<bool, Error> {
    let (source, target) = join!(body(&sides.source, entry), body(&sides.target, entry));
    let (mut source, mut target) = (source?, target?);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut same = true;
    loop {
        let (from, to) = join!(fill(&mut source, &mut left), fill(&mut target, &mut right));
        let (from, to) = (from?, to?);
        if !from && !to {
            return Ok(same);
        }
        let common = left.len().min(right.len());
        same &= left[..common] == right[..common] && from == to;
        left.drain(..common);
        right.drain(..common);
        if !same {
            left.clear();
            right.clear();
        }
    }
}

/// More bytes, unless there are some; says whether there are any.
async fn fill(source: &mut Source, bytes: &mut Vec<u8>) -> Result<bool, Error> {
    if bytes.is_empty()
        && let Some(chunk) = source.next(std::mem::take(bytes)).await?
    {
        *bytes = chunk;
    }
    Ok(!bytes.is_empty())
}

async fn body(side: &Reading, entry: &Entry) -> Result<Source, Error> {
    let options = ReadOptions { offset: 0, length: None, if_match: None };
    let reader = side.backend().read(side.full(&entry.path)?, options).await?;
    Ok(Source::new(reader.contents, reader.completion))
}
