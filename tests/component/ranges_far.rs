//! Ranges at once on stores that are far away, in virtual time: it tells how many answers had to be waited for one after the
//! other.

use std::sync::Arc;

use omnistorage::{
    Backend, MemoryBackend, Path,
    backend::layer::Layered,
    ranges::{Transfer, transfer},
    runtime::{Deletion, SyncOptions},
};

use crate::{
    far::{ANSWER, Far},
    setup::{at, storage},
};

/// Entries of a page.
const PAGE: usize = 10;

/// Numbers that look random.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}

/// The name of an object, by its number.
type Name = fn(u64) -> String;

/// What names may look like.
const SHAPES: [(&str, Name); 7] = [
    ("random", |n| format!("{:016x}", mixed(n))),
    ("numbers", |n| format!("object-{n:09}")),
    ("dates", |n| format!("logs/2026/{:02}/{:02}/{:02}/{n}.gz", n / 2_240 % 12 + 1, n / 80 % 28 + 1, n % 24)),
    ("one large tenant", |n| match n % 10 {
        0 => format!("tenant-{:02}/{:08x}", n % 97, mixed(n)),
        _ => format!("tenant-42/data/{:08x}", mixed(n)),
    }),
    ("few large prefixes", |n| format!("{:03}/{:08x}", (mixed(n) % 1_000_000).isqrt().isqrt(), mixed(n + 1))),
    ("partitions", |n| format!("table/year=2026/month={:02}/part-{n:08}.parquet", mixed(n) % 12 + 1)),
    ("words", |n| {
        let letter =
            |at: u64| char::from_u32(0x4e00 + u32::try_from(mixed(n + at) % 2_000).unwrap()).unwrap();
        format!("{}{}{}", letter(0), letter(1), letter(2))
    }),
];

/// How long a sync takes that finds nothing to do, and how many requests.
async fn took(objects: u64, name: Name, ranges: u32) -> (f64, u64) {
    took_with([1, 1], objects, name, ranges).await
}

/// The same with one of so many objects on each side: then it is a dry run that finds much.
async fn took_with(one_of: [u64; 2], objects: u64, name: Name, ranges: u32) -> (f64, u64) {
    let far = Far::new(PAGE);
    let sides = one_of.map(|_| Arc::new(MemoryBackend::new()));
    for (memory, one_of) in sides.iter().zip(one_of) {
        for number in (0..objects).filter(|number| mixed(*number).is_multiple_of(one_of)) {
            let path = Path::parse(name(number)).unwrap();
            memory.write_all(&path, "x".into(), &Default::default()).await.unwrap();
        }
    }
    let [source, target] = sides.map(|memory| Arc::new(Layered::new(memory, far.clone())));
    let storage = storage([("source", source), ("target", target)]);
    let sides = [at("source", ""), at("target", "")];
    let dry_run = one_of != [1, 1];
    let options = SyncOptions {
        deletion: Deletion::After,
        dry_run,
        allow_empty_source: true,
        ..SyncOptions::default()
    };
    let begun = tokio::time::Instant::now();
    let report = match ranges {
        1 => storage.sync(&sides[0], &sides[1], &options).await,
        _ => transfer(&storage, Transfer::Sync, &sides, &options, ranges).await,
    };
    let report = report.unwrap().outcome().await.unwrap();
    if !dry_run {
        assert_eq!((report.checked, report.transferred, report.deleted), (report.source_objects, 0, 0));
    }
    (begun.elapsed().as_secs_f64() / ANSWER.as_secs_f64(), far.asked())
}

/// A thousand pages, whatever the names look like.
#[tokio::test(start_paused = true)]
async fn ranges_share_the_waiting_evenly() {
    for (shape, name) in SHAPES {
        let (whole, asked) = took(10_000, name, 1).await;
        assert!((1_000.0..1_010.0).contains(&whole), "{shape}: {whole}");
        for (ranges, least, most) in [(4, 0.8, 1.4), (8, 0.65, 1.65)] {
            let (shared, more) = took(10_000, name, ranges).await;
            let (linear, more) = (whole / shared / f64::from(ranges), more as f64 / asked as f64);
            println!("{shape}: {ranges} ranges at {linear:.2} of linear, {more:.2} of the requests");
            assert!(linear > least && more < most, "{shape}: {ranges} ranges {linear:.2} {more:.2}");
        }
    }
}

/// Ten pages are not worth much looking for borders.
#[tokio::test(start_paused = true)]
async fn what_is_small_costs_few_requests_more() {
    for (shape, name) in SHAPES {
        let (whole, asked) = took(100, name, 1).await;
        let (shared, more) = took(100, name, 8).await;
        println!("{shape}: {shared} of {whole} answers one after the other, {more} and {asked} requests");
        assert!(shared < whole + 2.0 && more < asked + 80, "{shape}: {shared}, {whole}, {more}, {asked}");
    }
}

/// The more there is, the less the searches count.
#[tokio::test(start_paused = true)]
async fn many_pages_are_shared_without_a_loss() {
    for (shape, name) in [SHAPES[3], SHAPES[6]] {
        let (whole, asked) = took(40_000, name, 1).await;
        let (shared, more) = took(40_000, name, 4).await;
        let (linear, more) = (whole / shared / 4.0, more as f64 / asked as f64);
        println!("{shape}: 4 ranges at {linear:.2} of linear, {more:.2} of the requests");
        assert!(linear > 0.9 && more < 1.25, "{shape}: {linear:.2} {more:.2}");
    }
}

/// A target that has little fixes no border: it is the source whose pages take the time.
#[tokio::test(start_paused = true)]
async fn a_target_with_little_is_no_hindrance() {
    let (shape, name) = SHAPES[0];
    for one_of in [200, 2_000] {
        let (whole, asked) = took_with([1, one_of], 10_000, name, 1).await;
        let (shared, more) = took_with([1, one_of], 10_000, name, 4).await;
        let (linear, more) = (whole / shared / 4.0, more as f64 / asked as f64);
        println!("{shape}, one of {one_of}: {linear:.2} of linear, {more:.2} of the requests");
        assert!(linear > 0.6, "{one_of}: {linear}");
    }
}
