//! Two-way sync: the table of decisions, the merge of three sequences, and the file of the state.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use omnistorage_core::{
    Path,
    entry::{Entry, Listed, ListingFailure, ObjectKind, Timestamp, Unlisted},
    sync::{
        bisync::{
            Decision, Known, Precisions, Record, TrioStep, Trios,
            conflict::{Winner, winning_side},
            decide,
            guard::{Limits, Plan, Refusal},
            state::{Header, MAX_LINE, Reader, StateError, Writer, fingerprint},
        },
        compare::Reason,
        merge::Side,
    },
};
use omnistorage_types::{DeleteLimit, Error, ErrorCode};
use proptest::prelude::*;

const NS: Precisions = Precisions { first: Some(1), second: Some(1) };

/// Why something could not be listed.
fn unlisted() -> Error {
    Error::new(ErrorCode::PermissionDenied, "it cannot be read")
}

fn entry(path: &str, kind: ObjectKind) -> Entry {
    Entry::new(Path::parse(path).unwrap(), kind)
}

/// An object that was modified at that second.
fn object(seconds: i64) -> Entry {
    Entry {
        size: Some(1),
        modified: Some(Timestamp { seconds, nanoseconds: 0 }),
        ..entry("x", ObjectKind::Object)
    }
}

fn record(first: i64, second: i64) -> Record {
    let path = Path::parse("x").unwrap();
    Record { path, first: Known::from(&object(first)), second: Known::from(&object(second)) }
}

#[test]
fn the_table_of_decisions() {
    use Decision::*;
    use Side::{Source, Target};
    let known = record(1, 2);
    // The second at which each side's object was modified; none: it has none.
    for (first, second, record, expected) in [
        (Some(1), Some(2), Some(&known), Keep),
        (Some(9), Some(2), Some(&known), Update { from: Source }),
        (Some(1), Some(9), Some(&known), Update { from: Target }),
        (Some(9), Some(9), Some(&known), Reconcile),
        (Some(1), None, Some(&known), Delete { on: Source }),
        (None, Some(2), Some(&known), Delete { on: Target }),
        (Some(9), None, Some(&known), Create { from: Source }),
        (None, Some(9), Some(&known), Create { from: Target }),
        (None, None, Some(&known), Forget),
        (Some(1), Some(2), None, Reconcile),
        (Some(1), None, None, Create { from: Source }),
        (None, Some(2), None, Create { from: Target }),
    ] {
        let (one, other) = (first.map(object), second.map(object));
        assert_eq!(decide(one.as_ref(), other.as_ref(), record, NS), expected, "{first:?} {second:?}");
    }
}

#[test]
fn what_is_no_object_is_left_alone() {
    use ObjectKind::{Directory, Object, Special, Symlink};
    let known = record(1, 1);
    for (first, second, record, expected) in [
        (Some(Directory), Some(Directory), None, Decision::Keep),
        (Some(Directory), None, None, Decision::Keep),
        (Some(Directory), Some(Object), Some(&known), Decision::Clash),
        (Some(Object), Some(Directory), None, Decision::Clash),
        (Some(Directory), None, Some(&known), Decision::Forget),
        (Some(Symlink), Some(Object), Some(&known), Decision::Skip(Reason::SymbolicLink)),
        (None, Some(Symlink), Some(&known), Decision::Skip(Reason::SymbolicLink)),
        (Some(Special), None, None, Decision::Skip(Reason::SpecialFile)),
    ] {
        let [one, other] = [first, second].map(|kind| kind.map(|kind| entry("x", kind)));
        assert_eq!(decide(one.as_ref(), other.as_ref(), record, NS), expected, "{first:?} {second:?}");
    }
}

