//! Many callers at once.

use std::sync::Arc;

use crate::{
    shorthand::{Shorthand, path},
    together::{give_way, together},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use omnistorage::{
    Backend, ErrorCode,
    backend::{WriteCondition, WriteOptions},
};

/// Writers of one object race: one of them wins it whole.
pub async fn racing_writers_never_mix(backend: Arc<dyn Backend>) {
    const CHUNK: usize = 16 * 1024;
    const CHUNKS: usize = 16;
    for _ in 0..5 {
        let mut writers = Vec::new();
        for writer in 1..=4_u8 {
            let backend = Arc::clone(&backend);
            writers.push(async move {
                let mut upload = backend.upload("dir/object").await.unwrap();
                for _ in 0..CHUNKS {
                    upload.push(Bytes::from(vec![writer; CHUNK])).await.unwrap();
                    give_way().await;
                }
                upload.commit().await.unwrap();
            });
        }
        together(writers).await;
        let contents = backend.get("dir/object").await.unwrap();
        assert_eq!(contents.len(), CHUNK * CHUNKS);
        assert!(contents.iter().all(|byte| *byte == contents[0]), "a mixture");
        assert_eq!(backend.objects("").await, ["dir/object"]);
    }
}

/// Who reads while others write sees one whole object or another.
pub async fn readers_see_whole_objects(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.atomic_write {
        return;
    }
    let version = |n: u8| Bytes::from(vec![n; 10_000 + usize::from(n)]);
    backend.put("object", version(0)).await.unwrap();
    let mut tasks: Vec<BoxFuture<'static, ()>> = Vec::new();
    for half in [0, 20] {
        let backend = Arc::clone(&backend);
        tasks.push(Box::pin(async move {
            for n in half..half + 20 {
                backend.put("object", version(n)).await.unwrap();
            }
        }));
    }
    for _ in 0..2 {
        let backend = Arc::clone(&backend);
        tasks.push(Box::pin(async move {
            for _ in 0..40 {
                let seen = backend.get("object").await.unwrap();
                assert!(seen == version(seen[0]), "{} bytes of {}", seen.len(), seen[0]);
            }
        }));
    }
    together(tasks).await;
}

/// Writers of different objects, in directories that none of them has made, do not disturb each other.
pub async fn writers_share_new_directories(backend: Arc<dyn Backend>) {
    let mut writers = Vec::new();
    for n in 0..64 {
        let backend = Arc::clone(&backend);
        writers
            .push(async move { drop(backend.put(&format!("new/dir/{n:02}"), n.to_string()).await.unwrap()) });
    }
    together(writers).await;
    assert_eq!(backend.objects("").await, (0..64).map(|n| format!("new/dir/{n:02}")).collect::<Vec<_>>());
    for n in 0..64 {
        assert_eq!(backend.get(&format!("new/dir/{n:02}")).await.unwrap(), n.to_string());
    }
}

/// Of many that create an object if it is absent, one succeeds.
pub async fn one_creator_wins(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.if_absent {
        return;
    }
    let options = WriteOptions { condition: WriteCondition::IfAbsent, ..WriteOptions::default() };
    let mut creators = Vec::new();
    for n in 0..8 {
        let (backend, options) = (Arc::clone(&backend), options.clone());
        creators.push(async move {
            match backend.put_with("object", n.to_string(), &options).await {
                Ok(_) => Some(n),
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::PreconditionFailed, "{error:?}");
                    None
                }
            }
        });
    }
    let winners: Vec<_> = together(creators).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(backend.get("object").await.unwrap(), winners[0].to_string());
}

/// Five workers that count to ten with compare and swap come to fifty.
pub async fn compare_and_swap_loses_no_update(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.if_match {
        return;
    }
    backend.put("counter", "0").await.unwrap();
    let mut workers = Vec::new();
    for _ in 0..5 {
        let backend = Arc::clone(&backend);
        workers.push(async move {
            let mut done = 0;
            while done < 10 {
                let etag = backend.info("counter").await.unwrap().etag.unwrap();
                let seen = backend.get("counter").await.unwrap();
                let next = str::from_utf8(&seen).unwrap().parse::<u32>().unwrap() + 1;
                let options =
                    WriteOptions { condition: WriteCondition::IfMatch(etag), ..WriteOptions::default() };
                match backend.put_with("counter", next.to_string(), &options).await {
                    Ok(_) => done += 1,
                    Err(error) => assert_eq!(error.code(), ErrorCode::PreconditionFailed, "{error:?}"),
                }
            }
        });
    }
    together(workers).await;
    assert_eq!(backend.get("counter").await.unwrap(), "50");
}

/// Several may delete the same objects at once.
pub async fn deleters_share_objects(backend: Arc<dyn Backend>) {
    let paths: Vec<_> = (0..50).map(|n| path(&format!("dir/{n}"))).collect();
    for path in &paths {
        backend.put(path.as_str(), "x").await.unwrap();
    }
    let mut deleters = Vec::new();
    for _ in 0..4 {
        let (backend, paths) = (Arc::clone(&backend), paths.clone());
        deleters.push(async move {
            for result in backend.delete(&paths).await {
                result.unwrap();
            }
        });
    }
    together(deleters).await;
    assert_eq!(backend.objects("").await, [""; 0]);
}
