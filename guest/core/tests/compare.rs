//! The decision table of sync, row by row.
#![allow(clippy::unwrap_used)]

use omnistorage_core::{
    Path,
    entry::{Entry, Hash, HashAlgorithm, ObjectKind, Timestamp},
    sync::compare::{
        CHEAP_TO_HASH, CompareOptions,
        Comparison::{self, *},
        Evidence, Hashes, IfEqual, Reason, Sides,
        Verdict::{self, NeedHash, NeedTimes, Refuse, SetTime, Skip, Transfer},
        after_hashing, compare, compare_recoded, modify_window,
    },
};

const SECOND: i64 = 1_000_000_000;
const ALL: [Comparison; 7] = [Automatic, ExactTimes, WriteTimes, Checksum, SizeOnly, Always, IgnoreExisting];

/// An object of that size, so many nanoseconds after a fixed time.
fn object(size: impl Into<Option<u64>>, nanoseconds: impl Into<Option<i64>>) -> Entry {
    let modified = nanoseconds.into().map(|nanoseconds| Timestamp {
        seconds: 1_700_000_000 + nanoseconds.div_euclid(SECOND),
        nanoseconds: u32::try_from(nanoseconds.rem_euclid(SECOND)).unwrap(),
    });
    Entry { size: size.into(), modified, ..Entry::new(Path::parse("a").unwrap(), ObjectKind::Object) }
}

fn hash(algorithm: HashAlgorithm, byte: u8) -> Hash {
    Hash { algorithm, digest: vec![byte; 4] }
}

fn options(comparison: Comparison, window_ns: Option<u64>) -> CompareOptions {
    CompareOptions { comparison, window_ns, ..CompareOptions::default() }
}

fn update(comparison: Comparison, window_ns: Option<u64>) -> CompareOptions {
    CompareOptions { update_only: true, ..options(comparison, window_ns) }
}

const HASH_THEN_TIME: Verdict = NeedHash(IfEqual::SetTime);
const HASH: Verdict = NeedHash(IfEqual::Same);
const BY_TIMES: Verdict = Verdict::Same(Evidence::Times);
const BY_CONTENTS: Verdict = Verdict::Same(Evidence::Contents);
const BY_MEMO: Verdict = Verdict::Same(Evidence::Memo);
const BY_SIZE: Verdict = Verdict::Same(Evidence::Size);
const BY_WRITE: Verdict = Verdict::Same(Evidence::WriteTime);
const DIFFER: Verdict = Transfer(Reason::ContentsDiffer);

/// Of hashes that were asked for.
fn asked<'a>(source: Option<&'a Hash>, target: Option<&'a Hash>) -> Hashes<'a> {
    Hashes { source, target, listed: false }
}

#[test]
fn each_comparison_asks_its_own_questions() {
    let source = object(3, 0);
    for (target, verdicts) in [
        // Automatic, checksum, size alone.
        (object(3, 0), [BY_TIMES, HASH, BY_SIZE]),
        (object(3, 5), [HASH_THEN_TIME, HASH, BY_SIZE]),
        (object(3, -5), [HASH_THEN_TIME, HASH, BY_SIZE]),
        (object(3, None), [HASH_THEN_TIME, HASH, BY_SIZE]),
        (object(4, 0), [Transfer(Reason::SizeDiffers); 3]),
        (object(4, 5), [Transfer(Reason::SizeDiffers); 3]),
        (object(None, 0), [BY_TIMES, HASH, Transfer(Reason::SizeUnknown)]),
        (object(None, 5), [HASH_THEN_TIME, HASH, Transfer(Reason::SizeUnknown)]),
    ] {
        for (comparison, verdict) in [Automatic, Checksum, SizeOnly].into_iter().zip(verdicts) {
            assert_eq!(
                compare(&source, &target, options(comparison, Some(0))),
                verdict,
                "{comparison:?} {target:?}"
            );
        }
        for options in [options, update] {
            let always = compare(&source, &target, options(Always, Some(0)));
            assert_eq!(always, Transfer(Reason::TransferAll));
            let ignore = compare(&source, &target, options(IgnoreExisting, Some(0)));
            assert_eq!(ignore, Skip(Reason::ExistsOnTarget));
        }
    }
}

