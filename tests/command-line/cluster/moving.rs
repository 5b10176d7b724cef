//! Ranges that end before their borders: whoever is free gets what is left of one, and a worker that is killed takes little
//! with it. The buckets are computed, and far away.

use std::{thread, time::Duration};

use omnistorage_test_servers::{Nats, Numbered};
use rustix::process::Signal;

use super::{
    counted,
    machines::{Machines, Process},
};
use crate::{
    command::{Run, run},
    tree::Scratch,
};

/// What a run has to be told to find them.
fn settings(store: &Numbered) -> [(&str, &str); 4] {
    [
        ("AWS_ENDPOINT_URL", &store.endpoint),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
}

const ALLOWED: [&str; 4] = ["--allow", "s3://all", "--allow", "s3://most"];

/// A shared run that begins as one range, and what `now` does every two seconds or so meanwhile; the ranges that there were.
fn share(machines: &Machines<'_>, nats: &Nats, arguments: &[&str], mut now: impl FnMut(u32)) -> (Run, u64) {
    let options = ["--json", "--ranges", "1", "--lease", "1s"];
    let mut client: Process = machines.begin_with(arguments[0], &[&arguments[1..], &options].concat());
    let (mut ranges, mut round) = (0, 0);
    while !client.is_over() {
        let status = run(["cluster", "status", "--json", "--cluster", &nats.url()]).ok();
        let of_all = status.json().iter().filter_map(|run| run["ranges"].as_u64()).max();
        ranges = ranges.max(of_all.unwrap_or(0));
        now(round);
        round += 1;
        thread::sleep(Duration::from_millis(100));
    }
    (client.end(), ranges)
}

#[test]
fn whoever_is_free_gets_what_is_left_of_a_range() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let store = Numbered::start(100_000, Duration::from_millis(30));
    let mut machines = Machines::new(&nats, &scratch, &[], &settings(&store));
    for name in ["one", "two"] {
        machines.start_with(name, &ALLOWED);
    }
    for arguments in [
        &["sync", "--dry-run", "s3://all", "s3://most"][..],
        &["sync", "--dry-run", "s3://most", "s3://all", "--start-after", "0000/000/00500"],
        &["check", "s3://all", "s3://most"],
    ] {
        let alone = machines.alone(&[arguments, &["--json"]].concat());
        let (shared, ranges) = share(&machines, &nats, arguments, |_| {});
        assert_eq!(shared.code, alone.code, "{arguments:?}: {shared:?}");
        assert_eq!(counted(&shared), counted(&alone), "{arguments:?}");
        assert!(ranges > 1, "{arguments:?}: {ranges} ranges");
    }
}

/// Workers are killed while they give parts of their ranges away and get some; others take their places.
#[test]
fn a_part_that_is_lost_on_its_way_is_done_again() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    let store = Numbered::start(180_000, Duration::from_millis(30));
    let mut machines = Machines::new(&nats, &scratch, &[], &settings(&store));
    let arguments = ["sync", "--dry-run", "s3://most", "s3://all"];
    let alone = machines.alone(&[&arguments[..], &["--json"]].concat());
    machines.start_with("0", &ALLOWED);
    machines.start_with("1", &ALLOWED);
    let mut workers = std::mem::take(&mut machines.workers);
    let mut next = 2;
    let (shared, ranges) = share(&machines, &nats, &arguments, |round| {
        if round > 0 && next < 6 {
            let oldest = workers.pop_first().unwrap().1;
            oldest.signal(Signal::KILL);
            let name = next.to_string();
            workers.insert(name.clone(), machines.started(&name, &ALLOWED));
            next += 1;
        }
    });
    assert_eq!((shared.code, counted(&shared)), (alone.code, counted(&alone)), "{shared:?}");
    assert!(next > 2 && ranges > 1, "{next} workers, {ranges} ranges");
}