#[test]
fn an_object_is_what_was_known_if_size_time_and_etag_say_so() {
    let tagged = |tag: &str| Some(tag.to_owned());
    let with = |size, seconds: Option<i64>, etag| Entry {
        size,
        modified: seconds.map(|seconds| Timestamp { seconds, nanoseconds: 0 }),
        etag,
        ..entry("x", ObjectKind::Object)
    };
    for (then, now, precision, same) in [
        (with(Some(1), Some(5), tagged("a")), with(Some(1), Some(5), tagged("a")), Some(1), true),
        (with(Some(1), Some(5), tagged("a")), with(Some(1), Some(5), tagged("b")), Some(1), false),
        (with(Some(1), Some(5), tagged("a")), with(Some(1), Some(6), tagged("a")), Some(1), false),
        (with(Some(1), Some(5), tagged("a")), with(Some(1), Some(5), None), Some(1), true),
        (with(Some(1), Some(5), None), with(Some(1), Some(6), None), Some(1), false),
        (with(Some(1), Some(5), None), with(Some(1), Some(6), None), Some(2_000_000_000), true),
        (with(Some(1), Some(5), None), with(Some(2), Some(5), None), Some(1), false),
        (with(Some(1), None, tagged("a")), with(Some(1), None, tagged("a")), None, true),
        (with(Some(1), Some(5), tagged("a")), with(Some(1), None, tagged("a")), None, true),
        (with(Some(1), None, tagged("a")), with(Some(1), None, tagged("b")), None, false),
        (with(Some(1), None, None), with(Some(1), None, None), None, false),
    ] {
        assert_eq!(Known::from(&then).is_still(&now, precision), same, "{then:?} {now:?}");
    }
}

#[test]
fn the_winner_of_a_conflict() {
    use Side::{Source, Target};
    let sized = |seconds, size| Entry { size: Some(size), ..object(seconds) };
    let unknown = entry("x", ObjectKind::Object);
    let (early, late) = (sized(1, 9), sized(5, 3));
    for (winner, expected) in [
        (Winner::Newer, Some(Target)),
        (Winner::Older, Some(Source)),
        (Winner::Larger, Some(Source)),
        (Winner::Smaller, Some(Target)),
        (Winner::First, Some(Source)),
        (Winner::Second, Some(Target)),
    ] {
        assert_eq!(winning_side(winner, &early, &late, 0), expected, "{winner:?}");
        let is_fixed = matches!(winner, Winner::First | Winner::Second);
        assert_eq!(winning_side(winner, &early, &early, 0).is_some(), is_fixed, "{winner:?}");
        assert_eq!(winning_side(winner, &early, &unknown, 0).is_some(), is_fixed, "{winner:?}");
    }
    assert_eq!(winning_side(Winner::Newer, &early, &late, 4_000_000_000), None);
}

#[test]
fn a_run_that_would_empty_or_delete_too_much_does_not_begin() {
    let plan = Plan { records: 10, on_first: 5, on_second: 10, deletes_on_second: 5, ..Plan::default() };
    let limits = |max_delete, allow_empty| Limits { max_delete, allow_empty };
    let half = DeleteLimit::Percent(50);
    assert_eq!(plan.check(limits(half, false)), Ok(()));
    let refused = plan.check(limits(DeleteLimit::Count(4), true)).unwrap_err();
    assert!(matches!(refused, Refusal::TooMany { side: Side::Target, deletes: 5, records: 10, .. }));
    assert!(
        refused.to_string().contains("second") && refused.to_string().contains("max-delete"),
        "{refused}"
    );

    let emptied = Plan { on_first: 0, deletes_on_second: 10, ..plan };
    let refused = emptied.check(limits(DeleteLimit::Percent(100), false)).unwrap_err();
    assert_eq!(refused, Refusal::Emptied { side: Side::Source, records: 10 });
    assert!(refused.to_string().contains("allow-empty"), "{refused}");
    assert_eq!(emptied.check(limits(DeleteLimit::Percent(100), true)), Ok(()));
    let fresh = Plan { on_second: 10, ..Plan::default() };
    assert_eq!(fresh.check(limits(half, false)), Ok(()), "nothing was known, so nothing has become empty");
}

fn written(header: &Header, records: &[Record]) -> Vec<u8> {
    let (mut writer, mut file) = (Writer::new(header), Vec::new());
    records.iter().for_each(|record| writer.write(record, &mut file));
    writer.finish(&mut file);
    file
}

