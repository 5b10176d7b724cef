//! Retries calls that failed for a reason that may pass.

use std::rc::Rc;

use omnistorage_types::Error;

use crate::port::Storage;

/// How many attempts a call gets in all, and who waits in between.
#[derive(Clone)]
pub(super) struct Attempts {
    port: Rc<dyn Storage>,
    most: u32,
}

impl Attempts {
    pub(super) fn new(port: Rc<dyn Storage>, most: u32) -> Self {
        Self { port, most }
    }

    /// The port that waits.
    pub(super) fn port(&self) -> &Rc<dyn Storage> {
        &self.port
    }
}

/// The pause before the second attempt, in milliseconds; it doubles before each further one.
const FIRST_PAUSE: u32 = 20;

/// The longest pause, whatever a store asks for, in milliseconds.
const LONGEST_PAUSE: u32 = 60_000;

/// Makes calls, and repeats those that failed for a reason that may pass, up to `attempts` times in all. One result per
/// item, in their order.
pub(super) async fn retrying_many<I: Copy, T>(
    attempts: &Attempts,
    items: &[I],
    mut call: impl AsyncFnMut(Vec<I>) -> Vec<Result<T, Error>>,
) -> Vec<Result<T, Error>> {
    let mut results = call(items.to_vec()).await;
    for attempt in 1..attempts.most {
        let failed = results.iter().zip(items).enumerate().filter(|(_, (result, _))| may_pass(result));
        let (positions, again): (Vec<_>, Vec<_>) =
            failed.map(|(position, (_, item))| (position, *item)).unzip();
        if again.is_empty() {
            return results;
        }
        rest(attempts, attempt, positions.iter().filter_map(|&position| results.get(position))).await;
        for (position, result) in positions.into_iter().zip(call(again).await) {
            if let Some(old) = results.get_mut(position) {
                *old = result;
            }
        }
    }
    results
        .into_iter()
        .map(|result| {
            result.map_err(|error| if may_pass_as(&error) { tried(attempts.most, error) } else { error })
        })
        .collect()
}

/// The same for one call.
pub(super) async fn retrying<T>(
    attempts: &Attempts,
    mut call: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut result = call().await;
    for attempt in 1..attempts.most {
        if !may_pass(&result) {
            return result;
        }
        rest(attempts, attempt, [&result]).await;
        result = call().await;
    }
    result.map_err(|error| if may_pass_as(&error) { tried(attempts.most, error) } else { error })
}

fn may_pass<T>(result: &Result<T, Error>) -> bool {
    result.as_ref().is_err_and(may_pass_as)
}

/// Whether to try again: the reason may pass and the backend has not given up already, or bytes were damaged on the
/// way, since here they are read and sent once more.
fn may_pass_as(error: &Error) -> bool {
    error.may_pass() || error.code().is_of_the_way()
}

/// Waits before attempt `attempt + 1`: longer each time, and at least as long as the store asks.
async fn rest<'a, T: 'a>(
    attempts: &Attempts,
    attempt: u32,
    failed: impl IntoIterator<Item = &'a Result<T, Error>>,
) {
    let asked = failed.into_iter().filter_map(|result| result.as_ref().err()?.retry_after()).max();
    let own = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(16));
    let asked = asked.map_or(0, |asked| u32::try_from(asked.as_millis()).unwrap_or(LONGEST_PAUSE));
    attempts.port.pause(own.max(asked).min(LONGEST_PAUSE)).await;
}

fn tried(attempts: u32, error: Error) -> Error {
    match attempts {
        0 | 1 => error,
        _ => {
            let message = format!("{} (tried {attempts} times)", error.message());
            error.with_message(message)
        }
    }
}
