//! A run of `check`.

use std::rc::Rc;

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::{
        compare::{Reason, common_hash},
        filter::Filter,
        merge::Side,
    },
};
use omnistorage_types::{
    CheckEntry, CheckReport, Comparison, Difference, Error, ErrorCode, Location, SyncOptions,
};

use super::{
    contents::{Hashed, hash_both, same_bytes},
    pairs::{Pairs, Step},
    sides::{Sides, Unshown},
};
use crate::{job::Outlet, port::Storage};

/// The result of a comparison: why the objects differ, or `None` if they do not.
type Found = Result<Option<Reason>, Error>;

/// Runs to the end. An error means that the check could not be completed.
pub(super) async fn run(
    port: Rc<dyn Storage>,
    places: [Location; 2],
    options: SyncOptions,
    filter: Filter,
    entries: Outlet<CheckEntry>,
) -> Result<CheckReport, Error> {
    let mut sides = Sides::open(&port, places, filter, &options).await?;
    if !options.one_way {
        sides.unshown = Unshown::Compared;
    }
    let mut pairs = Pairs::new(&sides).await?;
    let mut check = Check { entries, report: CheckReport::default() };
    let outcome = check.compare_all(&sides, &mut pairs, &options).await;
    check.entries.flush().await;
    outcome.map(|()| check.report)
}

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
        let mut comparing: FuturesUnordered<LocalBoxFuture<'_, Vec<(Entry, Found)>>> =
            FuturesUnordered::new();
        let mut batch = sides.batch(options.bandwidth);
        loop {
            if self.entries.is_full() {
                self.entries.flush().await;
            }
            if comparing.len() >= options.checkers as usize
                && let Some(compared) = comparing.next().await
            {
                self.tell_all(compared);
            }
            match pairs.next().await? {
                Step::SourceOnly(entry) => self.tell(&entry, Ok(Some(Reason::MissingOnTarget))),
                Step::TargetOnly(_) if options.one_way => {}
                Step::TargetOnly(entry) => self.tell(&entry, Ok(Some(Reason::MissingOnSource))),
                Step::Both { source, target } => match known(sides, &source, &target, options) {
                    Some(found) => self.tell(&source, Ok(found)),
                    None => {
                        let size = source.size;
                        if let Some(pairs) = batch.add((source, target), size) {
                            comparing.push(Box::pin(compare(sides, pairs, options.comparison)));
                        }
                    }
                },
                Step::Failed { failure, .. } => self.tell_error(failure.what.name(), failure.error),
                Step::Unknown { side, entry } => self.tell_unknown(sides, side, &entry, options),
                Step::Need(_) => {}
                Step::End => break,
            }
        }
        if let Some(pairs) = batch.take() {
            comparing.push(Box::pin(compare(sides, pairs, options.comparison)));
        }
        while let Some(compared) = comparing.next().await {
            self.tell_all(compared);
            if self.entries.is_full() {
                self.entries.flush().await;
            }
        }
        Ok(())
    }

    fn tell_all(&mut self, compared: Vec<(Entry, Found)>) {
        for (entry, found) in compared {
            self.tell(&entry, found);
        }
    }

    /// Counts a name that a listing failed on: it is neither the same nor known to differ.
    fn tell_error(&mut self, name: &str, error: Error) {
        self.report.errors += 1;
        self.report.checked += 1;
        let (path, difference) = (name.to_owned(), Difference::Error);
        self.entries.push(CheckEntry { path, difference, reason: None, error: Some(error) });
    }

    /// An object on one side, where the listing of the other side failed.
    fn tell_unknown(&mut self, sides: &Sides, has_it: Side, entry: &Entry, options: &SyncOptions) {
        if entry.kind != ObjectKind::Object || (has_it == Side::Target && options.one_way) {
            return;
        }
        let error = sides.side(has_it).error(ErrorCode::Unavailable, &entry.path, Reason::Unlisted.as_str());
        self.tell_error(entry.path.as_str(), error);
    }

    /// Directories are not compared: they exist by what is in them. Nor are links and special files, which no run
    /// copies, replaces by another or deletes: one of the target in the place of an object is a difference all the
    /// same.
    fn tell(&mut self, entry: &Entry, found: Found) {
        let missing = matches!(found, Ok(Some(Reason::MissingOnSource | Reason::MissingOnTarget)));
        if entry.kind == ObjectKind::Directory && (missing || matches!(found, Ok(None))) {
            return;
        }
        if matches!(entry.kind, ObjectKind::Symlink | ObjectKind::Special) && found.is_ok() {
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

/// The result as far as the listings alone can say; `None` if the contents must be compared.
fn known(sides: &Sides, source: &Entry, target: &Entry, options: &SyncOptions) -> Option<Option<Reason>> {
    let comparison = options.comparison;
    if source.kind != target.kind {
        return Some(Some(Reason::KindDiffers));
    }
    match source.kind {
        ObjectKind::Object if sides.recoder.as_ref().is_some_and(|recoder| recoder.changes(source)) => {
            return None;
        }
        ObjectKind::Object => {}
        ObjectKind::Directory => return Some(None),
        ObjectKind::Symlink => return Some(Some(Reason::SymbolicLink)),
        ObjectKind::Special => return Some(Some(Reason::SpecialFile)),
    }
    match (source.size, target.size) {
        (Some(source), Some(target)) if source != target => Some(Some(Reason::SizeDiffers)),
        (Some(_), Some(_)) if comparison == Comparison::SizeOnly => Some(None),
        (None, _) | (_, None) if comparison == Comparison::SizeOnly => Some(Some(Reason::SizeUnknown)),
        // The options ask for the bytes themselves.
        _ if comparison == Comparison::Always => None,
        _ => match common_hash(&source.hashes, &target.hashes) {
            Some((one, other)) if one.digest == other.digest => Some(None),
            // An etag in a listing may only look like a hash.
            _ => None,
        },
    }
}

/// Compares the contents of objects that are on both sides.
async fn compare(sides: &Sides, pairs: Vec<(Entry, Entry)>, comparison: Comparison) -> Vec<(Entry, Found)> {
    let found = |same: bool| (!same).then_some(Reason::ContentsDiffer);
    let mut compared = Vec::with_capacity(pairs.len());
    let mut alike = Vec::with_capacity(pairs.len());
    for (source, target) in pairs {
        match sides.recoder.as_ref().filter(|recoder| recoder.changes(&source)) {
            Some(recoder) => {
                let same = recoder.same_contents(&sides.source, &sides.target, &source).await;
                compared.push((source, same.map(found)));
            }
            None => alike.push((source, target)),
        }
    }
    let pairs = alike;
    if comparison == Comparison::Always {
        for (entry, _) in pairs {
            let same = same_bytes(&sides.source, &sides.target, &entry).await;
            compared.push((entry, same.map(found)));
        }
        return compared;
    }
    let borrowed: Vec<_> = pairs.iter().map(|(source, target)| (source, target)).collect();
    let hashed = hash_both(&sides.source, &sides.target, &borrowed).await;
    for ((source, target), hashed) in pairs.into_iter().zip(hashed) {
        let hashed = match hashed {
            Ok(hashed) if !hashed.are_equal() && hashed.is_listed() => {
                ask_again(sides, &source, &target).await
            }
            hashed => hashed,
        };
        compared.push((source, hashed.map(|hashed| found(hashed.are_equal()))));
    }
    compared
}

/// The hashes of a pair, asked for anew: what the listings carry may only look like a hash.
async fn ask_again(sides: &Sides, source: &Entry, target: &Entry) -> Result<Hashed, Error> {
    let plain = |entry: &Entry| Entry { hashes: Vec::new(), ..entry.clone() };
    let hashed = hash_both(&sides.source, &sides.target, &[(&plain(source), &plain(target))]).await;
    let message = "there is no hash for it";
    let missing = || Err(sides.source.error(ErrorCode::Other, &source.path, message));
    hashed.into_iter().next().unwrap_or_else(missing)
}
