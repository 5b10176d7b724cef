//! What is remembered from run to run: where it is, what it saves, and that it misleads nobody.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, moto};

use crate::{
    command::{Run, command, run_with},
    tree::{Scratch, contents},
};

/// A tree of files, a prefix of a bucket that nobody else uses or another place, and a directory of memos.
struct Places {
    scratch: Scratch,
    tree: PathBuf,
    bucket: String,
    config: Option<PathBuf>,
    memos: PathBuf,
}

impl Places {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new();
        for number in 0..3 {
            scratch.write(&format!("tree/seg.{number}"), number.to_string().repeat(5000));
        }
        scratch.write("tree/large", "x".repeat(300_000));
        let (tree, memos) = (scratch.path("tree"), scratch.path("memos"));
        let bucket = format!("s3://{BUCKET}/memo/{name}/{}", std::process::id());
        let places = Self { scratch, tree, bucket, config: None, memos };
        places.age();
        places
    }

    /// With a place of a configuration file instead of the bucket.
    #[cfg(feature = "webdav")]
    fn configured(self, place: &str, config: &str) -> Self {
        let config = Some(self.scratch.write("config.toml", config));
        Self { bucket: place.to_owned(), config, ..self }
    }

    /// Lets all files have been written long ago: what was just written is not remembered.
    fn age(&self) {
        for (age, path) in contents(&self.tree).into_keys().enumerate() {
            let file = fs::File::options().append(true).open(self.tree.join(path)).unwrap();
            let long_ago = SystemTime::now() - Duration::from_secs(10_000 + age as u64);
            file.set_modified(long_ago).unwrap();
        }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let config = self.config.iter().flat_map(|config| ["--config", config.to_str().unwrap()]);
        let mut command = command(config.chain(arguments.iter().copied()));
        command
            .env("OMNISTORAGE_MEMO", &self.memos)
            .env("AWS_ENDPOINT_URL", &moto().endpoint)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        run_with(b"", &mut command)
    }

    /// Objects that were transferred, and calls beside listings.
    fn sync(&self, options: &[&str]) -> (u64, u64) {
        let places = ["sync", self.tree.to_str().unwrap(), &self.bucket, "--json"];
        let summary = self.run(&[&places[..], options].concat()).ok().summary();
        let calls = summary["calls"].as_object().unwrap().iter();
        let others =
            calls.filter(|(call, _)| !call.starts_with("list")).map(|(_, count)| count.as_u64().unwrap());
        (summary["transferred"].as_u64().unwrap(), others.sum())
    }

    fn check(&self) {
        self.run(&["check", "--download", self.tree.to_str().unwrap(), &self.bucket]).ok();
    }

    fn memo(&self) -> PathBuf {
        let files: Vec<_> = fs::read_dir(&self.memos).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_unchanged_run_costs_listings_alone_and_a_rotation_is_seen() {
    let places = Places::new("rotation");
    assert_eq!(places.sync(&[]).0, 4);
    let memo = places.memo();
    assert_eq!((mode(&places.memos), mode(&memo)), (0o700, 0o600));
    assert!(memo.extension().is_some_and(|extension| extension == "memo"));
    let (transferred, others) = places.sync(&[]);
    assert!(transferred == 0 && others <= 5, "{others} calls");

    let at = |name: &str| places.tree.join(name);
    fs::rename(at("seg.1"), at("seg.2")).unwrap();
    fs::rename(at("seg.0"), at("seg.1")).unwrap();
    fs::write(at("seg.0"), "9".repeat(5000)).unwrap();
    assert_eq!(places.sync(&[]).0, 3);
    places.check();
    places.age();
    places.sync(&[]);
    let (transferred, others) = places.sync(&[]);
    assert!(transferred == 0 && others <= 5, "{others} calls");
}

/// A server that keeps no times of ours, and tells no hash: only what was found before saves reading all of it again.
#[cfg(feature = "webdav")]
#[test]
fn an_unchanged_run_to_webdav_costs_listings_alone_in_either_direction() {
    let (endpoint, process) = (&omnistorage_test_servers::webdav().endpoint, std::process::id());
    let config = format!(
        "[backends.nas]\nkind = 'opendal'\nservice = 'webdav'\nendpoint = '{endpoint}'\nroot = '/memo-{process}'\n"
    );
    let places = Places::new("webdav").configured("nas:", &config);
    assert_eq!(places.sync(&[]).0, 4);
    let unchanged = |from: &str, to: &str| {
        let summary = places.run(&["sync", from, to, "--json"]).ok().summary();
        let calls = summary["calls"].as_object().unwrap();
        // What is read is the memo.
        let is_asked = calls.contains_key("hash") || calls.get("read").is_some_and(|reads| *reads != 1);
        assert!(summary["transferred"] == 0 && !is_asked, "{from}: {summary}");
        let others = calls.iter().filter(|(call, _)| !call.starts_with("list"));
        let others: u64 = others.map(|(_, count)| count.as_u64().unwrap()).sum();
        assert!(others <= 5, "{from}: {summary}");
    };
    let tree = places.tree.to_str().unwrap();
    unchanged(tree, "nas:");

    let back = places.scratch.path("back");
    let back = back.to_str().unwrap();
    assert_eq!(places.run(&["sync", "nas:", back, "--json"]).ok().summary()["transferred"], 4);
    unchanged("nas:", back);

    // What another one put there in its place is seen.
    fs::write(places.tree.join("seg.1"), "9".repeat(5000)).unwrap();
    assert_eq!(places.sync(&[]).0, 1);
    places.check();
}

#[test]
fn it_is_not_needed_and_not_believed_where_it_is_damaged() {
    let places = Places::new("damaged");
    assert_eq!(places.sync(&["--no-memo"]).0, 4);
    assert!(!places.memos.exists());
    // What another one wrote is looked at once.
    assert_eq!(places.sync(&[]).0, 0);
    let whole = fs::read(places.memo()).unwrap();
    let (transferred, others) = places.sync(&[]);
    assert!(transferred == 0 && others <= 5, "{others} calls");
    for damaged in [&whole[..whole.len() / 2], b"nonsense\n"] {
        fs::write(places.memo(), damaged).unwrap();
        let run = places.run(&["sync", places.tree.to_str().unwrap(), &places.bucket, "-v"]).ok();
        assert!(run.stderr.lines().any(|line| line.contains("the memo is ")), "{}", run.stderr);
        fs::write(places.memo(), damaged).unwrap();
        let run = places.run(&["sync", places.tree.to_str().unwrap(), &places.bucket, "--json"]).ok();
        let memo = run.summary()["memo"].clone();
        assert!(memo == "damaged" || memo == "foreign", "{memo}");
        assert_eq!(fs::read(places.memo()).unwrap(), whole);
    }
    let quiet = places.run(&["sync", places.tree.to_str().unwrap(), &places.bucket]).ok();
    assert_eq!(quiet.stderr.lines().count(), 1, "{}", quiet.stderr);
}

#[test]
fn a_dry_run_leaves_it_and_files_need_none() {
    let places = Places::new("dry");
    places.sync(&["--dry-run"]);
    let (from, to) = (places.tree.to_str().unwrap(), places.tree.with_file_name("copy"));
    places.run(&["sync", from, to.to_str().unwrap()]).ok();
    assert!(!places.memos.exists());
    // One that would lie in a place is none.
    let inside = places.tree.join("inside");
    let run = places.run(&["sync", from, &places.bucket, "-v", "--memo", inside.to_str().unwrap()]).ok();
    assert!(run.stderr.contains("nothing is remembered"), "{}", run.stderr);
    assert_eq!(fs::read_dir(&inside).unwrap().count(), 0);
}

#[test]
fn the_time_of_a_write_is_believed_by_those_who_ask_for_it() {
    let places = Places::new("write times");
    places.sync(&[]);
    fs::write(places.tree.join("seg.1"), "8".repeat(5000)).unwrap();
    places.age();
    let asked = ["--update", "--use-server-modtime", "--no-memo"];
    assert_eq!(places.sync(&asked).0, 0);
    assert_eq!(places.sync(&[]).0, 1);
    let alone = places.run(&["sync", "a", "b", "--use-server-modtime"]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    let tree = places.tree.to_str().unwrap();
    let moved = places.run(&["move", tree, &places.bucket, "--update", "--use-server-modtime"]);
    assert_eq!(moved.code, Some(2), "{moved:?}");
}
