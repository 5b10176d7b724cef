//! Compressing and decompressing on the way, through the component.

use std::sync::Arc;

use omnistorage::{
    Backend, Error, ErrorCode, FileBackend, Path, Timestamp,
    backend::{
        WriteOptions,
        fault::{Fault, Faults},
        file::FileOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{
        Backup, Codec, Comparison, Compression, DecompressOptions, Difference, Filter, Recoding,
        RenameStrategy, Report, Storage, SyncOptions,
    },
};
use tempfile::TempDir;

use crate::setup::{at, memory, put, storage, tree};

fn compress(codec: Codec) -> SyncOptions {
    let compression = Compression { codec, level: None, dictionary: None };
    SyncOptions { recoding: Some(Recoding::Compress(compression)), ..SyncOptions::default() }
}

fn decompress() -> SyncOptions {
    SyncOptions { recoding: Some(Recoding::Decompress(None)), ..SyncOptions::default() }
}

fn files(scratch: &TempDir, name: &str) -> Arc<dyn Backend> {
    let root = scratch.path().join(name);
    std::fs::create_dir(&root).unwrap();
    Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
}

/// Places `source`, `packed` and `back`, in memory and as files.
fn kinds(scratch: &TempDir) -> [Storage; 2] {
    let names = ["source", "packed", "back"];
    [storage(names.map(|name| (name, memory()))), storage(names.map(|name| (name, files(scratch, name))))]
}

async fn events(
    job: omnistorage::Result<omnistorage::runtime::SyncJob>,
) -> omnistorage::Result<(Vec<String>, Report)> {
    let mut job = job?;
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        events.push(format!("{} {}", event.action.as_str(), event.path));
    }
    events.sort();
    Ok((events, job.outcome().await?))
}

async fn sync(
    storage: &Storage,
    from: &str,
    to: &str,
    options: &SyncOptions,
) -> omnistorage::Result<(Vec<String>, Report)> {
    events(storage.sync(&at(from, ""), &at(to, ""), options).await).await
}

async fn names(storage: &Storage, place: &str) -> Vec<String> {
    use futures::StreamExt;
    let options = omnistorage::backend::ListOptions { recursive: true, ..Default::default() };
    let Ok(entries) = storage.list(&at(place, ""), &options).await else { return Vec::new() };
    let entries: Vec<_> = entries.map(|entry| entry.unwrap()).collect().await;
    let entries = entries.into_iter().map(|listed| listed.into_entry().unwrap());
    let objects = entries.filter(|entry| entry.kind == omnistorage::ObjectKind::Object);
    objects.map(|entry| entry.path.to_string()).collect()
}

async fn read(storage: &Storage, place: &str, path: &str, decompress: Option<DecompressOptions>) -> Vec<u8> {
    use futures::StreamExt;
    let reader = storage.read(&at(place, path), &Default::default(), decompress).await.unwrap();
    let chunks: Vec<_> = reader.contents.map(|chunk| chunk.unwrap()).collect().await;
    chunks.concat()
}

async fn check(storage: &Storage, from: &str, to: &str, options: &SyncOptions) -> Vec<Difference> {
    let mut job = storage.check(&at(from, ""), &at(to, ""), options).await.unwrap();
    let mut found = Vec::new();
    while let Some(entry) = job.next().await {
        found.push(entry.difference);
    }
    job.outcome().await.unwrap();
    found
}

