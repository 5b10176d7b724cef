//! Secrets that are looked for wherever somebody could read them.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, Once, PoisonError},
};

use omnistorage::{
    Backend, Result,
    backend::layer::{Call, Layer, Layered},
};
use tracing_subscriber::fmt::MakeWriter;

/// A secret, and a token that goes with it. Nothing else holds this word.
pub const CANARIES: [&str; 2] =
    ["canary/secret+of+0123456789abcdefghij", "canary/token+of+0123456789abcdefghij"];
const WORD: &[u8] = b"canary/";

/// The first text in which one was found.
static FOUND: Mutex<Option<String>> = Mutex::new(None);

fn look(place: &str, text: &[u8]) {
    if text.windows(WORD.len()).any(|window| window == WORD) {
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        found.get_or_insert_with(|| format!("{place}: {}", String::from_utf8_lossy(text)));
    }
}

/// Looks at all that is logged in this process from now on, at the most verbose level.
fn watch_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(Logs).init();
        log::set_logger(&Logs).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

struct Logs;

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl io::Write for Logs {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        look("a log", text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Logs {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        look("a log", format!("{record:?} {}", record.args()).as_bytes());
    }

    fn flush(&self) {}
}

/// Looks at every error of a backend.
#[derive(Debug)]
struct Errors;

impl Layer for Errors {
    async fn around<T: Send>(&self, _: Call<'_>, run: impl Future<Output = Result<T>> + Send) -> Result<T> {
        run.await.inspect_err(|error| look("an error", format!("{error} {error:?}").as_bytes()))
    }
}

/// Fails its test when it is dropped, if a canary was found anywhere by then.
#[derive(Debug)]
pub struct Watch(());

impl Drop for Watch {
    fn drop(&mut self) {
        let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(std::thread::panicking() || found.is_none(), "a secret can be read in {found:?}");
    }
}

/// Watches a backend that was opened with a canary, and all that the process logs.
#[must_use]
pub fn watched(backend: Arc<dyn Backend>) -> (Arc<dyn Backend>, Watch) {
    watch_logs();
    look("the backend's own description", format!("{backend:?} {backend:#?}").as_bytes());
    (Arc::new(Layered::new(backend, Errors)), Watch(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_is_looked_at() {
        watch_logs();
        tracing::trace!(secret = CANARIES[0]);
        let seen = FOUND.lock().unwrap_or_else(PoisonError::into_inner).take();
        assert!(seen.is_some_and(|seen| seen.contains(CANARIES[0])));
        log::trace!("{}", CANARIES[1]);
        let seen = FOUND.lock().unwrap_or_else(PoisonError::into_inner).take();
        assert!(seen.is_some_and(|seen| seen.contains(CANARIES[1])));
    }
}
