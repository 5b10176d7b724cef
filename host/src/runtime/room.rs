//! Room for sandboxes: how many may run at once.
//!
//! What runs in several sandboxes at once takes room for all of them before it begins. If it took one after the other,
//! two such jobs could wait for each other for ever, each with a part of the room.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, ErrorCode, Result};

/// Clones are the same room.
#[derive(Clone, Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// Of the room that this one is a part of.
    _taken: Option<Arc<OwnedSemaphorePermit>>,
}

/// A place for one sandbox, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _room: Room,
}

impl Room {
    /// For so many sandboxes, at least one.
    pub(super) fn new(sandboxes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(sandboxes.clamp(1, Semaphore::MAX_PERMITS))), _taken: None }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`ErrorCode::Other`] if the room is closed, which nobody does.
    pub(super) async fn place(&self) -> Result<Place> {
        let closed = |_| Error::new(ErrorCode::Other, "the runtime is gone");
        let permit = self.free.clone().acquire_owned().await.map_err(closed)?;
        Ok(Place { _permit: permit, _room: self.clone() })
    }

    /// Takes a part of this room for so many sandboxes, and leaves so much of it free. `None` if there is not as much at
    /// the moment.
    pub(super) fn part(&self, sandboxes: usize, left: usize) -> Option<Self> {
        // Others may take some between the two: then less is left.
        if self.free.available_permits() < sandboxes.checked_add(left)? {
            return None;
        }
        let taken = self.free.clone().try_acquire_many_owned(u32::try_from(sandboxes).ok()?).ok()?;
        Some(Self { _taken: Some(Arc::new(taken)), ..Self::new(sandboxes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_is_taken_whole_or_not_at_all() {
        let room = Room::new(4);
        let part = room.part(3, 1).unwrap();
        assert!(room.part(1, 1).is_none(), "one is left");
        let last = room.place().await.unwrap();
        assert!(room.part(1, 0).is_none());
        drop(last);
        // A place keeps the part that it is of.
        let place = part.place().await.unwrap();
        drop(part);
        assert!(room.part(2, 0).is_none());
        drop(place);
        assert!(room.part(4, 0).is_some());
    }
}
