//! What a queue must do whatever the order of things, and what went wrong in others.

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};

use super::*;
use crate::backend::Contents;

/// Longer than anything here takes, unless it hangs.
const SOON: Duration = Duration::from_secs(20);
/// Long enough to see that somebody waits.
const A_MOMENT: Duration = Duration::from_millis(20);

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn channel(capacity: usize, replay: bool) -> ChannelBackend {
    ChannelBackend::new(ChannelOptions {
        capacity: NonZeroUsize::new(capacity).unwrap(),
        replay,
        ..ChannelOptions::default()
    })
}

async fn writer(channel: &ChannelBackend) -> Box<dyn Upload> {
    channel.write(&path("a"), &WriteOptions::default()).await.unwrap()
}

async fn reader(channel: &ChannelBackend) -> Contents {
    channel.read(&path("a"), &ReadOptions::default()).await.unwrap().contents
}

async fn send(channel: &ChannelBackend, messages: &[&'static str]) {
    let mut writer = writer(channel).await;
    for message in messages {
        writer.push((*message).into()).await.unwrap();
    }
    writer.commit().await.unwrap();
}

/// The messages, and how it ended.
async fn rest(mut contents: Contents) -> (Vec<Bytes>, Option<ErrorCode>) {
    let mut messages = Vec::new();
    while let Some(message) = timeout(SOON, contents.next()).await.unwrap() {
        match message {
            Ok(message) => messages.push(message),
            Err(error) => return (messages, Some(error.code())),
        }
    }
    (messages, None)
}

#[tokio::test]
async fn boundaries_are_kept() {
    let channel = channel(9, false);
    send(&channel, &["one", "", "a longer one", "x"]).await;
    assert_eq!(
        rest(reader(&channel).await).await,
        (vec!["one".into(), "".into(), "a longer one".into(), "x".into()], None)
    );
}

#[tokio::test]
async fn an_unknown_path_is_not_found_and_does_not_come_to_be() {
    let channel = ChannelBackend::default();
    let unknown = timeout(SOON, channel.read(&path("a"), &ReadOptions::default())).await.unwrap();
    assert_eq!(unknown.unwrap_err().code(), ErrorCode::NotFound);
    assert!(!channel.exists(&path("a")).await.unwrap());
}

#[tokio::test]
async fn a_path_can_be_written_again() {
    let channel = ChannelBackend::default();
    for round in ["one", "two", "three"] {
        send(&channel, &[round]).await;
        assert_eq!(rest(reader(&channel).await).await, (vec![round.into()], None));
        assert!(!channel.exists(&path("a")).await.unwrap(), "what was read to its end is still there");
    }
    send(&channel, &["one"]).await;
    send(&channel, &["two"]).await;
    assert_eq!(rest(reader(&channel).await).await.0, ["one", "two"]);
}

#[tokio::test]
async fn a_full_queue_makes_the_writer_wait() {
    let channel = channel(2, false);
    let mut writer = writer(&channel).await;
    writer.push("1".into()).await.unwrap();
    writer.push("2".into()).await.unwrap();
    assert!(timeout(A_MOMENT, writer.push("given up".into())).await.is_err());
    let mut reader = reader(&channel).await;
    let waiting = tokio::spawn(async move {
        writer.push("3".into()).await.unwrap();
        writer.commit().await.unwrap();
    });
    assert_eq!(reader.next().await, Some(Ok("1".into())));
    timeout(SOON, waiting).await.unwrap().unwrap();
    assert_eq!(rest(reader).await, (vec!["2".into(), "3".into()], None));
}

#[tokio::test]
async fn each_message_goes_to_one_reader() {
    let channel = channel(3, false);
    let mut tasks = JoinSet::new();
    let mut writers = Vec::new();
    for _ in 0..4 {
        writers.push(writer(&channel).await);
    }
    for _ in 0..3 {
        tasks.spawn(rest(reader(&channel).await));
    }
    for (number, mut writer) in writers.into_iter().enumerate() {
        tokio::spawn(async move {
            for message in 0..250 {
                writer.push(format!("{number} {message}").into()).await.unwrap();
                tokio::task::yield_now().await;
            }
            writer.commit().await.unwrap();
        });
    }
    let mut all = Vec::new();
    for (messages, error) in timeout(SOON, tasks.join_all()).await.unwrap() {
        assert_eq!(error, None, "the end came before all writers had ended");
        all.extend(messages);
    }
    assert_eq!(all.len(), 1000);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1000);
}

