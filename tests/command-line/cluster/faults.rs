//! Workers, clients and servers that end or stop while a run goes on, and a ledger that forgets.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use omnistorage_test_servers::Nats;
use rustix::process::Signal;

use super::machines::{Machines, trees, until};
use crate::{
    command::run,
    tree::{Scratch, assert_equal, contents, debris},
};

/// Kills, each at another moment of a run.
const ROUNDS: u32 = 6;

/// The shortest lease, so that what is left behind is taken over soon.
pub(super) const SHORT: [&str; 2] = ["--lease", "1s"];

/// A moment of about the time that a run takes.
fn moment() -> Duration {
    let random = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_micros();
    Duration::from_millis(u64::from(random % 500))
}

/// Ends one of two workers at once while they work; the other one does the rest.
#[test]
fn a_worker_that_is_killed_loses_nothing() {
    let Some(nats) = Nats::start() else { return };
    for round in 0..ROUNDS {
        let scratch = Scratch::new();
        let (source, target) = trees(&scratch, "target");
        let mut machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
        let mut client = machines.begin("sync", &source, &target, &[&SHORT[..], &["--json"]].concat());
        client.says("began the run");
        let delay = moment();
        thread::sleep(delay);
        drop(machines.take("one"));
        let summary = client.end().ok().summary();
        assert_equal(&source, &target);
        assert!(debris(&target).is_empty());
        let objects = contents(&source).len();
        assert_eq!(summary["source_objects"], objects, "round {round}, killed after {delay:?}: {summary}");
        assert_eq!(summary["errors"], 0, "killed after {delay:?}: {summary}");
    }
}

/// A worker that slept longer than its lease gives up what it had, and does no harm.
#[test]
fn a_worker_that_wakes_up_too_late_gives_up() {
    let Some(nats) = Nats::start() else { return };
    for round in 0..ROUNDS / 2 {
        let scratch = Scratch::new();
        let (source, target) = trees(&scratch, "target");
        let mut machines = Machines::new(&nats, &scratch, &["sleeper", "other"], &[]);
        let mut client = machines.begin("sync", &source, &target, &[&SHORT[..], &["--json"]].concat());
        client.says("began the run");
        let delay = moment();
        thread::sleep(delay);
        machines.worker("sleeper").signal(Signal::STOP);
        let summary = client.end().ok().summary();
        assert_equal(&source, &target);
        assert_eq!(
            summary["source_objects"],
            contents(&source).len(),
            "round {round}, stopped after {delay:?}"
        );
        // What is written meanwhile is not for the sleeper to delete.
        let later = scratch.write("target/3/written later", "y");
        machines.worker("sleeper").signal(Signal::CONT);
        thread::sleep(Duration::from_millis(1_500));
        assert!(later.exists(), "stopped after {delay:?}");
        fs::remove_file(later).unwrap();
        assert_equal(&source, &target);
        assert!(debris(&target).is_empty());
        // It takes part in the next run.
        drop(machines.take("other"));
        scratch.write("source/8/another", "x");
        machines.share("sync", &source, &target, &SHORT).ok();
        assert_equal(&source, &target);
    }
}

/// The server ends at once, and comes back after a while.
#[test]
fn a_server_that_is_killed_loses_nothing() {
    let Some(mut nats) = Nats::start() else { return };
    for round in 0..ROUNDS / 2 {
        let scratch = Scratch::new();
        let (source, target) = trees(&scratch, "target");
        let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
        let mut client = machines.begin("sync", &source, &target, &[&SHORT[..], &["--json"]].concat());
        client.says("began the run");
        let delay = moment();
        thread::sleep(delay);
        nats.kill();
        thread::sleep(Duration::from_millis(700));
        nats.restart();
        let summary = client.end().ok().summary();
        assert_equal(&source, &target);
        let objects = contents(&source).len();
        assert_eq!(summary["source_objects"], objects, "round {round}, killed after {delay:?}: {summary}");
    }
}

/// One of three servers ends for good: whoever was connected to it goes on with another one, and nothing that was acknowledged
/// is missing, since each of them has it.
#[test]
fn one_of_three_servers_may_go() {
    for gone in 0..3 {
        let Some(mut servers) = Nats::three() else { return };
        let url = servers.iter().map(Nats::url).collect::<Vec<_>>().join(",");
        let scratch = Scratch::new();
        let (source, target) = trees(&scratch, "target");
        let machines = Machines::at(url, &scratch, &["one", "two"], &[]);
        let mut client = machines.begin("sync", &source, &target, &[&SHORT[..], &["--json"]].concat());
        client.says("began the run");
        thread::sleep(moment());
        servers[gone].kill();
        let summary = client.end().ok().summary();
        assert_equal(&source, &target);
        assert_eq!(summary["source_objects"], contents(&source).len(), "server {gone}: {summary}");
        let left = &servers[(gone + 1) % 3];
        for stream in ["KV_omnistorage-runs", "KV_omnistorage-ledger", "omnistorage-work"] {
            let about = left.ask(&format!("$JS.API.STREAM.INFO.{stream}"), "").unwrap();
            assert!(about.contains("\"num_replicas\":3"), "{about}");
        }
    }
}

