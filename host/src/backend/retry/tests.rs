//! What is repeated, what is not, and that nothing is mixed.

use std::num::NonZeroU32;

use super::*;
use crate::{
    Error, ErrorCode, MemoryBackend,
    backend::{
        fault::{Fault, Faults},
        layer::{Call, Layered, Operation},
    },
};
use futures::StreamExt;

const QUICK: RetryOptions = RetryOptions {
    attempts: NonZeroU32::new(3).unwrap(),
    delay: Duration::from_micros(10),
    max_delay: Duration::from_micros(20),
};

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn busy() -> Fault {
    Fault::Error(Error::new(ErrorCode::Unavailable, "the store is busy"))
}

/// A memory backend with an object `big` of three chunks and some small ones, which fails as planned.
async fn unsteady(
    plan: impl Fn(u64, Call<'_>) -> Option<Fault> + Send + Sync + 'static,
) -> (Retry, Faults, Arc<MemoryBackend>) {
    let memory = Arc::new(MemoryBackend::new());
    memory.write_all(&path("big"), pattern(), &WriteOptions::default()).await.unwrap();
    for name in ["a", "b", "c", "d"] {
        memory.write_all(&path(name), name.into(), &WriteOptions::default()).await.unwrap();
    }
    let faults = Faults::new(plan);
    (Retry::new(Arc::new(Layered::new(memory.clone(), faults.clone())), QUICK), faults, memory)
}

fn pattern() -> Bytes {
    (0..600_000_u32).map(|n| (n / 251) as u8).collect()
}

async fn read(backend: &dyn Backend, options: &ReadOptions) -> Result<Vec<u8>> {
    let mut contents = backend.read(&path("big"), options).await?.contents;
    let mut all = Vec::new();
    while let Some(chunk) = contents.next().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

async fn list(backend: &dyn Backend, after: Option<&str>) -> Result<Vec<String>> {
    let options = ListOptions { start_after: after.map(path), recursive: true, ..ListOptions::default() };
    let mut listing = backend.list(&Path::root(), &options).await?;
    let mut all = Vec::new();
    loop {
        let entries = listing.next(2).await?;
        if entries.is_empty() {
            return Ok(all);
        }
        all.extend(entries.into_iter().map(|listed| listed.path().to_string()));
    }
}

#[tokio::test]
async fn every_third_call_may_fail() {
    let (backend, ..) = unsteady(|number, _| (number % 3 == 0).then(busy)).await;
    let options = WriteOptions::default();
    backend.write_all(&path("new"), "x".into(), &options).await.unwrap();
    backend.stat(&path("new")).await.unwrap();
    assert!(backend.exists(&path("new")).await.unwrap());
    backend.set_modified(&path("new"), Timestamp::now()).await.unwrap();
    backend.hash(&path("new"), HashAlgorithm::Md5).await.unwrap();
    backend.copy_to(&path("new"), &backend, &path("copy"), &options).await.unwrap();
    backend.delete(&[path("new"), path("copy")]).await.into_iter().for_each(|result| result.unwrap());
    assert_eq!(list(&backend, None).await.unwrap(), ["a", "b", "big", "c", "d"]);
    assert_eq!(list(&backend, Some("b")).await.unwrap(), ["big", "c", "d"]);
    assert_eq!(read(&backend, &ReadOptions::default()).await.unwrap(), pattern());
    let range = ReadOptions { offset: 1_000, length: Some(400_000), if_match: None };
    assert_eq!(read(&backend, &range).await.unwrap(), pattern()[1_000..401_000]);
}

#[tokio::test]
async fn what_does_not_pass_is_tried_once() {
    for code in [ErrorCode::NotFound, ErrorCode::PermissionDenied, ErrorCode::Unsupported] {
        let (backend, faults, _) = unsteady(move |_, _| Some(Fault::Error(Error::new(code, "no")))).await;
        let error = backend.stat(&path("a")).await.unwrap_err();
        assert_eq!((error.code(), error.message(), faults.calls()), (code, "no", 1));
    }
}

#[tokio::test]
async fn the_last_error_tells_of_the_attempts() {
    let (backend, faults, _) = unsteady(|_, _| Some(busy())).await;
    for error in [
        backend.stat(&path("a")).await.unwrap_err(),
        backend.delete(&[path("a"), path("b")]).await.remove(1).unwrap_err(),
        read(&backend, &ReadOptions::default()).await.unwrap_err(),
        list(&backend, None).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::Unavailable);
        let told = "the store is busy; gave up after 3 attempts in 0.";
        assert!(error.message().starts_with(told), "{error}");
        assert!(error.location().is_some(), "{error}");
    }
    assert_eq!(faults.calls(), 4 * 3);
}

/// Around both ends of a copy, the attempts of the one inside are enough.
#[tokio::test]
async fn two_in_a_row_try_no_more_than_one() {
    let (inside, faults, _) = unsteady(|_, _| Some(busy())).await;
    let backend = Retry::new(Arc::new(inside), QUICK);
    let error = backend.stat(&path("a")).await.unwrap_err();
    assert_eq!((faults.calls(), error.is_given_up()), (3, true));
    let target = Retry::new(Arc::new(MemoryBackend::new()), QUICK);
    backend.copy_to(&path("a"), &target, &path("a"), &WriteOptions::default()).await.unwrap_err();
    assert_eq!(faults.calls(), 2 * 3);
}

/// What would be misread if only the answer was lost.
#[tokio::test]
async fn what_may_have_happened_is_not_repeated() {
    let options = WriteOptions { condition: WriteCondition::IfAbsent, ..WriteOptions::default() };
    let always = WriteOptions::default();
    let (backend, faults, _) = unsteady(|_, _| Some(busy())).await;
    backend.write_all(&path("new"), "x".into(), &options).await.unwrap_err();
    backend.copy_to(&path("a"), &backend, &path("new"), &options).await.unwrap_err();
    let request = CopyRequest { source: path("a"), target: path("new"), options };
    backend.copy_many(&[request], &backend).await.remove(0).unwrap_err();
    backend.move_to(&path("a"), &backend, &path("new"), &always).await.unwrap_err();
    backend.purge(&path("a")).await.unwrap_err();
    backend.rmdir(&path("a")).await.unwrap_err();
    assert_eq!(faults.calls(), 6);
}

#[tokio::test]
async fn an_upload_is_not_repeated() {
    for broken in [Operation::Push, Operation::Commit] {
        let (backend, faults, memory) = unsteady(move |_, call| (call.operation == broken).then(busy)).await;
        let mut upload = backend.write(&path("a"), &WriteOptions::default()).await.unwrap();
        let pushed = upload.push("new".into()).await;
        let outcome = if pushed.is_ok() { upload.commit().await.map(drop) } else { pushed };
        assert_eq!(outcome.unwrap_err().message(), "the store is busy");
        assert_eq!(faults.calls(), if broken == Operation::Push { 2 } else { 3 });
        assert_eq!(memory.read_all(&path("a"), &ReadOptions::default(), 9).await.unwrap(), "a");
    }
}

#[tokio::test]
async fn versions_are_never_mixed() {
    let (backend, _, memory) = unsteady(|number, _| (number == 2).then(busy)).await;
    let mut contents = backend.read(&path("big"), &ReadOptions::default()).await.unwrap().contents;
    contents.next().await.unwrap().unwrap();
    memory.write_all(&path("big"), pattern(), &WriteOptions::default()).await.unwrap();
    assert_eq!(contents.next().await.unwrap().unwrap_err().code(), ErrorCode::PreconditionFailed);
    assert!(contents.next().await.is_none());
}

/// Of many only those that failed, and of those only what may pass.
#[tokio::test]
async fn of_a_batch_the_failed_are_repeated() {
    /// Fails the first delete of each path with that name.
    #[derive(Debug)]
    struct Batch(MemoryBackend, std::sync::Mutex<Vec<Vec<Path>>>);

    #[async_trait]
    impl Backend for Batch {
        fn kind(&self) -> &str {
            "batch"
        }
        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
        async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
            self.0.read(path, options).await
        }
        async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
            self.0.write(path, options).await
        }
        async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
            self.0.stat(path).await
        }
        async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
            self.0.list(prefix, options).await
        }
        async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
            let mut asked = self.1.lock().unwrap();
            asked.push(paths.to_vec());
            let result = |path: &Path| match path.as_str() {
                "busy" if asked.len() < 3 => Err(Error::new(ErrorCode::RateLimited, "slow down")),
                "denied" => Err(Error::new(ErrorCode::PermissionDenied, "no")),
                _ => Ok(()),
            };
            paths.iter().map(result).collect()
        }
        async fn close(&self) -> Result<()> {
            self.0.close().await
        }
    }

    let batch = Arc::new(Batch(MemoryBackend::new(), Default::default()));
    let backend = Retry::new(batch.clone(), QUICK);
    let results = backend.delete(&["a", "busy", "denied", "b"].map(path)).await;
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().err().map(Error::code)).collect();
    assert_eq!(codes, [None, None, Some(ErrorCode::PermissionDenied), None]);
    let asked: Vec<_> = batch.1.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(asked, [4, 1, 1]);
}
