//! The threads of a command.

use std::time::Duration;

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
    /// For what is being written when a command is stopped: time to remove it.
    const CLEAN_UP: Duration = Duration::from_secs(5);

    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::Several => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| Failure::system("cannot start the threads", error))?;
    let outcome = runtime.block_on(interrupt::unless_stopped(command, CLEAN_UP));
    runtime.shutdown_timeout(CLEAN_UP);
    outcome
}
