//! Address space: a 64-bit process usually has more than it needs, unless a limit is set.

use wasmtime::Config;

use crate::{Error, ErrorCode, Result};

/// The least that a component and its threads need, in bytes, where memories reserve nothing.
const LEAST: u64 = 512 << 20;

/// What a memory reserves beyond its size where space is short, in bytes, so that it can grow in place.
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

/// Where address space is limited, a memory reserves only a little more than its size, and not the 4 GiB that it could
/// ever have, which would spare it the bounds checks.
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
