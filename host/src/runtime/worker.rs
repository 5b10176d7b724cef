//! A sandbox that carries out one order after the other, on a thread of its own. It is reused, since a fresh memory for
//! each block took a fifth of the time of zstd.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{AbortHandle, Abortable};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot},
    task::{self, JoinHandle},
};

use super::{
    Storage,
    budget::Budget,
    sandbox::{Guest, Inside},
};
use crate::{Error, ErrorCode, Result};

/// What the workers of a team do.
pub(super) trait Work: Send + Sync + 'static {
    /// What is to be done.
    type Order: Send + 'static;
    /// What comes of it.
    type Outcome: Send + 'static;
    /// What one worker has for itself.
    type Tools: Send + 'static;

    /// Equips a worker, and gives the storage that its sandbox may touch.
    fn equip(&self, storage: &Storage) -> (Storage, Self::Tools);

    /// Carries out an order.
    ///
    /// # Errors
    /// The outer one ends the sandbox.
    async fn carry_out(
        &self,
        inside: &Inside,
        guest: &Guest,
        tools: &Self::Tools,
        order: Self::Order,
        budget: &Budget,
    ) -> wasmtime::Result<Result<Self::Outcome>>;
}

/// Workers, of whom no more are at work than there are cores for them. Begun as they are needed.
pub(super) struct Team<W: Work> {
    storage: Storage,
    work: Arc<W>,
    running: Arc<Semaphore>,
    idle: Mutex<Vec<Worker<W>>>,
}

impl<W: Work> Team<W> {
    pub(super) fn new(storage: Storage, work: W, cores: usize) -> Self {
        Self {
            storage,
            work: Arc::new(work),
            running: Arc::new(Semaphore::new(cores)),
            idle: Mutex::default(),
        }
    }

    /// Has an order carried out, once a worker is free. Needs a tokio runtime.
    ///
    /// # Errors
    /// Those of the order. The worker is then dismissed.
    pub(super) async fn carry_out(&self, order: W::Order) -> Result<W::Outcome> {
        // It is never closed.
        let _permit = self.running.clone().acquire_owned().await;
        let worker = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let worker = worker.unwrap_or_else(|| Worker::start(&self.storage, self.work.clone()));
        let (outcome, worker) = worker.carry_out(order).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        Ok(outcome)
    }
}

/// An order, and where its outcome goes.
type Given<W> = (<W as Work>::Order, oneshot::Sender<Result<<W as Work>::Outcome>>);

/// Once dropped, it ends where it next waits.
struct Worker<W: Work> {
    orders: mpsc::Sender<Given<W>>,
    ended: JoinHandle<Result<()>>,
    stop: AbortHandle,
}

impl<W: Work> Worker<W> {
    /// Begins one.
    fn start(storage: &Storage, work: Arc<W>) -> Self {
        let (orders, mut taken) = mpsc::channel::<Given<W>>(1);
        let (storage, tools) = work.equip(storage);
        let runtime = Handle::current();
        let (stop, registration) = AbortHandle::new_pair();
        let ended = task::spawn_blocking(move || {
            let working = async {
                let sandbox = storage.sandbox().await?;
                let budget = sandbox.budget();
                let job = async |inside: &Inside, guest: &Guest| {
                    while let Some((order, reply)) = taken.recv().await {
                        let outcome = work.carry_out(inside, guest, &tools, order, &budget).await?;
                        // The receiver may be gone.
                        let _ = reply.send(outcome);
                    }
                    Ok(Ok(()))
                };
                sandbox.run(job).await
            };
            let working = Abortable::new(working, registration);
            let cancelled = |_| Err(Error::new(ErrorCode::Cancelled, "the work was cancelled"));
            runtime.block_on(working).unwrap_or_else(cancelled)
        });
        Self { orders, ended, stop }
    }

    /// Carries out an order.
    async fn carry_out(mut self, order: W::Order) -> Result<(W::Outcome, Self)> {
        let (reply, outcome) = oneshot::channel();
        // If it has ended, no reply comes.
        let _ = self.orders.send((order, reply)).await;
        if let Ok(outcome) = outcome.await {
            return outcome.map(|outcome| (outcome, self));
        }
        let early = || Error::new(ErrorCode::Trapped, "the sandbox of a worker ended early");
        match (&mut self.ended).await {
            Ok(ended) => Err(ended.err().unwrap_or_else(early)),
            Err(error) => Err(Error::new(ErrorCode::Trapped, format!("{}: {error}", early().message()))),
        }
    }
}

impl<W: Work> Drop for Worker<W> {
    fn drop(&mut self) {
        self.stop.abort();
    }
}
