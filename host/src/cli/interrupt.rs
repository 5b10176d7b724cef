//! Signals: the first one stops the command, which then removes what it was writing, and says how far it came if it has
//! [last words](super::last_words); the next one ends the process.
//! Exceeding the largest file that the process may write (`ulimit -f`) is an error of the write, not a signal that ends
//! the process.

use std::{pin::pin, process, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use super::{
    exit::{Exit, Failure},
    last_words::LastWords,
};

/// Runs a command unless SIGINT or SIGTERM comes first. Dropping the command cancels it: what it was writing
/// disappears. If that takes longer than `clean_up`, or another signal comes, the process ends at once.
pub(crate) async fn unless_stopped(
    command: impl Future<Output = Result<(), Failure>>,
    clean_up: Duration,
) -> Result<(), Failure> {
    let cannot = |error| Failure::system("cannot listen for signals", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    // Asking for the signal is enough: it no longer ends the process.
    let _too_large = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map_err(cannot)?;
    let (stop, stopped) = oneshot::channel();
    let mut command = pin!(command);

    // On a thread of its own, because the command may be waiting for the reader of its output.
    let watch = tokio::spawn(async move {
        let exit = next_signal(&mut interrupt, &mut terminate).await;
        let _ = stop.send((exit, LastWords::ask(exit)));
        let _ = tokio::time::timeout(clean_up, next_signal(&mut interrupt, &mut terminate)).await;
        process::exit(exit as i32);
    });

    let outcome = tokio::select! {
        outcome = &mut command => outcome,
        Ok((exit, has_last_words)) = stopped => {
            return if has_last_words { command.await } else { Err(Failure::silent(exit)) };
        }
    };
    watch.abort();
    outcome
}

/// The first SIGINT or SIGTERM, for a command that ends well then: it is asked to end, and does.
pub(crate) fn asked_to_end() -> Result<impl Future<Output = ()>, Failure> {
    let cannot = |error| Failure::system("cannot listen for signals", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    Ok(async move {
        next_signal(&mut interrupt, &mut terminate).await;
    })
}

async fn next_signal(interrupt: &mut Signal, terminate: &mut Signal) -> Exit {
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}
