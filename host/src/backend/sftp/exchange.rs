//! Requests that are under way on one connection, and who waits for their answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    cursor::Malformed,
    reply::{Closes, Reply},
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
    pub(super) fn send(self: &Arc<Self>, request: Request) -> Reply {
        let (sender, receiver) = oneshot::channel();
        self.ask(request, sender);
        let exchange: Arc<dyn Closes> = self.clone();
        Reply::new(receiver, Arc::downgrade(&exchange))
    }

    fn ask(&self, request: Request, sender: oneshot::Sender<Result<Answer>>) {
        let mut waiting = self.waiting();
        if let Some(error) = &waiting.ended {
            let _ = sender.send(Err(error.clone()));
            return;
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
            self.close(&handle);
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

impl Closes for Exchange {
    fn close(&self, handle: &[u8]) {
        self.ask(Request::close(handle), oneshot::channel().0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer that a directory was opened.
    fn opened() -> Bytes {
        Bytes::from_static(b"\x66\0\0\0\0\0\0\0\x01h")
    }

    #[tokio::test]
    async fn what_was_opened_for_nobody_is_closed() {
        for is_late in [false, true] {
            let (outgoing, mut frames) = mpsc::unbounded_channel();
            let exchange = Arc::new(Exchange::new(outgoing));
            let reply = exchange.send(Request::opendir(b"/"));
            if is_late {
                drop(reply);
                exchange.answer(opened()).unwrap();
            } else {
                // The answer is there, and nobody takes it.
                exchange.answer(opened()).unwrap();
                drop(reply);
            }
            let sent = [frames.try_recv().unwrap(), frames.try_recv().unwrap()];
            assert_eq!(sent.map(|frame| frame.head[4]), [11, 4], "late: {is_late}");
            // Who takes it closes it.
            let reply = exchange.send(Request::opendir(b"/"));
            frames.try_recv().unwrap();
            exchange.answer(Bytes::from_static(b"\x66\0\0\0\x02\0\0\0\x01h")).unwrap();
            assert_eq!(reply.handle().await.unwrap(), "h");
            assert!(frames.try_recv().is_err());
        }
    }
}
