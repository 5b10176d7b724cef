//! Explains what a run would do with one path, and why, without running.

use std::rc::Rc;

use futures::join;
use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::{
        compare::{CompareOptions, Evidence, IfEqual, Reason, Verdict, after_hashing},
        filter::Filter,
    },
};
use omnistorage_types::{Action, Deletion, Error, ErrorCode, Explanation, Location, Path, SyncOptions};

use super::{
    contents::hash_both,
    memo::Memo,
    operation::Operation,
    pair::Pair,
    pairs::Step,
    recode::{Recoder, compare_listed},
    sides::Sides,
};
use crate::port::Storage;

/// Looks at the path on both sides without changing anything.
pub(super) async fn explain(
    port: &Rc<dyn Storage>,
    operation: Operation,
    places: [Location; 2],
    path: Path,
    mut options: SyncOptions,
    filter: Filter,
) -> Result<Explanation, Error> {
    if operation == Operation::Move {
        // A run does not look at this either.
        (options.deletion, options.memo) = (Deletion::None, None);
    }
    let sides = Sides::open(port, places, filter, &options).await?;
    let on_target = sides.target_path(&path);
    let (source, target) = (sides.source.seen(&path).await?, sides.target.seen(&on_target).await?);
    let on_source = source.is_some();
    if !sides.range.spans(path.as_str()) {
        let ruling = "it lies outside of the range".to_owned();
        let reason = "what is outside of the range is left alone on both sides".to_owned();
        return Ok(Explanation { included: false, ruling, action: None, reason });
    }
    let (included, ruling) = judge(&sides.filter, &path, source.as_ref().or(target.as_ref()));
    let is_shown = !on_source
        || sides.single.is_some()
        || !sides.source.hides_names()
        || sides.source.shows(&path).await?;
    let (action, reason) = match (source, target) {
        _ if included && !is_shown => {
            let reason = "the listing of the source does not show it, so it is neither brought nor replaced nor deleted";
            (None, reason.to_owned())
        }
        (Some(source), target)
            if source.kind == ObjectKind::Directory
                && target.as_ref().is_none_or(|target| target.kind != ObjectKind::Object) =>
        {
            (None, "what is in a directory is judged by itself".to_owned())
        }
        (source, target) => match step(&sides.filter, &path, source, target) {
            Some(step) => {
                let decided = decide(&sides, operation, step, &options).await?;
                if operation == Operation::Move && on_source { of_move(decided) } else { decided }
            }
            None if included => (None, "neither side has it".to_owned()),
            None => (None, "what is excluded is left alone on both sides".to_owned()),
        },
    };
    Ok(Explanation { included, ruling, action, reason })
}

/// What the filter says about the path, or about a directory above it.
fn judge(filter: &Filter, path: &Path, entry: Option<&Entry>) -> (bool, String) {
    if let Some((directory, ruling)) = filter.excluded_above(path) {
        return (false, format!("its directory `{directory}` is {ruling}"));
    }
    let unknown = Entry::new(path.clone(), ObjectKind::Object);
    let ruling = filter.ruling(entry.unwrap_or(&unknown));
    (ruling.is_included(), ruling.to_string())
}

/// The merge step that the two sides result in, if the filter includes it.
fn step(filter: &Filter, path: &Path, source: Option<Entry>, target: Option<Entry>) -> Option<Step> {
    let reached = |filter: &Filter| filter.excluded_above(path).is_none();
    let source = source.filter(|_| reached(filter));
    let target = target.filter(|_| reached(&filter.for_target()));
    filter.screen(match (source, target) {
        (Some(source), Some(target)) => Step::Both { source, target },
        (Some(source), None) => Step::SourceOnly(source),
        (None, Some(target)) => Step::TargetOnly(target),
        (None, None) => return None,
    })
}

/// What a move additionally does with an object of the source.
fn of_move((action, reason): (Option<Action>, String)) -> (Option<Action>, String) {
    let then = match action {
        Some(Action::Transferred) => "it leaves the source once that is verified",
        Some(Action::UpdatedTime | Action::SourceRemoved) => {
            "it leaves the source, since the target has its contents"
        }
        _ => "it stays on the source",
    };
    (action, format!("{reason}; {then}"))
}