fn read(file: &[u8], piece: usize) -> Result<(Header, Vec<Record>), StateError> {
    let (mut reader, mut records) = (Reader::new(), Vec::new());
    for piece in file.chunks(piece) {
        reader.push(piece, &mut records)?;
    }
    reader.finish()?;
    assert_eq!(reader.records(), records.len() as u64);
    Ok((reader.header().unwrap().clone(), records))
}

fn header() -> Header {
    Header { first: "/a b".to_owned(), second: "s3://bucket/\u{e9}".to_owned(), filter: fingerprint(["x"]) }
}

#[test]
fn a_state_that_was_damaged_anywhere_is_refused() {
    let records = [record(1, 2)];
    let file = written(&header(), &records);
    assert_eq!(read(&file, 1), Ok((header(), records.to_vec())));
    for cut in 0..file.len() {
        assert!(read(&file[..cut], 64).is_err(), "the first {cut} bytes");
    }
    for at in 0..file.len() {
        for flip in [1, 0x20, 0x80] {
            let mut damaged = file.clone();
            damaged[at] ^= flip;
            assert!(read(&damaged, 64).is_err(), "byte {at} ^ {flip}: {}", String::from_utf8_lossy(&damaged));
        }
    }
    let twice = [&file[..], &file[..]].concat();
    assert!(matches!(read(&twice, 64), Err(StateError::Malformed { .. })));
}

