//! Writes are whole or absent, and leave nothing behind.

use super::*;

#[tokio::test]
async fn a_write_given_up_leaves_nothing_not_even_directories() {
    for (directory, backend) in [backend(), backend_with_names()] {
        gives_up_writes(&directory, &backend).await;
    }
}

async fn gives_up_writes(directory: &TempDir, backend: &FileBackend) {
    put(backend, "kept/x", "").await.unwrap();
    let mut upload = backend.write(&path("kept/new/deep/y"), &WriteOptions::default()).await.unwrap();
    upload.push("half".into()).await.unwrap();
    drop(upload);
    let upload = backend.write(&path("other/z"), &WriteOptions::default()).await.unwrap();
    upload.abort().await;
    if backend.capabilities().features.custom_metadata {
        let huge =
            WriteOptions { metadata: vec![("k".into(), "x".repeat(1 << 20))], ..WriteOptions::default() };
        let written = backend.write_all(&path("huge/metadata"), "1".into(), &huge).await;
        assert_eq!(code(written), ErrorCode::LimitExceeded);
    }
    let wrong = WriteOptions { expected_size: Some(9), ..WriteOptions::default() };
    let written = backend.write_all(&path("wrong/size"), "1".into(), &wrong).await;
    assert_eq!(code(written), ErrorCode::Corrupted);
    assert_eq!(on_disk(directory.path()).len(), 2, "{:?}", on_disk(directory.path()));
}

