//! Google Cloud Storage by `gs://`: trees to it, from it, and between it and others.

use std::{fs, path::Path};

use omnistorage_test_servers::{
    ACCESS_KEY, BUCKET, OTHER_BUCKET, SECRET_KEY, fake_gcs,
    gcs::{ACCESS_TOKEN, Gcs},
    moto,
};

use crate::{
    command::{Run, command, run_with},
    tree::{Scratch, assert_equal, contents},
};

/// Runs with a store of Google's and one of Amazon's, as the tools of both find theirs.
fn run_at(endpoint: &str, arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    command
        .env("STORAGE_EMULATOR_HOST", endpoint)
        .env("AWS_ENDPOINT_URL", &moto().endpoint)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    run_with(b"", &mut command)
}

/// A tree of odd names, but for those that hold ends of lines.
fn tree(scratch: &Scratch) -> std::path::PathBuf {
    let tree = scratch.odd_tree("source");
    fs::remove_file(tree.join("new\nline")).unwrap();
    fs::remove_dir_all(tree.join("in new\nline")).unwrap();
    tree
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Syncs, and holds the run to so many transfers and no error.
#[track_caller]
fn sync(endpoint: &str, source: &str, target: &str, transferred: usize) {
    let summary = run_at(endpoint, &["sync", source, target, "--json"]).ok().summary();
    let counted = (summary["transferred"].as_u64(), summary["errors"].as_u64());
    assert_eq!(counted, (Some(transferred as u64), Some(0)), "{source} to {target}: {summary}");
}

/// Syncs when there is nothing to do, and holds the run to listings. All that is asked beside is what the places are.
#[track_caller]
fn sync_again(store: &Gcs, source: &str, target: &str) {
    let _ = store.take_requests();
    sync(&store.endpoint, source, target, 0);
    let requests = store.take_requests();
    let (listings, others): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|request| request.starts_with("GET ") && request.contains("/o?prefix="));
    assert!(!listings.is_empty() && others.len() <= 2, "{others:?}");
    assert!(others.iter().all(|request| request.starts_with("GET /storage/")), "{others:?}");
}

#[test]
fn a_tree_goes_up_and_comes_down() {
    let scratch = Scratch::new();
    let (source, store) = (tree(&scratch), Gcs::start());
    let files = contents(&source).len();
    let (at, up) = (&store.endpoint, format!("gs://{BUCKET}/a b/tree"));
    sync(at, text(&source), &up, files);
    sync_again(&store, text(&source), &up);
    run_at(at, &["check", text(&source), &up]).ok();
    run_at(at, &["check", "--download", text(&source), &up]).ok();
    let down = scratch.path("down");
    sync(at, &up, text(&down), files);
    assert_equal(&source, &down);
    sync_again(&store, &up, text(&down));

    fs::write(source.join("empty"), "no longer").unwrap();
    fs::remove_dir_all(source.join("in ..foo")).unwrap();
    sync(at, text(&source), &up, 1);
    run_at(at, &["check", text(&source), &up]).ok();
    run_at(at, &["move", &up, text(&scratch.path("moved"))]).ok();
    assert_equal(&source, &scratch.path("moved"));
    assert_eq!(run_at(at, &["ls", "-r", &format!("gs://{BUCKET}")]).ok().lines(), [""; 0]);
}

#[test]
fn an_independent_store_takes_the_same_tree() {
    let scratch = Scratch::new();
    let source = tree(&scratch);
    let files = contents(&source).len();
    let (at, up) = (&fake_gcs().endpoint, format!("gs://{BUCKET}/command line"));
    sync(at, text(&source), &up, files);
    sync(at, text(&source), &up, 0);
    run_at(at, &["check", "--download", text(&source), &up]).ok();
    let down = scratch.path("down");
    sync(at, &up, text(&down), files);
    assert_equal(&source, &down);
    run_at(at, &["move", &up, text(&scratch.path("moved"))]).ok();
    assert_equal(&source, &scratch.path("moved"));
}

#[test]
fn a_tree_goes_from_bucket_to_bucket_on_the_server() {
    let scratch = Scratch::new();
    let (source, store) = (tree(&scratch), Gcs::start());
    let files = contents(&source).len();
    let at = &store.endpoint;
    let (one, other) = (format!("gs://{BUCKET}/one"), format!("gs://{OTHER_BUCKET}/other"));
    sync(at, text(&source), &one, files);
    let _ = store.take_requests();
    sync(at, &one, &other, files);
    let requests = store.take_requests();
    let copies = requests.iter().filter(|request| request.contains("/rewriteTo/")).count();
    assert!(copies >= files, "{copies} copies of {files}");
    assert!(!requests.iter().any(|request| request.contains("/upload/")), "bytes passed through here");
    sync_again(&store, &one, &other);
    run_at(at, &["check", &one, &other]).ok();
    run_at(at, &["move", &other, &format!("gs://{BUCKET}/moved")]).ok();
    run_at(at, &["check", &one, &format!("gs://{BUCKET}/moved")]).ok();
    assert_eq!(run_at(at, &["ls", "-r", &format!("gs://{OTHER_BUCKET}")]).ok().lines(), [""; 0]);
}

