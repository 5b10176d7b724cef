//! Uploads that are broken off and resumed, on both servers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it must be")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use omnistorage::{
    Backend, Config, ErrorCode, ObjectInfo, Path, S3Backend, Timestamp,
    backend::{ReadOptions, Upload, WriteCondition, WriteOptions},
};
use omnistorage_test_servers::{BUCKET, Canned, Fault, Proxy, Request, Server, moto};

const PART: usize = 5 << 20;
/// Five parts, of which the last is a small one.
const LEN: usize = 4 * PART + 3;
const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };
const LATER: Timestamp = Timestamp { seconds: 1_100_000_000, nanoseconds: 5 };

/// A store behind a proxy, which tells what it was asked.
struct Store {
    proxy: Proxy,
    config: Config,
    resuming: S3Backend,
    /// The same place, without the setting.
    plain: S3Backend,
}

impl Store {
    fn before(server: &Server) -> Self {
        let proxy = Proxy::before(&server.endpoint);
        // One of the servers lists directory by directory.
        let config = server.config().with("endpoint", &proxy.endpoint).with("sorted_list", "false");
        let config = config.with("part_size", PART.to_string());
        let open = |config: Config| S3Backend::from_config(config).unwrap();
        let (plain, resuming) = (open(config.clone()), open(config.clone().with("resume", "true")));
        Self { proxy, config, resuming, plain }
    }

    /// The numbers of the parts that were sent since it was asked last.
    fn sent(&self) -> Vec<u64> {
        let mut sent: Vec<_> = self.proxy.take_requests().iter().filter_map(Request::part_number).collect();
        sent.sort_unstable();
        sent
    }

    /// Breaks an upload off after the first `parts` of it, which arrive: the source is shorter than announced.
    async fn break_off(&self, contents: &Bytes, parts: usize) -> Vec<u64> {
        drop(self.proxy.take_requests());
        let options = WriteOptions { expected_size: Some(contents.len() as u64), ..kept(LONG_AGO) };
        let mut upload = self.resuming.write(&large(), &options).await.unwrap();
        push(&mut upload, &contents.slice(..parts * PART)).await;
        assert_eq!(upload.commit().await.unwrap_err().code(), ErrorCode::Corrupted);
        let sent = self.sent();
        assert!(!self.plain.exists(&large()).await.unwrap());
        sent
    }

    /// Writes, and holds what is there then to what was written and to what was told of it. Nothing else is left.
    async fn write(&self, contents: &Bytes, options: &WriteOptions) -> Vec<u64> {
        drop(self.proxy.take_requests());
        let mut upload = self.resuming.write(&large(), options).await.unwrap();
        push(&mut upload, contents).await;
        let info = upload.commit().await.unwrap();
        let sent = self.sent();
        let found = self.plain.stat(&large()).await.unwrap();
        assert_eq!((&info.size, &info.etag, info.modified), (&found.size, &found.etag, found.modified));
        assert_eq!((&info.content_type, &info.metadata), (&found.content_type, &found.metadata));
        assert_eq!((&found.content_type, &found.metadata), (&options.content_type, &options.metadata));
        assert_eq!(found.modified, options.modified);
        let all = self.plain.read_all(&large(), &ReadOptions::default(), LEN).await.unwrap();
        assert!(all == contents, "other bytes");
        self.has_no_debris().await;
        sent
    }

    /// The server does what the next request to begin an upload asks for, and its answer does not arrive.
    fn lose_first_beginning(&self) {
        let mut is_lost = false;
        self.proxy.plan(move |request| {
            let is_first = !is_lost && request.method == "POST" && request.target.contains("?uploads");
            is_lost |= is_first;
            is_first.then_some(Fault::LoseAnswer)
        });
    }

    async fn has_no_debris(&self) {
        assert_eq!(self.debris().await, 0, "an upload was left open");
    }

    /// The number of unfinished uploads, which are removed.
    async fn debris(&self) -> u64 {
        self.plain.sweep(&Path::root(), Duration::ZERO).await.unwrap()
    }
}

fn large() -> Path {
    Path::parse("large").unwrap()
}

