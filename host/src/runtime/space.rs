//! Address space: a 64-bit process mostly has more than it can use, but it may be held to less.

use wasmtime::Config;

use crate::{Error, ErrorCode, Result};

/// What a component and its threads take at the least, in bytes, where memories reserve nothing.
const LEAST: u64 = 512 << 20;

/// What a memory reserves beyond what it has, where there is little, in bytes: to grow without being moved.
const AHEAD: u64 = 4 << 20;

/// Whether there is enough to run a component at all.
///
/// # Errors
/// [`ErrorCode::LimitExceeded`]
pub(super) fn check() -> Result<()> {
    match limit() {
        Some(limit) if limit < LEAST => {
            let message = format!(
                "this process may have {limit} bytes of address space, and a component needs {LEAST}: raise the limit \
                 (`ulimit -v`)"
            );
            Err(Error::new(ErrorCode::LimitExceeded, message))
        }
        _ => Ok(()),
    }
}

/// Where address space is limited, memories do not reserve all that they could ever have (4 GiB each, which saves them
/// from looking at every address), but a little more than they have.
pub(super) fn sparing(mut config: Config) -> Config {
    if limit().is_some() {
        config.memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(AHEAD);
    }
    config
}

#[cfg(unix)]
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn limit() -> Option<u64> {
    None
}
