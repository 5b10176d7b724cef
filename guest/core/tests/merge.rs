//! The merge of two listings against a map.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use omnistorage_core::{
    Path,
    entry::{Entry, Listed, ListingFailure, ObjectKind, Unlisted},
    sync::merge::{Merge, MergeError, Side, Step},
};
use omnistorage_types::{Error, ErrorCode};
use proptest::prelude::*;

/// Why something could not be listed.
fn unlisted() -> Error {
    Error::new(ErrorCode::PermissionDenied, "it cannot be read")
}

fn entry(path: &str) -> Entry {
    Entry::new(Path::parse(path).unwrap(), ObjectKind::Object)
}

/// As a listing has it; no error is told apart here.
fn listed(path: &str) -> Listed {
    Listed::Entry(entry(path))
}

fn failed(what: Unlisted) -> Listed {
    Listed::Failure(Box::new(ListingFailure { what, error: unlisted() }))
}

fn directory(path: &str) -> Unlisted {
    Unlisted::Directory(Path::parse(path).unwrap())
}

/// Merges two listings that come in batches of so many entries. Each path, and who has it: source, target.
fn merge(source: &[&str], target: &[&str], batch: usize) -> Result<Vec<(String, bool, bool)>, MergeError> {
    let mut batches = [source.chunks(batch), target.chunks(batch)];
    let (mut merge, mut seen) = (Merge::new(), Vec::new());
    loop {
        match merge.next()? {
            Step::Need(side) => match batches[side as usize].next() {
                Some(paths) => merge.push(side, paths.iter().map(|path| listed(path)).collect()),
                None => merge.end(side),
            },
            Step::SourceOnly(source) => seen.push((source.path.into(), true, false)),
            Step::TargetOnly(target) => seen.push((target.path.into(), false, true)),
            Step::Both { source, target } => {
                assert_eq!(source.path, target.path);
                seen.push((source.path.into(), true, true));
            }
            Step::Failed { .. } | Step::Unknown { .. } => unreachable!("nothing failed"),
            Step::End => return Ok(seen),
        }
    }
}

#[test]
fn the_order_is_that_of_the_bytes() {
    let paths = ["A", "a", "a b", "a-b", "a.b", "a/b", "a0", "é", "\u{ffff}", "😀"];
    let expected = paths.map(|path| (path.to_owned(), true, true));
    for batch in [1, 3, 100] {
        assert_eq!(merge(&paths, &paths, batch).unwrap(), expected);
    }
}

#[test]
fn listings_out_of_order_are_an_error() {
    let unsorted = |side, previous: &str, path: &str| MergeError::Unsorted {
        side,
        previous: Path::parse(previous).unwrap(),
        path: Path::parse(path).unwrap(),
    };
    for batch in [1, 2, 100] {
        assert_eq!(merge(&["a", "c", "b"], &["a"], batch), Err(unsorted(Side::Source, "c", "b")));
        assert_eq!(merge(&["a"], &["a", "b", "b"], batch), Err(unsorted(Side::Target, "b", "b")));
        assert_eq!(merge(&["a/b", "a.b"], &[], batch), Err(unsorted(Side::Source, "a/b", "a.b")));
    }
    assert!(unsorted(Side::Target, "b", "b").to_string().contains("target"));
}

#[test]
fn errors_are_final() {
    let mut merge = Merge::new();
    merge.push(Side::Source, vec![listed("b"), listed("a")]);
    let error = merge.next().unwrap_err();
    merge.push(Side::Source, vec![listed("c")]);
    merge.end(Side::Source);
    merge.end(Side::Target);
    assert_eq!(merge.next(), Err(error));
}

#[test]
fn nothing_may_come_after_the_end() {
    let mut merge = Merge::new();
    merge.end(Side::Target);
    merge.push(Side::Target, Vec::new());
    assert_eq!(merge.next(), Ok(Step::Need(Side::Source)));
    merge.push(Side::Target, vec![listed("a")]);
    assert_eq!(merge.next(), Err(MergeError::AfterEnd { side: Side::Target }));
}

#[test]
fn an_empty_batch_is_not_the_end() {
    let mut merge = Merge::new();
    merge.push(Side::Source, Vec::new());
    assert_eq!(merge.next(), Ok(Step::Need(Side::Source)));
}

#[test]
fn one_side_may_run_ahead() {
    let mut merge = Merge::new();
    merge.push(Side::Source, vec![listed("a")]);
    merge.push(Side::Source, vec![listed("b")]);
    merge.end(Side::Source);
    assert_eq!(merge.next(), Ok(Step::Need(Side::Target)));
    merge.end(Side::Target);
    assert_eq!(merge.next(), Ok(Step::SourceOnly(entry("a"))));
    assert_eq!(merge.next(), Ok(Step::SourceOnly(entry("b"))));
    assert_eq!(merge.next(), Ok(Step::End));
    assert_eq!(merge.next(), Ok(Step::End));
}

