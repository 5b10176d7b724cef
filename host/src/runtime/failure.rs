//! Turns the sudden end of a component into an error for its caller.

use wasmtime::{PoolConcurrencyLimitError, Trap, component::ResourceTableError};

use super::{growth::Growth, limits::Limits};
use crate::{Error, ErrorCode};

/// Wasmtime's messages: the types of these errors are private to it.
const OUT_OF_FUEL: &str = "fuel allocated for hostcalls has been exhausted";
const OUT_OF_HANDLES: &str = "store handle limit exceeded";

/// Whether a component handed over more in one call than it may.
pub(super) fn is_out_of_fuel(error: &wasmtime::Error) -> bool {
    says(error, OUT_OF_FUEL)
}

fn says(error: &wasmtime::Error, words: &str) -> bool {
    error.chain().any(|cause| cause.to_string().contains(words))
}

/// Why a component under these limits ended.
pub(super) fn failure(error: &wasmtime::Error, growth: &Growth, limits: &Limits) -> Error {
    if let Some(error) = error.downcast_ref::<Error>() {
        return error.clone();
    }
    if let Some(refusal) = growth.refusal() {
        return refusal.clone();
    }
    let exceeded = |message: String| Error::new(ErrorCode::LimitExceeded, message);
    if is_out_of_fuel(error) {
        return exceeded(format!(
            "the component handed more than its limit of {} bytes to the host in one call: raise \
             `Limits::hostcall_bytes`",
            limits.hostcall_bytes
        ));
    }
    if says(error, OUT_OF_HANDLES) || matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return exceeded(format!(
            "the component needs more than its limit of {} handles of resources, streams, futures and calls at once: \
             raise `Limits::handles`",
            limits.handles
        ));
    }
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return exceeded(format!(
            "there is no room for the component beside the others: {full}; let it wait for them, or raise \
             `RuntimeOptions::sandboxes`"
        ));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Error::new(
            ErrorCode::Timeout,
            format!(
                "the component computed for {:?} without getting anything done: raise `Limits::guest_time` if it needs \
                 longer",
                limits.guest_time
            ),
        ),
        Some(trap) => Error::new(ErrorCode::Trapped, format!("the component trapped: {trap}")),
        None => Error::new(ErrorCode::Trapped, format!("the component failed: {error:#}")),
    }
}
