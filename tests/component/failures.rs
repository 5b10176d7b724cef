//! Where it failed: each error of a run is at the side, the place and the path that failed.

use std::sync::Arc;

use omnistorage::{
    Backend, Error, ErrorCode, Path, Registry,
    backend::{
        WriteOptions,
        fault::{Fault, Faults},
        layer::{Layered, Operation},
    },
    runtime::{Storage, SyncOptions},
};

use crate::setup::{at, memory, runtime};

/// The place and path of the only failure of a copy, or of a move, with a fault on one side.
async fn failing(source: Faults, target: Faults, size: usize, moves: bool) -> Option<(String, String)> {
    let (here, there) = (memory(), memory());
    let path = Path::parse("from/a").unwrap();
    here.write_all(&path, vec![b'x'; size].into(), &WriteOptions::default()).await.unwrap();
    let broken = |inner: Arc<dyn Backend>, faults: Faults| -> Arc<dyn Backend> {
        Arc::new(Layered::new(inner, faults))
    };
    let storage = Storage::builder(runtime())
        .mount("source", broken(here, source))
        .mount("target", broken(there, target))
        .build();
    let (from, to) = (at("source", "from"), at("target", "to/deep"));
    let options = SyncOptions { retries: 1, ..SyncOptions::default() };
    let mut job = match moves {
        true => storage.move_to(&from, &to, &options).await.unwrap(),
        false => storage.copy(&from, &to, &options).await.unwrap(),
    };
    let mut found = None;
    while let Some(event) = job.next().await {
        if let Some(error) = event.error {
            assert_eq!((event.path.as_str(), found.is_none()), ("a", true));
            let (backend, path) = error.location().unwrap();
            found = Some((backend.to_owned(), path.to_owned()));
        }
    }
    found
}

#[tokio::test]
async fn an_error_is_at_the_side_that_failed() {
    let refused = || Fault::Error(Error::new(ErrorCode::PermissionDenied, "no"));
    // The short way is closed to half of them, so that the bytes are read and written.
    let by_bytes = |faults: Option<Operation>, operation| {
        Faults::new(move |_, call| {
            let fails = Some(call.operation) == faults;
            if fails {
                return Some(Fault::Error(Error::new(ErrorCode::PermissionDenied, "no")));
            }
            let is_short = call.operation == operation;
            is_short.then(|| Fault::Error(Error::new(ErrorCode::Unsupported, "no short way")))
        })
    };
    for moves in [false, true] {
        let source = || Some(("source".to_owned(), "from/a".to_owned()));
        let target = || Some(("target".to_owned(), "to/deep/a".to_owned()));
        let of_source = Faults::of(Operation::CopyTo, refused());
        assert_eq!(failing(of_source, Faults::none(), 9, moves).await, source());
        let of_target = Faults::of(Operation::CopyFrom, refused());
        assert_eq!(failing(Faults::none(), of_target, 9, moves).await, target());
        for (operation, size) in [
            (Operation::WriteAll, 9),
            (Operation::Write, 1 << 20),
            (Operation::Push, 1 << 20),
            (Operation::Commit, 1 << 20),
        ] {
            let faults = by_bytes(Some(operation), Operation::CopyFrom);
            assert_eq!(failing(Faults::none(), faults, size, moves).await, target(), "{operation}");
        }
        for (operation, size) in
            [(Operation::Read, 9), (Operation::ReadChunk, 9), (Operation::ReadChunk, 1 << 20)]
        {
            let faults = by_bytes(Some(operation), Operation::CopyTo);
            assert_eq!(failing(faults, Faults::none(), size, moves).await, source(), "{operation}");
        }
    }
}

#[tokio::test]
async fn the_settings_of_a_place_do_not_hide_where_it_failed() {
    // The target is a directory of a memory; what it says of paths inside is told as seen from outside.
    let settings = [("prefix", "tenant"), ("read_only", "true")];
    let registry = Registry::with_builtin();
    let target = registry.open("memory", settings.into_iter().collect()).unwrap();
    let source = memory();
    source.write_all(&Path::parse("a").unwrap(), "x".into(), &WriteOptions::default()).await.unwrap();
    let storage = Storage::builder(runtime()).mount("source", source).mount("target", target).build();
    let mut job =
        storage.copy(&at("source", ""), &at("target", "to"), &SyncOptions::default()).await.unwrap();
    let error = job.next().await.unwrap().error.unwrap();
    assert_eq!((error.code(), error.location()), (ErrorCode::PermissionDenied, Some(("target", "to/a"))));
}
