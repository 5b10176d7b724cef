//! What a run would make of one path, and why: the decisions of a run without the run.

use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::{
        compare::{Reason, Verdict, after_hashing},
        filter::Filter,
        merge::Step,
    },
};
use omnistorage_path::Path;

use super::{contents::hash_both, recode::compare_listed, sides::Sides};
use crate::{
    exports::sync::{Action, Deletion, Explanation, SyncOptions},
    imports::types::{Error, Location},
};

/// Looks at the path on both sides, and changes nothing.
pub(super) async fn explain(
    source: Location,
    target: Location,
    path: Path,
    options: SyncOptions,
    filter: Filter,
) -> Result<Explanation, Error> {
    let sides = Sides::open(source, target, filter, &options).await?;
    let on_target = sides.target_path(&path);
    let (source, target) = (sides.source.stat(&path).await?, sides.target.stat(&on_target).await?);
    let (included, ruling) = judge(&sides.filter, &path, source.as_ref().or(target.as_ref()));
    let (action, reason) = match (source, target) {
        (Some(source), _) if source.kind == ObjectKind::Directory => {
            (None, "what is in a directory is judged by itself")
        }
        (source, target) => match step(&sides.filter, &path, source, target) {
            Some(step) => decide(&sides, step, &options).await?,
            None if included => (None, "neither side has it"),
            None => (None, "what is excluded is left alone on both sides"),
        },
    };
    Ok(Explanation { included, ruling, action, reason: reason.to_owned() })
}

/// What the filter says, of the path or of a directory above it.
fn judge(filter: &Filter, path: &Path, entry: Option<&Entry>) -> (bool, String) {
    if let Some((directory, ruling)) = filter.excluded_above(path) {
        return (false, format!("its directory `{directory}` is {ruling}"));
    }
    let unknown = Entry::new(path.clone(), ObjectKind::Object);
    let ruling = filter.ruling(entry.unwrap_or(&unknown));
    (ruling.is_included(), ruling.to_string())
}

/// The step of a merge that the two come to, if the filter leaves it.
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

async fn decide(
    sides: &Sides,
    step: Step,
    options: &SyncOptions,
) -> Result<(Option<Action>, &'static str), Error> {
    let verdict = match step {
        Step::SourceOnly(source) => match source.kind {
            ObjectKind::Symlink => Verdict::Skip(Reason::SymbolicLink),
            ObjectKind::Special => Verdict::Skip(Reason::SpecialFile),
            ObjectKind::Object | ObjectKind::Directory => Verdict::Transfer(Reason::MissingOnTarget),
        },
        Step::TargetOnly(_) if options.deletion == Deletion::None => {
            return Ok((None, "only the target has it, and nothing is deleted"));
        }
        Step::TargetOnly(_) => return Ok((Some(Action::Deleted), Reason::MissingOnSource.as_str())),
        Step::Both { source, target } => {
            // Both were asked for.
            let compare_options = sides.compare_options(options).with_times();
            let recoder = sides.recoder.filter(|recoder| recoder.changes(&source));
            match compare_listed(recoder, &source, &target, compare_options) {
                Verdict::NeedHash(_) if let Some(recoder) = recoder => {
                    recoder.decide(&sides.source, &sides.target, &source, compare_options).await?
                }
                Verdict::NeedHash(if_equal) => {
                    let pairs = [(&source, &target)];
                    let hashes =
                        hash_both(&sides.source, &sides.target, &pairs, sides.hash_algorithm()).await;
                    match hashes.into_iter().next().transpose()? {
                        Some((source, target)) => {
                            after_hashing(if_equal, Some(&source), Some(&target), compare_options)
                        }
                        None => after_hashing(if_equal, None, None, compare_options),
                    }
                }
                verdict => verdict,
            }
        }
        Step::Need(_) | Step::End => Verdict::Same,
    };
    Ok(match verdict {
        Verdict::Same | Verdict::NeedHash(_) | Verdict::NeedTimes => (None, "both sides are the same"),
        Verdict::Transfer(reason) => (Some(Action::Transferred), reason.as_str()),
        Verdict::SetTime => (Some(Action::UpdatedTime), Reason::TimeDiffers.as_str()),
        Verdict::Refuse(reason) => (Some(Action::Failed), reason.as_str()),
        Verdict::Skip(Reason::KindDiffers) => (Some(Action::Failed), Reason::KindDiffers.as_str()),
        Verdict::Skip(reason) => (Some(Action::Skipped), reason.as_str()),
    })
}
