//! The threads of a command.

use std::{
    io,
    sync::{PoisonError, RwLock},
    thread,
    time::Duration,
};

use super::{exit::Failure, interrupt};

/// What a command and its connections run on. What blocks has threads of its own, and so has compression on several
/// cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// For commands that wait for most of their time: where many small objects move, waking other threads would cost
    /// more than the work.
    One,
    /// For commands in which the component computes on bytes, while connections go on.
    Several,
}

/// Runs a command to its end, or to the first signal that asks to stop.
pub(crate) fn wait(
    threads: Threads,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    /// Beside the one of the command, on which the component computes.
    const WORKERS: usize = 2;
    /// Threads that are not of tokio: the one that watches over the component, and that of the input or the progress.
    const BESIDE: usize = 2;
    /// As long as any command takes.
    const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);
    /// For what is being written when a command is stopped: time to remove it.
    const CLEAN_UP: Duration = Duration::from_secs(5);

    raise_limit_of_files();
    let count = 1 + BESIDE + if threads == Threads::Several { WORKERS } else { 0 };
    can_start(count).map_err(|error| {
        let what = "cannot start the threads that a command needs: raise their limit (`ulimit -u`)";
        Failure::system(what, error)
    })?;
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::Several => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(WORKERS)
        .thread_keep_alive(FOR_EVER)
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start the threads", error))?;
    // One for what blocks is there from now on: where there may be no more, all of that waits for it.
    drop(runtime.spawn_blocking(|| {}));
    let outcome = runtime.block_on(interrupt::unless_stopped(command, CLEAN_UP));
    runtime.shutdown_timeout(CLEAN_UP);
    outcome
}

/// Whether so many threads may be started: tokio takes it for granted, and panics.
fn can_start(count: usize) -> io::Result<()> {
    let wait = &RwLock::new(());
    // They stay until all are there.
    let held = wait.write().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        let started: io::Result<Vec<_>> =
            (0..count).map(|_| thread::Builder::new().spawn_scoped(scope, || drop(wait.read()))).collect();
        drop(held);
        started.map(drop)
    })
}

/// Lets the process open as many files as it may at most: the usual limit is meant for programs that cannot count so far.
/// With less a command works as well, with fewer objects at the same time.
fn raise_limit_of_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