async fn decide(
    sides: &Sides,
    operation: Operation,
    step: Step,
    options: &SyncOptions,
) -> Result<(Option<Action>, String), Error> {
    let same = |evidence: Evidence| {
        let leaves = operation == Operation::Move && evidence == Evidence::Contents;
        let reason = format!("both sides are the same: {}", evidence.as_str());
        (leaves.then_some(Action::SourceRemoved), reason)
    };
    let told = |action, reason: Reason| (Some(action), reason.as_str().to_owned());
    let verdict = match step {
        Step::SourceOnly(source) => match source.kind {
            ObjectKind::Symlink => Verdict::Skip(Reason::SymbolicLink),
            ObjectKind::Special => Verdict::Skip(Reason::SpecialFile),
            ObjectKind::Object | ObjectKind::Directory => Verdict::Transfer(Reason::MissingOnTarget),
        },
        Step::TargetOnly(_) if options.deletion == Deletion::None => {
            return Ok((None, "only the target has it, and nothing is deleted".to_owned()));
        }
        Step::TargetOnly(_) => return Ok(told(Action::Deleted, Reason::MissingOnSource)),
        Step::Both { source, .. } if source.kind == ObjectKind::Directory => {
            return Ok(match options.deletion {
                Deletion::None => (None, Reason::KindDiffers.as_str().to_owned()),
                _ => told(Action::Deleted, Reason::KindDiffers),
            });
        }
        Step::Both { source, target } => compare_pair(sides, operation, source, target, options).await?,
        // Both sides were looked up, not listed.
        Step::Failed { .. } | Step::Unknown { .. } | Step::Need(_) | Step::End => {
            return Ok((None, "there is nothing".to_owned()));
        }
    };
    Ok(match verdict {
        Verdict::Same(evidence) => same(evidence),
        // Asked for before: see `compare_pair`.
        Verdict::NeedHash(_) | Verdict::NeedTimes => told(Action::Transferred, Reason::NoCommonHash),
        Verdict::Transfer(reason) => told(Action::Transferred, reason),
        Verdict::SetTime => told(Action::UpdatedTime, Reason::TimeDiffers),
        Verdict::Refuse(reason) => told(Action::Failed, reason),
        Verdict::Skip(Reason::KindDiffers) if options.deletion != Deletion::None => {
            told(Action::Transferred, Reason::KindDiffers)
        }
        Verdict::Skip(Reason::KindDiffers) => told(Action::Failed, Reason::KindDiffers),
        Verdict::Skip(reason) => told(Action::Skipped, reason),
    })
}

/// What a run makes of a pair that its listings tell of: it asks what they leave open, and so does this.
async fn compare_pair(
    sides: &Sides,
    operation: Operation,
    source: Entry,
    target: Entry,
    options: &SyncOptions,
) -> Result<Verdict, Error> {
    let contents_only = operation == Operation::Move;
    let compare = CompareOptions { contents_only, ..sides.compare_options(options) };
    let remembered = match options.memo.clone() {
        Some(at) => Memo::tells(at, sides, compare, options, (&source, &target)).await?,
        None => false,
    };
    let options = CompareOptions { remembered, ..compare };
    let recoder = sides.recoder.as_ref().filter(|recoder| recoder.changes(&source));
    let mut verdict = compare_listed(recoder, &source, &target, options);
    if let Verdict::NeedHash(if_equal) = verdict {
        verdict = hash_pair(sides, recoder, (&source, &target), if_equal, options).await?;
    }
    if verdict != Verdict::NeedTimes {
        return Ok(verdict);
    }
    let (seen, there) = join!(sides.source.stat(&source.path), sides.target.stat(&target.path));
    let (Some(seen), Some(there)) = (seen?, there?) else {
        let message = "it was deleted while it was compared";
        return Err(sides.source.error(ErrorCode::NotFound, &source.path, message));
    };
    let options = options.with_times();
    match compare_listed(recoder, &seen, &there, options) {
        Verdict::NeedHash(if_equal) => hash_pair(sides, recoder, (&seen, &there), if_equal, options).await,
        verdict => Ok(verdict),
    }
}

async fn hash_pair(
    sides: &Sides,
    recoder: Option<&Recoder>,
    pair: (&Entry, &Entry),
    if_equal: IfEqual,
    options: CompareOptions,
) -> Result<Verdict, Error> {
    if let Some(recoder) = recoder {
        let pair = Pair::listed(pair.0.clone(), pair.1.clone());
        return recoder
            .decide(&sides.source, &sides.target, &pair, options)
            .await
            .map(|(_, verdict)| verdict);
    }
    let hashed = hash_both(&sides.source, &sides.target, &[pair]).await;
    let missing = || Err(sides.source.error(ErrorCode::Other, &pair.0.path, Reason::NoCommonHash.as_str()));
    let hashed = hashed.into_iter().next().unwrap_or_else(missing)?;
    Ok(after_hashing(if_equal, hashed.hashes(), options))
}