#[tokio::test]
async fn a_call_given_up_leaves_nothing() {
    let (directory, backend) = backend();
    let mut upload = backend.write(&path("new/x"), &WriteOptions::default()).await.unwrap();
    // Polled once, then dropped: the work goes on in its thread.
    drop(upload.push(vec![0; 1_000_000].into()).now_or_never());
    drop(upload);
    for _ in 0..1000 {
        if on_disk(directory.path()).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", on_disk(directory.path()));
}

#[tokio::test]
async fn an_unnamed_file_takes_the_place_of_what_is_there() {
    let (directory, backend) = backend();
    let names = || {
        let mut names = on_disk(directory.path());
        names.sort();
        names
    };
    let at = |name: &str| directory.path().join(name).display().to_string();
    let mut upload = backend.write(&path("d/a"), &WriteOptions::default()).await.unwrap();
    upload.push("new".into()).await.unwrap();
    #[cfg(target_os = "linux")]
    if Unnamed::default().create(&fs::File::open(directory.path()).unwrap().into(), Mode::RUSR).is_some() {
        assert_eq!(names(), [at("d")]);
        // To all others the directory is empty.
        fs::remove_dir(at("d")).unwrap();
    }
    upload.commit().await.unwrap();
    assert_eq!((names(), get(&backend, "d/a").await.unwrap()), (vec![at("d"), at("d/a")], "new".to_owned()));

    symlink("nowhere", at("d/link")).unwrap();
    for name in ["d/a", "d/link"] {
        put(&backend, name, "newer").await.unwrap();
        assert_eq!(get(&backend, name).await.unwrap(), "newer");
    }
    backend.copy_to(&path("d/link"), &backend, &path("d/a"), &WriteOptions::default()).await.unwrap();
    assert_eq!(names(), [at("d"), at("d/a"), at("d/link")]);
    fs::create_dir(at("e")).unwrap();
    assert_eq!(code(put(&backend, "e", "").await), ErrorCode::IsDirectory);
    assert_eq!(names(), [at("d"), at("d/a"), at("d/link"), at("e")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_and_sweepers_race_and_no_object_is_mixed_or_lost() {
    for (directory, backend) in [backend(), backend_with_names()] {
        races(directory, backend).await;
    }
}

async fn races(directory: TempDir, backend: FileBackend) {
    let writers = (0..4_u8).map(|writer| {
        let backend = backend.clone();
        tokio::spawn(async move {
            for round in 0..10 {
                let mut upload = backend.write(&path("d/object"), &WriteOptions::default()).await.unwrap();
                for _ in 0..3 {
                    upload.push(vec![writer; 1000].into()).await.unwrap();
                }
                if round % 3 == 0 {
                    drop(upload)
                } else {
                    drop(upload.commit().await.unwrap())
                }
                // The directory goes now and then, but never from under a writer.
                let _ = backend.delete(&[path("d/object")]).await;
                let _ = backend.rmdir(&path("d")).await;
                put(&backend, "d/object", "last").await.unwrap();
            }
        })
    });
    let sweeper = tokio::spawn({
        let backend = backend.clone();
        async move {
            loop {
                // A directory that goes while it is listed is told of, and is no end of the listing.
                if let Err(error) = list(&backend).await {
                    assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
                }
                match backend.read_all(&path("d/object"), &ReadOptions::default(), 1 << 20).await {
                    Ok(bytes) => {
                        let whole =
                            &*bytes == b"last" || bytes.len() == 3000 && bytes.iter().all(|b| *b == bytes[0]);
                        assert!(whole, "mixed");
                    }
                    Err(error) => assert_eq!(error.code(), ErrorCode::NotFound, "{error}"),
                }
            }
        }
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    assert!(!sweeper.is_finished(), "{:?}", sweeper.await);
    sweeper.abort();
    assert_eq!(get(&backend, "d/object").await.unwrap(), "last");
    assert_eq!(on_disk(directory.path()).len(), 2, "{:?}", on_disk(directory.path()));
}

#[tokio::test]
async fn the_longest_name_can_be_written() {
    let (_directory, backend) = backend();
    let name = "n".repeat(255);
    put(&backend, &name, "long").await.unwrap();
    assert_eq!(get(&backend, &name).await.unwrap(), "long");
    assert_eq!(list(&backend).await.unwrap(), [name]);
    assert_eq!(code(put(&backend, &"n".repeat(256), "").await), ErrorCode::InvalidPath);
}

#[tokio::test]
async fn what_cannot_be_promised_is_refused() {
    // As on a file system that exchanges no names.
    let directory = tempfile::tempdir().unwrap();
    let mut root = Root::open(directory.path(), FileOptions::default()).unwrap();
    root.told.exchange = false;
    let backend = FileBackend { root: Arc::new(root) };
    assert!(!backend.capabilities().features.if_match);
    let matching =
        WriteOptions { condition: WriteCondition::IfMatch("etag".into()), ..WriteOptions::default() };
    assert_eq!(code(backend.write_all(&path("a"), "".into(), &matching).await), ErrorCode::Unsupported);
    assert_eq!(code(backend.write(&path("a"), &matching).await.map(drop)), ErrorCode::Unsupported);
    assert!(on_disk(directory.path()).is_empty());
}

#[tokio::test]
async fn an_object_that_changes_while_it_is_read_is_not_a_whole_one() {
    let (directory, backend) = backend();
    let file = directory.path().join("a");
    for change in [
        |file: &std::path::Path| fs::write(file, vec![1; 300]).unwrap(),
        |file: &std::path::Path| fs::write(file, vec![1; 1_000_001]).unwrap(),
        |file: &std::path::Path| fs::write(file, vec![1; 1_000_000]).unwrap(),
    ] {
        fs::write(&file, vec![0; 1_000_000]).unwrap();
        fs::File::open(&file).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let mut contents = backend.read(&path("a"), &ReadOptions::default()).await.unwrap().contents;
        contents.next().await.unwrap().unwrap();
        change(&file);
        let rest: Result<Vec<_>> = contents.try_collect().await;
        let error = rest.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!(error.message().contains("is being changed"), "{error}");
    }
    // Replaced as a whole, the old one is still whole for who reads it.
    fs::write(&file, vec![0; 1_000_000]).unwrap();
    let mut contents = backend.read(&path("a"), &ReadOptions::default()).await.unwrap().contents;
    let mut len = contents.next().await.unwrap().unwrap().len();
    put(&backend, "a", "new").await.unwrap();
    while let Some(chunk) = contents.next().await {
        len += chunk.unwrap().len();
    }
    assert_eq!(len, 1_000_000);
}
