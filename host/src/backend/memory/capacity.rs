//! How many bytes there may be, and who holds them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{Error, ErrorCode, Result, config::Account};

/// The bytes of a backend. A clone is the same.
#[derive(Clone)]
pub(super) struct Capacity(Arc<Bytes>);

struct Bytes {
    limit: u64,
    taken: AtomicU64,
    /// Who pays for them beside.
    account: Option<Arc<dyn Account>>,
}

impl Capacity {
    pub(super) fn new(limit: Option<u64>, account: Option<Arc<dyn Account>>) -> Self {
        Self(Arc::new(Bytes { limit: limit.unwrap_or(u64::MAX), taken: AtomicU64::new(0), account }))
    }

    /// Takes this many bytes, until the returned value is dropped.
    ///
    /// # Errors
    /// [`ErrorCode::NoSpace`]
    pub(super) fn take(&self, bytes: u64) -> Result<Room> {
        let mut room = Room { capacity: self.clone(), bytes: 0 };
        room.grow(bytes)?;
        Ok(room)
    }
}

/// Bytes that were taken. Shared contents hold them once.
pub(super) struct Room {
    capacity: Capacity,
    bytes: u64,
}

impl Room {
    /// Takes so many more.
    ///
    /// # Errors
    /// As [`Capacity::take`]; then it is as it was.
    pub(super) fn grow(&mut self, by: u64) -> Result<()> {
        let Bytes { limit, taken, account } = &*self.capacity.0;
        let grown = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            taken.checked_add(by).filter(|taken| taken <= limit)
        });
        if grown.is_err() {
            let message = format!(
                "the backend is full: it keeps no more than its capacity of {limit} bytes; delete objects, or give it more"
            );
            return Err(Error::new(ErrorCode::NoSpace, message));
        }
        if let Some(account) = account
            && let Err(refused) = account.take(by)
        {
            taken.fetch_sub(by, Ordering::Relaxed);
            return Err(refused);
        }
        self.bytes += by;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Bytes { taken, account, .. } = &*self.capacity.0;
        taken.fetch_sub(self.bytes, Ordering::Relaxed);
        if let Some(account) = account {
            account.give_back(self.bytes);
        }
    }
}