fn kept(modified: Timestamp) -> WriteOptions {
    WriteOptions {
        content_type: Some("text/css".to_owned()),
        modified: Some(modified),
        metadata: vec![("key".to_owned(), "value".to_owned())],
        ..WriteOptions::default()
    }
}

fn contents() -> Bytes {
    (0..LEN).map(|at| (at % 251) as u8).collect()
}

async fn push(upload: &mut Box<dyn Upload>, contents: &Bytes) {
    for chunk in contents.chunks(700_001) {
        upload.push(contents.slice_ref(chunk)).await.unwrap();
    }
}

async fn only_what_is_missing_is_sent(store: Store) {
    let contents = contents();
    assert_eq!(store.break_off(&contents, 3).await, [1, 2, 3]);
    assert_eq!(store.break_off(&contents, 4).await, [4]);
    assert_eq!(store.write(&contents, &kept(LONG_AGO)).await, [5]);
    // It was complete: the next write begins anew.
    assert_eq!(store.write(&contents, &kept(LONG_AGO)).await, [1, 2, 3, 4, 5]);
}

async fn other_bytes_are_sent_again(store: Store) {
    let old = contents();
    store.break_off(&old, 4).await;
    let mut new = BytesMut::from(&*old);
    new[2 * PART - 1] ^= 1;
    assert_eq!(store.write(&new.freeze(), &kept(LONG_AGO)).await, [2, 5]);
}

async fn an_object_has_fewer_parts_than_were_left(store: Store) {
    let old = contents();
    store.break_off(&old, 4).await;
    assert_eq!(store.write(&old.slice(..PART + 7), &kept(LONG_AGO)).await, [2]);
}

async fn attributes_are_those_of_the_last_write(mut store: Store) {
    let contents = contents();
    for options in [
        kept(LATER),
        WriteOptions { content_type: Some("text/plain".to_owned()), ..kept(LONG_AGO) },
        WriteOptions { metadata: vec![("other".to_owned(), "value".to_owned())], ..kept(LONG_AGO) },
        WriteOptions { metadata: Vec::new(), ..kept(LONG_AGO) },
    ] {
        store.break_off(&contents, 2).await;
        assert_eq!(store.write(&contents, &options).await, [3, 4, 5]);
        store.plain.delete(&[large()]).await.remove(0).unwrap();
    }
    // An object that is too large to be copied onto itself at once.
    let config = store.config.clone().with("resume", "true").with("copy_limit", PART.to_string());
    store.resuming = S3Backend::from_config(config).unwrap();
    store.break_off(&contents, 2).await;
    assert_eq!(store.write(&contents, &kept(LATER)).await, [3, 4, 5]);
}

async fn attributes_that_are_as_wanted_cost_a_single_question(store: Store) {
    let contents = contents();
    store.break_off(&contents, 4).await;
    let mut upload = store.resuming.write(&large(), &kept(LONG_AGO)).await.unwrap();
    push(&mut upload, &contents).await;
    drop(store.proxy.take_requests());
    upload.commit().await.unwrap();
    let asked: Vec<_> = store.proxy.take_requests().into_iter().map(|request| request.method).collect();
    assert_eq!(asked, ["PUT", "POST", "HEAD"]);
}

