//! Cuts: every border is a key that was found, and whatever the keys look like, a few probes give borders.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeSet, VecDeque};

use omnistorage_core::sync::cut::{Cut, CutStep, thinned};
use omnistorage_types::{KeyRange, Path};
use proptest::prelude::*;

/// Probes that one cut may take: its rounds.
const MOST_PROBES: usize = 60;

fn path(key: impl AsRef<str>) -> Path {
    Path::parse(key.as_ref()).unwrap()
}

fn count(keys: &BTreeSet<Path>, range: &KeyRange) -> usize {
    keys.iter().filter(|key| range.spans(key.as_str())).count()
}

/// The borders, and how many probes they took.
fn cut(keys: &BTreeSet<Path>, range: &KeyRange, most: usize) -> (Vec<Path>, usize) {
    let (mut cut, mut probes) = (Cut::new(range.clone(), most), 0);
    loop {
        let step = cut.step();
        assert_eq!(step, cut.step(), "asked again, it says the same");
        match step {
            CutStep::Done(borders) => return (borders, probes),
            CutStep::Probe(ranges) => {
                assert!(!ranges.is_empty());
                assert!(ranges.iter().all(|probe| probe.until == range.until && probe.after >= range.after));
                probes += ranges.len();
                let first = |probe: &KeyRange| keys.iter().find(|key| probe.spans(key.as_str())).cloned();
                cut.found(ranges.iter().map(first).collect());
            }
        }
    }
}

fn parts(range: &KeyRange, borders: &[Path]) -> Vec<KeyRange> {
    let begins = std::iter::once(range.after.clone()).chain(borders.iter().cloned().map(Some));
    let ends = borders.iter().cloned().map(Some).chain([range.until.clone()]);
    begins.zip(ends).map(|(after, until)| KeyRange { after, until }).collect()
}

/// What holds of every cut.
fn hold(keys: &BTreeSet<Path>, range: &KeyRange, most: usize) -> Result<Vec<Path>, TestCaseError> {
    let (borders, probes) = cut(keys, range, most);
    prop_assert!(borders.len() <= most);
    prop_assert!(probes <= MOST_PROBES, "{probes} probes");
    prop_assert!(borders.is_sorted_by(|one, next| one < next), "{borders:?}");
    for border in &borders {
        prop_assert!(keys.contains(border) && range.spans(border.as_str()), "{border}");
        prop_assert!(range.until.as_ref() != Some(border));
    }
    let inside =
        keys.iter().filter(|key| range.spans(key.as_str()) && range.until.as_ref() != Some(*key)).count();
    // From the beginning, the first key is what is known.
    let known = usize::from(range.after.is_none());
    prop_assert_eq!(borders.is_empty(), inside <= known || most == 0, "{} keys of {:?}", inside, range);
    let tiled: usize = parts(range, &borders).iter().map(|part| count(keys, part)).sum();
    prop_assert_eq!(tiled, count(keys, range));
    Ok(borders)
}

proptest! {
    #[test]
    fn borders_are_keys_that_were_found(
        keys in prop::collection::btree_set("[ab/.é0\u{10FFFF}-]{1,6}", 0..40),
        ends in prop::array::uniform2(prop::option::of("[ab/.0-]{1,4}")),
        most in 0_usize..12,
    ) {
        let keys: BTreeSet<Path> = keys.iter().filter_map(|key| Path::parse(key.as_str()).ok()).collect();
        let [after, until] = ends.map(|end| end.and_then(|end| Path::parse(end).ok()));
        hold(&keys, &KeyRange { after, until }, most)?;
    }

    #[test]
    fn what_is_thinned_is_spread(count in 0_usize..60, most in 0_usize..20) {
        let all: Vec<_> = (0..count).map(|n| path(format!("{n:03}"))).collect();
        let kept = thinned(all.clone(), most);
        prop_assert_eq!(kept.len(), count.min(most));
        prop_assert!(kept.iter().all(|border| all.contains(border)) && kept.is_sorted_by(|one, next| one < next));
    }
}

/// A generator without a seed from outside: the same keys every time.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// The shapes that keys have in practice.
fn shapes(count: usize) -> Vec<(&'static str, BTreeSet<Path>)> {
    let mut seed = 7;
    let mut keys = |name: &'static str, key: &mut dyn FnMut(usize, &mut u64) -> String| {
        (name, (0..count).map(|n| path(key(n, &mut seed))).collect::<BTreeSet<_>>())
    };
    let words = ["été", "дом", "木", "casa", "Haus", "ωμέγα", "水曜日", "dom", "zéro"];
    vec![
        keys("uuid", &mut |_, seed| format!("{:08x}-{:04x}", random(seed), random(seed) & 0xffff)),
        keys("sequence", &mut |n, _| format!("objects/{n:012}")),
        keys("dates", &mut |n, seed| {
            let (year, month, day) = (2015 + n % 10, 1 + random(seed) % 12, 1 + random(seed) % 28);
            format!("{year}/{month:02}/{day:02}/{n}.json")
        }),
        keys("hot tenant", &mut |n, seed| match random(seed) % 10 {
            0 => format!("tenant-{:04}/{n}", random(seed) % 1000),
            _ => format!("tenant-0042/{:08x}", random(seed)),
        }),
        keys("zipf", &mut |n, seed| format!("p{:05}/{n}", 100_000 / (1 + random(seed) % 100_000))),
        keys("hive", &mut |n, seed| {
            format!(
                "warehouse/db/table/region={}/day={:03}/part-{n:05}",
                random(seed) % 5,
                random(seed) % 365
            )
        }),
        keys("words", &mut |n, seed| {
            format!("{}/{}{n}", words[random(seed) as usize % 9], words[random(seed) as usize % 9])
        }),
    ]
}

/// Cutting the largest part again and again, as whoever is idle does, soon leaves no part large.
#[test]
fn the_largest_part_becomes_small_whatever_the_keys_look_like() {
    for (shape, keys) in shapes(4_000) {
        let mut parts_left = VecDeque::from([KeyRange::default()]);
        let mut probes = 0;
        for _ in 0..24 {
            parts_left.make_contiguous().sort_by_key(|part| std::cmp::Reverse(count(&keys, part)));
            let Some(largest) = parts_left.pop_front() else { break };
            let (borders, taken) = cut(&keys, &largest, 8);
            assert!(taken <= MOST_PROBES, "{shape}: {taken} probes");
            probes += taken;
            parts_left.extend(parts(&largest, &borders));
        }
        let largest = parts_left.iter().map(|part| count(&keys, part)).max().unwrap();
        println!("{shape}: {} parts, the largest {largest}, {probes} probes", parts_left.len());
        assert!(largest * 10 <= keys.len(), "{shape}: {largest} of {} keys in one part", keys.len());
    }
}