#[tokio::test]
async fn replay_gives_each_reader_everything_once() {
    let channel = channel(100, true);
    let early = {
        let mut writer = writer(&channel).await;
        let early = tokio::spawn(rest(reader(&channel).await));
        for number in 0..10 {
            writer.push(format!("{number}").into()).await.unwrap();
        }
        writer.commit().await.unwrap();
        early.await.unwrap()
    };
    let late = rest(reader(&channel).await).await;
    assert_eq!(late.0.len(), 10);
    assert_eq!((early.clone(), late.clone()), (late.clone(), rest(reader(&channel).await).await));
    assert!(channel.exists(&path("a")).await.unwrap());
    channel.delete(&[path("a")]).await.remove(0).unwrap();
    assert!(!channel.exists(&path("a")).await.unwrap());
}

#[tokio::test]
async fn a_full_replay_is_an_error_and_no_hang() {
    let channel = channel(3, true);
    let mut writer = writer(&channel).await;
    for _ in 0..3 {
        writer.push("x".into()).await.unwrap();
    }
    let beyond = timeout(SOON, writer.push("x".into())).await.unwrap();
    assert_eq!(beyond.unwrap_err().code(), ErrorCode::LimitExceeded);
    writer.abort().await;
    assert_eq!(rest(reader(&channel).await).await.1, Some(ErrorCode::Cancelled));
}

/// A backend whose messages take so many bytes, with what each takes beside its own.
fn of_bytes(capacity_bytes: u64, replay: bool) -> ChannelBackend {
    ChannelBackend::new(ChannelOptions { capacity_bytes, replay, ..ChannelOptions::default() })
}

#[tokio::test]
async fn the_bytes_of_all_queues_make_their_writers_wait() {
    let channel = of_bytes(100 + 2 * MESSAGE, false);
    let mut first = writer(&channel).await;
    let mut other = channel.write(&path("b"), &WriteOptions::default()).await.unwrap();
    first.push(vec![1; 60].into()).await.unwrap();
    other.push(vec![2; 40].into()).await.unwrap();
    // What gives up waiting has taken nothing.
    assert!(timeout(A_MOMENT, other.push(vec![0; 1].into())).await.is_err());
    let mut reader = reader(&channel).await;
    let waiting = tokio::spawn(async move {
        other.push(vec![3; 60].into()).await.unwrap();
        other.commit().await.unwrap();
    });
    tokio::time::sleep(A_MOMENT).await;
    assert!(!waiting.is_finished());
    assert_eq!(reader.next().await, Some(Ok(vec![1; 60].into())));
    timeout(SOON, waiting).await.unwrap().unwrap();
    let got = channel.read(&path("b"), &ReadOptions::default()).await.unwrap().contents;
    assert_eq!(rest(got).await, (vec![vec![2; 40].into(), vec![3; 60].into()], None));
}

#[tokio::test]
async fn a_message_that_is_larger_than_all_room_is_alone() {
    let channel = of_bytes(10, false);
    let mut writer = writer(&channel).await;
    timeout(SOON, writer.push(vec![0; 1000].into())).await.unwrap().unwrap();
    assert!(timeout(A_MOMENT, writer.push(Bytes::new())).await.is_err());
    // The queue goes, and with it whoever waits for room in it.
    let (waiting, ()) = tokio::join!(timeout(SOON, writer.push(Bytes::new())), async {
        tokio::time::sleep(A_MOMENT).await;
        channel.delete(&[path("a")]).await.remove(0).unwrap();
    });
    assert_eq!(waiting.unwrap().unwrap_err().code(), ErrorCode::WriterClosed);
    send(&channel, &["there is room again"]).await;
}

#[tokio::test]
async fn a_replay_with_too_many_bytes_is_an_error_and_no_hang() {
    let channel = of_bytes(100 + 2 * MESSAGE, true);
    let mut writer = writer(&channel).await;
    writer.push(vec![0; 100].into()).await.unwrap();
    let beyond = timeout(SOON, writer.push(vec![0; 1].into())).await.unwrap();
    assert_eq!(beyond.unwrap_err().code(), ErrorCode::LimitExceeded);
    writer.push(Bytes::new()).await.unwrap();
}

#[test]
fn settings_are_taken_or_refused() {
    let opened = |key, value| ChannelBackend::from_config(Config::from([(key, value)]));
    assert_eq!(opened("capacity_bytes", "1000").unwrap().options.capacity_bytes, 1000);
    for (key, value) in [("capacity_bytes", "many"), ("capacity", "0"), ("capacitybytes", "1")] {
        assert!(opened(key, value).unwrap_err().message().contains(key), "{key}");
    }
}

#[tokio::test]
async fn a_part_is_never_taken_for_the_whole() {
    for is_dropped in [true, false] {
        let channel = ChannelBackend::default();
        let mut writer = writer(&channel).await;
        writer.push("part".into()).await.unwrap();
        let reader = reader(&channel).await;
        if is_dropped {
            drop(writer);
        } else {
            writer.abort().await;
        }
        assert_eq!(rest(reader).await, (vec!["part".into()], Some(ErrorCode::Cancelled)));
        assert!(!channel.exists(&path("a")).await.unwrap());
    }
}

