//! The account of one sandbox: the bytes it holds, what it has open, and whether it makes progress.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{
    limits::Limits,
    share::{CALLS, FILES, Share},
};
use crate::{Error, ErrorCode, Result, backend::Allowance, config};

/// What one sandbox holds, and how much it may hold. Clones share the account.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limits: Limits,
    /// Bytes of its memories, and of what the host keeps in memory for it.
    bytes: AtomicUsize,
    /// Counts against [`Limits::resources`].
    open: AtomicUsize,
    /// Those of them that may hold a file or a connection open.
    files: Share,
    calls: Share,
    /// Counts against [`Limits::gathered`].
    gathered: Allowance,
    /// Wakes calls that wait for their turn.
    call_ended: Notify,
    /// Counts progress: answers of backends, chunks moved.
    progress: AtomicU64,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new(Account {
            gathered: Allowance::new(limits.gathered),
            limits,
            bytes: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            files: Share::of(&FILES),
            calls: Share::of(&CALLS),
            call_ended: Notify::new(),
            progress: AtomicU64::new(0),
        }))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The allowance for what its writes gather.
    pub(super) fn gathered(&self) -> Allowance {
        self.0.gathered.clone()
    }

    /// Notes progress.
    pub(super) fn tick(&self) {
        self.0.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that changes with every bit of progress.
    pub(super) fn progress(&self) -> u64 {
        self.0.progress.load(Ordering::Relaxed)
    }

    /// Takes this many bytes, until the guard that it returns is dropped.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]
    pub(super) fn reserve(&self, bytes: usize) -> Result<Reserved> {
        let mut reserved = Reserved { budget: self.clone(), bytes: 0 };
        reserved.resize(bytes)?;
        Ok(reserved)
    }

    /// Takes this many bytes, or as many as are left.
    pub(super) fn reserve_up_to(&self, bytes: usize) -> Reserved {
        let account = &*self.0;
        let mut taken = 0;
        let _ = account.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            taken = bytes.min(account.limits.memory.saturating_sub(held));
            Some(held + taken)
        });
        Reserved { budget: self.clone(), bytes: taken }
    }

    /// Counts something that the component opens, until the guard that it returns is dropped.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]
    pub(super) fn open(&self) -> Result<Open> {
        let limit = self.0.limits.resources;
        let taken = self
            .0
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < limit).then_some(open + 1));
        taken.map(|_| Open { budget: self.clone(), is_file: false }).map_err(|_| {
            let message = format!(
                "the component has {limit} backends, listings, reads and writes open, which is its limit: close some, \
                 or raise `Limits::resources`"
            );
            Error::new(ErrorCode::LimitExceeded, message)
        })
    }

    /// The same for something that may hold a file or a connection open, of which the process has a limited number.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]
    pub(super) fn open_file(&self) -> Result<Open> {
        let mut open = self.open()?;
        open.is_file = self.0.files.take();
        if open.is_file {
            return Ok(open);
        }
        let message = format!(
            "the component has {} listings, reads and writes open, and may have no more while the sandboxes of this \
             process have so many: close some, or raise the limit of open files of the process (`ulimit -n`)",
            self.0.files.taken()
        );
        Err(Error::new(ErrorCode::LimitExceeded, message))
    }

    /// Waits until another call may begin.
    pub(super) async fn call(&self) -> Calling {
        while !self.0.calls.take() {
            // Another call of this sandbox is at work, and will end.
            self.0.call_ended.notified().await;
        }
        Calling(self.clone())
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let limit = self.0.limits.memory;
        let taken = self.0.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(bytes).filter(|held| *held <= limit)
        });
        taken.map(drop).map_err(|_| {
            let message = format!(
                "the component needs more than its limit of {limit} bytes, for its memories and what the host holds \
                 for it: raise `Limits::memory`"
            );
            Error::new(ErrorCode::LimitExceeded, message)
        })
    }

    fn give_back(&self, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What a backend that the component opened by itself keeps in memory.
impl config::Account for Budget {
    fn take(&self, bytes: u64) -> Result<()> {
        self.take(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn give_back(&self, bytes: u64) {
        self.give_back(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
}

/// Bytes taken from a budget.
#[derive(Debug)]
pub(super) struct Reserved {
    budget: Budget,
    bytes: usize,
}

impl Reserved {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes more from the budget, or gives back what is no longer needed.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]; then nothing changed.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<()> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.budget.take(more)?,
            None => self.budget.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// Something that a component holds open.
#[derive(Debug)]
pub(super) struct Open {
    budget: Budget,
    is_file: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.budget.0.open.fetch_sub(1, Ordering::Relaxed);
        if self.is_file {
            self.budget.0.files.give_back();
        }
    }
}

/// A call at work.
#[derive(Debug)]
pub(super) struct Calling(Budget);

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.0.calls.give_back();
        self.0.0.call_ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_held_until_they_are_given_back() {
        let budget = Budget::new(Limits { memory: 100, ..Limits::default() });
        let mut first = budget.reserve(60).unwrap();
        let error = budget.reserve(41).unwrap_err();
        assert_eq!(error.code(), ErrorCode::LimitExceeded);
        assert!(
            error.message().contains("100 bytes") && error.message().contains("`Limits::memory`"),
            "{error}"
        );
        assert_eq!(budget.reserve_up_to(50).bytes(), 40);
        let second = budget.reserve(40).unwrap();
        assert!(first.resize(61).is_err());
        first.resize(10).unwrap();
        assert_eq!((first.bytes(), budget.reserve_up_to(usize::MAX).bytes()), (10, 50));
        drop((first, second));
        assert!(budget.reserve(usize::MAX).is_err());
        assert_eq!(budget.reserve(100).unwrap().bytes(), 100);
    }

    #[test]
    fn what_is_open_is_counted_until_it_is_closed() {
        let budget = Budget::new(Limits { resources: 2, ..Limits::default() });
        let (first, second) = (budget.open().unwrap(), budget.open_file().unwrap());
        for refused in [budget.open(), budget.open_file()] {
            assert!(refused.unwrap_err().message().contains("`Limits::resources`"));
        }
        drop(first);
        budget.open_file().unwrap();
        drop(second);
    }

    #[tokio::test]
    async fn a_call_waits_for_the_end_of_another() {
        let budget = Budget::new(Limits::default());
        let mut calls = Vec::new();
        while let Ok(call) = tokio::time::timeout(std::time::Duration::ZERO, budget.call()).await {
            calls.push(call);
        }
        let other = Budget::new(Limits::default());
        drop(other.call().await);
        let waiting = tokio::spawn(async move { budget.call().await });
        drop(calls);
        waiting.await.unwrap();
    }
}
