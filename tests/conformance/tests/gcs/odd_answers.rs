//! Whatever answers in the place of the store, nothing is concluded from it: no listing ends, nothing counts as deleted or
//! written.

use omnistorage::{
    Backend, ErrorCode, GcsBackend, Path, Result, Timestamp,
    backend::{ListOptions, WriteOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, Request, gcs::Gcs, odd::ODD};

use crate::shorthand::{PART, backend, get, list, path, pattern, put};

const TREE: [&str; 4] = ["dir/a", "dir/b", "dir/c", "other"];

/// A bucket with objects, one way to it, and another one that can be broken.
struct Store {
    straight: GcsBackend,
    proxy: Proxy,
    through: GcsBackend,
}

impl Store {
    async fn new() -> Self {
        let store = Gcs::start();
        let config = store.config_below("odd");
        let proxy = Proxy::before(&store.endpoint);
        let through = backend(config.clone().with("endpoint", &proxy.endpoint));
        let straight = backend(config);
        for name in TREE {
            put(&straight, name, &pattern(5), &WriteOptions::default()).await.unwrap();
        }
        Self { straight, proxy, through }
    }

    /// Answers all requests that are meant by each of the odd bodies, and holds what asks to an error, after which all is
    /// as it was.
    async fn refuses(&self, is_meant: fn(&Request) -> bool, ask: impl AsyncFn(&GcsBackend) -> Result<()>) {
        let before = list(&self.straight, &recursive()).await.unwrap();
        for body in ODD {
            let canned = Canned::status(200).body(body);
            self.proxy.plan(move |request| is_meant(request).then(|| Fault::Answer(canned.clone())));
            let asked = ask(&self.through).await;
            self.proxy.plan(|_| None);
            let error = asked.err().unwrap_or_else(|| panic!("{body} is taken for an answer"));
            assert_ne!(error.code(), ErrorCode::NotFound, "{body}: {error}");
        }
        assert_eq!(list(&self.straight, &recursive()).await.unwrap(), before);
    }
}

fn recursive() -> ListOptions {
    ListOptions { recursive: true, ..ListOptions::default() }
}

fn is_listing(request: &Request) -> bool {
    request.method == "GET" && request.target.starts_with("/storage/") && request.target.contains("/o?")
}

fn page(keys: &[&str], next: &str) -> Canned {
    let items: Vec<_> = keys
        .iter()
        .map(|key| {
            serde_json::json!({"kind": "storage#object", "name": key, "size": "1", "generation": "7",
                "timeCreated": "2026-01-01T00:00:00Z"})
        })
        .collect();
    let page = serde_json::json!({"kind": "storage#objects", "items": items, "nextPageToken": next});
    Canned::status(200).body(&page.to_string())
}

#[tokio::test]
async fn a_listing_does_not_end_by_another_document() {
    let store = Store::new().await;
    store.refuses(is_listing, async |backend| list(backend, &recursive()).await.map(drop)).await;
    store.refuses(is_listing, async |backend| backend.purge(&path("dir")).await.map(drop)).await;
    for body in ODD {
        store.proxy.plan(move |request| {
            let is_second = request.target.contains("pageToken");
            let answer =
                if is_second { Canned::status(200).body(body) } else { page(&["odd/dir/a"], "next") };
            is_listing(request).then_some(Fault::Answer(answer))
        });
        assert!(list(&store.through, &recursive()).await.is_err(), "{body} ends a listing");
        assert!(store.through.purge(&path("dir")).await.is_err(), "{body} ends a listing");
    }
}

#[tokio::test]
async fn nothing_is_deleted_by_another_answer() {
    let store = Store::new().await;
    let is_deletion = |request: &Request| request.target.starts_with("/batch/") || request.method == "DELETE";
    store.refuses(is_deletion, async |backend| backend.purge(&path("dir")).await.map(drop)).await;
    store.refuses(is_deletion, async |backend| backend.delete(&[path("other")]).await.remove(0)).await;
    store
        .refuses(is_deletion, async |backend| {
            let results = backend.delete(&TREE.map(path)).await;
            assert!(results.iter().all(Result::is_err), "{results:?}");
            results.into_iter().collect()
        })
        .await;
    // An address that some other server does not know is no object that is gone.
    store.proxy.plan(|request| {
        (request.method == "DELETE").then(|| Fault::Answer(Canned::status(404).body("<html>404</html>")))
    });
    assert!(store.through.delete(&[path("other")]).await.remove(0).is_err());
}

#[tokio::test]
async fn nothing_is_written_by_another_answer() {
    let store = Store::new().await;
    let options = WriteOptions::default();
    let is_upload = |request: &Request| request.target.starts_with("/upload/") && request.method == "POST";
    let small = async |backend: &GcsBackend| put(backend, "new", &pattern(5), &options).await.map(drop);
    let large =
        async |backend: &GcsBackend| put(backend, "new", &pattern(PART + 1), &options).await.map(drop);
    store.refuses(is_upload, small).await;
    store.refuses(is_upload, large).await;
    store.refuses(|request| request.method == "PUT", large).await;
    let copy = async |backend: &GcsBackend| {
        backend.copy_to(&path("other"), backend, &path("new"), &options).await.map(drop)
    };
    store.refuses(|request| request.target.contains("/rewriteTo/"), copy).await;
    let set = async |backend: &GcsBackend| {
        backend.set_modified(&path("other"), Timestamp { seconds: 1, nanoseconds: 0 }).await
    };
    store.refuses(|request| request.method == "PATCH", set).await;
}

#[tokio::test]
async fn another_answer_is_no_object() {
    let store = Store::new().await;
    let about_object = |request: &Request| request.method == "GET" && !is_listing(request);
    store.refuses(about_object, async |backend| backend.stat(&path("other")).await.map(drop)).await;
    store.refuses(about_object, async |backend| get(backend, "other").await.map(drop)).await;
}

#[tokio::test]
async fn of_many_keys_each_has_its_own_end() {
    let store = Store::new().await;
    store.proxy.plan(|request| {
        let part = |number: usize, status: &str, body: &str| {
            format!(
                "--x\r\nContent-Type: application/http\r\nContent-ID: <response-{number}>\r\n\r\n\
                 HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
            )
        };
        let parts = [
            // Of one nothing is said, one is said in another way, and one is refused.
            part(1, "200 OK", "<html></html>"),
            part(
                2,
                "403 Forbidden",
                r#"{"error":{"code":403,"message":"no","errors":[{"reason":"forbidden"}]}}"#,
            ),
            part(3, "404 Not Found", r"<html></html>"),
        ];
        let answer = Canned::status(200).header("content-type", "multipart/mixed; boundary=x");
        let answer = answer.body(&format!("{}--x--", parts.concat()));
        request.target.starts_with("/batch/").then_some(Fault::Answer(answer))
    });
    let results = store.through.delete(&TREE.map(path)).await;
    let error = results[2].as_ref().unwrap_err();
    assert_eq!((error.code(), error.location().unwrap().1), (ErrorCode::PermissionDenied, "dir/c"));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3, "{results:?}");
    let methods: Vec<_> = store.proxy.take_requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["POST", "DELETE", "DELETE", "DELETE"], "what is refused is not asked again");
    let left = list(&store.straight, &recursive()).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["dir/c"]);
}

#[tokio::test]
async fn a_listing_stays_where_it_is_and_comes_to_an_end() {
    let store = Store::new().await;
    for keys in [["odd/zzz", "odd/dir/a"], ["odd/dir/a", "odd/dir-a"], ["odd/dir", "odd/dir/a"]] {
        store.proxy.plan(move |request| is_listing(request).then(|| Fault::Answer(page(&keys, ""))));
        let error = store.through.purge(&path("dir")).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Corrupted, "{error}");
    }
    for tokens in [&["1"][..], &["1", "2"], &["1", "2", "3"]] {
        let mut tokens = tokens.iter().cycle();
        store.proxy.plan(move |request| {
            is_listing(request).then(|| Fault::Answer(page(&[], tokens.next().unwrap())))
        });
        assert!(list(&store.through, &recursive()).await.is_err());
        assert!(store.through.purge(&Path::root()).await.is_err());
    }
    assert!(store.proxy.take_requests().iter().all(is_listing));
    store.proxy.plan(|request| is_listing(request).then_some(Fault::Endless(200)));
    assert_eq!(list(&store.through, &recursive()).await.unwrap_err().code(), ErrorCode::LimitExceeded);
}
