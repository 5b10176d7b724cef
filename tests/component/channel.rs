//! Messages between the host and the component.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    Backend, ChannelBackend, ErrorCode, Path,
    backend::{ReadOptions, WriteOptions},
    runtime::Storage,
};

use crate::{
    setup::{at, memory, storage, tree},
    twisted::failure,
};

fn channel() -> (Arc<dyn Backend>, Storage) {
    let channel: Arc<dyn Backend> = Arc::new(ChannelBackend::default());
    (channel.clone(), storage([("pipe", channel), ("here", memory())]))
}

fn path() -> Path {
    Path::parse("a").unwrap()
}

/// More messages than the queue holds: writer and reader meet.
fn messages() -> Vec<Bytes> {
    (0..200_u32).map(|number| vec![number as u8; 1 + number as usize * 97].into()).collect()
}

#[tokio::test]
async fn the_component_reads_what_the_host_sends() {
    let (channel, storage) = channel();
    let mut writer = channel.write(&path(), &WriteOptions::default()).await.unwrap();
    let sending = tokio::spawn(async move {
        for message in messages() {
            writer.push(message).await.unwrap();
        }
        writer.commit().await.unwrap();
    });
    let reader = storage.read(&at("pipe", "a"), &ReadOptions::default(), None).await.unwrap();
    let received: Vec<Bytes> = reader.contents.try_collect().await.unwrap();
    assert!(received.concat() == messages().concat());
    sending.await.unwrap();
    let gone = storage.read(&at("pipe", "a"), &ReadOptions::default(), None).await;
    assert_eq!(gone.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn the_host_reads_what_the_component_sends() {
    let (channel, storage) = channel();
    let contents = stream::iter(messages()).map(Ok).boxed();
    let (target, options) = (at("pipe", "a"), WriteOptions::default());
    let receive = async {
        while !channel.exists(&path()).await.unwrap() {
            tokio::task::yield_now().await;
        }
        let reader = channel.read(&path(), &ReadOptions::default()).await.unwrap();
        reader.contents.try_collect::<Vec<Bytes>>().await.unwrap()
    };
    let (written, received) = tokio::join!(storage.write(&target, contents, &options, None), receive);
    assert!(received.concat() == messages().concat());
    assert_eq!(written.unwrap().size, Some(messages().concat().len() as u64));
}

/// A body that breaks off is no message stream that ended, and no object.
#[tokio::test]
async fn a_part_is_never_taken_for_the_whole() {
    let (channel, storage) = channel();
    let contents = stream::iter([Ok("part".into()), Err(failure())]).boxed();
    let failed = storage.write(&at("pipe", "a"), contents, &WriteOptions::default(), None).await;
    assert_eq!(failed.unwrap_err().code(), ErrorCode::Unavailable);
    let received = channel.read(&path(), &ReadOptions::default()).await.unwrap().contents;
    assert_eq!(received.try_collect::<Vec<Bytes>>().await.unwrap_err().code(), ErrorCode::Cancelled);

    let mut writer = channel.write(&path(), &WriteOptions::default()).await.unwrap();
    writer.push("part".into()).await.unwrap();
    let reader = storage.read(&at("pipe", "a"), &ReadOptions::default(), None).await.unwrap();
    drop(writer);
    let copied = storage.write(&at("here", "copy"), reader.contents, &WriteOptions::default(), None).await;
    assert_eq!(copied.unwrap_err().code(), ErrorCode::Cancelled);
    let there = storage.stat(&at("here", "copy")).await;
    assert_eq!(there.unwrap_err().code(), ErrorCode::NotFound);
}

/// A tree of channels is copied as any other: the messages of each are an object.
#[tokio::test]
async fn channels_are_copied_to_objects() {
    let (channel, target) = (Arc::new(ChannelBackend::default()), memory());
    for name in ["a", "b/c"] {
        let path = Path::parse(name).unwrap();
        let mut writer = channel.write(&path, &WriteOptions::default()).await.unwrap();
        for part in [name, "-", "end"] {
            writer.push(part.to_owned().into()).await.unwrap();
        }
        writer.commit().await.unwrap();
    }
    let storage = storage([("pipe", channel), ("here", target.clone())]);
    let job = storage.copy(&at("pipe", ""), &at("here", "got"), &Default::default()).await.unwrap();
    assert_eq!(job.outcome().await.unwrap().transferred, 2);
    let expected =
        [("got/a", "a-end"), ("got/b/c", "b/c-end")].map(|(path, text)| (path.into(), text.into()));
    assert_eq!(tree(&*target).await, expected);
}
