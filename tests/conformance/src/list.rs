//! Listing: complete, sorted, by whole segments, and never the prefix itself.

use std::{collections::BTreeSet, sync::Arc};

use futures::{StreamExt, stream};
use omnistorage::{
    Backend, ObjectKind,
    backend::{ListOptions, WriteOptions},
};

use crate::shorthand::{LONG_AGO, ONE_LEVEL, RECURSIVE, Shorthand, path};

/// Names whose order is delicate: `-` and `.` sort before `/`.
const TREE: [&str; 12] = [
    "a!",
    "a-b",
    "a-b.c",
    "a.txt",
    "a/x",
    "a/y/1",
    "a/y-1",
    "a/y.1",
    "a0",
    "b/-/z",
    "b/0",
    "data/database/data",
];

async fn plant(backend: &dyn Backend, paths: impl IntoIterator<Item = impl AsRef<str>>) {
    let paths: Vec<_> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
    stream::iter(paths)
        .for_each_concurrent(16, |path| async move { drop(backend.put(&path, path.clone()).await.unwrap()) })
        .await;
}

/// Nothing is listed where nothing is.
pub async fn an_empty_backend_lists_nothing(backend: Arc<dyn Backend>) {
    assert_eq!(backend.paths("", &RECURSIVE).await, [""; 0]);
    assert_eq!(backend.paths("", &ONE_LEVEL).await, [""; 0]);
}

/// A prefix means whole segments.
pub async fn a_prefix_is_whole_segments(backend: Arc<dyn Backend>) {
    plant(
        &*backend,
        ["data/1", "data/x/2", "data.txt", "data-1/3", "database/4", "dat", "Data/5", "x/data/6"],
    )
    .await;
    assert_eq!(backend.objects("data").await, ["data/1", "data/x/2"]);
    assert_eq!(backend.objects("data/x").await, ["data/x/2"]);
    assert_eq!(backend.paths("data", &ONE_LEVEL).await, ["data/1", "data/x"]);
    for empty in ["da", "data.", "data-", "atabase", "data?"] {
        assert_eq!(backend.objects(empty).await, [""; 0]);
    }
    assert_eq!(backend.objects("x/dat").await, [""; 0]);
}

/// Paths come in byte order of the whole, not segment by segment.
pub async fn the_order_is_that_of_bytes(backend: Arc<dyn Backend>) {
    plant(&*backend, TREE).await;
    let mut sorted = TREE.to_vec();
    sorted.sort_unstable();
    assert_eq!(backend.objects("").await, sorted);
    assert_eq!(backend.paths("", &ONE_LEVEL).await, ["a", "a!", "a-b", "a-b.c", "a.txt", "a0", "b", "data"]);
    assert_eq!(backend.paths("a", &ONE_LEVEL).await, ["a/x", "a/y", "a/y-1", "a/y.1"]);
}

/// Recursive listings hold the directories where there are any; those of one level hold them everywhere.
pub async fn directories_are_entries(backend: Arc<dyn Backend>) {
    plant(&*backend, TREE).await;
    let mut directories = Vec::new();
    for entry in backend.entries("", &RECURSIVE, 3).await.unwrap() {
        if entry.kind == ObjectKind::Directory {
            assert_eq!(entry.size, None);
            directories.push(String::from(entry.path));
        }
    }
    if backend.capabilities().features.directories {
        assert_eq!(directories, ["a", "a/y", "b", "b/-", "data", "data/database"]);
    } else {
        assert_eq!(directories, [""; 0]);
    }
    for entry in backend.entries("", &ONE_LEVEL, 3).await.unwrap() {
        let is_directory = ["a", "b", "data"].contains(&entry.path.as_str());
        let kind = if is_directory { ObjectKind::Directory } else { ObjectKind::Object };
        let size = (!is_directory).then_some(entry.path.as_str().len() as u64);
        assert_eq!((entry.kind, entry.size), (kind, size), "{}", entry.path);
    }
}

