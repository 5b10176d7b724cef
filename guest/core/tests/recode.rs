//! Compressing or decompressing on the way: names, the merge, and what counts as the same.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use omnistorage_core::{
    Path,
    codec::Codec,
    entry::{Entry, Listed, ListingFailure, ObjectKind, Timestamp, Unlisted},
    sync::{
        compare::{CompareOptions, Comparison, Evidence, IfEqual, Reason, Verdict, compare_recoded},
        merge::{MergeError, Side, Step},
        recode::{Recoded, Recoding},
    },
};
use omnistorage_types::{Error, ErrorCode};
use proptest::prelude::*;

const GZIP: Recoding = Recoding::Compress(Codec::Gzip);

/// Why something could not be listed.
fn unlisted() -> Error {
    Error::new(ErrorCode::PermissionDenied, "it cannot be read")
}

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn object(at: &str) -> Entry {
    Entry::new(path(at), ObjectKind::Object)
}

#[test]
fn names_get_or_lose_the_extension() {
    for (recoding, source, target) in [
        (GZIP, "a", "a.gz"),
        (GZIP, "d.x/a.b", "d.x/a.b.gz"),
        (GZIP, "a.gz", "a.gz"),
        (GZIP, "a.zst", "a.zst"),
        (GZIP, "a.GZ", "a.GZ.gz"),
        (GZIP, ".gz", ".gz.gz"),
        (GZIP, "d.gz/a", "d.gz/a.gz"),
        (Recoding::Compress(Codec::Zstd), "a", "a.zst"),
        (Recoding::Compress(Codec::Snappy), "a", "a.sz"),
        (Recoding::Compress(Codec::Lz4), "a", "a.lz4"),
        (Recoding::Decompress, "a.gz", "a"),
        (Recoding::Decompress, "a.txt.zst", "a.txt"),
        (Recoding::Decompress, "a.gz.sz", "a.gz"),
        (Recoding::Decompress, "a.txt", "a.txt"),
        (Recoding::Decompress, "d.gz/.gz", "d.gz/.gz"),
        (Recoding::Decompress, "a.GZ", "a.GZ"),
    ] {
        assert_eq!(recoding.target_path(&path(source)).unwrap(), path(target), "{recoding:?}");
        assert_eq!(recoding.codec(&path(source)).is_some(), source != target, "{recoding:?} {source}");
        assert!(recoding.source_paths(&path(target)).contains(&path(source)), "{recoding:?} {source}");
    }
    assert_eq!(GZIP.source_paths(&path("a")), []);
    assert_eq!(GZIP.source_paths(&path("a.zst")), [path("a.zst")]);
    assert_eq!(GZIP.source_paths(&path("a.zst.gz")), [path("a.zst.gz")]);
    let too_long = path(&"n".repeat(Path::MAX_LEN - 1));
    assert!(GZIP.target_path(&too_long).is_err());
}

/// Paths on the source and on the target of what stands on either side.
type Pairs = BTreeSet<(Option<Path>, Option<Path>)>;

fn merged(
    recoding: Recoding,
    source: Vec<Entry>,
    target: Vec<Entry>,
    page: usize,
) -> Result<Pairs, MergeError> {
    let listed = |entries: Vec<Entry>| entries.into_iter().map(Listed::Entry).collect();
    let (pairs, unknown) = merged_in_part(recoding, listed(source), listed(target), page)?;
    assert!(unknown.is_empty());
    Ok(pairs)
}

/// The same, and what one side has where the other could not be listed: whether it is the source, and the path.
fn merged_in_part(
    recoding: Recoding,
    source: Vec<Listed>,
    target: Vec<Listed>,
    page: usize,
) -> Result<(Pairs, BTreeSet<(bool, Path)>), MergeError> {
    let pages = |listed: Vec<Listed>| -> VecDeque<Vec<Listed>> {
        listed.chunks(page).map(<[Listed]>::to_vec).collect()
    };
    let (mut merge, mut source, mut target) = (Recoded::new(recoding), pages(source), pages(target));
    let (mut pairs, mut unknown) = (Pairs::new(), BTreeSet::new());
    loop {
        let pair = match merge.next()? {
            Step::Need(side) => {
                let pages = if side == Side::Source { &mut source } else { &mut target };
                match pages.pop_front() {
                    Some(page) => merge.push(side, page),
                    None => merge.end(side),
                }
                continue;
            }
            Step::SourceOnly(source) => (Some(source.path), None),
            Step::TargetOnly(target) => (None, Some(target.path)),
            Step::Both { source, target } => (Some(source.path), Some(target.path)),
            Step::Failed { .. } => continue,
            Step::Unknown { side, entry } => {
                assert!(unknown.insert((side == Side::Source, entry.path)), "twice");
                continue;
            }
            Step::End => return Ok((pairs, unknown)),
        };
        assert!(pairs.insert(pair.clone()), "twice: {pair:?}");
    }
}

