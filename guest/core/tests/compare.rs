//! The decision table of sync, row by row.
#![allow(clippy::unwrap_used)]

use omnistorage_core::{
    Path,
    entry::{Entry, Hash, HashAlgorithm, ObjectKind, Timestamp},
    sync::compare::{
        CompareOptions,
        Comparison::{self, *},
        IfEqual, Reason,
        Verdict::{self, *},
        WriteTimes, after_hashing, compare, modify_window,
    },
};

const SECOND: i64 = 1_000_000_000;
const ALL: [Comparison; 6] = [Automatic, ExactTimes, Checksum, SizeOnly, Always, IgnoreExisting];

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

#[test]
fn each_comparison_asks_its_own_questions() {
    let source = object(3, 0);
    for (target, verdicts) in [
        // Automatic, checksum, size alone.
        (object(3, 0), [Same, HASH, Same]),
        (object(3, 5), [HASH_THEN_TIME, HASH, Same]),
        (object(3, -5), [HASH_THEN_TIME, HASH, Same]),
        (object(3, None), [HASH_THEN_TIME, HASH, Same]),
        (object(4, 0), [Transfer(Reason::SizeDiffers); 3]),
        (object(4, 5), [Transfer(Reason::SizeDiffers); 3]),
        (object(None, 0), [Same, HASH, Transfer(Reason::SizeUnknown)]),
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
        (0, 0, Same),
        (0, 1, HASH_THEN_TIME),
        (999, 999, Same),
        (999, -999, Same),
        (999, 1000, HASH_THEN_TIME),
        (999, -1000, HASH_THEN_TIME),
        (u64::MAX, i64::MAX, Same),
        (u64::MAX, i64::MIN, Same),
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
fn where_one_side_keeps_no_times_the_target_must_not_be_older() {
    for (target, verdict) in [
        (object(3, 0), Same),
        (object(3, 9 * SECOND), Same),
        (object(3, -1), HASH_THEN_TIME),
        (object(3, None), HASH_THEN_TIME),
        (object(4, 9 * SECOND), Transfer(Reason::SizeDiffers)),
    ] {
        assert_eq!(compare(&object(3, 0), &target, options(Automatic, None)), verdict, "{target:?}");
    }
}

#[test]
fn update_leaves_newer_targets_alone() {
    let source = object(3, 0);
    for (target, verdicts) in [
        // Automatic, checksum, size alone.
        (object(3, 2 * SECOND), [Skip(Reason::TargetNewer); 3]),
        (object(4, 2 * SECOND), [Skip(Reason::TargetNewer); 3]),
        (object(3, SECOND), [Same, HASH, Same]),
        (object(3, -SECOND), [Same, HASH, Same]),
        (object(4, SECOND), [Transfer(Reason::SizeDiffers); 3]),
        (object(3, -2 * SECOND), [HASH_THEN_TIME, HASH, Same]),
        (object(4, -2 * SECOND), [Transfer(Reason::SizeDiffers); 3]),
        (object(3, None), [HASH_THEN_TIME, HASH, Same]),
    ] {
        for (comparison, verdict) in [Automatic, Checksum, SizeOnly].into_iter().zip(verdicts) {
            let verdict_of = compare(&source, &target, update(comparison, Some(1_000_000_000)));
            assert_eq!(verdict_of, verdict, "{comparison:?} {target:?}");
        }
    }
}

#[test]
fn update_without_times_takes_a_second() {
    for (difference, verdict) in [
        (SECOND, Skip(Reason::TargetNewer)),
        (SECOND - 1, Same),
        (1 - SECOND, Same),
        (-SECOND, HASH_THEN_TIME),
    ] {
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
        (with(5, vec![hash(Sha256, 2)]), SetTime, Same),
        (with(5, vec![hash(Sha256, 3)]), Transfer(Reason::ContentsDiffer), Transfer(Reason::ContentsDiffer)),
        (with(5, vec![hash(Crc32c, 1)]), HASH_THEN_TIME, HASH),
        (with(0, vec![hash(Md5, 9)]), Same, Transfer(Reason::ContentsDiffer)),
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
    assert_eq!(after_hashing(IfEqual::Same, Some(&one), Some(&one), any), Same);
    assert_eq!(after_hashing(IfEqual::SetTime, Some(&one), Some(&one), any), SetTime);
    for if_equal in [IfEqual::Same, IfEqual::SetTime] {
        let differ = after_hashing(if_equal, Some(&one), Some(&two), any);
        assert_eq!(differ, Transfer(Reason::ContentsDiffer));
        for (source, target) in
            [(Some(&one), Some(&other)), (Some(&one), None), (None, Some(&one)), (None, None)]
        {
            assert_eq!(after_hashing(if_equal, source, target, any), Transfer(Reason::NoCommonHash));
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
            (Directory, Directory, Same),
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
        (None, Some(1), None, None),
        (Some(1), None, Some(5), None),
        (None, None, None, None),
    ] {
        assert_eq!(modify_window(source, target, asked), window);
    }
}

#[test]
fn sizes_may_be_ignored() {
    let ignoring = |comparison| CompareOptions { ignore_size: true, ..options(comparison, Some(0)) };
    for (target, automatic, size_only) in
        [(object(4, 0), Same, Same), (object(None, 0), Same, Same), (object(4, 5), HASH_THEN_TIME, Same)]
    {
        assert_eq!(compare(&object(3, 0), &target, ignoring(Automatic)), automatic);
        assert_eq!(compare(&object(3, 0), &target, ignoring(SizeOnly)), size_only);
    }
}

#[test]
fn exact_times_trust_no_time_that_was_not_kept() {
    assert_eq!(compare(&object(3, 0), &object(3, 9 * SECOND), options(ExactTimes, None)), HASH);
    assert_eq!(compare(&object(3, 0), &object(3, 0), options(ExactTimes, None)), Same);
    assert_eq!(compare(&object(3, 0), &object(3, 5), options(ExactTimes, Some(0))), HASH_THEN_TIME);
}

#[test]
fn what_is_immutable_is_not_changed() {
    let immutable = |comparison| CompareOptions { immutable: true, ..options(comparison, Some(0)) };
    for (target, comparison, verdict) in [
        (object(3, 0), Automatic, Same),
        (object(4, 0), Automatic, Refuse(Reason::SizeDiffers)),
        (object(3, 0), Always, Refuse(Reason::TransferAll)),
        (object(4, 0), IgnoreExisting, Skip(Reason::ExistsOnTarget)),
        (object(3, 5), Automatic, HASH_THEN_TIME),
    ] {
        assert_eq!(compare(&object(3, 0), &target, immutable(comparison)), verdict);
    }
    let (one, two) = (hash(HashAlgorithm::Md5, 1), hash(HashAlgorithm::Md5, 2));
    for (target, verdict) in [(&one, Refuse(Reason::TimeDiffers)), (&two, Refuse(Reason::ContentsDiffer))] {
        let after = after_hashing(IfEqual::SetTime, Some(&one), Some(target), immutable(Automatic));
        assert_eq!(after, verdict);
    }
}

/// What a listing tells that holds no times but those of the writes, of one side or of both.
fn listed(comparison: Comparison, source: bool, target: bool) -> CompareOptions {
    CompareOptions { write_times: WriteTimes { source, target }, ..options(comparison, Some(0)) }
}

#[test]
fn a_target_that_was_written_later_is_the_same() {
    for (target, verdict) in [
        (object(3, 9 * SECOND), Same),
        (object(3, 0), Same),
        (object(3, -1), NeedTimes),
        (object(3, None), NeedTimes),
        (object(4, 9 * SECOND), Transfer(Reason::SizeDiffers)),
    ] {
        assert_eq!(compare(&object(3, 0), &target, listed(Automatic, false, true)), verdict, "{target:?}");
        assert_eq!(compare(&object(3, 0), &target, listed(Automatic, true, true)), verdict, "{target:?}");
    }
}

#[test]
fn a_source_that_was_written_later_is_judged_by_a_hash_that_is_listed() {
    use HashAlgorithm::{Crc32c, Md5};
    let with = |nanoseconds, hashes| Entry { hashes, ..object(3, nanoseconds) };
    let source = with(9 * SECOND, vec![hash(Md5, 1)]);
    for (target, of_source, of_both) in [
        (with(0, vec![]), HASH, NeedTimes),
        (with(0, vec![hash(Crc32c, 1)]), HASH, NeedTimes),
        (with(0, vec![hash(Md5, 1)]), Same, Same),
        (with(0, vec![hash(Md5, 2)]), Transfer(Reason::ContentsDiffer), Transfer(Reason::ContentsDiffer)),
        (with(9 * SECOND, vec![hash(Md5, 2)]), Same, Same),
    ] {
        assert_eq!(compare(&source, &target, listed(Automatic, true, false)), of_source, "{target:?}");
        assert_eq!(compare(&source, &target, listed(Automatic, true, true)), of_both, "{target:?}");
    }
    // Later than when the source was written says nothing of a time that was given.
    assert_eq!(compare(&object(3, 0), &object(3, 5), listed(Automatic, true, false)), NeedTimes);
}

#[test]
fn times_that_are_not_listed_are_asked_for_where_they_decide() {
    for (source, target) in [(true, false), (false, true), (true, true)] {
        let exact = listed(ExactTimes, source, target);
        assert_eq!(compare(&object(3, 0), &object(3, 0), exact), NeedTimes);
        assert_eq!(compare(&object(3, 0), &object(4, 0), exact), Transfer(Reason::SizeDiffers));
        assert_eq!(compare(&object(3, 0), &object(3, 0), exact.with_times()), Same);
        assert_eq!(compare(&object(3, 0), &object(3, 5), exact.with_times()), HASH_THEN_TIME);
        for comparison in [Checksum, SizeOnly] {
            let verdict = compare(&object(3, 0), &object(3, 0), listed(comparison, source, target));
            assert_eq!(verdict, if comparison == Checksum { HASH } else { Same });
        }
    }
    // A side without any times has none to tell.
    let without = CompareOptions { window_ns: None, ..listed(Automatic, true, true) };
    assert_eq!(compare(&object(3, 0), &object(3, -1), without), HASH_THEN_TIME);
}

#[test]
fn update_asks_for_times_unless_the_target_is_the_same_anyway() {
    let update = |comparison| CompareOptions { update_only: true, ..listed(comparison, false, true) };
    for (target, verdicts) in [
        // Automatic, checksum, size alone.
        (object(3, SECOND), [Same, NeedTimes, NeedTimes]),
        (object(3, -SECOND), [NeedTimes; 3]),
        (object(4, SECOND), [NeedTimes; 3]),
        (object(4, -SECOND), [NeedTimes; 3]),
    ] {
        for (comparison, verdict) in [Automatic, Checksum, SizeOnly].into_iter().zip(verdicts) {
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