/// A listing begins after any path, there or not, below the prefix or not; that path itself is left out.
pub async fn a_listing_starts_after_any_path(backend: Arc<dyn Backend>) {
    plant(&*backend, TREE).await;
    let mut starts: BTreeSet<_> = TREE.into_iter().map(str::to_owned).collect();
    starts.extend(backend.paths("", &RECURSIVE).await);
    let others = ["a", "b", "!", "zzz", "a/w", "a/y/0", "a/y/2", "a/y/1/2", "b/-", "data/database"];
    starts.extend(others.map(str::to_owned));
    for prefix in ["", "a", "a/y", "b", "data", "missing"] {
        for recursive in [true, false] {
            let all = backend.paths(prefix, &ListOptions { recursive, ..ListOptions::default() }).await;
            for start in &starts {
                let options =
                    ListOptions { recursive, start_after: Some(path(start)), ..ListOptions::default() };
                let expected: Vec<_> = all.iter().filter(|path| *path > start).cloned().collect();
                assert_eq!(backend.paths(prefix, &options).await, expected, "below {prefix:?}: {options:?}");
            }
        }
    }
}

/// A listing ends at any path, there or not, below the prefix or not; that path itself is listed. Where one ends the next
/// begins: together they are the whole.
pub async fn a_listing_ends_at_any_path(backend: Arc<dyn Backend>) {
    plant(&*backend, TREE).await;
    let mut ends: BTreeSet<_> = TREE.into_iter().map(str::to_owned).collect();
    ends.extend(backend.paths("", &RECURSIVE).await);
    let others = ["a", "b", "!", "zzz", "a/w", "a/y/0", "a/y/2", "a/y/1/2", "b/-", "data/database"];
    ends.extend(others.map(str::to_owned));
    for prefix in ["", "a", "a/y", "b", "data", "missing"] {
        for recursive in [true, false] {
            let all = backend.paths(prefix, &ListOptions { recursive, ..ListOptions::default() }).await;
            for end in &ends {
                let options = ListOptions { recursive, until: Some(path(end)), ..ListOptions::default() };
                let first = backend.paths(prefix, &options).await;
                let expected: Vec<_> = all.iter().filter(|path| *path <= end).cloned().collect();
                assert_eq!(first, expected, "below {prefix:?}: {options:?}");
                let options = ListOptions { recursive, start_after: options.until, ..ListOptions::default() };
                let rest = backend.paths(prefix, &options).await;
                assert_eq!([first, rest].concat(), all, "below {prefix:?}: {options:?}");
            }
        }
    }
}

/// Between two paths is what comes after the first one and no later than the second, and nothing if they are crossed.
pub async fn a_listing_has_two_ends(backend: Arc<dyn Backend>) {
    plant(&*backend, TREE).await;
    let bounds = ["!", "a", "a-b", "a/x", "a/y", "a/y/1", "a/z", "b/-", "b/0", "zzz"];
    for recursive in [true, false] {
        let all = backend.paths("", &ListOptions { recursive, ..ListOptions::default() }).await;
        for start in bounds {
            for end in bounds {
                let (start_after, until) = (Some(path(start)), Some(path(end)));
                let options = ListOptions { recursive, start_after, until, ..ListOptions::default() };
                let is_between = |path: &&String| path.as_str() > start && path.as_str() <= end;
                let expected: Vec<_> = all.iter().filter(is_between).cloned().collect();
                assert_eq!(backend.paths("", &options).await, expected, "{options:?}");
            }
        }
    }
}

/// A listing with a limit gives no more entries; where they are sorted, the first ones.
pub async fn a_listing_keeps_to_its_limit(backend: Arc<dyn Backend>) {
    plant(&*backend, TREE).await;
    let is_sorted = backend.capabilities().features.sorted_list;
    for recursive in [true, false] {
        for start in [None, Some("a"), Some("a-b"), Some("a/y"), Some("zzz")] {
            let options = ListOptions { recursive, start_after: start.map(path), ..ListOptions::default() };
            let all = backend.paths("", &options).await;
            for limit in [0, 1, 2, 5, 1_000, u64::MAX] {
                let options = ListOptions { limit: Some(limit), ..options.clone() };
                for batch in [1, 3, 1_000] {
                    let given = backend.entries("", &options, batch).await.unwrap();
                    let wanted = all.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
                    assert_eq!(given.len(), wanted, "{options:?}");
                    let first = all.iter().zip(&given).all(|(path, entry)| path == entry.path.as_str());
                    assert!(first || !is_sorted, "{options:?}: {given:?}");
                }
            }
        }
    }
}

/// More objects than any store gives at once, whatever the size of the batches.
pub async fn many_objects_are_listed_whole(backend: Arc<dyn Backend>) {
    const COUNT: usize = 2_100;
    let paths: Vec<_> = (0..COUNT).map(|n| format!("many/{n:05}")).collect();
    plant(&*backend, &paths).await;
    for (options, batch) in [(RECURSIVE, 7), (RECURSIVE, 5_000), (ONE_LEVEL, 97)] {
        let entries = backend.entries("many", &options, batch).await.unwrap();
        assert!(
            entries.iter().map(|entry| entry.path.as_str()).eq(paths.iter().map(String::as_str)),
            "{batch}"
        );
    }
}

