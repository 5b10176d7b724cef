//! Many callers at once: tasks on several threads, or where there are none, as in a component, in turns on the one.

use std::{future::Future, time::Duration};

/// Runs all tasks at once, and gives what came of them in any order.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn together<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.into_iter().collect::<tokio::task::JoinSet<T>>().join_all().await
}

/// Runs all tasks at once.
#[cfg(target_family = "wasm")]
pub(crate) async fn together<T>(tasks: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::future::join_all(tasks).await
}

/// Lets the others go on.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn give_way() {
    tokio::task::yield_now().await;
}

/// Lets the others go on: every call of a backend does.
#[cfg(target_family = "wasm")]
pub(crate) async fn give_way() {}

/// Waits.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits, and everything in the component with it.
#[cfg(target_family = "wasm")]
pub(crate) async fn wait(time: Duration) {
    std::thread::sleep(time);
}
