//! Trees of very many objects: memory stays small, and what is the same costs no more than its listing.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage::{
    Backend, ErrorCode, ObjectInfo, ObjectKind, Path, Result, Timestamp,
    backend::{Listed, Listing, layer::Operation},
    runtime::{Limits, Storage, SyncOptions},
};

use crate::{
    setup::{at, memory, runtime},
    twisted::Twisted,
};

/// Far less than what these listings would take if they were held.
const LITTLE: usize = 16 << 20;

/// Numbered objects, in the order of their numbers or in none.
struct Numbered {
    next: u32,
    end: u32,
    shuffled: bool,
}

#[async_trait]
impl Listing for Numbered {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let end = self.end.min(self.next.saturating_add(u32::try_from(max).unwrap_or(u32::MAX)));
        let numbers = self.next..end;
        self.next = end;
        let object = |number: u32| {
            // By an odd number, which is a permutation.
            let number = if self.shuffled { number.wrapping_mul(0x9e37_79b1) } else { number };
            let path = Path::parse(format!("{:03}/an object among many, {number:010}", number >> 24))?;
            let mut info = ObjectInfo::new(path, ObjectKind::Object);
            (info.size, info.modified) = (Some(1), Some(Timestamp { seconds: 1, nanoseconds: 0 }));
            Ok(info.into())
        };
        numbers.map(object).collect()
    }
}

/// Both sides have the same, listed in order or not.
fn storage(count: u32, shuffled: bool) -> Storage {
    let side = || -> Arc<dyn Backend> {
        let twisted = Twisted::new(&memory());
        let twisted = if shuffled { twisted.unsorted() } else { twisted };
        twisted.listing(move |_| Box::new(Numbered { next: 0, end: count, shuffled }))
    };
    Storage::builder(runtime())
        .mount("source", side())
        .mount("target", side())
        .limits(Limits { memory: LITTLE, ..Default::default() })
        .build()
}

#[tokio::test]
async fn what_is_the_same_costs_pages_of_listings_and_little_memory() {
    const COUNT: u32 = 200_000;
    let job = storage(COUNT, false)
        .sync(&at("source", ""), &at("target", ""), &SyncOptions::default())
        .await
        .unwrap();
    let activity = job.activity();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.checked, report.transferred, report.deleted), (COUNT.into(), 0, 0));
    for operation in Operation::ALL {
        let calls = activity.calls(operation);
        match operation {
            Operation::ListNext => assert!(calls <= u64::from(COUNT / 1000 + 2) * 2, "{calls} pages"),
            // Of the two places themselves.
            Operation::Stat | Operation::List => assert!(calls <= 2, "{calls} {operation}"),
            _ => assert_eq!(calls, 0, "{operation}"),
        }
    }
}

#[tokio::test]
async fn listings_in_no_order_are_sorted_first() {
    const COUNT: u32 = 100_000;
    let options = SyncOptions::default();
    let unsorted = storage(COUNT, true);
    let job = unsorted.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.checked, report.transferred, report.deleted), (COUNT.into(), 0, 0));
}

#[tokio::test]
async fn a_listing_that_only_says_that_it_is_sorted_is_an_error() {
    let lying = Twisted::new(&memory());
    let lying = lying.listing(|_| Box::new(Numbered { next: 0, end: 1000, shuffled: true }));
    let storage = Storage::builder(runtime()).mount("source", lying).mount("target", memory()).build();
    let options = SyncOptions { dry_run: true, ..SyncOptions::default() };
    let job = storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
    assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::Other);
}
