//! A path that ends whoever is at work on it: it alone fails, and the rest is done.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, Fault, Nats, Proxy, SECRET_KEY, weed};
use rustix::process::{Pid, Signal, kill_process};

use super::machines::{Machines, text, until};
use crate::tree::{Scratch, contents};

/// Objects of the source, a power of two.
const OBJECTS: u32 = 64;

/// A worker dies as soon as it asks for one object, and so does each that comes after it.
#[test]
fn a_path_that_ends_every_worker_is_left_alone() {
    let Some(nats) = Nats::start() else { return };
    let scratch = Scratch::new();
    for number in 0..OBJECTS {
        let kind = if number == 41 { "-poison" } else { "" };
        scratch.write(&format!("source/{}/{number:03}{kind}", number % 3), number.to_string());
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(&target).unwrap();
    scratch.write("target/1/extra", "x");
    let proxy = Proxy::before(&weed().endpoint);
    let store = &[
        ("AWS_ENDPOINT_URL", proxy.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let place = format!("s3://{BUCKET}/poison/{}", std::process::id());
    let mut machines = Machines::new(&nats, &scratch, &[], store);
    machines.alone(&["copy", &text(&source), &place]).ok();

    let at_work: Arc<Mutex<Option<Pid>>> = Arc::default();
    let dies = Arc::clone(&at_work);
    proxy.plan(move |request| {
        let is_asked = request.method == "GET"
            && request.target.contains("-poison")
            && !request.target.contains("list-type");
        if !is_asked {
            return None;
        }
        if let Some(worker) = dies.lock().unwrap().take() {
            kill_process(worker, Signal::KILL).unwrap();
        }
        Some(Fault::CutRequest)
    });
    let allowed = ["--allow", &place, "--allow", &text(&target)];
    let arguments = ["--shared-paths", "--json", "--ranges", "1", "--lease", "1s", &place, &text(&target)];
    let mut client = machines.begin_with("sync", &arguments);
    let mut crashes = 0;
    machines.start_with("worker 0", &allowed);
    *at_work.lock().unwrap() = Some(machines.worker("worker 0").pid());
    until("the run comes to an end", || {
        let name = format!("worker {crashes}");
        if machines.worker(&name).is_over() {
            crashes += 1;
            let next = format!("worker {crashes}");
            machines.start_with(&next, &allowed);
            *at_work.lock().unwrap() = Some(machines.worker(&next).pid());
        }
        client.is_over()
    });
    let run = client.end();
    assert_eq!(run.code, Some(1), "{run:?}");
    let summary = run.summary();
    assert_eq!((&summary["errors"], &summary["source_objects"]), (&1.into(), &OBJECTS.into()), "{summary}");
    // After an error nothing is deleted.
    assert_eq!((&summary["deleted"], &summary["deletes_withheld"]), (&0.into(), &1.into()), "{summary}");
    let failed: Vec<_> = run.json().into_iter().filter(|line| line["event"] == "failed").collect();
    let [failed] = &failed[..] else { panic!("{failed:?}") };
    assert_eq!(failed["path"], "2/041-poison");
    assert!(failed["error"]["message"].as_str().unwrap().starts_with("poison"), "{failed}");
    let came = contents(&target);
    assert_eq!(came.len(), contents(&source).len() - 1 + 1, "all but one, and what was extra");
    let most = 2 + (OBJECTS + 4).next_power_of_two().ilog2();
    assert!((2..=most).contains(&crashes), "{crashes} of {most} crashes");
}
