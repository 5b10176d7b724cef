//! The threads of a command.

use std::num::NonZeroU32;
#[cfg(not(target_family = "wasm"))]
use std::{
    io,
    num::NonZeroUsize,
    sync::{PoisonError, RwLock},
    thread,
    time::Duration,
};

use super::exit::Failure;
#[cfg(not(target_family = "wasm"))]
use super::interrupt;

/// The threads that a command and its connections run on. Blocking work has threads of its own, and so has compression
/// on several cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// For commands that wait most of the time: with many small objects, waking other threads would cost more than the
    /// work.
    One,
    /// For commands in which the component computes on bytes while connections go on.
    Several,
    /// For commands that have so many jobs at work at once: no more than there are cores.
    AtOnce(NonZeroU32),
}

/// Runs a command to its end, on the one thread of a component.
#[cfg(target_family = "wasm")]
pub(crate) fn wait(_: Threads, command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    wit_bindgen::block_on(command)
}

/// Runs a command to its end, or to the first signal that asks to stop.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn wait(
    threads: Threads,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    wait_for(threads, interrupt::unless_stopped(command, CLEAN_UP))
}

/// How long a stopped command may take to remove what it was writing.
#[cfg(not(target_family = "wasm"))]
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Runs a command to its end that itself minds signals.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn wait_for(
    threads: Threads,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    /// In addition to the thread of the command, on which the component computes.
    const WORKERS: usize = 2;
    /// Threads that are not of tokio: the one that watches over the component, and that of the input or the progress.
    const BESIDE: usize = 2;
    /// As long as any command takes.
    const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

    raise_limit_of_files();
    let workers = match threads {
        Threads::One => 0,
        Threads::Several => WORKERS,
        Threads::AtOnce(jobs) => {
            let cores = thread::available_parallelism().map_or(WORKERS, NonZeroUsize::get);
            (jobs.get() as usize).clamp(WORKERS, cores.max(WORKERS))
        }
    };
    let count = 1 + BESIDE + workers;
    can_start(count).map_err(|error| {
        let what = "cannot start the threads that a command needs: raise their limit (`ulimit -u`)";
        Failure::system(what, error)
    })?;
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::Several | Threads::AtOnce(_) => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(workers.max(1))
        .thread_keep_alive(FOR_EVER)
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start the threads", error))?;
    // From now on there is one thread for blocking work. If there can be no more, all of that work waits for it.
    drop(runtime.spawn_blocking(|| {}));
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(CLEAN_UP);
    outcome
}

/// Whether this many threads can be started: tokio takes it for granted, and panics otherwise.
#[cfg(not(target_family = "wasm"))]
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

/// Raises the limit of open files as far as it goes: the usual limit is meant for old programs that cannot handle more.
/// With fewer files a command works as well, on fewer objects at the same time.
#[cfg(not(target_family = "wasm"))]
fn raise_limit_of_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