#[test]
fn two_objects_of_one_name_are_an_error() {
    for (recoding, source) in [
        (GZIP, vec!["a", "a-b", "a.gz"]),
        (Recoding::Decompress, vec!["a", "a.gz"]),
        (Recoding::Decompress, vec!["a.gz", "a.zst"]),
    ] {
        let entries = source.iter().copied().map(object).collect();
        let error = merged(recoding, entries, vec![], 1).unwrap_err();
        assert!(matches!(error, MergeError::Clash { .. }), "{error}");
        assert!(error.to_string().contains("\"a\"") || error.to_string().contains("\"a.gz\""), "{error}");
    }
    let directory = Entry::new(path("a.gz"), ObjectKind::Directory);
    assert!(merged(GZIP, vec![object("a"), directory], vec![], 1).is_err());
    let unsorted = merged(GZIP, vec![object("b"), object("a")], vec![], 2);
    assert!(matches!(unsorted, Err(MergeError::Unsorted { side: Side::Source, .. })));
    let unsorted = merged(GZIP, vec![], vec![object("b"), object("a")], 2);
    assert!(matches!(unsorted, Err(MergeError::Unsorted { side: Side::Target, .. })));
}

#[test]
fn the_time_decides_and_else_the_contents() {
    let at = |seconds: Option<i64>| Entry {
        size: seconds.map(|seconds| seconds.unsigned_abs()),
        modified: seconds.map(|seconds| Timestamp { seconds, nanoseconds: 0 }),
        ..object("a")
    };
    let options = |comparison| CompareOptions { comparison, window_ns: Some(0), ..CompareOptions::default() };
    let without_times = CompareOptions { window_ns: None, ..options(Comparison::Automatic) };
    let immutable = CompareOptions { immutable: true, ..options(Comparison::Automatic) };
    let update = CompareOptions { update_only: true, ..options(Comparison::Automatic) };
    let contents = Verdict::NeedHash(IfEqual::Same);
    for (options, source, target, expected) in [
        (options(Comparison::Automatic), Some(5), Some(5), Verdict::Same(Evidence::Times)),
        (options(Comparison::Automatic), Some(5), Some(6), Verdict::Transfer(Reason::TimeDiffers)),
        (options(Comparison::Automatic), Some(5), None, contents),
        (options(Comparison::ExactTimes), None, None, contents),
        (options(Comparison::Checksum), Some(5), Some(5), contents),
        (options(Comparison::Always), Some(5), Some(5), Verdict::Transfer(Reason::TransferAll)),
        (options(Comparison::IgnoreExisting), Some(5), Some(6), Verdict::Skip(Reason::ExistsOnTarget)),
        (without_times, Some(5), Some(6), contents),
        (without_times, Some(5), Some(5), contents),
        (without_times, Some(5), Some(4), Verdict::Transfer(Reason::TimeDiffers)),
        (immutable, Some(5), Some(4), Verdict::Refuse(Reason::TimeDiffers)),
        (update, Some(5), Some(6), Verdict::Skip(Reason::TargetNewer)),
        (update, Some(5), Some(4), Verdict::Transfer(Reason::TimeDiffers)),
    ] {
        assert_eq!(compare_recoded(&at(source), &at(target), options), expected, "{options:?}");
    }
    let directory = Entry::new(path("a"), ObjectKind::Directory);
    let verdict = compare_recoded(&at(Some(5)), &directory, options(Comparison::Automatic));
    assert_eq!(verdict, Verdict::Skip(Reason::KindDiffers));
}