#[test]
fn what_is_wrong_with_a_state_is_told() {
    let file = String::from_utf8(written(&header(), &[record(1, 2)])).unwrap();
    assert_eq!(read(b"something else\n", 64), Err(StateError::Foreign));
    assert_eq!(read(b"", 64), Err(StateError::Foreign));
    let later = file.replace("\"version\":1", "\"version\":2");
    assert_eq!(read(later.as_bytes(), 64), Err(StateError::Version(2)));
    assert!(StateError::Version(2).to_string().contains("version 2"));
    let endless = [file.lines().next().unwrap().as_bytes(), b"\n", &vec![b'x'; MAX_LINE + 1][..]].concat();
    assert_eq!(read(&endless, 1000), Err(StateError::Malformed { line: 2 }));
    let lines: Vec<_> = file.lines().collect();
    let unsorted = format!("{}\n{1}\n{1}\n{2}\n", lines[0], lines[1], lines[2]);
    assert_eq!(read(unsorted.as_bytes(), 64), Err(StateError::Malformed { line: 3 }));
    let escaping = file.replace(r#""path":"x""#, r#""path":"../x""#);
    assert_eq!(read(escaping.as_bytes(), 64), Err(StateError::Malformed { line: 2 }));
}

#[test]
fn parts_of_a_fingerprint_do_not_run_together() {
    assert_eq!(fingerprint(["a", "b"]), fingerprint(["a", "b"]));
    assert_ne!(fingerprint(["a", "b"]), fingerprint(["ab"]));
    assert_ne!(fingerprint(["a", "b"]), fingerprint(["b", "a"]));
}

fn known() -> impl Strategy<Value = Known> {
    let modified = prop::option::of((any::<i64>(), 0..1_000_000_000_u32));
    (prop::option::of(any::<u64>()), modified, prop::option::of(".{0,12}"))
        .prop_map(|(size, modified, etag)| Known { size, modified, etag })
}

fn paths() -> impl Strategy<Value = BTreeSet<Path>> {
    prop::collection::btree_set("[ab./\u{e9}\u{1}\"-]{1,5}", 0..12)
        .prop_map(|paths| paths.into_iter().filter_map(|path| Path::parse(path).ok()).collect())
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        records in paths().prop_flat_map(|paths| {
            let count = paths.len();
            (Just(paths), prop::collection::vec((known(), known()), count))
        }),
        piece in 1_usize..200,
    ) {
        let (paths, facts) = records;
        let with = |(path, (first, second))| Record { path, first, second };
        let records: Vec<_> = paths.into_iter().zip(facts).map(with).collect();
        prop_assert_eq!(read(&written(&header(), &records), piece), Ok((header(), records)));
    }

    #[test]
    fn the_merge_is_that_of_three_maps(
        first in paths(), second in paths(), records in paths(), page in 1_usize..4,
    ) {
        let pages = |paths: &BTreeSet<Path>| -> VecDeque<Vec<Path>> {
            let paths: Vec<_> = paths.iter().cloned().collect();
            paths.chunks(page).map(<[Path]>::to_vec).collect()
        };
        let object = |path: Path| Listed::Entry(Entry::new(path, ObjectKind::Object));
        let known = |path: Path| Record { path, first: Known::default(), second: Known::default() };
        let mut merge = Trios::new();
        let (mut of_first, mut of_second, mut of_records) = (pages(&first), pages(&second), pages(&records));
        let mut found = Vec::new();
        loop {
            match merge.next().unwrap() {
                TrioStep::Need(side) => {
                    let pages = if side == Side::Source { &mut of_first } else { &mut of_second };
                    match pages.pop_front() {
                        Some(page) => merge.push(side, page.into_iter().map(object).collect()),
                        None => merge.end(side),
                    }
                }
                TrioStep::NeedRecords => match of_records.pop_front() {
                    Some(page) => merge.push_records(page.into_iter().map(known)),
                    None => merge.end_records(),
                },
                TrioStep::Trio(trio) => {
                    found.push((trio.path, trio.first.is_some(), trio.second.is_some(), trio.record.is_some()));
                }
                TrioStep::Failed { .. } => unreachable!("nothing failed"),
                TrioStep::End => break,
            }
        }
        let all: BTreeMap<_, _> = first.iter().chain(&second).chain(&records).map(|path| {
            (path.clone(), (first.contains(path), second.contains(path), records.contains(path)))
        }).collect();
        let all: Vec<_> = all.into_iter().map(|(path, (a, b, c))| (path, a, b, c)).collect();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn what_was_not_listed_is_uncertain(
        first in paths(), second in paths(), records in paths(), hidden in "[ab./-]{1,3}", on_first in any::<bool>(),
    ) {
        prop_assume!(Path::parse(&*hidden).is_ok());
        let hidden = Path::parse(hidden).unwrap();
        let listed = |paths: &BTreeSet<Path>, is_blind: bool| {
            let is_hidden = |path: &&Path| is_blind && path.starts_with(&hidden);
            let mut listed: Vec<Listed> = paths
                .iter()
                .filter(|path| !is_hidden(path))
                .map(|path| Listed::Entry(Entry::new(path.clone(), ObjectKind::Object)))
                .collect();
            if is_blind {
                let place = listed.partition_point(|listed| {
                    matches!(listed, Listed::Entry(entry) if entry.path < hidden)
                });
                let what = Unlisted::Entry(hidden.clone());
                listed.insert(place, Listed::Failure(Box::new(ListingFailure { what, error: unlisted() })));
            }
            listed
        };
        let mut merge = Trios::new();
        for (side, paths, is_blind) in [(Side::Source, &first, on_first), (Side::Target, &second, !on_first)] {
            merge.push(side, listed(paths, is_blind));
            merge.end(side);
        }
        let known = |path: Path| Record { path, first: Known::default(), second: Known::default() };
        merge.push_records(records.iter().cloned().map(known));
        merge.end_records();
        let mut failures = 0;
        loop {
            match merge.next().unwrap() {
                TrioStep::Trio(trio) => {
                    let is_known = trio.first.is_some() && trio.second.is_some();
                    prop_assert_eq!(trio.is_uncertain, trio.path.starts_with(&hidden) && !is_known);
                }
                TrioStep::Failed { side, .. } => {
                    prop_assert_eq!(side == Side::Source, on_first);
                    failures += 1;
                }
                TrioStep::End => break,
                TrioStep::Need(_) | TrioStep::NeedRecords => unreachable!("all was pushed"),
            }
        }
        prop_assert_eq!(failures, 1);
    }
}
