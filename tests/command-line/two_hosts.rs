//! Two hosts that write to one bucket at once: no update of the one is lost to the other.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, Proxy, SECRET_KEY, moto, weed};

use crate::{
    command::{command, run_with},
    tree::{Scratch, contents},
};

fn at(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// A file that was written so many seconds after some time.
fn write(scratch: &Scratch, path: &str, text: &str, seconds: u64) {
    let file = scratch.write(path, text);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds);
    File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The other host writes after this one has listed, and before it writes.
#[test]
fn what_another_host_wrote_meanwhile_is_decided_on_anew() {
    for (number, (old, options, left, transferred)) in [
        (None, &["--ignore-existing"][..], "of the other host", 0),
        (None, &["--update"], "of the other host", 0),
        (None, &[], "of this host", 1),
        (Some("old"), &["--update"], "of the other host", 0),
        (Some("old"), &[], "of this host", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let scratch = Scratch::new();
        let place = format!("s3://{BUCKET}/two-hosts/{}/{number}", std::process::id());
        if let Some(old) = old {
            write(&scratch, "old/x", old, 0);
            run_with(b"", &mut at(&moto().endpoint, &["sync", &text(&scratch.path("old")), &place])).ok();
        }
        write(&scratch, "this/x", "of this host", 100);
        write(&scratch, "other/x", "of the other host", 200);
        let (proxy, other) = (Proxy::before(&moto().endpoint), text(&scratch.path("other")));
        let mut arguments = Some(["sync".to_owned(), other, place.clone()]);
        proxy.plan(move |request| {
            if request.method == "PUT"
                && let Some([sync, from, to]) = arguments.take()
            {
                run_with(b"", &mut at(&moto().endpoint, &[&sync, &from, &to])).ok();
            }
            None
        });
        let this = text(&scratch.path("this"));
        let arguments = [&["sync", &this, &place, "--json", "--no-memo"], options].concat();
        let summary = run_with(b"", &mut at(&proxy.endpoint, &arguments)).ok().summary();
        assert_eq!(summary["transferred"], transferred, "{options:?}: {summary}");
        let seen = run_with(b"", &mut at(&moto().endpoint, &["cat", &format!("{place}/x")])).ok();
        assert_eq!(String::from_utf8_lossy(&seen.stdout), left, "{old:?} {options:?}");
    }
}

/// Of each object each host has a version, and the newest one wins, whoever comes first.
#[test]
fn two_processes_at_once_lose_no_update() {
    const OBJECTS: u64 = 60;
    let scratch = Scratch::new();
    for round in 0..3 {
        let place = format!("s3://{BUCKET}/at-once/{}/{round}", std::process::id());
        for number in 0..OBJECTS {
            for (host, newer) in [("one", number % 2), ("two", 1 - number % 2)] {
                let contents = format!("{number} of {host} {}", if newer == 1 { "newest" } else { "older" });
                write(&scratch, &format!("{round}/{host}/{}/{number}", number % 7), &contents, newer * 500);
            }
        }
        let hosts = ["one", "two"].map(|host| {
            let from = text(&scratch.path(&format!("{round}/{host}")));
            let arguments = ["copy", "--update", "--no-memo", "--transfers", "2", &from, &place];
            at(&weed().endpoint, &arguments).stderr(Stdio::piped()).spawn().unwrap()
        });
        for host in hosts {
            let done = host.wait_with_output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        let down = scratch.path(&format!("{round}/down"));
        run_with(b"", &mut at(&weed().endpoint, &["copy", &place, &text(&down)])).ok();
        let found = contents(&down);
        assert_eq!(found.len() as u64, OBJECTS);
        for (path, bytes) in found {
            assert!(bytes.ends_with(b"newest"), "{}: {}", path.display(), String::from_utf8_lossy(&bytes));
        }
        fs::remove_dir_all(down).unwrap();
    }
}