#[test]
fn the_window_includes_its_bounds() {
    for (window, difference, verdict) in [
        (0, 0, BY_TIMES),
        (0, 1, HASH_THEN_TIME),
        (999, 999, BY_TIMES),
        (999, -999, BY_TIMES),
        (999, 1000, HASH_THEN_TIME),
        (999, -1000, HASH_THEN_TIME),
        (u64::MAX, i64::MAX, BY_TIMES),
        (u64::MAX, i64::MIN, BY_TIMES),
    ] {
        let verdict_of = compare(&object(3, 0), &object(3, difference), options(Automatic, Some(window)));
        assert_eq!(verdict_of, verdict, "window {window}, difference {difference}");
    }
}

#[test]
fn extreme_times_do_not_overflow() {
    let at =
        |seconds| Entry { modified: Some(Timestamp { seconds, nanoseconds: 999_999_999 }), ..object(3, 0) };
    for (source, target) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
        let verdict = compare(&at(source), &at(target), options(Automatic, Some(u64::MAX)));
        assert_eq!(verdict, HASH_THEN_TIME);
    }
}

#[test]
fn where_the_target_keeps_no_times_contents_decide() {
    for (target, verdict) in [
        (object(3, 0), HASH),
        (object(3, 9 * SECOND), HASH),
        (object(3, -1), HASH),
        (object(3, None), HASH),
        (object(4, 9 * SECOND), Transfer(Reason::SizeDiffers)),
    ] {
        for comparison in [Automatic, ExactTimes] {
            let verdict_of = compare(&object(3, 0), &target, options(comparison, None));
            assert_eq!(verdict_of, verdict, "{comparison:?} {target:?}");
        }
    }
}

#[test]
fn update_leaves_newer_targets_alone() {
    let source = object(3, 0);
    for (target, verdicts) in [
        // Automatic, checksum, size alone.
        (object(3, 2 * SECOND), [Skip(Reason::TargetNewer); 3]),
        (object(4, 2 * SECOND), [Skip(Reason::TargetNewer); 3]),
        (object(3, SECOND), [BY_TIMES, HASH, BY_SIZE]),
        (object(3, -SECOND), [BY_TIMES, HASH, BY_SIZE]),
        (object(4, SECOND), [Transfer(Reason::SizeDiffers); 3]),
        (object(3, -2 * SECOND), [HASH_THEN_TIME, HASH, BY_SIZE]),
        (object(4, -2 * SECOND), [Transfer(Reason::SizeDiffers); 3]),
        (object(3, None), [HASH_THEN_TIME, HASH, BY_SIZE]),
    ] {
        for (comparison, verdict) in [Automatic, Checksum, SizeOnly].into_iter().zip(verdicts) {
            let verdict_of = compare(&source, &target, update(comparison, Some(1_000_000_000)));
            assert_eq!(verdict_of, verdict, "{comparison:?} {target:?}");
        }
    }
}

#[test]
fn update_without_times_takes_a_second() {
    for (difference, verdict) in
        [(SECOND, Skip(Reason::TargetNewer)), (SECOND - 1, HASH), (1 - SECOND, HASH), (-SECOND, HASH)]
    {
        assert_eq!(
            compare(&object(3, 0), &object(3, difference), update(Automatic, None)),
            verdict,
            "{difference}"
        );
    }
}

#[test]
fn hashes_of_the_listings_are_used() {
    use HashAlgorithm::{Crc32c, Md5, Sha256};
    let with = |nanoseconds, hashes| Entry { hashes, ..object(3, nanoseconds) };
    let source = with(0, vec![hash(Md5, 1), hash(Sha256, 2)]);
    for (target, automatic, checksum) in [
        (with(5, vec![hash(Sha256, 2)]), SetTime, BY_CONTENTS),
        (with(5, vec![hash(Sha256, 3)]), Transfer(Reason::ContentsDiffer), Transfer(Reason::ContentsDiffer)),
        (with(5, vec![hash(Crc32c, 1)]), HASH_THEN_TIME, HASH),
        // Equal times are no evidence beside hashes that differ.
        (with(0, vec![hash(Md5, 9)]), DIFFER, DIFFER),
        (with(0, vec![hash(Md5, 1)]), BY_TIMES, BY_CONTENTS),
    ] {
        assert_eq!(compare(&source, &target, options(Automatic, Some(0))), automatic);
        assert_eq!(compare(&source, &target, options(Checksum, Some(0))), checksum);
    }
}

