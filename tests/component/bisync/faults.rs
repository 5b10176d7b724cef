//! A fault at every call of a run, one at a time: nothing is lost, and the next run comes to the same as without.

use std::{collections::BTreeSet, sync::Arc};

use omnistorage::{
    Backend, Error, ErrorCode,
    backend::{
        fault::{Fault, Faults},
        layer::Layered,
    },
    runtime::{BisyncOptions, DeleteLimit},
};

use super::{Both, bisync, delete, memories, resync, run, write};
use crate::setup::{storage, tree};

/// Both sides after an agreement and then a change of each kind.
async fn edited() -> Both {
    let both = memories();
    let (first, second) = (&*both.first, &*both.second);
    for path in ["both", "by first", "by second", "gone on first", "gone on second", "kept"] {
        write(first, path, "old", 1).await;
    }
    run(&both, &resync()).await;
    write(first, "by first", "one's change", 10).await;
    write(second, "by second", "the other's change", 11).await;
    write(first, "both", "one's version", 12).await;
    write(second, "both", "the other's version", 13).await;
    delete(first, "gone on first").await;
    delete(second, "gone on second").await;
    write(first, "d/new on first", "new one", 14).await;
    write(second, "d/new on second", "another new one", 15).await;
    both
}

/// What must not be lost: the last version of each object, and both of a conflict.
const LAST: [&str; 7] = [
    "one's change",
    "the other's change",
    "one's version",
    "the other's version",
    "new one",
    "another new one",
    "old",
];

fn options() -> BisyncOptions {
    BisyncOptions { max_delete: DeleteLimit::Count(2), transfers: 2, ..Default::default() }
}

async fn survives(faults: &Faults, may_fail: bool, what: &str) {
    let both = edited().await;
    let broken = |inner: &Arc<dyn Backend>| -> Arc<dyn Backend> {
        Arc::new(Layered::new(inner.clone(), faults.clone()))
    };
    let faulty = storage([
        ("first", broken(&both.first)),
        ("second", broken(&both.second)),
        ("state", broken(&both.state)),
    ]);
    match bisync(&faulty, &options()).await {
        Ok((events, report)) => assert!(may_fail || report.errors == 0, "{what}: {events:?}"),
        Err(error) => assert!(may_fail && !error.message().is_empty(), "{what}: {error}"),
    }
    let (first, second) = (tree(&*both.first).await, tree(&*both.second).await);
    let there: BTreeSet<_> = first.iter().chain(&second).map(|(_, contents)| contents.as_str()).collect();
    assert_eq!(there, BTreeSet::from(LAST), "{what}");

    run(&both, &options()).await;
    let expected = [
        ("both", "the other's version"),
        ("both.conflict1", "one's version"),
        ("by first", "one's change"),
        ("by second", "the other's change"),
        ("d/new on first", "new one"),
        ("d/new on second", "another new one"),
        ("kept", "old"),
    ];
    for side in [&both.first, &both.second] {
        super::has(&**side, &expected).await;
    }
    assert_eq!(run(&both, &options()).await, [""; 0], "{what}");
}

#[tokio::test]
async fn a_fault_at_every_call_loses_nothing() {
    let counted = Faults::none();
    survives(&counted, false, "no fault").await;
    let calls = counted.calls();
    assert!(calls > 30, "{calls}");
    let error = |code| Error::new(code, "a fault on purpose");
    for call in 0..calls {
        for fault in [
            Fault::Error(error(ErrorCode::Unavailable)),
            Fault::Error(error(ErrorCode::PermissionDenied)),
            Fault::Error(error(ErrorCode::NotFound)),
            Fault::LostAnswer(error(ErrorCode::Timeout)),
            Fault::EarlyEnd,
        ] {
            let what = format!("call {call}: {fault:?}");
            survives(&Faults::at(call, fault), true, &what).await;
        }
    }
}

/// Stopped between any two calls, as by a signal that nothing can catch: the next run finds what was done.
#[tokio::test]
async fn a_run_that_is_cut_off_anywhere_loses_nothing() {
    let counted = Faults::none();
    survives(&counted, false, "no fault").await;
    for call in 0..counted.calls() {
        let dead = Faults::new(move |number, _| {
            let error = Error::new(ErrorCode::BackendClosed, "gone");
            (number >= call).then_some(Fault::Error(error))
        });
        survives(&dead, true, &format!("cut off at call {call}")).await;
    }
}