fn paths() -> impl Strategy<Value = BTreeSet<Path>> {
    let path = "[ab-]{1,2}([.-]x)?(/a)?(\\.gz|\\.lz4|\\.zst|\\.sz|\\.g)?";
    prop::collection::btree_set(path, 0..14)
        .prop_map(|paths| paths.into_iter().filter_map(|path| Path::parse(path).ok()).collect())
}

proptest! {
    #[test]
    fn the_merge_is_that_of_two_maps(
        source in paths(), target in paths(), compress in any::<bool>(), page in 1_usize..4,
    ) {
        let recoding = if compress { GZIP } else { Recoding::Decompress };
        let entries = |paths: &BTreeSet<Path>| -> Vec<Entry> {
            paths.iter().map(|path| object(path.as_str())).collect()
        };
        let mut by_name: BTreeMap<Path, (Option<Path>, Option<Path>)> =
            target.iter().map(|path| (path.clone(), (None, Some(path.clone())))).collect();
        let mut clashes = false;
        for path in &source {
            let slot = by_name.entry(recoding.target_path(path).unwrap()).or_default();
            clashes |= slot.0.replace(path.clone()).is_some();
        }
        let found = merged(recoding, entries(&source), entries(&target), page);
        if clashes {
            let is_clash = matches!(found, Err(MergeError::Clash { .. }));
            prop_assert!(is_clash, "{:?}", found);
        } else {
            prop_assert_eq!(found, Ok(by_name.into_values().collect()));
        }
    }

    #[test]
    fn what_was_not_listed_is_on_neither_side_for_sure(
        source in paths(), target in paths(), compress in any::<bool>(), page in 1_usize..4,
        hidden_on_source in "[ab-]{1,2}([.-]x)?", hidden_on_target in "[ab-]{1,2}([.-]x)?",
    ) {
        let recoding = if compress { GZIP } else { Recoding::Decompress };
        let (hidden_on_source, hidden_on_target) = (path(&hidden_on_source), path(&hidden_on_target));
        // Whether there is a directory, the listing of the one above it tells.
        prop_assume!(!source.contains(&hidden_on_target) && !target.contains(&hidden_on_source));
        let in_part = |paths: &BTreeSet<Path>, hidden: &Path| -> Vec<Listed> {
            let seen = paths.iter().filter(|path| !path.starts_with(hidden) || *path == hidden);
            let mut listed: Vec<_> =
                seen.map(|path| Listed::Entry(object(path.as_str()))).collect();
            let behind = format!("{hidden}/");
            let place = listed.partition_point(|listed| {
                matches!(listed, Listed::Entry(entry) if entry.path.as_str() < &*behind)
            });
            let what = Unlisted::Directory(hidden.clone());
            listed.insert(place, Listed::Failure(Box::new(ListingFailure { what, error: unlisted() })));
            listed
        };
        let (listed_source, listed_target) =
            (in_part(&source, &hidden_on_source), in_part(&target, &hidden_on_target));
        let found = merged_in_part(recoding, listed_source.clone(), listed_target.clone(), page);
        let paths_of = |listed: Vec<Listed>| listed.into_iter().filter_map(|listed| match listed {
            Listed::Entry(entry) => Some(entry.path),
            Listed::Failure(_) => None,
        });
        let mut by_name: BTreeMap<Path, (Option<Path>, Option<Path>)> =
            paths_of(listed_target).map(|path| (path.clone(), (None, Some(path)))).collect();
        for path in paths_of(listed_source) {
            let slot = by_name.entry(recoding.target_path(&path).unwrap()).or_default();
            // Two of one name are an error: see above.
            if slot.0.replace(path).is_some() {
                return Ok(());
            }
        }
        let unknown = |pair: &(Option<Path>, Option<Path>)| match pair {
            (Some(path), None) if path.starts_with(&hidden_on_target) => Some((true, path.clone())),
            (None, Some(path)) if path.starts_with(&hidden_on_source) => Some((false, path.clone())),
            _ => None,
        };
        let expected: (Pairs, BTreeSet<(bool, Path)>) = (
            by_name.values().filter(|pair| unknown(pair).is_none()).cloned().collect(),
            by_name.values().filter_map(unknown).collect(),
        );
        prop_assert_eq!(found, Ok(expected));
    }
}
