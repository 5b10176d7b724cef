//! One range on a worker: a job of the component, as long as the lease holds.

use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::{
    entry::{Entry, Lines},
    log::LogOf,
    told::Told,
};
use crate::{
    Error, ErrorCode, KeyRange, Result,
    backend::layer::Operation,
    ranges::{Counts, Extra},
    runtime::{Activity, Job, Report},
};

/// How long a job may ask nothing of its backends and move no byte. A store that copies a large object within itself says
/// nothing meanwhile.
const STANDSTILL: Duration = Duration::from_secs(15 * 60);

/// How often a range is begun, at most: enough to find the one path that ends its workers, by halves.
const DELIVERIES: i64 = 64;

/// How often a range is tried, if it fails for a reason that may pass.
const ATTEMPTS: i64 = 3;

/// A range that this worker may work on, as long as it keeps saying so.
pub(super) struct Lease {
    message: Message,
    length: Duration,
    /// When the server last heard that the work goes on, by the clock of this machine.
    renewed: Instant,
    /// What the job had done at that time.
    done: u64,
    moved: Instant,
}

/// What came of a range.
pub(super) enum Outcome {
    /// To be written down.
    Done(Box<Entry>),
    /// Somebody else may have it by now: whatever was under way was given up.
    Lost,
    /// It may go better a little later.
    Later(Error),
}

impl Lease {
    /// Of a message that has just come, at `since`.
    pub(super) fn new(message: Message, length: Duration, since: Instant) -> Self {
        Self { message, length, renewed: since, done: 0, moved: since }
    }

    /// Whether somebody had the range before.
    pub(super) fn is_again(&self) -> bool {
        self.delivery() > 1
    }

    /// Which delivery of the range this is.
    fn delivery(&self) -> i64 {
        self.message.info().map_or(i64::MAX, |info| info.delivered)
    }

    /// Why the range is not begun once more, if it is not.
    pub(super) fn is_given_up(&self) -> Option<Error> {
        (self.delivery() > DELIVERIES).then(|| {
            let message = format!("a range was begun {DELIVERIES} times, and no worker came to its end");
            Error::new(ErrorCode::Other, message)
        })
    }

    /// Whether an error of the range may pass.
    pub(super) fn may_be_tried_again(&self, error: &Error) -> bool {
        error.may_pass() && self.delivery() < ATTEMPTS
    }

    /// Works as long as the lease holds; `None` if it was lost. What is lost is dropped, so nothing is left half done.
    pub(super) async fn keep<T>(&mut self, work: impl Future<Output = T>, activity: &Activity) -> Option<T> {
        let mut work = std::pin::pin!(work);
        // Three are lost before the lease is.
        let period = self.length / 6;
        // Counted from the last time: there may be many short works on one lease, one after the other.
        let mut moments = interval_at(self.renewed + period, period);
        moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Late is lost: another worker may have begun. This machine may have slept.
            let end = self.renewed + self.length * 2 / 3;
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(end) => return None,
                result = &mut work => return Some(result),
                _ = moments.tick() => self.renew(activity, period).await,
            }
        }
    }

    /// Says that the work goes on; whether the range is still this worker's.
    pub(super) async fn holds(&mut self) -> bool {
        let patience = self.length / 6;
        if Instant::now() > self.renewed + self.length * 2 / 3 {
            return false;
        }
        self.say_so(patience).await;
        true
    }

    async fn renew(&mut self, activity: &Activity, patience: Duration) {
        let calls = Operation::ALL.iter().map(|operation| activity.calls(*operation));
        let done = calls.sum::<u64>().wrapping_add(activity.bytes_moved());
        let now = Instant::now();
        if done != self.done {
            (self.done, self.moved) = (done, now);
        }
        if now.duration_since(self.moved) > STANDSTILL {
            return;
        }
        self.say_so(patience).await;
    }

    async fn say_so(&mut self, patience: Duration) {
        let now = Instant::now();
        // The server confirms it: a connection that is lost would keep it to itself.
        if let Ok(Ok(())) = timeout(patience, self.message.double_ack_with(AckKind::Progress)).await {
            self.renewed = now;
        }
    }

    /// The range is done, or needs not be.
    pub(super) async fn release(&self) {
        // If that is lost, the range is given out again, and found in the ledger.
        let _ = timeout(self.length, self.message.double_ack()).await;
    }

    /// Somebody may have the range after a while.
    pub(super) async fn give_back(&self, after: Duration) {
        let _ = self.message.ack_with(AckKind::Nak(Some(after))).await;
    }
}

/// Follows one job to its end; `None` if the lease was lost.
pub(super) async fn follow<E: Told>(
    job: Result<Job<E, E::Report>>,
    lease: &mut Lease,
    lines: &mut Lines,
    mut log: Option<LogOf>,
) -> Option<(Result<Counts>, Option<Activity>)> {
    let mut job = match job {
        Ok(job) => job,
        Err(error) => return Some((Err(error), None)),
    };
    let activity = job.activity();
    let work = async {
        while let Some(told) = job.next().await {
            if let Some(log) = &mut log {
                log.add(told.happened()).await;
            }
            lines.add(told);
        }
        let report = job.outcome().await?;
        // What is not written down as it was asked for counts as not done.
        if let Some(log) = log {
            log.finish().await?;
        }
        Ok(report)
    };
    let result = lease.keep(work, &activity).await?;
    Some((result.map(E::counts), Some(activity)))
}

/// What a pass that deletes did anew: what was skipped or failed there was counted before.
fn anew(counts: Counts, extra: Extra) -> Counts {
    match counts {
        Counts::Sync(report) => {
            Counts::Sync(Report { skipped: 0, errors: report.errors.saturating_sub(extra.errors), ..report })
        }
        Counts::Check(_) => counts,
    }
}

/// Has a job run over its range, and makes an entry of what it tells; `extra` if it is to delete.
pub(super) async fn carry_out<E: Told>(
    job: Result<Job<E, E::Report>>,
    lease: &mut Lease,
    range: &KeyRange,
    worker: &str,
    extra: Option<Extra>,
    log: Option<LogOf>,
) -> Outcome {
    let mut lines = Lines::default();
    if let Some(error) = lease.is_given_up() {
        return Outcome::Done(Box::new(lines.entry(range, worker, Err(error), None)));
    }
    match follow(job, lease, &mut lines, log).await {
        None => Outcome::Lost,
        Some((Err(error), _)) if lease.may_be_tried_again(&error) => Outcome::Later(error),
        Some((result, activity)) => {
            let result = result.map(|counts| extra.map_or(counts, |extra| anew(counts, extra)));
            Outcome::Done(Box::new(lines.entry(range, worker, result, activity.as_ref())))
        }
    }
}
