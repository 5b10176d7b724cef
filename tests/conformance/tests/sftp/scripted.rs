//! What no server of today does when it is asked to: one that is slow on purpose and counts what it has open, and
//! refuses to rename at the worst moment.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use omnistorage::{
    Backend, Config, ErrorCode, Path, SftpBackend,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use tempfile::TempDir;

/// A server in the place of ssh, and its directory.
struct Scripted {
    scratch: TempDir,
    backend: SftpBackend,
}

impl Scripted {
    /// Refuses to rename where the plan has an `x`, or an `n` and somebody else writes the target just before; `*` is
    /// for ever.
    fn new(plan: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::write(at("plan"), plan).unwrap();
        fs::write(at("log"), "").unwrap();
        fs::write(at("server.py"), include_str!("server.py")).unwrap();
        let directory = scratch.path().display();
        fs::write(at("ssh"), format!("#!/bin/sh\nexec python3 '{directory}/server.py' '{directory}'\n"))
            .unwrap();
        fs::set_permissions(at("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
        let config =
            Config::from([("host", "scripted"), ("root", "/"), ("ssh", at("ssh").to_str().unwrap())]);
        let backend = SftpBackend::from_config(config.with("connections", "1")).unwrap();
        Self { scratch, backend }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// How often a word is in the log.
    fn count(&self, word: &str) -> usize {
        fs::read_to_string(self.at("log")).unwrap().lines().filter(|line| *line == word).count()
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..6_000 {
            if is_so(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(is_so(self), "{what}: {}", fs::read_to_string(self.at("log")).unwrap());
    }

    /// What lies in the directory: names of objects, and what is in those that have hidden ones.
    fn left(&self) -> (Vec<String>, Vec<String>) {
        let (mut shown, mut hidden) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(self.at("data")).unwrap().map(Result::unwrap) {
            let (name, text) =
                (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap());
            if name.starts_with(".omnistorage-") {
                hidden.push(text)
            } else {
                shown.push(format!("{name}: {text}"))
            }
        }
        shown.sort();
        (shown, hidden)
    }
}

fn object() -> Path {
    Path::parse("object").unwrap()
}

#[tokio::test]
async fn a_directory_whose_listing_is_given_up_is_closed() {
    for step in ["opendir", "readdir"] {
        let server = Scripted::new("");
        for name in 0..40 {
            fs::write(server.at("data").join(format!("{name}")), "").unwrap();
        }
        let hold = server.at(&format!("hold {step}"));
        fs::write(&hold, "").unwrap();
        let mut listing = server.backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        tokio::select! {
            _ = listing.next(10) => unreachable!("the server does not answer"),
            () = server.until("it is asked", |server| server.count(&format!("at {step}")) > 0) => {}
        }
        drop(listing);
        fs::remove_file(hold).unwrap();
        server.until("it is closed", |server| server.count("close") == 1).await;
        assert_eq!(server.count("open"), 1);
        // The connection is of use as before.
        let mut listing = server.backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        assert_eq!(listing.next_entries(100).await.unwrap().len(), 40);
        server.until("that one, too", |server| server.count("close") == 2).await;
    }
}

#[tokio::test]
async fn a_walk_that_is_given_up_closes_what_it_read_ahead() {
    let server = Scripted::new("");
    for name in 0..100 {
        fs::create_dir(server.at("data").join(format!("{name}"))).unwrap();
    }
    let all = ListOptions { recursive: true, ..ListOptions::default() };
    let mut listing = server.backend.list(&Path::root(), &all).await.unwrap();
    // Then many are read ahead.
    assert_eq!(listing.next(20).await.unwrap().len(), 20);
    // What is counted before it is held up is not waited for in vain.
    let so_far = server.count("at opendir");
    let hold = server.at("hold opendir");
    fs::write(&hold, "").unwrap();
    tokio::select! {
        _ = listing.next(1_000) => unreachable!("the server does not answer"),
        () = server.until("it is asked", |server| server.count("at opendir") > so_far) => {}
    }
    drop(listing);
    fs::remove_file(hold).unwrap();
    server.backend.stat(&Path::root()).await.unwrap();
    server.until("all are closed", |server| server.count("close") == server.count("open")).await;
    assert!(server.count("open") > 20);
}

/// The object comes back under its name, or stays under a hidden one; nothing of it is lost, whatever fails when.
#[tokio::test]
async fn what_is_replaced_is_not_lost_where_no_rename_goes_through() {
    let options = WriteOptions::default();
    // In order: onto the object, which this server refuses by itself; the object aside; onto nothing; and back.
    for (plan, written, shown, hidden) in [
        ("", true, "object: new", &[][..]),
        ("..x", true, "object: new", &[]),
        ("..xx", true, "object: new", &["old"]),
        ("..xn", true, "object: new", &[]),
        ("..*", false, "", &["old"]),
    ] {
        let server = Scripted::new(plan);
        fs::write(server.at("data").join("object"), "old").unwrap();
        let done = server.backend.write_all(&object(), "new".into(), &options).await;
        assert_eq!(done.is_ok(), written, "{plan}: {done:?}");
        let (left, kept) = server.left();
        assert_eq!(
            (left.join(" ").as_str(), kept.as_slice()),
            (shown, &*hidden.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()),
            "{plan}"
        );
        if written {
            let read = server.backend.read_all(&object(), &ReadOptions::default(), 10).await.unwrap();
            assert_eq!(read, "new", "{plan}");
        } else {
            let gone = server.backend.stat(&object()).await.unwrap_err();
            assert_eq!(gone.code(), ErrorCode::NotFound, "{plan}");
        }
        server.until("nothing stays open", |server| server.count("close") == server.count("open")).await;
    }
}
