//! The ranges that wait: a work queue, of which a worker holds a lease. It is a hint: the ledger tells what is done.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{self, AckPolicy, PullConsumer, pull},
    context::{ConsumerInfoErrorKind, PublishAckFuture},
    message::PublishMessage,
};
use serde::{Deserialize, Serialize};

use super::{
    bounds::Bounds,
    connection::{Cluster, unavailable},
    entry::written,
};
use crate::{KeyRange, Result};

/// When the queue of a run that is over is forgotten, if a worker made it anew.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Ranges that may be at work at once, on all machines.
const AT_WORK: i64 = 100_000;

/// The passes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// Transfers, and counts what is extra.
    Merge,
    /// Deletes what is still extra.
    Delete,
    /// Looks at directories that lie in another range than what is in them, all of them at once.
    Tidy,
}

impl Phase {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Delete => "delete",
            Self::Tidy => "tidy",
        }
    }
}

/// What waits for a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Work {
    /// A range to compare, in which what differs is transferred.
    Merge {
        bounds: Bounds,
        /// About how much of a range that was cut at the beginning it is.
        weight: f64,
    },
    /// The range of this index, in which what is extra goes.
    Delete { index: usize },
    /// All directories that a border parts from what is in them.
    Tidy,
}

impl Work {
    /// A range to compare.
    pub(super) fn merge(range: &KeyRange, weight: f64) -> Self {
        Self::Merge { bounds: range.into(), weight }
    }

    /// Its phase.
    pub(super) const fn phase(&self) -> Phase {
        match self {
            Self::Merge { .. } => Phase::Merge,
            Self::Delete { .. } => Phase::Delete,
            Self::Tidy => Phase::Tidy,
        }
    }

    /// Its name, that of no other work of its phase. A range to compare has that of its beginning: wherever it ends, there is one
    /// report for it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Merge { bounds, .. } => bounds.name(),
            Self::Delete { index } => index.to_string(),
            Self::Tidy => "0".to_owned(),
        }
    }
}

impl Cluster {
    /// The queue of a run.
    pub(super) async fn queue(&self, run: &str, lease: Duration) -> Result<PullConsumer> {
        let config = pull::Config {
            durable_name: Some(run.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: lease,
            filter_subject: Self::work_subject(run),
            max_ack_pending: AT_WORK,
            inactive_threshold: FORGOTTEN,
            ..pull::Config::default()
        };
        let consumer = self.work.get_or_create_consumer(run, config).await;
        consumer.map_err(|error| unavailable("make a queue", &error))
    }

    /// Lets ranges wait for workers. `attempt` tells one time from another: within one, what was sent twice waits once.
    pub(super) async fn publish(&self, run: &str, works: &[Work], attempt: u64) -> Result<()> {
        /// Messages whose receipt is waited for at once.
        const AT_ONCE: usize = 256;

        let failed = |error: &dyn std::fmt::Display| unavailable("take ranges that wait", error);
        for works in works.chunks(AT_ONCE) {
            let mut receipts: Vec<PublishAckFuture> = Vec::with_capacity(works.len());
            for work in works {
                let message = PublishMessage::build().payload(written(work)?).message_id(format!(
                    "{run}.{}.{}.{attempt}",
                    work.phase().as_str(),
                    work.name()
                ));
                let sent = self.context.send_publish(Self::work_subject(run), message).await;
                receipts.push(sent.map_err(|error| failed(&error))?);
            }
            for receipt in receipts {
                receipt.await.map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }

    /// How many ranges of a run wait, or are at work. Its queue is made anew if it was lost.
    pub(super) async fn unfinished(&self, run: &str, lease: Duration) -> Result<u64> {
        Ok(unfinished(self.queue(run, lease).await?.cached_info()))
    }

    /// The same; `None` if it has no queue, as before its begin and after its end.
    pub(super) async fn waiting(&self, run: &str) -> Result<Option<u64>> {
        match self.work.consumer_info(run).await {
            Ok(info) => Ok(Some(unfinished(&info))),
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable("tell of a queue", &error)),
        }
    }
}

fn unfinished(queue: &consumer::Info) -> u64 {
    queue.num_pending + queue.num_ack_pending as u64
}
