//! Bounds the time that a guest computes. It is counted in epochs, at whose ends other work may run.

use std::{thread, time::Duration};

use wasmtime::{Engine, StoreContextMut, UpdateDeadline};

use super::budget::Budget;
use crate::{Error, ErrorCode, Result};

/// The length of an epoch: how often a computing guest lets others run, and the resolution of its time limit.
pub(super) const EPOCH: Duration = Duration::from_millis(10);

/// What to do at the end of each epoch that the guest spends computing: yield to the host's other work, and trap a
/// guest that has computed for longer than it may without getting anything done. Waiting does not count: no epoch ends
/// in the guest while the host works for it.
pub(super) fn deadline<T>(
    budget: Budget,
) -> impl FnMut(StoreContextMut<'_, T>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + use<T> {
    let (mut seen, mut computed) = (u64::MAX, Duration::ZERO);
    move |_| {
        let now = budget.progress();
        computed = if now == seen { computed + EPOCH } else { Duration::ZERO };
        seen = now;
        let is_over = computed > budget.limits().guest_time;
        Ok(if is_over { UpdateDeadline::Interrupt } else { UpdateDeadline::Yield(1) })
    }
}

/// Ends an epoch of an engine every 10 ms, on a thread of its own, for as long as the engine is used: see
/// [`limit_time`](super::limit_time).
///
/// # Errors
/// [`ErrorCode::LimitExceeded`] if the thread cannot be started.
pub fn watch(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(EPOCH);
        }
    };
    let started = thread::Builder::new().name("omnistorage-epoch".to_owned()).spawn(ticker);
    started.map(drop).map_err(|error| {
        let message = format!(
            "no thread can be started to watch over components: {error}; raise the limit of processes of this user \
             (`ulimit -u`)"
        );
        Error::new(ErrorCode::LimitExceeded, message)
    })
}