#[test]
fn hashes_decide_only_if_they_can_be_compared() {
    use HashAlgorithm::{Md5, Sha1};
    let (one, two, other) = (hash(Md5, 1), hash(Md5, 2), hash(Sha1, 1));
    let any = CompareOptions::default();
    assert_eq!(after_hashing(IfEqual::Same, asked(Some(&one), Some(&one)), any), BY_CONTENTS);
    assert_eq!(after_hashing(IfEqual::SetTime, asked(Some(&one), Some(&one)), any), SetTime);
    for if_equal in [IfEqual::Same, IfEqual::SetTime] {
        let differ = after_hashing(if_equal, asked(Some(&one), Some(&two)), any);
        assert_eq!(differ, Transfer(Reason::ContentsDiffer));
        for (source, target) in
            [(Some(&one), Some(&other)), (Some(&one), None), (None, Some(&one)), (None, None)]
        {
            assert_eq!(after_hashing(if_equal, asked(source, target), any), Transfer(Reason::NoCommonHash));
        }
    }
}

#[test]
fn only_objects_are_compared() {
    use ObjectKind::{Directory, Object, Special, Symlink};
    let of = |kind| Entry { kind, ..object(3, 0) };
    for comparison in ALL {
        let over_link = match comparison {
            Comparison::IgnoreExisting => Skip(Reason::ExistsOnTarget),
            _ => Transfer(Reason::SymbolicLink),
        };
        for (source, target, verdict) in [
            (Directory, Directory, Verdict::Same(Evidence::Directories)),
            (Object, Directory, Skip(Reason::KindDiffers)),
            (Directory, Object, Skip(Reason::KindDiffers)),
            (Symlink, Object, Skip(Reason::SymbolicLink)),
            (Object, Symlink, over_link),
            (Special, Symlink, Skip(Reason::SymbolicLink)),
            (Special, Object, Skip(Reason::SpecialFile)),
            (Directory, Special, Skip(Reason::SpecialFile)),
        ] {
            assert_eq!(compare(&of(source), &of(target), options(comparison, Some(0))), verdict);
        }
    }
}

#[test]
fn the_window_is_that_of_the_coarser_side() {
    for (source, target, asked, window) in [
        (Some(1), Some(1), None, Some(0)),
        (Some(1), Some(1000), None, Some(999)),
        (Some(1000), Some(1), Some(10), Some(999)),
        (Some(1000), Some(1), Some(5000), Some(5000)),
        (Some(1), Some(1), Some(0), Some(0)),
        (Some(0), Some(0), None, Some(0)),
        (None, Some(1), None, Some(0)),
        (None, Some(1000), Some(5000), Some(5000)),
        (Some(1), None, Some(5), None),
        (None, None, None, None),
    ] {
        assert_eq!(modify_window(source, target, asked), window);
    }
}

#[test]
fn sizes_may_be_ignored() {
    let ignoring = |comparison| CompareOptions { ignore_size: true, ..options(comparison, Some(0)) };
    for (target, automatic, size_only) in [
        (object(4, 0), BY_TIMES, BY_SIZE),
        (object(None, 0), BY_TIMES, BY_SIZE),
        (object(4, 5), HASH_THEN_TIME, BY_SIZE),
    ] {
        assert_eq!(compare(&object(3, 0), &target, ignoring(Automatic)), automatic);
        assert_eq!(compare(&object(3, 0), &target, ignoring(SizeOnly)), size_only);
    }
}

#[test]
fn exact_times_trust_no_time_that_was_not_kept() {
    assert_eq!(compare(&object(3, 0), &object(3, 9 * SECOND), options(ExactTimes, None)), HASH);
    assert_eq!(compare(&object(3, 0), &object(3, 0), options(ExactTimes, None)), HASH);
    assert_eq!(compare(&object(3, 0), &object(3, 0), options(ExactTimes, Some(0))), BY_TIMES);
    assert_eq!(compare(&object(3, 0), &object(3, 5), options(ExactTimes, Some(0))), HASH_THEN_TIME);
}