/// The server comes back without what it had acknowledged since some time.
#[test]
fn a_store_that_is_rolled_back_costs_work_alone() {
    let Some(mut nats) = Nats::start() else { return };
    for round in 0..ROUNDS / 2 {
        let scratch = Scratch::new();
        let (source, target) = trees(&scratch, "target");
        let machines = Machines::new(&nats, &scratch, &["one"], &[]);
        let options = [&SHORT[..], &["--json"]].concat();
        let mut client = machines.begin("sync", &source, &target, &options);
        client.says("began the run");
        thread::sleep(moment());
        nats.kill();
        let (store, kept) = (nats.store().join("jetstream"), scratch.path("kept"));
        let copy = |from: &std::path::Path, to: &std::path::Path| {
            assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
        };
        copy(&store, &kept);
        nats.restart();
        let delay = moment();
        thread::sleep(delay);
        nats.kill();
        fs::remove_dir_all(&store).unwrap();
        copy(&kept, &store);
        nats.restart();
        let ended = client.end();
        let ended =
            if ended.code == Some(5) { machines.share("sync", &source, &target, &options) } else { ended };
        let summary = ended.ok().summary();
        assert_equal(&source, &target);
        let objects = contents(&source).len();
        assert_eq!(summary["source_objects"], objects, "round {round}, {delay:?}: {summary}");
        // The worker still takes part.
        scratch.write("source/1/later", "x");
        machines.share("sync", &source, &target, &SHORT).ok();
        assert_equal(&source, &target);
    }
}

/// Nothing is deleted as long as the ledger lacks a range, whoever asks; and the range is given out again.
#[test]
fn a_gap_in_the_ledger_keeps_everything_from_being_deleted() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    let before = contents(&target);
    let options = [&SHORT[..], &["--json", "--ranges", "8"]].concat();
    let mut client = machines.begin("sync", &source, &target, &options);
    client.says("no worker takes part yet");
    drop(client);
    machines.start("one", &[]);
    let status = || run(["cluster", "status", "--json", "--cluster", &nats.url()]).ok().json().remove(0);
    until("all ranges are done", || {
        let status = status();
        status["done"] == status["ranges"]
    });
    // Without a client there is nobody to judge.
    thread::sleep(Duration::from_secs(1));
    assert_eq!(status()["state"], "merging");
    let kept = |files: std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
        before.keys().all(|path| files.contains_key(path))
    };
    assert!(kept(contents(&target)));
    drop(machines.take("one"));
    let id = status()["run"].as_str().unwrap().to_owned();
    let entries = format!("$KV.omnistorage-ledger.{id}.merge.");
    let filter = format!("{{\"subjects_filter\":\"{entries}>\"}}");
    let listed = nats.ask("$JS.API.STREAM.INFO.KV_omnistorage-ledger", &filter).unwrap();
    let name = listed.split(&entries).nth(2).and_then(|rest| rest.split('"').next()).unwrap();
    let entry = format!("{entries}{name}");
    nats.send("$JS.API.STREAM.PURGE.KV_omnistorage-ledger", &format!("{{\"filter\":{entry:?}}}"));
    let mut client = machines.begin("sync", &source, &target, &options);
    client.says("attached to the run");
    thread::sleep(Duration::from_secs(4));
    assert!(!client.is_over() && kept(contents(&target)), "{}", client.log());
    machines.start("two", &[]);
    let summary = client.end().ok().summary();
    assert_equal(&source, &target);
    assert_eq!(summary["source_objects"], contents(&source).len());
    assert!(summary["deleted"].as_u64() > Some(0), "{summary}");
}

/// Whoever looks at a run whose queue is gone, as that of one that has just ended, sees the run, and makes nothing.
#[test]
fn a_look_at_a_run_without_a_queue_leaves_it_without() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let machines = Machines::new(&nats, &scratch, &[], &[]);
    let mut client = machines.begin("sync", &source, &target, &[]);
    client.says("began the run");
    drop(client);
    let status = || run(["cluster", "status", "--json", "--cluster", &nats.url()]).ok().json()[0].clone();
    let id = status()["run"].as_str().unwrap().to_owned();
    assert!(status()["ranges"].as_u64() > Some(0));
    nats.send(&format!("$JS.API.CONSUMER.DELETE.omnistorage-work.{id}"), "");
    assert_eq!(status()["state"], "merging");
    let about = nats.ask(&format!("$JS.API.CONSUMER.INFO.omnistorage-work.{id}"), "").unwrap();
    assert!(about.contains("consumer not found"), "{about}");
}

