//! What a command still says when a signal ends it.

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

use super::exit::Exit;

/// How the process is to end, once a signal has asked for it.
static ASKED: LazyLock<watch::Sender<Option<Exit>>> = LazyLock::new(|| watch::Sender::new(None));
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// As long as there is one, a signal does not drop the command: it may say how far it came, and ends by itself.
pub(crate) struct LastWords(watch::Receiver<Option<Exit>>);

impl LastWords {
    /// Asks for them.
    pub(crate) fn new() -> Self {
        WANTED.fetch_add(1, Ordering::SeqCst);
        Self(ASKED.subscribe())
    }

    /// Tells the command that it is to end. Returns whether it ends by itself: it has last words, and what comes behind
    /// them, as the report of a run.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn ask(exit: Exit) -> bool {
        let are_wanted = WANTED.load(Ordering::SeqCst) > 0;
        ASKED.send_replace(Some(exit));
        are_wanted
    }

    /// Waits until a signal ends the command; where there are no signals, for ever.
    pub(crate) async fn asked(&mut self) -> Exit {
        match self.0.wait_for(Option::is_some).await.map(|exit| *exit) {
            Ok(Some(exit)) => exit,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Ordering::SeqCst);
    }
}