#[tokio::test]
async fn there_and_back_the_second_run_has_nothing_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let long = "to and fro ".repeat(50_000);
    let objects = [("a", "1"), ("a-b", "2"), ("a.txt", &long), ("d/empty", ""), ("d/old.zst", "as it is")];
    for storage in kinds(&scratch) {
        put(&storage, "source", &objects).await;
        for codec in Codec::ALL {
            let extension = codec.extension();
            let options = compress(codec);
            let (_, report) = sync(&storage, "source", "packed", &options).await.unwrap();
            let transferred = if codec == Codec::Gzip { 5 } else { 4 };
            assert_eq!((report.transferred, report.errors), (transferred, 0));
            let mut expected: Vec<_> =
                ["a", "a-b", "a.txt", "d/empty"].map(|name| format!("{name}.{extension}")).into();
            expected.push("d/old.zst".to_owned());
            expected.sort();
            assert_eq!(names(&storage, "packed").await, expected);
            let packed = storage.stat(&at("packed", &format!("a.txt.{extension}"))).await.unwrap();
            assert!(packed.size.unwrap() < 100_000);
            let source = storage.stat(&at("source", "a.txt")).await.unwrap();
            assert_eq!(packed.modified, source.modified);
            let again = sync(&storage, "source", "packed", &options).await.unwrap();
            assert_eq!((again.0, again.1.checked), (vec![], 5), "{codec:?}");
            assert_eq!(check(&storage, "source", "packed", &options).await, [Difference::Same; 5]);
        }
        // What no object of the source is called like has gone.
        let (_, report) = sync(&storage, "packed", "back", &decompress()).await.unwrap();
        assert_eq!((report.transferred, report.errors), (4, 1), "`old.zst` is not what its name says");
        assert_eq!(names(&storage, "back").await, ["a", "a-b", "a.txt", "d/empty"]);
        assert!(read(&storage, "back", "a.txt", None).await == long.as_bytes());
        let filter = Filter::default().rule("- old.*");
        let options = SyncOptions { filter, ..decompress() };
        assert_eq!(sync(&storage, "packed", "back", &options).await.unwrap().0, [""; 0]);
        assert_eq!(check(&storage, "packed", "back", &options).await, [Difference::Same; 4]);
    }
}

#[tokio::test]
async fn what_is_not_compressed_is_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    for storage in kinds(&scratch) {
        put(&storage, "source", &[("a.txt", "plain"), ("b.GZ", "plain"), ("d.gz/.gz", "plain")]).await;
        sync(&storage, "source", "back", &decompress()).await.unwrap();
        assert_eq!(names(&storage, "back").await, ["a.txt", "b.GZ", "d.gz/.gz"]);
        assert_eq!(sync(&storage, "source", "back", &decompress()).await.unwrap().0, [""; 0]);
    }
}

#[tokio::test]
async fn a_change_is_seen_and_deletes_know_the_names() {
    let scratch = tempfile::tempdir().unwrap();
    let options = compress(Codec::Gzip);
    for storage in kinds(&scratch) {
        put(&storage, "source", &[("a", "1"), ("b", "2"), ("gone", "3"), ("x.tmp", "4")]).await;
        sync(&storage, "source", "packed", &options).await.unwrap();
        put(&storage, "source", &[("a", "other")]).await;
        put(&storage, "packed", &[("b", "plain and extra"), ("y.tmp.gz", "")]).await;
        storage.remove(&at("source", "gone")).await.unwrap();
        // What the filter leaves out of the source, it leaves alone on the target.
        let filter = Filter::default().rule("- *.tmp");
        let ran = sync(&storage, "source", "packed", &SyncOptions { filter, ..options.clone() }).await;
        assert_eq!(ran.unwrap().0, ["deleted b", "deleted gone.gz", "transferred a"]);
        let (events, _) = sync(&storage, "source", "packed", &options).await.unwrap();
        assert_eq!(events, ["deleted y.tmp.gz"]);
        assert_eq!(names(&storage, "packed").await, ["a.gz", "b.gz", "x.tmp.gz"]);
        let unpack = DecompressOptions::default();
        assert_eq!(read(&storage, "packed", "a.gz", Some(unpack)).await, b"other");
    }
}