#[test]
fn what_is_immutable_is_not_changed() {
    let immutable = |comparison| CompareOptions { immutable: true, ..options(comparison, Some(0)) };
    for (target, comparison, verdict) in [
        (object(3, 0), Automatic, BY_TIMES),
        (object(4, 0), Automatic, Refuse(Reason::SizeDiffers)),
        (object(3, 0), Always, Refuse(Reason::TransferAll)),
        (object(4, 0), IgnoreExisting, Skip(Reason::ExistsOnTarget)),
        (object(3, 5), Automatic, HASH_THEN_TIME),
    ] {
        assert_eq!(compare(&object(3, 0), &target, immutable(comparison)), verdict);
    }
    let (one, two) = (hash(HashAlgorithm::Md5, 1), hash(HashAlgorithm::Md5, 2));
    for (target, verdict) in [(&one, Refuse(Reason::TimeDiffers)), (&two, Refuse(Reason::ContentsDiffer))] {
        let after = after_hashing(IfEqual::SetTime, asked(Some(&one), Some(target)), immutable(Automatic));
        assert_eq!(after, verdict);
    }
}

/// What a listing tells that holds no times but those of the writes, of one side or of both.
fn listed(comparison: Comparison, source: bool, target: bool) -> CompareOptions {
    CompareOptions { write_times: Sides { source, target }, ..options(comparison, Some(0)) }
}

const SIDES: [(bool, bool); 3] = [(true, false), (false, true), (true, true)];

#[test]
fn when_a_target_was_written_tells_nothing() {
    for target in [object(3, 9 * SECOND), object(3, 0), object(3, -1), object(3, None)] {
        for (by_source, by_target) in SIDES {
            for comparison in [Automatic, ExactTimes] {
                let verdict = compare(&object(3, 0), &target, listed(comparison, by_source, by_target));
                assert_eq!(verdict, NeedTimes, "{comparison:?} {target:?}");
            }
        }
    }
    let larger = compare(&object(3, 0), &object(4, 9 * SECOND), listed(Automatic, false, true));
    assert_eq!(larger, Transfer(Reason::SizeDiffers));
}

#[test]
fn hashes_of_both_listings_decide_before_anything_is_asked_for() {
    use HashAlgorithm::{Crc32c, Md5};
    let with = |hashes| Entry { hashes, ..object(3, 0) };
    for (by_source, by_target) in SIDES {
        let options = listed(Automatic, by_source, by_target);
        for (target, doubted, confirmed) in [
            (with(vec![hash(Md5, 1)]), BY_CONTENTS, BY_CONTENTS),
            (with(vec![hash(Crc32c, 9), hash(Md5, 1)]), BY_CONTENTS, BY_CONTENTS),
            // What looks like a hash may be none until one was seen to be.
            (with(vec![hash(Md5, 2)]), NeedTimes, DIFFER),
            (with(vec![hash(Crc32c, 1)]), NeedTimes, NeedTimes),
        ] {
            let source = with(vec![hash(Md5, 1)]);
            assert_eq!(compare(&source, &target, options), doubted, "{target:?}");
            let confirmed_by = CompareOptions { confirmed: options.write_times, ..options };
            assert_eq!(compare(&source, &target, confirmed_by), confirmed, "{target:?}");
            // A look tells hashes that are some.
            if doubted != confirmed {
                assert_eq!(compare(&source, &target, options.with_times()), DIFFER);
            }
        }
        let exact = CompareOptions { comparison: ExactTimes, ..options };
        let equal = with(vec![hash(Md5, 1)]);
        assert_eq!(compare(&equal, &equal, exact), NeedTimes, "the time is wanted too");
    }
}

