//! Time that passes: by tokio's timers, or by the monotonic clock of WASI.

#[cfg(target_family = "wasm")]
mod wasi;

pub(super) use tokio::time::Instant;
#[cfg(not(target_family = "wasm"))]
pub(crate) use tokio::time::sleep;
#[cfg(not(target_family = "wasm"))]
pub(super) use tokio::time::sleep_until;
#[cfg(all(feature = "cloud", not(target_family = "wasm")))]
pub(super) use tokio::time::timeout;

#[cfg(target_family = "wasm")]
pub(crate) use self::wasi::sleep;
#[cfg(target_family = "wasm")]
pub(super) use self::wasi::sleep_until;
#[cfg(all(feature = "cloud", target_family = "wasm"))]
pub(super) use self::wasi::timeout;