#[test]
fn kinds_may_differ() {
    let mut merge = Merge::new();
    let directory = Entry::new(Path::parse("a").unwrap(), ObjectKind::Directory);
    merge.push(Side::Source, vec![listed("a")]);
    merge.push(Side::Target, vec![Listed::Entry(directory.clone())]);
    assert_eq!(merge.next(), Ok(Step::Both { source: entry("a"), target: directory }));
}

/// All steps, in short: `+` and `-` for what only the source and the target has, `?` for what is not known.
fn steps(source: Vec<Listed>, target: Vec<Listed>) -> Result<Vec<String>, MergeError> {
    let mut merge = Merge::new();
    for (side, page) in [(Side::Source, source), (Side::Target, target)] {
        merge.push(side, page);
        merge.end(side);
    }
    let mut seen = Vec::new();
    loop {
        seen.push(match merge.next()? {
            Step::Need(_) => unreachable!("all was pushed"),
            Step::SourceOnly(entry) => format!("+{}", entry.path),
            Step::TargetOnly(entry) => format!("-{}", entry.path),
            Step::Both { source, .. } => format!("={}", source.path),
            Step::Failed { side, failure } => format!("{side}!{}", failure.what.name()),
            Step::Unknown { side, entry } => format!("{side}?{}", entry.path),
            Step::End => return Ok(seen),
        });
    }
}

#[test]
fn what_a_listing_could_not_tell_is_neither_missing_nor_extra() {
    let there = ["a", "d/x", "d/y", "d0", "e"].map(listed);
    // The listing broke off in the directory.
    let blind = vec![listed("a"), listed("d/x"), failed(directory("d")), listed("e")];
    assert_eq!(
        steps(there.to_vec(), blind.clone()).unwrap(),
        ["=a", "=d/x", "target!d", "source?d/y", "+d0", "=e"]
    );
    assert_eq!(steps(blind, there.to_vec()).unwrap(), ["=a", "=d/x", "source!d", "target?d/y", "-d0", "=e"]);
    // What stands at the path itself is not known either.
    let entry = failed(Unlisted::Entry(Path::parse("d0").unwrap()));
    let blind = vec![listed("a"), entry, listed("e")];
    assert_eq!(steps(blind, there.to_vec()).unwrap(), ["=a", "source!d0", "-d/x", "-d/y", "target?d0", "=e"]);
    // A name that is no path hides none.
    let name = failed(Unlisted::Name { directory: Path::root(), name: "a//b".into() });
    assert_eq!(steps(vec![listed("a"), name], vec![listed("b")]).unwrap(), ["+a", "source!a//b", "-b"]);
}

#[test]
fn what_is_told_too_late_is_an_error() {
    for (previous, at) in [("e", "d"), ("d0", "d")] {
        let error = steps(vec![listed(previous), failed(directory(at))], vec![]).unwrap_err();
        assert!(matches!(error, MergeError::Unsorted { side: Side::Source, .. }));
    }
    // Its own contents do not begin before it ends.
    assert!(steps(vec![listed("d"), listed("d-b"), failed(directory("d"))], vec![]).is_ok());
}

proptest! {
    #[test]
    fn it_is_the_union_of_both(
        source in prop::collection::btree_set("[a-c]{1,3}(/[a-c.]?[a-c]{1,2})?", 0..40),
        target in prop::collection::btree_set("[a-c]{1,3}(/[a-c.]?[a-c]{1,2})?", 0..40),
        batch in 1_usize..10,
    ) {
        let mut model = BTreeMap::<String, (bool, bool)>::new();
        source.iter().for_each(|path| model.entry(path.clone()).or_default().0 = true);
        target.iter().for_each(|path| model.entry(path.clone()).or_default().1 = true);
        let expected = model.into_iter().map(|(path, (source, target))| (path, source, target)).collect::<Vec<_>>();
        let strs = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        let (source, target) = (strs(&source), strs(&target));
        let [source, target] = [&source, &target].map(|set| set.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(merge(&source, &target, batch).unwrap(), expected);
    }

    #[test]
    fn any_disorder_is_found(paths in prop::collection::vec("[a-d]{1,2}", 0..8), batch in 1_usize..5) {
        let paths = paths.iter().map(String::as_str).collect::<Vec<_>>();
        let ascending = paths.is_sorted_by(|one, two| one < two);
        prop_assert_eq!(merge(&paths, &[], batch).is_ok(), ascending);
        prop_assert_eq!(merge(&["b"], &paths, batch).is_ok(), ascending);
    }
}