/// All that the cluster had of a run is gone: the client says so, and the same command begins it anew.
#[test]
fn a_run_that_the_cluster_forgot_is_begun_again() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let machines = Machines::new(&nats, &scratch, &[], &[]);
    let before = contents(&target);
    let mut client = machines.begin("sync", &source, &target, &[]);
    client.says("began the run");
    for stream in ["KV_omnistorage-runs", "KV_omnistorage-ledger", "omnistorage-work"] {
        nats.send(&format!("$JS.API.STREAM.PURGE.{stream}"), "");
    }
    let run = client.end();
    assert_eq!(run.code, Some(5), "{run:?}");
    assert!(run.stderr.contains("run the same command again"), "{run:?}");
    assert_eq!(contents(&target), before);
    let mut machines = machines;
    machines.start("one", &[]);
    machines.share("sync", &source, &target, &[]).ok();
    assert_equal(&source, &target);
}

/// A client that ends leaves the run to its workers; the same command attaches to it, at any moment.
#[test]
fn a_client_that_is_killed_attaches_again() {
    let Some(nats) = Nats::start() else { return };
    for _ in 0..ROUNDS {
        let scratch = Scratch::new();
        let (source, target) = trees(&scratch, "target");
        let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
        let mut client = machines.begin("sync", &source, &target, &["--json"]);
        client.says("began the run");
        thread::sleep(moment());
        drop(client);
        let summary = machines.share("sync", &source, &target, &["--json"]).ok().summary();
        assert_equal(&source, &target);
        assert_eq!(summary["source_objects"], contents(&source).len());
    }
}

/// A client that is asked to end leaves the run as it is, and says so.
#[test]
fn a_client_that_is_interrupted_leaves_the_run_to_its_workers() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    let mut client = machines.begin("sync", &source, &target, &["--stats", "100ms"]);
    client.says("0 objects");
    client.signal(Signal::INT);
    let ended = client.end();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.stderr.contains("interrupted: the workers go on"), "{ended:?}");
    machines.start("one", &[]);
    machines.share("sync", &source, &target, &[]).ok();
    assert_equal(&source, &target);
}

/// Two clients of one run lead it to one end, and another run on the same target waits for it.
#[test]
fn a_target_has_one_run_at_a_time() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    let mut one = machines.begin("sync", &source, &target, &["--json"]);
    one.says("began the run");
    let mut two = machines.begin("sync", &source, &target, &["--json"]);
    two.says("attached to the run");
    let refused = machines.share("copy", &source, &target.join("3"), &[]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("is at work there"), "{refused:?}");
    machines.start("one", &[]);
    let [one, two] = [one, two].map(|client| client.end().ok().summary());
    assert_eq!((&one["checked"], &one["deleted"]), (&two["checked"], &two["deleted"]));
    assert_equal(&source, &target);
    machines.share("copy", &source, &target.join("3"), &[]).ok();
}

/// A run that is cancelled ends everywhere, and a worker that is asked to end does so, and well.
#[test]
fn a_run_can_be_cancelled_and_a_worker_stopped() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let (source, target) = trees(&scratch, "target");
    let mut machines = Machines::new(&nats, &scratch, &[], &[]);
    let url = nats.url();
    let cancel = ["cluster", "cancel", "--cluster", &url];
    run(cancel).fails(4, &["no run is open"]);
    let mut client = machines.begin("sync", &source, &target, &[]);
    client.says("began the run");
    assert!(run(cancel).ok().text().starts_with("cancelled "));
    let ended = client.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("was cancelled"), "{ended:?}");
    run([&cancel[..], &["none"]].concat()).fails(4, &["no run `none`"]);
    machines.start("one", &[]);
    machines.share("sync", &source, &target, &[]).ok();
    assert_equal(&source, &target);
    for signal in [Signal::INT, Signal::TERM] {
        scratch.write("source/5/more", format!("{signal:?}"));
        let mut client = machines.begin("sync", &source, &target, &SHORT);
        client.says("began the run");
        thread::sleep(moment() / 2);
        let worker = machines.take("one");
        worker.signal(signal);
        worker.end().ok();
        machines.start("one", &[]);
        client.end().ok();
        assert_equal(&source, &target);
        assert!(debris(&target).is_empty());
    }
}

/// Two seconds after a run was cancelled nobody is at work on it any more, and nothing is left half written.
#[test]
fn a_run_that_is_cancelled_is_over_at_once() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    for number in 0..16 {
        scratch.write(&format!("source/{number:02}"), "x".repeat(1 << 20));
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(&target).unwrap();
    let machines = Machines::new(&nats, &scratch, &["one", "two"], &[]);
    let mut client = machines.begin("copy", &source, &target, &["--bwlimit", "1M", "--ranges", "8"]);
    client.says("began the run");
    until("something is being written", || fs::read_dir(&target).unwrap().count() > 0);
    run(["cluster", "cancel", "--cluster", &nats.url()]).ok();
    thread::sleep(Duration::from_secs(2));
    let after = contents(&target);
    assert!(after.len() < 16 && debris(&target).is_empty(), "{:?}", debris(&target));
    thread::sleep(Duration::from_secs(2));
    assert_eq!(contents(&target), after);
    assert_eq!(client.end().code, Some(1));
}