async fn what_is_given_up_is_left_once_a_part_has_arrived(store: Store) {
    let contents = contents();
    for is_dropped in [false, true] {
        // No more than four parts are on their way: there is a fifth when the first has arrived.
        let mut upload = store.resuming.write(&large(), &kept(LONG_AGO)).await.unwrap();
        push(&mut upload, &contents).await;
        push(&mut upload, &contents).await;
        if is_dropped {
            drop(upload)
        } else {
            upload.abort().await
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let sent = store.write(&contents, &kept(LONG_AGO)).await;
        assert!(sent.len() < 5, "{sent:?}");
    }
}

async fn without_a_part_nothing_is_left(store: Store) {
    let contents = contents();
    for is_dropped in [false, true] {
        store.proxy.plan(|request| request.part_number().map(|_| Fault::Answer(Canned::status(403))));
        let mut upload = store.resuming.write(&large(), &kept(LONG_AGO)).await.unwrap();
        push(&mut upload, &contents.slice(..PART + 1)).await;
        if is_dropped {
            drop(upload)
        } else {
            upload.abort().await
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.proxy.plan(|_| None);
        store.has_no_debris().await;
    }
}

async fn without_the_setting_nothing_is_left_and_nothing_resumed(store: Store) {
    let contents = contents();
    store.break_off(&contents, 3).await;
    let mut upload = store.plain.write(&large(), &kept(LONG_AGO)).await.unwrap();
    push(&mut upload, &contents).await;
    upload.commit().await.unwrap();
    assert_eq!(store.sent(), [1, 2, 3, 4, 5]);
    assert_eq!(store.debris().await, 1, "that of the run before");
    let mut upload = store.plain.write(&large(), &kept(LONG_AGO)).await.unwrap();
    push(&mut upload, &contents).await;
    upload.abort().await;
    store.has_no_debris().await;
}

async fn an_upload_of_another_key_is_none_of_ours(store: Store) {
    let contents = contents();
    let other = Path::parse("large.new").unwrap();
    store.break_off(&contents, 3).await;
    let mut upload = store.resuming.write(&other, &kept(LONG_AGO)).await.unwrap();
    push(&mut upload, &contents).await;
    upload.commit().await.unwrap();
    assert_eq!(store.sent(), [1, 2, 3, 4, 5]);
    assert_eq!(store.debris().await, 1);
}

async fn an_upload_begins_where_none_can_be_looked_for(store: Store) {
    let contents = contents();
    for (of_bucket, canned) in [
        (true, Canned::s3_error(403, "AccessDenied")),
        (true, Canned::s3_error(501, "NotImplemented")),
        (false, Canned::s3_error(403, "AccessDenied")),
    ] {
        store.break_off(&contents, 3).await;
        store.proxy.plan(move |request| {
            let is_listing = match of_bucket {
                true => request.target.contains("uploads") && !request.target.contains("/large"),
                false => request.target.contains("uploadId="),
            };
            (request.method == "GET" && is_listing).then(|| Fault::Answer(canned.clone()))
        });
        let mut upload = store.resuming.write(&large(), &kept(LONG_AGO)).await.unwrap();
        push(&mut upload, &contents).await;
        upload.commit().await.unwrap();
        store.proxy.plan(|_| None);
        assert_eq!(store.sent(), [1, 2, 3, 4, 5]);
        assert_eq!(store.debris().await, 1, "that of the run before");
        store.plain.delete(&[large()]).await.remove(0).unwrap();
    }
}

/// The answer to the request that began it was lost, and so it was begun twice.
async fn of_an_upload_that_was_begun_twice_one_is_left(store: Store) {
    let contents = contents();
    store.lose_first_beginning();
    store.break_off(&contents, 3).await;
    store.proxy.plan(|_| None);
    assert_eq!(store.write(&contents, &kept(LONG_AGO)).await, [4, 5]);
}

/// It is not taken for one whose beginning was lost.
async fn what_is_left_outlasts_an_upload_that_was_begun_twice(store: Store) {
    let contents = contents();
    store.break_off(&contents, 3).await;
    store.lose_first_beginning();
    let mut upload = store.plain.write(&large(), &kept(LATER)).await.unwrap();
    push(&mut upload, &contents).await;
    upload.commit().await.unwrap();
    store.proxy.plan(|_| None);
    assert_eq!(store.write(&contents, &kept(LONG_AGO)).await, [4, 5]);
}

/// What the store would refuse again must not stand in the way of the next run.
async fn what_is_refused_for_good_is_not_left(store: Store) {
    let contents = contents();
    for is_completion in [false, true] {
        store.break_off(&contents, 3).await;
        store.proxy.plan(move |request| {
            let is_it = match is_completion {
                true => request.method == "POST" && request.target.contains("uploadId="),
                false => request.part_number() == Some(4),
            };
            is_it.then(|| Fault::Answer(Canned::s3_error(400, "InvalidRequest")))
        });
        let mut upload = store.resuming.write(&large(), &kept(LONG_AGO)).await.unwrap();
        push(&mut upload, &contents).await;
        assert_eq!(upload.commit().await.unwrap_err().code(), ErrorCode::Other);
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.proxy.plan(|_| None);
        store.has_no_debris().await;
    }
}

/// moto looks at no condition there.
async fn an_unmet_condition_leaves_nothing(store: Store) {
    let contents = contents();
    store.break_off(&contents, 3).await;
    store.plain.write_all(&large(), "old".into(), &WriteOptions::default()).await.unwrap();
    let options = WriteOptions { condition: WriteCondition::IfAbsent, ..kept(LONG_AGO) };
    let mut upload = store.resuming.write(&large(), &options).await.unwrap();
    push(&mut upload, &contents).await;
    assert_eq!(upload.commit().await.unwrap_err().code(), ErrorCode::PreconditionFailed);
    store.has_no_debris().await;
}

/// Only moto takes a request without a signature.
#[tokio::test]
async fn what_another_program_said_of_its_bytes_is_not_said_of_ours() {
    let store = Store::before(moto());
    let prefix: String = store.config.clone().require("prefix").unwrap();
    let host = moto().endpoint.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    write!(
        connection,
        "POST /{BUCKET}/{prefix}/large?uploads HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-length: 0\r\ncontent-type: text/css\r\ncontent-encoding: gzip\r\nx-amz-meta-key: value\r\n\
         x-amz-meta-mtime: 1000000000.123456789\r\nx-amz-meta-md5chksum: JfnnlDI7RTiF9RgfG2JNCw==\r\n\r\n"
    )
    .unwrap();
    let mut begun = String::new();
    connection.read_to_string(&mut begun).unwrap();
    assert!(begun.contains("<UploadId>"), "{begun}");
    let mut upload = store.resuming.write(&large(), &kept(LONG_AGO)).await.unwrap();
    push(&mut upload, &contents()).await;
    drop(store.proxy.take_requests());
    let info = upload.commit().await.unwrap();
    let requests = store.proxy.take_requests();
    let replaced = requests.iter().find(|request| request.is_copy()).unwrap();
    assert!(replaced.headers.iter().all(|(name, _)| name != "content-encoding"), "{replaced:?}");
    let seen = store.plain.stat(&large()).await.unwrap();
    let theirs = "25f9e794323b453885f5181f1b624d0b";
    for info in [&info, &seen] {
        assert!(info.hashes.iter().all(|hash| hash.to_string() != theirs), "{info:?}");
    }
    // Of what the new etag is a digest, a look at the object tells, and not the answer that replaced what lies beside it.
    assert_eq!(ObjectInfo { hashes: Vec::new(), ..seen }, info);
    store.has_no_debris().await;
}

macro_rules! rows {
    ($server:ident: $($row:ident)*) => {
        mod $server {
            $(#[tokio::test]
            async fn $row() {
                super::$row(super::Store::before(omnistorage_test_servers::$server())).await;
            })*
        }
    };
}

rows! { moto:
    only_what_is_missing_is_sent
    other_bytes_are_sent_again
    an_object_has_fewer_parts_than_were_left
    attributes_are_those_of_the_last_write
    attributes_that_are_as_wanted_cost_a_single_question
    what_is_given_up_is_left_once_a_part_has_arrived
    without_a_part_nothing_is_left
    without_the_setting_nothing_is_left_and_nothing_resumed
    an_upload_of_another_key_is_none_of_ours
    an_upload_begins_where_none_can_be_looked_for
    of_an_upload_that_was_begun_twice_one_is_left
    what_is_left_outlasts_an_upload_that_was_begun_twice
    what_is_refused_for_good_is_not_left
}

rows! { weed:
    only_what_is_missing_is_sent
    other_bytes_are_sent_again
    an_object_has_fewer_parts_than_were_left
    attributes_are_those_of_the_last_write
    attributes_that_are_as_wanted_cost_a_single_question
    what_is_given_up_is_left_once_a_part_has_arrived
    without_a_part_nothing_is_left
    without_the_setting_nothing_is_left_and_nothing_resumed
    an_upload_of_another_key_is_none_of_ours
    an_upload_begins_where_none_can_be_looked_for
    of_an_upload_that_was_begun_twice_one_is_left
    what_is_left_outlasts_an_upload_that_was_begun_twice
    what_is_refused_for_good_is_not_left
    an_unmet_condition_leaves_nothing
}