#[tokio::test]
async fn what_was_announced_must_come_or_the_readers_know() {
    let channel = ChannelBackend::default();
    let options = WriteOptions { expected_size: Some(4), ..WriteOptions::default() };
    let mut writer = channel.write(&path("a"), &options).await.unwrap();
    writer.push("123".into()).await.unwrap();
    let reader = reader(&channel).await;
    assert_eq!(writer.commit().await.unwrap_err().code(), ErrorCode::Corrupted);
    assert_eq!(rest(reader).await, (vec!["123".into()], Some(ErrorCode::Corrupted)));
}

#[tokio::test]
async fn who_sent_nothing_leaves_nothing() {
    let channel = ChannelBackend::default();
    writer(&channel).await.abort().await;
    drop(writer(&channel).await);
    assert!(!channel.exists(&path("a")).await.unwrap());
    writer(&channel).await.commit().await.unwrap(); // no message is data too
    assert_eq!(rest(reader(&channel).await).await, (vec![], None));
}

/// The end of the path, or of all paths, comes to those that wait.
#[tokio::test]
async fn who_waits_is_told_that_it_is_over() {
    for by_close in [true, false] {
        let over = async |channel: &ChannelBackend| {
            tokio::time::sleep(A_MOMENT).await;
            if by_close {
                channel.close().await.unwrap();
                channel.close().await.unwrap();
            } else {
                channel.delete(&[path("a")]).await.remove(0).unwrap();
            }
        };
        let expected = |code| if by_close { ErrorCode::BackendClosed } else { code };

        let full = channel(1, false);
        let mut sender = writer(&full).await;
        sender.push("x".into()).await.unwrap();
        let (blocked, ()) = tokio::join!(timeout(SOON, sender.push("y".into())), over(&full));
        let code = blocked.unwrap().unwrap_err().code();
        assert_eq!(code, expected(ErrorCode::WriterClosed));
        assert_eq!(sender.push("z".into()).await.unwrap_err().code(), expected(ErrorCode::WriterClosed));
        assert_eq!(sender.commit().await.unwrap_err().code(), expected(ErrorCode::WriterClosed));

        let empty = channel(1, false);
        let sender = writer(&empty).await;
        let (received, ()) = tokio::join!(rest(reader(&empty).await), over(&empty));
        assert_eq!(received, (vec![], Some(expected(ErrorCode::ReaderClosed))));
        drop(sender);
    }
}

#[tokio::test]
async fn a_deleted_path_begins_anew() {
    let channel = ChannelBackend::default();
    let mut old = writer(&channel).await;
    old.push("old".into()).await.unwrap();
    channel.delete(&[path("a")]).await.remove(0).unwrap();
    send(&channel, &["new"]).await;
    drop(old);
    assert_eq!(rest(reader(&channel).await).await, (vec!["new".into()], None));
}

/// Nothing hangs and nothing panics, in whatever order writers, readers, deletes and the close come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_is_survived() {
    for round in 0..60_u64 {
        let channel = channel(1 + round as usize % 3, false);
        let mut tasks = JoinSet::new();
        for task in 0..12_u64 {
            let channel = channel.clone();
            tasks.spawn(async move {
                for step in 0..20 {
                    match (round * 7 + task * 5 + step * 3) % 11 {
                        0 => drop(channel.delete(&[path("a")]).await),
                        1 if step > 15 => drop(channel.close().await),
                        number @ 2..=6 => {
                            let Ok(mut writer) = channel.write(&path("a"), &WriteOptions::default()).await
                            else {
                                continue;
                            };
                            let pushed = timeout(Duration::from_millis(1), writer.push("x".into())).await;
                            match number {
                                2 => drop(writer),
                                3 => writer.abort().await,
                                _ => drop((pushed, writer.commit().await)),
                            }
                        }
                        _ => {
                            let Ok(mut reader) = channel.read(&path("a"), &ReadOptions::default()).await
                            else {
                                continue;
                            };
                            drop(timeout(Duration::from_millis(1), reader.contents.next()).await);
                        }
                    }
                }
            });
        }
        timeout(SOON, tasks.join_all()).await.unwrap();
    }
}

#[test]
fn a_queue_has_room() {
    let refused = ChannelBackend::from_config(Config::from([("capacity", "0")])).unwrap_err();
    assert!(refused.message().contains("`capacity`"), "{refused}");
    assert!(ChannelBackend::from_config(Config::from([("capacity", "-1")])).is_err());
    assert!(ChannelBackend::from_config(Config::from([("capacity", "1"), ("replay", "true")])).is_ok());
}
