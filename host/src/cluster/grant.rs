//! A limit of bytes that all workers transfer together (`--max-transfer`).
//!
//! The ledger holds how many bytes were granted so far, which never is more than the limit. A range transfers what it was granted
//! and no more; what is left of that in the end goes back. What was granted to a worker that is gone counts as transferred.

use async_nats::jetstream::kv::{CreateErrorKind, Operation as Kept, UpdateErrorKind};

use super::{
    connection::{Cluster, unavailable},
    entry::{read, written},
};
use crate::Result;

/// The least that is granted at a time, if there is as much.
const LEAST: u64 = 64 << 10;
/// At first a range gets this part of what is left: many of them are at work at once.
const FIRST_PART: u64 = 64;

/// What a range was granted.
pub(super) struct Grant<'a> {
    cluster: &'a Cluster,
    run: &'a str,
    limit: u64,
    granted: u64,
    spent: u64,
}

impl<'a> Grant<'a> {
    /// Nothing yet, of a limit: a range with nothing to transfer needs nothing.
    pub(super) fn of(cluster: &'a Cluster, run: &'a str, limit: u64) -> Self {
        Self { cluster, run, limit, granted: 0, spent: 0 }
    }

    /// All that was granted.
    pub(super) const fn granted(&self) -> u64 {
        self.granted
    }

    /// What is left of it.
    pub(super) const fn left(&self) -> u64 {
        self.granted.saturating_sub(self.spent)
    }

    /// So much of it was transferred.
    pub(super) fn spend(&mut self, bytes: u64) {
        self.spent = self.spent.saturating_add(bytes);
    }

    /// Asks for as much again as was granted so far; whether there was anything left.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`](crate::ErrorCode::Unavailable).
    pub(super) async fn more(&mut self) -> Result<bool> {
        let granted = self.granted;
        let more = self
            .change(|all, limit| {
                let left = limit.saturating_sub(all);
                let more = if granted == 0 { left / FIRST_PART } else { granted };
                all.saturating_add(more.max(LEAST).min(left))
            })
            .await?;
        self.granted = self.granted.saturating_add(more);
        Ok(more > 0)
    }

    /// Gives back what is left.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`](crate::ErrorCode::Unavailable): then it counts as transferred.
    pub(super) async fn end(self) -> Result<()> {
        let left = self.left();
        if left > 0 {
            self.change(|all, _| all.saturating_sub(left)).await?;
        }
        Ok(())
    }

    /// Changes how much all have been granted; by how much more it is.
    async fn change(&self, to: impl Fn(u64, u64) -> u64) -> Result<u64> {
        let key = format!("{}.granted", self.run);
        let failed = |error: &dyn std::fmt::Display| unavailable("grant bytes to transfer", error);
        loop {
            let kept = self.cluster.ledger.entry(&key).await.map_err(|error| failed(&error))?;
            let kept = kept.filter(|kept| kept.operation == Kept::Put);
            let before: u64 = match &kept {
                Some(kept) => read("how much was granted", &kept.value)?,
                None => 0,
            };
            let after = to(before, self.limit);
            if after == before {
                return Ok(0);
            }
            // If somebody else was faster, it begins anew.
            match kept {
                Some(kept) => match self.cluster.ledger.update(&key, written(&after)?, kept.revision).await {
                    Ok(_) => return Ok(after.saturating_sub(before)),
                    Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                    Err(error) => return Err(failed(&error)),
                },
                None => match self.cluster.ledger.create(&key, written(&after)?).await {
                    Ok(_) => return Ok(after.saturating_sub(before)),
                    Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                    Err(error) => return Err(failed(&error)),
                },
            }
        }
    }
}
