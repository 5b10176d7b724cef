//! Requests that are under way on one connection, and who waits for their answers.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    cursor::Malformed,
    reply::Reply,
    wire::{Answer, Frame, Request},
};
use crate::{Error, Result};

/// The requests of a connection, each with who waits for its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    outgoing: mpsc::UnboundedSender<Frame>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    next: u32,
    answers: HashMap<u32, oneshot::Sender<Result<Answer>>>,
    /// When something last moved, or began to be waited for.
    moved: Instant,
    /// Why there will be no more answers.
    ended: Option<Error>,
}

impl Exchange {
    /// A new one, whose messages go there.
    pub(super) fn new(outgoing: mpsc::UnboundedSender<Frame>) -> Self {
        let waiting = Waiting { next: 0, answers: HashMap::new(), moved: Instant::now(), ended: None };
        Self { outgoing, waiting: Mutex::new(waiting) }
    }

    /// Why there will be no more answers; `None` as long as there may be.
    pub(super) fn ended(&self) -> Option<Error> {
        self.waiting().ended.clone()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request; who drops the answer does not end it.
    pub(super) fn send(&self, request: Request) -> Reply {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        if let Some(error) = &waiting.ended {
            let _ = sender.send(Err(error.clone()));
            return Reply(receiver);
        }
        let mut id = waiting.next;
        while waiting.answers.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        waiting.next = id.wrapping_add(1);
        if waiting.answers.is_empty() {
            waiting.moved = Instant::now();
        }
        waiting.answers.insert(id, sender);
        // Under the lock, so that the order is that of the calls. Whoever takes the frames fails all answers when it ends.
        let _ = self.outgoing.send(request.into_frame(id));
        Reply(receiver)
    }

    /// Hands an answer to who waits for it.
    pub(super) fn answer(&self, message: Bytes) -> std::result::Result<(), Malformed> {
        let (id, answer) = Answer::read(message)?;
        let mut waiting = self.waiting();
        waiting.moved = Instant::now();
        let sender = waiting.answers.remove(&id).ok_or(Malformed("an answer that nobody asked for"))?;
        drop(waiting);
        // What was opened for somebody who is gone is closed.
        if let Err(Ok(Answer::Handle(handle))) = sender.send(Ok(answer)) {
            drop(self.send(Request::close(&handle)));
        }
        Ok(())
    }

    /// Tells all who wait, and those who will ask, that there are no more answers.
    pub(super) fn end(&self, error: &Error) {
        let mut waiting = self.waiting();
        waiting.ended.get_or_insert_with(|| error.clone());
        for (_, sender) in waiting.answers.drain() {
            let _ = sender.send(Err(error.clone()));
        }
    }

    /// Something moved.
    pub(super) fn touch(&self) {
        self.waiting().moved = Instant::now();
    }

    /// Until when something must move, if anything is waited for.
    pub(super) fn deadline(&self, timeout: Duration) -> Option<Instant> {
        let waiting = self.waiting();
        (!waiting.answers.is_empty()).then(|| waiting.moved + timeout)
    }
}
