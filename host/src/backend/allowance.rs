//! How much the writes of one caller may gather in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

use crate::{Error, ErrorCode, Result};

/// Bounds the bytes that writes gather in memory before they send them on, as S3 and Google Cloud Storage do with parts.
/// The default one has no bound. A clone is the same allowance: all that are written with it share its bytes.
///
/// Whoever needs more than is left is refused, or [waits](Allowance::patient) for others to be done. One that is alone
/// gets what it needs, however much that is: what is large is written by one after the other, and never not at all.
#[derive(Clone, Debug, Default)]
pub struct Allowance {
    pool: Option<Arc<Pool>>,
    waits: bool,
}

#[derive(Debug)]
struct Pool {
    limit: u64,
    taken: AtomicU64,
    /// Wakes all that wait: they look again.
    given_back: Notify,
}

impl Allowance {
    /// Of so many bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let pool = Pool { limit, taken: AtomicU64::new(0), given_back: Notify::new() };
        Self { pool: Some(Arc::new(pool)), waits: false }
    }

    /// The same bytes, for writes that wait instead of being refused: those whose bytes come by themselves, whatever
    /// becomes of other writes.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self { waits: true, ..self.clone() }
    }

    /// Whether its writes wait. They are best given all that they need before they begin: two that both have something
    /// and wait for more would wait for ever.
    #[must_use]
    pub fn is_patient(&self) -> bool {
        self.waits && self.pool.is_some()
    }

    /// Nothing of it yet.
    #[must_use]
    pub fn none(&self) -> Allowed {
        Allowed { allowance: self.clone(), bytes: 0 }
    }

    /// Takes so many bytes, until what it gives is dropped.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`], unless it is patient.
    pub async fn take(&self, bytes: u64) -> Result<Allowed> {
        let mut allowed = self.none();
        allowed.grow(bytes).await?;
        Ok(allowed)
    }
}

/// Whoever pays for a write does not make it another one.
impl PartialEq for Allowance {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Allowance {}

/// Bytes of an allowance.
#[derive(Debug, Default)]
pub struct Allowed {
    allowance: Allowance,
    bytes: u64,
}

impl Allowed {
    /// How many they are.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes them so many; fewer than it has changes nothing. Dropped before its end, it has changed nothing.
    ///
    /// # Errors
    /// As [`Allowance::take`]; then it is as it was.
    pub async fn grow(&mut self, bytes: u64) -> Result<()> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return Ok(()) };
        if let Some(pool) = &self.allowance.pool {
            loop {
                let given_back = pool.given_back.notified(); // from here on nothing is missed
                let own = self.bytes;
                let grown = pool.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                    taken.checked_add(more).filter(|all| taken == own || *all <= pool.limit)
                });
                match grown {
                    Ok(_) => break,
                    Err(_) if self.allowance.waits => given_back.await,
                    Err(_) => return Err(refused(pool.limit)),
                }
            }
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Allowed {
    fn drop(&mut self) {
        if let Some(pool) = &self.allowance.pool
            && self.bytes > 0
        {
            pool.taken.fetch_sub(self.bytes, Ordering::Relaxed);
            pool.given_back.notify_waiters();
        }
    }
}

/// What memory of a capacity takes once it holds so many bytes: it grows by doubling.
#[cfg(any(feature = "cloud", feature = "opendal"))]
pub(super) fn grown(capacity: usize, needed: usize) -> u64 {
    (if needed <= capacity { capacity } else { needed.max(capacity.saturating_mul(2)) }) as u64
}

fn refused(limit: u64) -> Error {
    let message = format!(
        "writes may gather {limit} bytes in memory, and those at work have them: finish some first, announce sizes, or \
         allow more (`Limits::gathered`)"
    );
    Error::new(ErrorCode::LimitExceeded, message)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn left(allowance: &Allowance) -> u64 {
        allowance.pool.as_ref().map_or(u64::MAX, |pool| pool.limit - pool.taken.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_is_taken_is_refused_to_others_until_it_is_given_back() {
        let allowance = Allowance::new(100);
        let (mut first, second) = (allowance.take(60).await.unwrap(), allowance.take(30).await.unwrap());
        for refused in [first.grow(71).await, allowance.clone().take(11).await.map(drop)] {
            assert_eq!(refused.unwrap_err().code(), ErrorCode::LimitExceeded);
        }
        assert_eq!(left(&allowance), 10);
        first.grow(5).await.unwrap();
        drop(second);
        first.grow(100).await.unwrap();
        assert_eq!(left(&allowance), 0);
        drop(first);
        assert_eq!(left(&allowance), 100);
    }

    #[tokio::test]
    async fn one_alone_gets_what_it_needs() {
        let allowance = Allowance::new(10);
        let mut large = allowance.take(20).await.unwrap();
        large.grow(30).await.unwrap();
        assert!(allowance.take(1).await.is_err());
        drop(large);
        allowance.take(10).await.unwrap();
    }

    #[tokio::test]
    async fn the_patient_wait_for_what_others_have() {
        let allowance = Allowance::new(100);
        let first = allowance.take(60).await.unwrap();
        let patient = allowance.patient();
        let mut waiting = Box::pin(patient.take(50));
        assert!((&mut waiting).now_or_never().is_none());
        drop(first);
        let got = (&mut waiting).now_or_never().unwrap().unwrap();
        assert_eq!(left(&allowance), 50);
        // One that gave up waiting has nothing.
        assert!(patient.take(60).now_or_never().is_none());
        drop(got);
        assert_eq!(left(&allowance), 100);
    }

    #[tokio::test]
    async fn without_a_bound_nobody_is_refused() {
        let (_first, _second) = (
            Allowance::default().take(u64::MAX).await.unwrap(),
            Allowance::default().take(u64::MAX).await.unwrap(),
        );
    }
}
