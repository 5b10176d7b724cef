//! Time that a guest computes: it is counted in epochs, lets others run, and has an end.

use std::time::Duration;

use wasmtime::{StoreContextMut, UpdateDeadline};

use super::budget::Budget;

/// The length of an epoch: how often a computing guest lets others run, and the grain of its time limit.
pub(super) const EPOCH: Duration = Duration::from_millis(10);

/// What to do at the end of each epoch that the guest spends computing: yield to the host's other work, and trap a guest
/// that has computed for longer than it may without getting anything done. Waiting does not count: no epoch ends in the
/// guest while the host works for it.
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
