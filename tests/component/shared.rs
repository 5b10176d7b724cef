//! Runs that are shared among workers, one of which is killed, or cut off for a while: target, report and error are those of one run, whatever the trees,
//! the options, the borders and the moment. `OMNISTORAGE_SEEDS` says which (by default `0..32`).

use std::{env, time::Duration};

use omnistorage::{
    ErrorCode,
    cluster::{Cluster, Opened, Operation, Places, Plan, Task, Transfer, Worker, share},
    runtime::{Comparison, Event, Report, Storage},
};
use omnistorage_test_servers::{Line, Nats};
use tokio::task::JoinHandle;

use crate::{
    far::Far,
    ranges_at_once::{Case, Dice, Trees, run, whole},
    setup::{at, storage, tree},
};

/// Long enough that a busy machine does not lose it.
const LEASE: Duration = Duration::from_secs(1);
/// Long enough that what a worker has is given to others.
const CUT: Duration = Duration::from_millis(1_500);
/// Cases at a time, each with a server of its own; most of the time they wait.
const LANES: u64 = 6;
/// Cases after which a server begins anew: it keeps the record of each.
const CASES: u64 = 40;

/// The places of one case, whatever they are called.
struct These(Storage);

impl Places for These {
    fn open(&self, _: &Task) -> Result<Opened, String> {
        let (source, target) = (at("source", ""), at("target", ""));
        Ok(Opened { storage: self.0.clone(), source, target, backup: None, logs: None })
    }
}

/// A worker, which ends where it is when it is aborted.
async fn worker(url: &str, name: &str, trees: &Trees) -> JoinHandle<()> {
    let storage = storage([("source", trees.source.clone()), ("target", trees.target.clone())]);
    let cluster = Cluster::connect(url, None, name).await.unwrap();
    let worker = Worker::new(cluster, name.to_owned(), 2, These(storage), |_| {});
    tokio::spawn(async move { worker.serve(std::future::pending()).await })
}

/// What does not depend on how often something was begun: what a worker that was killed had transferred, moved or deleted of a
/// range counts no more.
fn counted(report: Report, is_killed: bool, how: Transfer, comparison: Comparison) -> Report {
    if !is_killed {
        return report;
    }
    let mut report = Report { transferred: 0, bytes: 0, updated_times: 0, deleted: 0, ..report };
    if matches!(how, Transfer::Move) {
        (report.checked, report.source_objects, report.sources_removed) = (0, 0, 0);
    }
    if comparison == Comparison::IgnoreExisting {
        // What was transferred before exists, and so it is skipped.
        report.skipped = 0;
    }
    report
}

async fn one(nats: &Nats, seed: u64) {
    let mut dice = Dice(seed);
    let case = Case::of(&mut dice);
    let (how, options) = run(&mut dice);
    let ranges = 1 + u32::try_from(dice.roll(9)).unwrap();
    // What is transferred once more is no longer the object that must not change.
    let may_be_killed = !(options.immutable && options.comparison == Comparison::Always);
    let kill_after = (may_be_killed && dice.happens(80)).then(|| Duration::from_millis(dice.roll(400)));
    let is_cut_off = dice.happens(50);
    let about = || {
        format!(
            "seed {seed}: {how:?} in {ranges} ranges, killed {kill_after:?} {is_cut_off}\n{options:?}\n{case:?}"
        )
    };
    let [single, shared] = [
        case.make_at(&Far::answering(1_000, Duration::ZERO)).await,
        case.make_at(&Far::answering(3, Duration::from_millis(5))).await,
    ];
    let expected = whole(&single, how, &options).await;

    let url = nats.url();
    let line = Line::to(url.strip_prefix("nats://").unwrap());
    let doomed = worker(&format!("nats://{}", line.address), "one", &shared).await;
    let other = worker(&url, "two", &shared).await;
    let plan = Plan {
        task: Task {
            operation: Operation::Transfer(how),
            source: format!("source-{seed}"),
            target: format!("target-{seed}"),
            backup: None,
            report: None,
            metadata: false,
            links: "skip".into(),
        },
        options: options.clone(),
        times: String::new(),
        ranges,
        lease: LEASE,
    };
    let cluster = Cluster::connect(&url, None, "client").await.unwrap();
    let sides = [at("source", ""), at("target", "")];
    let job = share::<Event>(cluster, shared.storage.clone(), sides, plan, |_| {}).await;
    let kill = async {
        if let Some(after) = kill_after {
            tokio::time::sleep(after).await;
            if is_cut_off {
                line.cut();
                tokio::time::sleep(CUT).await;
                line.mend();
            } else {
                doomed.abort();
            }
        }
        std::future::pending::<()>().await;
    };
    let outcome: Result<Report, ErrorCode> = tokio::select! {
        outcome = async { job?.outcome().await } => outcome.map_err(|error| error.code()),
        () = kill => unreachable!(),
    };
    line.mend();
    doomed.abort();
    other.abort();
    let is_killed = kill_after.is_some();
    let counted = |outcome: Result<Report, ErrorCode>| {
        outcome.map(|report| counted(report, is_killed, how, options.comparison))
    };
    assert_eq!(counted(outcome), counted(expected.1), "{}", about());
    assert_eq!(tree(&*shared.target).await, tree(&*single.target).await, "{}", about());
    if !case.has_odd_name {
        assert_eq!(tree(&*shared.source).await, tree(&*single.source).await, "{}", about());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_runs_do_what_one_run_does_whatever_happens_to_a_worker() {
    let (first, end) = match env::var("OMNISTORAGE_SEEDS") {
        Ok(seeds) => {
            let (first, end) = seeds.split_once("..").unwrap();
            (first.parse().unwrap(), end.parse().unwrap())
        }
        Err(_) => (0, 32),
    };
    let lanes = (0..LANES).map(|lane| async move {
        let mut nats: Option<Nats> = None;
        for (number, seed) in (first + lane..end).step_by(LANES as usize).enumerate() {
            if (number as u64).is_multiple_of(CASES) {
                nats = Nats::start();
            }
            let Some(nats) = &nats else { return };
            one(nats, seed).await;
        }
    });
    let lanes: Vec<_> = lanes.map(|lane| tokio::spawn(lane)).collect();
    for lane in lanes {
        lane.await.unwrap();
    }
}