#[test]
fn a_tree_goes_to_another_cloud_and_back() {
    let scratch = Scratch::new();
    let source = scratch.path("source");
    for name in ["a", "b c/d+e%", "ü/😀"] {
        scratch.write(&format!("source/{name}"), name.repeat(1000));
    }
    let store = Gcs::start();
    let at = &store.endpoint;
    let (google, amazon) = (format!("gs://{BUCKET}/t"), format!("s3://{BUCKET}/from google"));
    sync(at, text(&source), &google, 3);
    sync(at, &google, &amazon, 3);
    sync_again(&store, &google, &amazon);
    run_at(at, &["check", &google, &amazon]).ok();
    let back = format!("gs://{OTHER_BUCKET}/back");
    sync(at, &amazon, &back, 3);
    sync_again(&store, &amazon, &back);
    let down = scratch.path("down");
    sync(at, &back, text(&down), 3);
    assert_equal(&source, &down);
    run_at(at, &["move", &amazon, &format!("gs://{OTHER_BUCKET}/moved")]).ok();
    run_at(at, &["check", "--download", text(&source), &format!("gs://{OTHER_BUCKET}/moved")]).ok();
}

#[test]
fn what_is_wrong_is_one_sentence() {
    let store = Gcs::start();
    let at = |endpoint: &str, place: &str| run_at(endpoint, &["ls", place]);
    at(&store.endpoint, "gs://no-such-bucket").fails(3, &["bucket `no-such-bucket`"]);
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unused = format!("http://{unused}");
    at(&unused, &format!("gs://{BUCKET}")).fails(5, &["cannot reach `127.0.0.1`", "check the endpoint"]);
    at("not a host", &format!("gs://{BUCKET}")).fails(2, &["STORAGE_EMULATOR_HOST"]);

    // Without credentials, and without an instance to ask for them.
    let mut alone = command(["ls", &format!("gs://{BUCKET}")]);
    alone.env_remove("GOOGLE_APPLICATION_CREDENTIALS").env("CLOUDSDK_CONFIG", "/nonexistent");
    alone.env_remove("STORAGE_EMULATOR_HOST").env("GCE_METADATA_HOST", "127.0.0.1:1");
    run_with(b"", &mut alone).fails(6, &["GOOGLE_APPLICATION_CREDENTIALS", "gcloud auth"]);
    let named = alone.env("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json");
    run_with(b"", named).fails(2, &["GOOGLE_APPLICATION_CREDENTIALS"]);
}

#[test]
fn a_secret_of_the_configuration_is_not_seen() {
    let scratch = Scratch::new();
    let store = Gcs::with_tokens();
    scratch.write("source/a", "1");
    let configured = |token: &str| {
        let text = format!(
            "[backends.g]\nkind = 'gcs'\nbucket = '{BUCKET}'\nendpoint = '{}'\naccess_token = '{token}'\nobserve = true\n",
            store.endpoint
        );
        scratch.write("c.toml", text)
    };
    let run = |arguments: &[&str]| {
        let mut command = command(["-vvv", "--config"]);
        command.arg(scratch.path("c.toml")).args(arguments);
        let run = run_with(b"", &mut command);
        for secret in [ACCESS_TOKEN, "canary"] {
            assert!(!run.stderr.contains(secret) && !run.text().contains(secret), "{run:?}");
        }
        run
    };
    configured(ACCESS_TOKEN);
    run(&["sync", text(&scratch.path("source")), "g:tree"]).ok();
    assert_eq!(run(&["ls", "g:tree"]).ok().lines(), ["a"]);
    run(&["features", "g:"]).ok();
    configured("canary");
    let refused = run(&["ls", "g:tree"]);
    assert!(refused.stderr.contains("expired") && refused.code == Some(6), "{refused:?}");
}

#[test]
fn url_file_and_environment_come_to_the_same() {
    let scratch = Scratch::new();
    let store = Gcs::start();
    let at = format!("gs://{BUCKET}/in/here");
    run_at(&store.endpoint, &["copy", text(&scratch.write("a", "1")), &at]).ok();
    assert_eq!(run_at(&store.endpoint, &["ls", &at]).ok().lines(), ["a"]);

    let settings =
        [("bucket", BUCKET), ("prefix", "in"), ("endpoint", &store.endpoint), ("anonymous", "true")];
    let config: String = settings.iter().map(|(key, value)| format!("{key} = '{value}'\n")).collect();
    let config = scratch.write("c.toml", format!("[backends.g]\nkind = 'gcs'\n{config}"));
    let by_file = run_with(b"", &mut command(["--config", text(&config), "ls", "g:here"]));
    assert_eq!(by_file.ok().lines(), ["a"]);

    let mut by_environment = command(["ls", "env:here"]);
    by_environment.env("STORAGE_BACKEND", "gcs");
    for (key, value) in settings {
        by_environment.env(format!("OMNISTORAGE_GCS_{}", key.to_uppercase()), value);
    }
    assert_eq!(run_with(b"", &mut by_environment).ok().lines(), ["a"]);

    let features = run_at(&store.endpoint, &["features", &at]).ok();
    for word in ["copy", "set-modified", "if-absent", "if-match", "custom-metadata", "md5", "crc32c"] {
        assert!(features.text().contains(word), "no {word} in {}", features.text());
    }
}