#[test]
fn what_an_earlier_run_found_is_asked_for_by_nobody() {
    use HashAlgorithm::Md5;
    let with = |byte| Entry { hashes: vec![hash(Md5, byte)], ..object(3, 0) };
    for (by_source, by_target) in SIDES {
        let remembered = CompareOptions { remembered: true, ..listed(Automatic, by_source, by_target) };
        assert_eq!(compare(&object(3, 0), &object(3, 5), remembered), BY_MEMO);
        assert_eq!(compare(&with(1), &with(2), remembered), BY_MEMO, "what looks like a hash is none");
        assert_eq!(compare(&with(1), &with(1), remembered), BY_CONTENTS);
        assert_eq!(compare(&object(3, 0), &object(4, 0), remembered), Transfer(Reason::SizeDiffers));
        let update = CompareOptions { update_only: true, ..remembered };
        assert_eq!(compare(&object(3, 0), &object(3, 5), update), BY_MEMO);
        assert_eq!(compare_recoded(&object(3, 0), &object(9, 5), remembered), BY_MEMO);
        for comparison in [ExactTimes, Checksum, WriteTimes] {
            let other = CompareOptions { comparison, ..remembered };
            assert_ne!(compare(&object(3, 0), &object(3, -5), other), BY_MEMO, "{comparison:?}");
            assert_ne!(compare_recoded(&object(3, 0), &object(9, -5), other), BY_MEMO, "{comparison:?}");
        }
        assert_ne!(compare(&object(3, 0), &object(3, 0), remembered.with_times()), BY_MEMO);
    }
}

#[test]
fn what_is_small_and_near_is_hashed_where_the_other_listing_tells_a_hash() {
    let of = |size, hashes| Entry { hashes, ..object(size, 0) };
    let (small, large) = (CHEAP_TO_HASH, CHEAP_TO_HASH + 1);
    let md5 = || vec![hash(HashAlgorithm::Md5, 1)];
    for (source, target, near_source, near_target) in [
        (of(small, vec![]), of(small, md5()), HASH, NeedTimes),
        (of(small, md5()), of(small, vec![]), NeedTimes, HASH),
        (of(large, vec![]), of(large, md5()), NeedTimes, NeedTimes),
        (of(large, md5()), of(large, vec![]), NeedTimes, NeedTimes),
        (of(small, vec![]), of(small, vec![]), NeedTimes, NeedTimes),
    ] {
        for (by_source, by_target) in SIDES {
            let near = |source, target| CompareOptions {
                near: Sides { source, target },
                ..listed(Automatic, by_source, by_target)
            };
            assert_eq!(compare(&source, &target, near(false, false)), NeedTimes);
            assert_eq!(compare(&source, &target, near(true, false)), near_source);
            assert_eq!(compare(&source, &target, near(false, true)), near_target);
            let exact = CompareOptions { comparison: ExactTimes, ..near(true, true) };
            assert_eq!(compare(&source, &target, exact), NeedTimes);
        }
    }
}

#[test]
fn a_listed_hash_that_differs_is_looked_at_once_before_it_is_believed() {
    let (one, two) = (hash(HashAlgorithm::Md5, 1), hash(HashAlgorithm::Md5, 2));
    let hashes = |target, listed| Hashes { source: Some(&one), target: Some(target), listed };
    let doubted = listed(Automatic, false, true);
    let confirmed = CompareOptions { confirmed: doubted.write_times, ..doubted };
    for (target, is_listed, options, verdict) in [
        (&one, true, doubted, BY_CONTENTS),
        (&two, true, doubted, NeedTimes),
        (&two, true, confirmed, DIFFER),
        (&two, false, doubted, DIFFER),
        (&two, true, doubted.with_times(), DIFFER),
    ] {
        assert_eq!(after_hashing(IfEqual::Same, hashes(target, is_listed), options), verdict);
    }
}

