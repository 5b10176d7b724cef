use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use omnistorage_types::Path;
use proptest::prelude::*;

use super::*;
use crate::{
    Hash, HashAlgorithm, ObjectInfo, ObjectKind, Timestamp,
    backend::{ListingFailure, Unlisted},
};

/// Entries as they are, in pages of another size than asked for.
struct Pages(std::vec::IntoIter<Listed>);

#[async_trait]
impl Listing for Pages {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        Ok(self.0.by_ref().take(max.min(777)).collect())
    }
}

fn options(memory: usize) -> SortOptions {
    SortOptions { memory, ..SortOptions::default() }
}

async fn sorted(entries: Vec<ObjectInfo>, options: SortOptions) -> Result<Vec<ObjectInfo>> {
    let entries: Vec<_> = entries.into_iter().map(Listed::Entry).collect();
    let mut listing = SortedListing::new(Box::new(Pages(entries.into_iter())), options);
    let mut all = Vec::new();
    loop {
        let page = listing.next_entries(100).await?;
        assert!(page.len() <= 100);
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Multiplication by an odd number is a permutation: all orders come up.
fn shuffled(count: u32) -> Vec<ObjectInfo> {
    let path = |number: u32| Path::parse(format!("d/{:08x}", number.wrapping_mul(0x9e37_79b1))).unwrap();
    let entry = |number: u32| ObjectInfo {
        size: Some(number.into()),
        ..ObjectInfo::new(path(number), ObjectKind::Object)
    };
    (0..count).map(entry).collect()
}

#[tokio::test]
async fn a_hundred_thousand_entries_are_sorted_in_little_memory() {
    let entries = shuffled(100_000);
    let mut expected = entries.clone();
    expected.sort_by(|one, other| one.path.cmp(&other.path));
    // Some ten runs, and then one in memory.
    for memory in [512 << 10, 1 << 30] {
        let found = sorted(entries.clone(), options(memory)).await.unwrap();
        assert!(found == expected, "with {memory} bytes");
    }
}

#[tokio::test]
async fn no_entry_is_lost_and_none_is_not_an_error() {
    assert_eq!(sorted(Vec::new(), options(0)).await.unwrap(), []);
    let twice = [shuffled(3), shuffled(3)].concat();
    for memory in [0, 1 << 20] {
        let found = sorted(twice.clone(), options(memory)).await.unwrap();
        assert_eq!(found.len(), 6);
        assert!(found.chunks(2).all(|pair| pair[0] == pair[1]));
    }
}

/// Lists one entry for ever.
struct Endless(Arc<AtomicUsize>);

#[async_trait]
impl Listing for Endless {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.0.fetch_add(max, Ordering::Relaxed);
        Ok(vec![ObjectInfo::new(Path::parse("a")?, ObjectKind::Object).into(); max])
    }
}

#[tokio::test]
async fn a_listing_without_an_end_is_refused() {
    let asked = Arc::new(AtomicUsize::new(0));
    let limited = SortOptions { memory: 1 << 16, disk: 1 << 20, ..SortOptions::default() };
    let mut listing = SortedListing::new(Box::new(Endless(asked.clone())), limited);
    assert_eq!(listing.next(1).await.unwrap_err().code(), ErrorCode::LimitExceeded);
    assert!(asked.load(Ordering::Relaxed) < 100_000);
    assert_eq!(listing.next(1).await.unwrap_err().code(), ErrorCode::Other);
}

#[tokio::test]
async fn failures_come_back_as_they_were() {
    let at = |path: &str| Path::parse(path).unwrap();
    let error = Error::new(ErrorCode::RateLimited, "slower")
        .at("store", &at("d"))
        .with_offset(7)
        .with_retry_after(std::time::Duration::from_millis(1500))
        .given_up();
    let listed: Vec<Listed> = vec![
        ObjectInfo::new(at("e"), ObjectKind::Object).into(),
        ListingFailure { what: Unlisted::Directory(at("d")), error }.into(),
        ListingFailure { what: Unlisted::Entry(at("f")), error: Error::unsupported("store", "luck") }.into(),
        ListingFailure::of_name("store", b"c//\xff").into(),
    ];
    for memory in [0, 1 << 20] {
        let pages = Pages(listed.clone().into_iter());
        let found = SortedListing::new(Box::new(pages), options(memory)).next(9).await.unwrap();
        let sorted = [3, 1, 0, 2].map(|position: usize| listed[position].clone());
        assert_eq!(found, sorted);
    }
}

#[tokio::test]
async fn a_disk_that_is_not_there_is_an_error() {
    let nowhere = SortOptions { memory: 0, directory: "/not/there".into(), ..SortOptions::default() };
    assert_eq!(sorted(shuffled(3), nowhere).await.unwrap_err().code(), ErrorCode::NotFound);
}

fn entries() -> impl Strategy<Value = Vec<ObjectInfo>> {
    let text = || "[a-zé ]{0,3}".prop_map(String::from);
    let kind = prop::sample::select(vec![
        ObjectKind::Object,
        ObjectKind::Directory,
        ObjectKind::Symlink,
        ObjectKind::Special,
    ]);
    let modified = prop::option::of((any::<i64>(), 0..1_000_000_000_u32))
        .prop_map(|time| time.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds }));
    let hash = (prop::sample::select(HashAlgorithm::ALL.to_vec()), prop::collection::vec(any::<u8>(), 0..4))
        .prop_map(|(algorithm, digest)| Hash { algorithm, digest });
    let optional = || prop::option::of(text());
    let entry = (
        "[a-c]{1,2}(/[a-cé]{1,2}){0,2}",
        kind,
        prop::option::of(any::<u64>()),
        modified,
        (optional(), optional()),
        prop::collection::vec(hash, 0..3),
        prop::collection::vec((text(), text()), 0..3),
    );
    let entry = entry.prop_map(|(path, kind, size, modified, (etag, content_type), hashes, metadata)| {
        let path = Path::parse(path).unwrap();
        ObjectInfo { path, kind, size, modified, etag, content_type, hashes, metadata }
    });
    prop::collection::vec(entry, 0..40)
}

proptest! {
    #[test]
    fn entries_come_back_as_they_were(entries in entries(), memory in 0_usize..2000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(sorted(entries.clone(), options(memory))).unwrap();
        let mut expected = entries;
        expected.sort_by(|one, other| one.path.cmp(&other.path));
        // Those of one path may have changed places.
        prop_assert!(found.iter().map(|entry| &entry.path).eq(expected.iter().map(|entry| &entry.path)));
        prop_assert!(expected.iter().all(|entry| found.contains(entry)));
    }
}