#[tokio::test]
async fn two_objects_of_one_name_end_the_run_before_any_delete() {
    for (source, options) in [
        (["a", "a.gz"], compress(Codec::Gzip)),
        (["a", "a.gz"], decompress()),
        (["a.gz", "a.zst"], decompress()),
    ] {
        let storage = storage([("source", memory()), ("packed", memory())]);
        put(&storage, "source", &source.map(|path| (path, "1"))).await;
        put(&storage, "packed", &[("extra", "1")]).await;
        let error = sync(&storage, "source", "packed", &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        assert!(source.iter().all(|path| error.message().contains(path)), "{error}");
        assert!(names(&storage, "packed").await.contains(&"extra".to_owned()));
    }
}

#[tokio::test]
async fn what_makes_no_sense_beside_it_is_refused() {
    let storage = storage([("source", memory()), ("packed", memory())]);
    put(&storage, "source", &[("a", "1")]).await;
    let by_name = RenameStrategy { name: true, ..Default::default() };
    let level = Recoding::Compress(Compression { codec: Codec::Gzip, level: Some(99), dictionary: None });
    for options in [
        SyncOptions { comparison: Comparison::SizeOnly, ..compress(Codec::Gzip) },
        SyncOptions { track_renames: by_name, ..compress(Codec::Gzip) },
        SyncOptions { recoding: Some(level), ..SyncOptions::default() },
    ] {
        let error = sync(&storage, "source", "packed", &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    }
}

async fn write(backend: &dyn Backend, path: &str, contents: &[u8], seconds: i64) {
    let modified = Some(Timestamp { seconds, nanoseconds: 0 });
    let options = WriteOptions { modified, ..Default::default() };
    let contents = contents.to_vec();
    backend.write_all(&Path::parse(path).unwrap(), contents.into(), &options).await.unwrap();
}

/// A target of the same time that is something else.
#[tokio::test]
async fn a_move_lets_nothing_go_that_it_did_not_transfer_or_compare() {
    let (source, packed) = (memory(), memory());
    let storage = storage([("source", source.clone()), ("packed", packed.clone())]);
    for (path, seconds) in [("a", 5), ("b", 6), ("c", 7)] {
        write(&*source, path, b"contents", seconds).await;
    }
    let options = compress(Codec::Gzip);
    sync(&storage, "source", "packed", &options).await.unwrap();
    let other = tree(&*packed).await;
    assert_eq!(other.len(), 3);
    // `b` gets the bytes of something else, and `c` what is no gzip at all.
    write(&*source, "other", b"not the contents", 6).await;
    sync(&storage, "source", "packed", &options).await.unwrap();
    let bytes = packed.read_all(&Path::parse("other.gz").unwrap(), &Default::default(), 1000).await.unwrap();
    write(&*packed, "b.gz", &bytes, 6).await;
    write(&*packed, "c.gz", b"damaged", 7).await;
    source.delete(&[Path::parse("other").unwrap()]).await;
    let job = storage.move_to(&at("source", ""), &at("packed", ""), &options).await;
    let (events, report) = self::events(job).await.unwrap();
    assert_eq!(events, ["failed c", "source-removed a", "source-removed b", "transferred b"]);
    assert_eq!((report.errors, tree(&*source).await.len()), (1, 1));
    let checked = check(&storage, "source", "packed", &options).await;
    assert!(checked.contains(&Difference::Error), "{checked:?}");
}

#[tokio::test]
async fn a_fault_on_the_way_leaves_the_old_object() {
    for (operation, fault) in [
        (Operation::ReadChunk, Fault::EarlyEnd),
        (Operation::ReadChunk, Fault::Error(Error::new(ErrorCode::PermissionDenied, "no"))),
        (Operation::Read, Fault::Error(Error::new(ErrorCode::PermissionDenied, "no"))),
        (Operation::Push, Fault::Error(Error::new(ErrorCode::NoSpace, "full"))),
        (Operation::Commit, Fault::Error(Error::new(ErrorCode::NoSpace, "full"))),
    ] {
        let (source, packed) = (memory(), memory());
        write(&*source, "a", b"contents", 5).await;
        write(&*packed, "a.gz", b"old", 1).await;
        let what = format!("{operation:?} {fault:?}");
        let faults = Faults::of(operation, fault);
        let broken = |inner: &Arc<dyn Backend>| -> Arc<dyn Backend> {
            Arc::new(Layered::new(inner.clone(), faults.clone()))
        };
        let storage = storage([("source", broken(&source)), ("packed", broken(&packed))]);
        let always = SyncOptions { retries: 1, comparison: Comparison::Always, ..compress(Codec::Gzip) };
        let job = storage.move_to(&at("source", ""), &at("packed", ""), &always).await;
        let (events, report) = self::events(job).await.unwrap();
        assert_eq!((events, report.errors), (vec!["failed a".to_owned()], 1), "{what}");
        assert_eq!(tree(&*packed).await, [("a.gz".to_owned(), "old".to_owned())], "{what}");
        assert_eq!(tree(&*source).await.len(), 1, "{what}");
    }
}

#[tokio::test]
async fn an_unchanged_run_costs_list_calls_alone() {
    let counted = Layered::new(memory(), Observe::default());
    let storage = storage([("source", memory()), ("packed", Arc::new(counted.clone()))]);
    put(&storage, "source", &[("a", "1"), ("b", "2"), ("d/c", "3")]).await;
    sync(&storage, "source", "packed", &compress(Codec::Zstd)).await.unwrap();
    let calls = |operation| counted.layer().metrics().calls(operation);
    let before = [Operation::Stat, Operation::Read, Operation::Hash].map(calls);
    sync(&storage, "source", "packed", &compress(Codec::Zstd)).await.unwrap();
    let more: Vec<_> = [Operation::Stat, Operation::Read, Operation::Hash]
        .map(calls)
        .iter()
        .zip(before)
        .map(|(now, then)| now - then)
        .collect();
    // The target itself is looked at.
    assert!(more[0] <= 1 && more[1..] == [0, 0], "{more:?}");
}

#[tokio::test]
async fn one_object_and_what_it_replaces() {
    let (source, packed) = (memory(), memory());
    let storage = storage([("source", source.clone()), ("packed", packed.clone()), ("kept", memory())]);
    write(&*source, "d/a", b"new", 9).await;
    write(&*packed, "a.gz", b"old", 1).await;
    let kept = Backup { place: Some(at("kept", "")), suffix: String::new(), keep_extension: false };
    let options = SyncOptions { backup: Some(kept), ..compress(Codec::Gzip) };
    let copy = async || events(storage.copy(&at("source", "d/a"), &at("packed", ""), &options).await).await;
    assert_eq!(copy().await.unwrap().0, ["transferred a"]);
    assert_eq!(names(&storage, "packed").await, ["a.gz"]);
    assert_eq!(names(&storage, "kept").await, ["a.gz"]);
    assert_eq!(copy().await.unwrap().0, [""; 0]);
    // Into its own directory, where it gets another name.
    let job = storage.copy(&at("source", "d/a"), &at("source", "d"), &compress(Codec::Zstd)).await;
    assert_eq!(events(job).await.unwrap().0, ["transferred a"]);
    assert_eq!(names(&storage, "source").await, ["d/a", "d/a.zst"]);
}

/// Small objects that have in common what is in a dictionary.
#[tokio::test]
async fn a_dictionary_goes_along_both_ways() {
    let dictionary =
        || Some(b"{\"status\": \"shipped\", \"customer\": \"Ada\", \"currency\": \"EUR\"}".to_vec().into());
    let record = "{\"status\": \"shipped\", \"customer\": \"Ada\", \"currency\": \"EUR\"}";
    let scratch = TempDir::new().unwrap();
    for storage in kinds(&scratch) {
        put(&storage, "source", &[("a", record), ("b", record)]).await;
        let with = |codec| Compression { codec, level: None, dictionary: dictionary() };
        let packing =
            SyncOptions { recoding: Some(Recoding::Compress(with(Codec::Zstd))), ..Default::default() };
        let (_, report) = sync(&storage, "source", "packed", &packing).await.unwrap();
        assert_eq!((report.transferred, report.errors), (2, 0));
        let packed = storage.stat(&at("packed", "a.zst")).await.unwrap().size;
        assert!(packed.is_some_and(|size| size < 30), "{packed:?}");
        // Compared by their contents they are the same.
        let by_contents = SyncOptions { comparison: Comparison::Checksum, ..packing.clone() };
        assert_eq!(sync(&storage, "source", "packed", &by_contents).await.unwrap().1.transferred, 0);
        let unpacking = |dictionary| {
            let recoding = Some(Recoding::Decompress(dictionary));
            SyncOptions { recoding, retries: 1, ..Default::default() }
        };
        let (_, report) = sync(&storage, "packed", "back", &unpacking(None)).await.unwrap();
        assert_eq!((report.transferred, report.errors), (0, 2), "what it repeats is not there");
        sync(&storage, "packed", "back", &unpacking(dictionary())).await.unwrap();
        assert!(read(&storage, "back", "b", None).await == record.as_bytes());

        let gzip =
            SyncOptions { recoding: Some(Recoding::Compress(with(Codec::Gzip))), ..Default::default() };
        let error = sync(&storage, "source", "packed", &gzip).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}