#[test]
fn nothing_but_contents_lets_an_object_go() {
    use HashAlgorithm::Md5;
    let with = |hashes| Entry { hashes, ..object(3, 0) };
    let (plain, one, two) = (with(vec![]), with(vec![hash(Md5, 1)]), with(vec![hash(Md5, 2)]));
    let sides = [(false, false)].into_iter().chain(SIDES);
    for ((by_source, by_target), comparison) in
        sides.flat_map(|sides| ALL.into_iter().map(move |comparison| (sides, comparison)))
    {
        for window_ns in [Some(0), Some(u64::MAX), None] {
            for (update_only, immutable, ignore_size) in
                [(false, false, false), (true, false, false), (false, true, false), (false, false, true)]
            {
                let moving = CompareOptions {
                    contents_only: true,
                    remembered: true,
                    near: Sides { source: true, target: true },
                    update_only,
                    immutable,
                    ignore_size,
                    window_ns,
                    ..listed(comparison, by_source, by_target)
                };
                for (source, target) in [(&plain, &plain), (&one, &two), (&plain, &one), (&one, &one)] {
                    let verdict = compare(source, target, moving);
                    let is_proven = source == target && source == &one;
                    match verdict {
                        Verdict::Same(evidence) => {
                            assert!(is_proven && evidence == Evidence::Contents, "{verdict:?} {moving:?}");
                        }
                        SetTime => assert!(is_proven, "{moving:?}"),
                        _ => {}
                    }
                    let recoded = compare_recoded(source, target, moving);
                    assert!(!matches!(recoded, Verdict::Same(_) | SetTime), "{recoded:?} {moving:?}");
                }
            }
        }
    }
    let moving = |comparison| CompareOptions { contents_only: true, ..options(comparison, Some(0)) };
    assert_eq!(compare(&plain, &plain, moving(Automatic)), HASH);
    assert_eq!(compare(&one, &two, moving(Automatic)), DIFFER);
    assert_eq!(compare(&plain, &plain, moving(SizeOnly)), HASH);
    assert_eq!(compare(&one, &two, moving(SizeOnly)), Skip(Reason::ContentsDiffer));
    assert_eq!(compare(&object(3, 5), &plain, moving(Automatic)), HASH_THEN_TIME);
}

#[test]
fn times_that_are_not_listed_are_asked_for_where_they_decide() {
    for (source, target) in SIDES {
        let exact = listed(ExactTimes, source, target);
        assert_eq!(compare(&object(3, 0), &object(4, 0), exact), Transfer(Reason::SizeDiffers));
        assert_eq!(compare(&object(3, 0), &object(3, 0), exact.with_times()), BY_TIMES);
        assert_eq!(compare(&object(3, 0), &object(3, 5), exact.with_times()), HASH_THEN_TIME);
        for comparison in [Checksum, SizeOnly] {
            let verdict = compare(&object(3, 0), &object(3, 0), listed(comparison, source, target));
            assert_eq!(verdict, if comparison == Checksum { HASH } else { BY_SIZE });
        }
    }
    // A target without any times has none to tell.
    let without = CompareOptions { window_ns: None, ..listed(Automatic, true, true) };
    assert_eq!(compare(&object(3, 0), &object(3, -1), without), HASH);
}

#[test]
fn update_asks_for_times_unless_the_target_is_the_same_anyway() {
    let update = |comparison| CompareOptions { update_only: true, ..listed(comparison, false, true) };
    for (target, verdicts) in [
        // Automatic, by the time of the write, checksum, size alone.
        (object(3, SECOND), [NeedTimes, BY_WRITE, NeedTimes, NeedTimes]),
        (object(3, -SECOND), [NeedTimes; 4]),
        (object(4, SECOND), [NeedTimes; 4]),
        (object(4, -SECOND), [NeedTimes; 4]),
    ] {
        for (comparison, verdict) in [Automatic, WriteTimes, Checksum, SizeOnly].into_iter().zip(verdicts) {
            assert_eq!(
                compare(&object(3, 0), &target, update(comparison)),
                verdict,
                "{comparison:?} {target:?}"
            );
        }
    }
    assert_eq!(
        compare(&object(3, 0), &object(4, 5), update(Automatic).with_times()),
        Skip(Reason::TargetNewer)
    );
}

#[test]
fn the_time_of_a_write_is_as_good_as_one_that_was_given_for_those_who_ask_for_it() {
    for (target, verdict) in [
        (object(3, 9 * SECOND), BY_WRITE),
        (object(3, 0), BY_WRITE),
        (object(3, -1), NeedTimes),
        (object(3, None), NeedTimes),
        (object(4, 9 * SECOND), Transfer(Reason::SizeDiffers)),
    ] {
        for by_source in [false, true] {
            let verdict_of = compare(&object(3, 0), &target, listed(WriteTimes, by_source, true));
            assert_eq!(verdict_of, verdict, "{target:?}");
        }
    }
    // A target that keeps no times at all; one whose listing tells them.
    assert_eq!(compare(&object(3, 0), &object(3, 5), options(WriteTimes, None)), BY_WRITE);
    assert_eq!(compare(&object(3, 0), &object(3, -5), options(WriteTimes, None)), HASH);
    assert_eq!(compare(&object(3, 0), &object(3, 5), options(WriteTimes, Some(0))), HASH_THEN_TIME);
}
