//! Time that passes: by tokio's timers, or by the monotonic clock of WASI.

#[cfg(target_family = "wasm")]
mod wasi;

pub(super) use tokio::time::Instant;
#[cfg(all(feature = "cloud", not(target_family = "wasm")))]
pub(super) use tokio::time::timeout;
#[cfg(not(target_family = "wasm"))]
pub(super) use tokio::time::{sleep, sleep_until};

#[cfg(all(feature = "cloud", target_family = "wasm"))]
pub(super) use self::wasi::timeout;
#[cfg(target_family = "wasm")]
pub(super) use self::wasi::{sleep, sleep_until};
