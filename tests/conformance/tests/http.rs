//! Web servers are read for what is there, and nothing else is taken for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it must be")]

use std::{fs, os::unix::ffi::OsStrExt, process::Command};

use bytes::Bytes;
use omnistorage::{
    Backend, Config, ErrorCode, HttpBackend, ObjectKind, Path, Registry, Result,
    backend::{ListOptions, Listed, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::{Canned, Fault, Proxy, Web, nginx, python_web, rclone};

/// Names that one of the servers could change on the way.
const NAMES: [&str; 14] = [
    "a-b",
    "a/deep/er/x",
    "a/x",
    "a0",
    "blank at the end ",
    "d%2Fe/100% +&?=#;,'\"é日",
    "colon:name",
    "back\\slash",
    "<tag>&amp;",
    "..foo",
    ".hidden",
    "empty",
    "index of",
    "~",
];

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

fn contents(name: &str) -> Bytes {
    if name == "empty" { Bytes::new() } else { name.repeat(1000).into() }
}

/// Writes all of them.
fn fill(web: &Web) {
    for name in NAMES {
        let file = web.directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, contents(name)).unwrap();
    }
    fs::create_dir(web.directory.join("nothing in it")).unwrap();
}

fn backend(endpoint: &str) -> HttpBackend {
    HttpBackend::from_config(Config::from([("endpoint", endpoint)])).unwrap()
}

async fn listed(backend: &HttpBackend, prefix: &str, options: &ListOptions) -> Result<Vec<Listed>> {
    let mut listing = backend.list(&path(prefix), options).await?;
    let mut all = Vec::new();
    loop {
        let some = listing.next(3).await?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

async fn names(backend: &HttpBackend, prefix: &str, options: &ListOptions) -> Vec<String> {
    let all = listed(backend, prefix, options).await.unwrap();
    all.into_iter().map(|listed| listed.into_entry().unwrap().path.to_string()).collect()
}

fn recursive() -> ListOptions {
    ListOptions { recursive: true, ..ListOptions::default() }
}

/// All objects are read and listed, as they are.
async fn all_is_there(web: &Web) {
    fill(web);
    let backend = backend(&web.endpoint);
    let mut sorted = NAMES.to_vec();
    sorted.sort_unstable();
    // nginx does not show names with a dot in front; who knows them can read them.
    let page = fs::read(web.directory.join("..foo")).unwrap();
    assert!(backend.read_all(&path("..foo"), &ReadOptions::default(), 1 << 20).await.unwrap() == page);
    if web.hides_dots {
        sorted.retain(|name| !name.starts_with('.'));
    }
    let all = listed(&backend, "", &recursive()).await.unwrap();
    let all: Vec<_> = all.into_iter().map(|listed| listed.into_entry().unwrap()).collect();
    assert_eq!(all.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), sorted);
    for entry in &all {
        let name = entry.path.as_str();
        let modified = fs::metadata(web.directory.join(name)).unwrap().modified().unwrap();
        let modified = omnistorage::Timestamp::from(modified);
        assert_eq!(entry.size, Some(contents(name).len() as u64), "{name}");
        // Headers have whole seconds.
        assert_eq!(entry.modified.unwrap().seconds, modified.seconds, "{name}");
        assert_eq!(backend.stat(&entry.path).await.unwrap(), *entry);
        let read = backend.read_all(&entry.path, &ReadOptions::default(), 1 << 20).await.unwrap();
        assert!(read == contents(name), "{name}");
    }
    assert_eq!(names(&backend, "a", &recursive()).await, ["a/deep/er/x", "a/x"]);
    assert_eq!(names(&backend, "a", &ListOptions::default()).await, ["a/deep", "a/x"]);
    assert_eq!(names(&backend, "nothing in it", &recursive()).await, [""; 0]);
    let bounds = ListOptions { start_after: Some(path("a/deep")), until: Some(path("a0")), ..recursive() };
    assert_eq!(names(&backend, "", &bounds).await, ["a/deep/er/x", "a/x", "a0"]);
    assert_eq!(backend.stat(&path("a")).await.unwrap().kind, ObjectKind::Directory);
    assert_eq!(backend.stat(&Path::root()).await.unwrap().kind, ObjectKind::Directory);
}

/// Ranges are those bytes, whether or not the server knows any, and of the version that was asked for.
async fn ranges_are_read(web: &Web) {
    fill(web);
    let backend = backend(&web.endpoint);
    let all = contents("a-b");
    let etag = backend.stat(&path("a-b")).await.unwrap().etag;
    for (offset, length) in
        [(0, Some(1)), (5, Some(100)), (2999, None), (2990, Some(100)), (3000, None), (9999, Some(1))]
    {
        let options = ReadOptions { offset, length, if_match: etag.clone() };
        let read = backend.read_all(&path("a-b"), &options, 1 << 20).await.unwrap();
        let from = (offset as usize).min(all.len());
        let to = length.map_or(all.len(), |length| (from + length as usize).min(all.len()));
        assert!(read == all.slice(from..to), "{offset} {length:?}");
    }
    let read = backend.read_all(&path("empty"), &ReadOptions::default(), 1).await.unwrap();
    assert!(read.is_empty());
    fs::write(web.directory.join("a-b"), "another one").unwrap();
    let options = ReadOptions { if_match: etag, ..ReadOptions::default() };
    let error = backend.read_all(&path("a-b"), &options, 1 << 20).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PreconditionFailed, "{error}");
}

/// What is no listing is no empty directory.
async fn what_cannot_be_told_is_an_error(web: &Web) {
    fill(web);
    let backend = backend(&web.endpoint);
    fs::write(web.directory.join("a/index.html"), "<html><title>Welcome</title></html>").unwrap();
    let error = listed(&backend, "a", &ListOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported, "{error}");
    // In a larger listing, that directory alone is not known.
    let all = listed(&backend, "", &recursive()).await.unwrap();
    let failures: Vec<_> = all.iter().filter(|listed| matches!(listed, Listed::Failure(_))).collect();
    assert!(failures.len() == 1 && failures[0].path() == &path("a"), "{failures:?}");
    for missing in ["missing", "a0/below", "a0"] {
        let error = listed(&backend, missing, &ListOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound, "{missing}: {error}");
    }
    assert_eq!(backend.stat(&path("missing")).await.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(
        backend.read(&path("a/deep"), &ReadOptions::default()).await.err().unwrap().code(),
        ErrorCode::IsDirectory
    );
    // A name that is no text.
    fs::remove_file(web.directory.join("a/index.html")).unwrap();
    fs::write(web.directory.join("a").join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    let all = listed(&backend, "a", &recursive()).await.unwrap();
    assert_eq!(all.iter().filter(|listed| matches!(listed, Listed::Failure(_))).count(), 1, "{all:?}");
    assert_eq!(all.len(), 3);
}

/// rclone finds the same by requests of its own.
async fn rclone_finds_the_same(web: &Web) {
    fill(web);
    let mut command = Command::new(rclone());
    command.args([
        "lsf",
        "-R",
        "--files-only",
        "--format",
        "ps",
        "--separator",
        "\t",
        "--config",
        "/dev/null",
    ]);
    let output = command.args(["--http-url", &web.endpoint, ":http:"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut theirs: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    theirs.sort_unstable();
    let ours = listed(&backend(&web.endpoint), "", &recursive()).await.unwrap();
    let ours = ours.into_iter().map(|listed| listed.into_entry().unwrap());
    let mut ours: Vec<_> = ours.map(|entry| format!("{}\t{}", entry.path, entry.size.unwrap())).collect();
    ours.sort_unstable();
    assert_eq!(ours, theirs);
}

macro_rules! on_both {
    ($($row:ident)*) => {
        mod python {
            $(#[tokio::test]
            async fn $row() {
                super::$row(&super::python_web()).await;
            })*
        }

        mod on_nginx {
            $(#[tokio::test]
            async fn $row() {
                if let Some(web) = super::nginx() {
                    super::$row(&web).await;
                }
            })*
        }
    };
}

on_both! {
    all_is_there
    ranges_are_read
    what_cannot_be_told_is_an_error
    rclone_finds_the_same
}

/// A body that breaks off is read on, and one that has no end is an error.
#[tokio::test]
async fn a_body_is_as_long_as_it_is_said_to_be() {
    let web = python_web();
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    fs::write(web.directory.join("large"), &large).unwrap();
    let proxy = Proxy::before(&web.endpoint);
    let through = backend(&proxy.endpoint);
    let mut cuts = 2;
    proxy.plan(move |request| {
        let is_cut = request.method == "GET" && cuts > 0;
        cuts -= i32::from(is_cut);
        is_cut.then_some(Fault::CutAnswer)
    });
    let read = through.read_all(&path("large"), &ReadOptions::default(), 1 << 23).await.unwrap();
    assert!(read == large);
    proxy.plan(|request| (request.method == "GET").then_some(Fault::CutAnswer));
    let error = through.read_all(&path("large"), &ReadOptions::default(), 1 << 23).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable, "{error}");
}

/// Answers that say too little, or something else.
#[tokio::test]
async fn odd_answers_are_errors() {
    let web = python_web();
    fs::write(web.directory.join("a"), "x").unwrap();
    let proxy = Proxy::before(&web.endpoint);
    let through = backend(&proxy.endpoint);
    let page = |text: &str| Canned::status(200).header("content-type", "text/html").body(text);
    for (answer, code) in [
        (page("<html><title>Please log in</title></html>"), ErrorCode::Unsupported),
        (page("<html><title>Index of /</title><body>"), ErrorCode::Unavailable),
        (page("<html><title>Index of /other/</title></html>"), ErrorCode::Unsupported),
        (page(""), ErrorCode::Unsupported),
        (Canned::status(204), ErrorCode::Unsupported),
        (Canned::status(403), ErrorCode::PermissionDenied),
        (Canned::status(302).header("location", "ftp://127.0.0.1/"), ErrorCode::PermissionDenied),
        (Canned::status(302).header("location", "/"), ErrorCode::Other),
        (Canned::status(302), ErrorCode::Other),
    ] {
        let given = answer.clone();
        proxy.plan(move |_| Some(Fault::Answer(given.clone())));
        let error = listed(&through, "", &recursive()).await.unwrap_err();
        assert_eq!(error.code(), code, "{answer:?}: {error}");
    }
    // An object without a time, or that is a page.
    proxy.plan(|_| Some(Fault::Answer(Canned::status(200).body("x"))));
    let error = through.stat(&path("a")).await.unwrap_err();
    assert!(error.code() == ErrorCode::Unsupported && error.message().contains("time"), "{error}");
}

#[tokio::test]
async fn nothing_is_changed() {
    let web = python_web();
    fs::write(web.directory.join("a"), "x").unwrap();
    let backend =
        Registry::with_builtin().open("http", Config::from([("endpoint", web.endpoint.as_str())])).unwrap();
    let unsupported = |error: omnistorage::Error| assert_eq!(error.code(), ErrorCode::Unsupported, "{error}");
    unsupported(backend.write_all(&path("b"), "x".into(), &WriteOptions::default()).await.unwrap_err());
    unsupported(backend.delete(&[path("a")]).await.remove(0).unwrap_err());
    unsupported(backend.purge(&Path::root()).await.unwrap_err());
    unsupported(backend.mkdir(&path("d")).await.unwrap_err());
    assert!(web.directory.join("a").exists());
    backend.close().await.unwrap();
    assert_eq!(backend.stat(&path("a")).await.unwrap_err().code(), ErrorCode::BackendClosed);
    for (config, named) in [
        (Config::new(), "`endpoint`"),
        (Config::from([("endpoint", "ftp://h")]), "https://"),
        (Config::from([("endpoint", "https://h"), ("user", "x")]), "`user`"),
    ] {
        let error = HttpBackend::from_config(config).unwrap_err();
        assert!(error.code() == ErrorCode::InvalidArgument && error.message().contains(named), "{error}");
    }
}
