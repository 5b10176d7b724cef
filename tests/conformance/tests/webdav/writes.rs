//! What a write asks a server of WebDAV for, and what it makes of others who are faster.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use omnistorage::{
    Backend, ErrorCode, OpendalBackend, Path,
    backend::{ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, webdav};

/// A backend through a proxy, and the same past it.
struct Two {
    proxy: Proxy,
    through: OpendalBackend,
    straight: OpendalBackend,
}

impl Two {
    fn new() -> Self {
        let server = webdav();
        let proxy = Proxy::before(&server.endpoint);
        let config = server.config();
        let straight = OpendalBackend::webdav(config.clone()).unwrap();
        let through = OpendalBackend::webdav(config.with("endpoint", &proxy.endpoint)).unwrap();
        Self { proxy, through, straight }
    }

    async fn put(&self, at: &str, text: &'static str) -> omnistorage::Result<()> {
        self.through.write_all(&path(at), text.into(), &WriteOptions::default()).await.map(drop)
    }

    async fn read(&self, at: &str) -> omnistorage::Result<bytes::Bytes> {
        self.straight.read_all(&path(at), &ReadOptions::default(), 1000).await
    }

    /// The methods of the requests since the last call, sorted: some are sent at once.
    fn asked(&self) -> Vec<String> {
        let mut methods: Vec<_> =
            self.proxy.take_requests().into_iter().map(|request| request.method).collect();
        methods.sort();
        methods
    }

    /// The first request of a method to what ends so is answered with that status by somebody else.
    fn answer_first(&self, method: &'static str, end: &'static str, status: u16) -> Arc<AtomicUsize> {
        self.fail_first(method, end, Fault::Answer(Canned::status(status)))
    }

    /// The first request of a method to what ends so fails. Gives how many there were.
    fn fail_first(&self, method: &'static str, end: &'static str, fault: Fault) -> Arc<AtomicUsize> {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = seen.clone();
        self.proxy.plan(move |request| {
            let is_meant = request.method == method && request.target.ends_with(end);
            let is_first = is_meant && counted.fetch_add(1, Ordering::Relaxed) == 0;
            is_first.then(|| fault.clone())
        });
        seen
    }
}

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

#[tokio::test]
async fn in_a_known_directory_a_new_object_takes_four_requests() {
    let two = Two::new();
    two.put("dir/a", "a").await.unwrap();
    two.asked();
    for (at, text, looks) in [("dir/b", "new", 2), ("dir/b", "replaced", 3), ("dir/a", "replaced", 3)] {
        two.put(at, text).await.unwrap();
        let asked = [&["MOVE"][..], &vec!["PROPFIND"; looks], &["PUT"]].concat();
        assert_eq!(two.asked(), asked, "{at}");
        assert_eq!(two.read(at).await.unwrap(), text);
    }
    let options = WriteOptions::default();
    two.through.move_to(&path("dir/b"), &two.through, &path("dir/c"), &options).await.unwrap();
    // The source, the place and the directory above it before, and the object after.
    assert_eq!(two.asked(), ["MOVE", "PROPFIND", "PROPFIND", "PROPFIND", "PROPFIND"]);
}

#[tokio::test]
async fn a_directory_that_is_gone_is_made_again() {
    let two = Two::new();
    two.put("dir/deep/a", "a").await.unwrap();
    two.straight.purge(&path("dir")).await.unwrap();
    two.put("dir/deep/b", "b").await.unwrap();
    assert_eq!(two.read("dir/deep/b").await.unwrap(), "b");
    // One that goes between the bytes and the move takes the bytes along.
    two.proxy.plan(|request| (request.method == "MOVE").then(|| Fault::Answer(Canned::status(409))));
    let refused = two.put("dir/deep/c", "c").await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable, "{refused}");
    two.proxy.plan(|_| None);
    two.put("dir/deep/c", "c").await.unwrap();
    assert_eq!(two.read("dir/deep/c").await.unwrap(), "c");
}

/// What is not there any more when an object is put in its place was there when it was looked for: somebody was faster.
#[tokio::test]
async fn a_directory_is_not_replaced_and_an_object_is() {
    let two = Two::new();
    for known in [false, true] {
        let (directory, object) = (format!("{known}/directory"), format!("{known}/object"));
        let options = WriteOptions::default();
        two.straight.write_all(&path(&format!("{directory}/in it")), "x".into(), &options).await.unwrap();
        two.straight.write_all(&path(&object), "old".into(), &options).await.unwrap();
        if known {
            two.put(&format!("{known}/other"), "x").await.unwrap();
        }
        let seen = two.answer_first("PROPFIND", "/directory", 404);
        let refused = two.put(&directory, "new").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::IsDirectory, "{refused}");
        assert_eq!(seen.load(Ordering::Relaxed), 2, "it is looked at again");
        assert_eq!(two.read(&format!("{directory}/in it")).await.unwrap(), "x");
        two.answer_first("PROPFIND", "/object", 404);
        two.put(&object, "new").await.unwrap();
        assert_eq!(two.read(&object).await.unwrap(), "new");
    }
}

#[tokio::test]
async fn a_move_that_may_pass_is_tried_again() {
    let two = Two::new();
    for status in [403, 423, 500, 503] {
        let seen = two.answer_first("MOVE", "", status);
        two.put("dir/a", "a").await.unwrap();
        assert_eq!(seen.load(Ordering::Relaxed), 2, "{status}");
    }
    let seen = two.answer_first("MOVE", "", 507);
    let refused = two.put("dir/a", "b").await.unwrap_err();
    assert_eq!((refused.code(), seen.load(Ordering::Relaxed)), (ErrorCode::NoSpace, 1), "{refused}");
    assert_eq!(two.read("dir/a").await.unwrap(), "a");
}

/// Bytes that the server says it took, and did not, are under no name, and replace nothing.
#[tokio::test]
async fn bytes_that_never_came_are_no_object() {
    let two = Two::new();
    two.put("dir/a", "old").await.unwrap();
    for at in ["dir/a", "dir/b", "other/c"] {
        two.answer_first("PUT", "", 201);
        two.put(at, "new").await.unwrap_err();
    }
    assert_eq!(two.read("dir/a").await.unwrap(), "old");
    for at in ["dir/b", "other/c"] {
        assert!(!two.straight.exists(&path(at)).await.unwrap(), "{at}");
    }
}

/// A move that was done, and whose answer was lost, is not done again over what it moved.
#[tokio::test]
async fn what_is_in_place_stays_there_if_nobody_hears_of_it() {
    let two = Two::new();
    two.put("dir/old", "old").await.unwrap();
    for at in ["dir/old", "dir/new"] {
        two.fail_first("MOVE", "", Fault::LoseAnswer);
        let refused = two.put(at, "new").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unavailable, "{refused}");
        assert_eq!(two.read(at).await.unwrap(), "new");
        two.put(at, "newer").await.unwrap();
        assert_eq!(two.read(at).await.unwrap(), "newer");
    }
}
