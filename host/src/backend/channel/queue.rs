//! One queue: messages in order, bounded, with an end.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{ChannelOptions, MESSAGE};
use crate::{
    Error, ErrorCode, Result,
    backend::{Allowance, Allowed},
    config::Account,
};

/// Why a queue is no more.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gone {
    /// Its path was deleted.
    Deleted,
    /// The backend was closed.
    Closed,
}

impl Gone {
    fn error(self, code: ErrorCode) -> Error {
        match self {
            Self::Deleted => Error::new(code, "the channel was deleted"),
            Self::Closed => Error::backend_closed(),
        }
    }
}

/// The messages of a path.
pub(super) struct Queue {
    options: ChannelOptions,
    /// Shared with the other queues of the backend.
    allowance: Allowance,
    account: Option<Arc<dyn Account>>,
    state: Mutex<State>,
    /// Wakes everybody who waits: they look again, and there are few.
    changed: Notify,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    writers: usize,
    readers: usize,
    /// Why a writer did not send everything it should have.
    broken: Option<Error>,
    /// Whether all writers have left at some time, and at least one of them committed.
    ended: bool,
    gone: Option<Gone>,
}

/// A message that waits, and who pays for that.
struct Message {
    bytes: Bytes,
    _allowed: Allowed,
    account: Option<Arc<dyn Account>>,
}

impl Message {
    fn new(bytes: Bytes, allowed: Allowed, account: Option<&Arc<dyn Account>>) -> Result<Self> {
        account.map_or(Ok(()), |account| account.take(bytes.len() as u64))?;
        Ok(Self { bytes, _allowed: allowed, account: account.cloned() })
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            account.give_back(self.bytes.len() as u64);
        }
    }
}

impl Queue {
    pub(super) fn new(
        options: ChannelOptions,
        allowance: Allowance,
        account: Option<Arc<dyn Account>>,
    ) -> Self {
        Self { options, allowance, account, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends everything that waits, and everything that comes later.
    pub(super) fn end(&self, gone: Gone) {
        let mut state = self.state();
        state.gone = Some(gone);
        state.messages.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether nobody can get anything from it any more: it has no writer, no reader and no message, but it had a
    /// reader or a writer before.
    pub(super) fn is_spent(&self) -> bool {
        let state = self.state();
        let is_unused = state.writers == 0 && state.readers == 0 && state.messages.is_empty();
        is_unused && !self.options.replay && !state.ended
    }
}

/// One who sends.
pub(super) struct Sender(Arc<Queue>);

impl Sender {
    pub(super) fn new(queue: &Arc<Queue>) -> Self {
        queue.state().writers += 1;
        Self(Arc::clone(queue))
    }

    /// Puts a message behind the others, once there is room. If it is dropped before, the message was not sent.
    pub(super) async fn send(&self, message: Bytes) -> Result<()> {
        let Queue { options, allowance, changed, account, .. } = &*self.0;
        let size = MESSAGE.saturating_add(message.len() as u64);
        let mut allowed = allowance.none();
        loop {
            let room = changed.notified(); // from here on no change is missed
            {
                let mut state = self.0.state();
                if let Some(gone) = state.gone {
                    return Err(gone.error(ErrorCode::WriterClosed));
                }
                if state.messages.len() < options.capacity.get() {
                    if allowed.bytes() == size {
                        state.messages.push_back(Message::new(message, allowed, account.as_ref())?);
                        break;
                    }
                } else if options.replay {
                    let message = format!("the channel keeps {} messages and is full", options.capacity);
                    return Err(Error::new(ErrorCode::LimitExceeded, message));
                }
            }
            if allowed.bytes() == size {
                room.await;
                continue;
            }
            // The queue may go while its writer waits for bytes that others have.
            tokio::select! {
                taken = allowed.grow(size) => taken.map_err(|_| {
                    let message = format!("the channels keep {} bytes and are full", options.capacity_bytes);
                    Error::new(ErrorCode::LimitExceeded, message)
                })?,
                () = room => {}
            }
        }
        changed.notify_waiters();
        Ok(())
    }

    /// Ends the sending: well, or with an error that the readers get where the end would be.
    pub(super) fn leave(self, outcome: Result<()>) -> (Arc<Queue>, Result<()>) {
        let mut state = self.0.state();
        state.writers -= 1;
        match outcome {
            Ok(()) => state.ended = true,
            Err(error) => {
                state.broken.get_or_insert(error);
            }
        }
        let left = state.gone.map_or(Ok(()), |gone| Err(gone.error(ErrorCode::WriterClosed)));
        drop(state);
        self.0.changed.notify_waiters();
        (self.0, left)
    }
}

/// One who receives.
pub(super) struct Receiver {
    queue: Arc<Queue>,
    /// The messages it got, where they are kept for others.
    seen: usize,
}

impl Receiver {
    pub(super) fn new(queue: &Arc<Queue>) -> Self {
        queue.state().readers += 1;
        Self { queue: Arc::clone(queue), seen: 0 }
    }

    /// The next message, once there is one; `None` at the end.
    pub(super) async fn receive(&mut self) -> Option<Result<Bytes>> {
        let Queue { options, changed, .. } = &*self.queue;
        loop {
            let more = changed.notified(); // from here on no change is missed
            {
                let mut state = self.queue.state();
                if let Some(gone) = state.gone {
                    return Some(Err(gone.error(ErrorCode::ReaderClosed)));
                }
                if options.replay {
                    if let Some(message) = state.messages.get(self.seen) {
                        self.seen += 1;
                        return Some(Ok(message.bytes.clone()));
                    }
                } else if let Some(message) = state.messages.pop_front() {
                    drop(state);
                    changed.notify_waiters();
                    return Some(Ok(message.bytes.clone()));
                }
                if state.writers == 0 {
                    return state.broken.clone().map(Err);
                }
            }
            more.await;
        }
    }

    pub(super) fn leave(self) -> Arc<Queue> {
        let mut state = self.queue.state();
        state.readers -= 1;
        // A reader has seen the end, or did not want to: nobody needs to be told of it any more.
        if state.writers == 0 && state.messages.is_empty() {
            state.ended = false;
        }
        drop(state);
        self.queue
    }
}
