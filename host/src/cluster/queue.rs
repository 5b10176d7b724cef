//! The ranges that wait: a work queue, of which a worker holds a lease. It is a hint: the ledger tells what is done.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, PullConsumer, pull},
    context::PublishAckFuture,
    message::PublishMessage,
};
use serde::{Deserialize, Serialize};

use super::{
    connection::{Cluster, unavailable},
    entry::written,
};
use crate::Result;

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

/// A range that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    pub(super) phase: Phase,
    pub(super) index: usize,
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
    pub(super) async fn publish(
        &self,
        run: &str,
        phase: Phase,
        indexes: &[usize],
        attempt: u64,
    ) -> Result<()> {
        /// Messages whose receipt is waited for at once.
        const AT_ONCE: usize = 256;

        let failed = |error: &dyn std::fmt::Display| unavailable("take ranges that wait", error);
        for indexes in indexes.chunks(AT_ONCE) {
            let mut receipts: Vec<PublishAckFuture> = Vec::with_capacity(indexes.len());
            for index in indexes {
                let message = PublishMessage::build()
                    .payload(written(&Work { phase, index: *index })?)
                    .message_id(format!("{run}.{}.{index}.{attempt}", phase.as_str()));
                let sent = self.context.send_publish(Self::work_subject(run), message).await;
                receipts.push(sent.map_err(|error| failed(&error))?);
            }
            for receipt in receipts {
                receipt.await.map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }

    /// Whether nothing of a run waits, and nobody is at work on it.
    pub(super) async fn is_idle(&self, run: &str, lease: Duration) -> Result<bool> {
        let mut queue = self.queue(run, lease).await?;
        let info = queue.info().await.map_err(|error| unavailable("tell of a queue", &error))?;
        Ok(info.num_pending == 0 && info.num_ack_pending == 0)
    }
}