/// What is not there has nothing below it, nor has an object; that is no error.
pub async fn a_missing_prefix_lists_nothing(backend: Arc<dyn Backend>) {
    plant(&*backend, ["dir/file", "dir/file2"]).await;
    for prefix in ["missing", "missing/deeper", "di", "dir/file", "dir/file/deeper", "dir/fil", "dir2"] {
        assert_eq!(backend.paths(prefix, &RECURSIVE).await, [""; 0], "{prefix}");
        assert_eq!(backend.paths(prefix, &ONE_LEVEL).await, [""; 0], "{prefix}");
    }
}

/// The prefix itself is never an entry, not even as a directory.
pub async fn the_prefix_is_no_entry(backend: Arc<dyn Backend>) {
    plant(&*backend, ["a/b/c/d"]).await;
    for prefix in ["", "a", "a/b", "a/b/c"] {
        for options in [&RECURSIVE, &ONE_LEVEL] {
            let paths = backend.paths(prefix, options).await;
            assert!(!paths.is_empty() && !paths.iter().any(|path| path == prefix), "{prefix}: {paths:?}");
        }
    }
}

/// Batches are as small as is asked, and after the end there is only the end.
pub async fn batches_keep_to_their_size(backend: Arc<dyn Backend>) {
    plant(&*backend, ["1", "2", "3"]).await;
    let mut listing = backend.list(&path(""), &RECURSIVE).await.unwrap();
    for _ in 0..3 {
        assert_eq!(listing.next(1).await.unwrap().len(), 1);
    }
    for _ in 0..3 {
        assert!(listing.next(9).await.unwrap().is_empty());
    }
}

/// An entry tells what `stat` tells: always what is needed to compare, with `full_info` everything.
pub async fn entries_tell_what_stat_tells(backend: Arc<dyn Backend>) {
    let features = backend.capabilities().features;
    let options = WriteOptions {
        content_type: features.content_type.then(|| "text/plain".to_owned()),
        modified: features.set_modified.then_some(LONG_AGO),
        metadata: if features.custom_metadata { vec![("key".into(), "value".into())] } else { Vec::new() },
        ..WriteOptions::default()
    };
    backend.put_with("dir/a", "contents", &options).await.unwrap();
    backend.put("dir/b", "").await.unwrap();
    for full_info in [false, true] {
        for recursive in [false, true] {
            let options = ListOptions { recursive, full_info, ..ListOptions::default() };
            for entry in backend.entries("dir", &options, 10).await.unwrap() {
                let info = backend.stat(&entry.path).await.unwrap();
                if full_info {
                    assert_eq!(entry, info);
                } else {
                    assert_eq!((entry.kind, entry.size), (info.kind, info.size));
                    if features.listed_times {
                        assert_eq!(entry.modified, info.modified, "{entry:?}");
                    }
                }
            }
        }
    }
}

/// A listing that is given up midway disturbs nobody.
pub async fn a_listing_may_be_dropped(backend: Arc<dyn Backend>) {
    plant(&*backend, (0..50).map(|n| format!("dir{}/{n}", n % 3))).await;
    for taken in [0, 1, 3] {
        let mut listing = backend.list(&path(""), &RECURSIVE).await.unwrap();
        for _ in 0..taken {
            assert_eq!(listing.next(5).await.unwrap().len(), 5);
        }
        drop(listing);
        assert_eq!(backend.objects("").await.len(), 50);
    }
}

/// What is deleted behind the cursor takes nothing from what lies before it.
pub async fn a_listing_survives_deletes(backend: Arc<dyn Backend>) {
    plant(&*backend, (0..30).map(|n| format!("dir{}/{n}", n % 3))).await;
    let mut listing = backend.list(&path(""), &RECURSIVE).await.unwrap();
    let mut deleted = 0;
    loop {
        let mut batch = listing.next_entries(4).await.unwrap();
        if batch.is_empty() {
            break;
        }
        batch.retain(|entry| entry.kind == ObjectKind::Object);
        deleted += batch.len();
        let paths: Vec<_> = batch.into_iter().map(|entry| entry.path).collect();
        assert!(backend.delete(&paths).await.into_iter().all(|result| result.is_ok()));
    }
    assert_eq!(deleted, 30);
    assert_eq!(backend.objects("").await, [""; 0]);
}
