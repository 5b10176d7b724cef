//! Faults on purpose: to see what a program does when a store fails.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::layer::{Call, Layer, Operation};
use crate::{Error, Result};

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is not made and fails. Of a [body](Operation::ReadChunk), it cuts off what follows.
    Error(Error),
    /// The call is made, and its answer is lost: it fails all the same.
    LostAnswer(Error),
    /// A body ends here, as if that were all of it. Any other call is made as always.
    EarlyEnd,
    /// One bit of the next chunk of a body is flipped. Any other call is made as always.
    FlippedBit,
    /// The call never returns.
    Hang,
}

/// Breaks the calls that a plan chooses by their number and their kind. A clone shares the count.
///
/// To try a program against a fault at every one of its calls, run it once to count them, then once for each:
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{
///     Backend, Error, ErrorCode, MemoryBackend, Path,
///     backend::{fault::{Fault, Faults}, layer::Layered},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let faults = Faults::at(1, Fault::Error(Error::new(ErrorCode::Timeout, "the store does not answer")));
/// let backend = Layered::new(Arc::new(MemoryBackend::new()), faults.clone());
/// let path = Path::parse("object")?;
/// backend.write_all(&path, "x".into(), &Default::default()).await?; // call 0
/// assert_eq!(backend.stat(&path).await.unwrap_err().code(), ErrorCode::Timeout); // call 1
/// backend.stat(&path).await?; // call 2
/// assert_eq!(faults.calls(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Faults {
    plan: Arc<Plan>,
    calls: Arc<AtomicU64>,
}

type Plan = dyn Fn(u64, Call<'_>) -> Option<Fault> + Send + Sync;

impl Faults {
    /// Asks the plan at each call, which it gets with its number, from 0 on.
    pub fn new(plan: impl Fn(u64, Call<'_>) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self { plan: Arc::new(plan), calls: Arc::default() }
    }

    /// Breaks nothing, and counts.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_, _| None)
    }

    /// Breaks only the call with that number.
    #[must_use]
    pub fn at(number: u64, fault: Fault) -> Self {
        Self::new(move |call, _| (call == number).then(|| fault.clone()))
    }

    /// Breaks every call of an operation.
    #[must_use]
    pub fn of(operation: Operation, fault: Fault) -> Self {
        Self::new(move |_, call| (call.operation == operation).then(|| fault.clone()))
    }

    /// The number of calls so far, broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn next(&self, call: Call<'_>) -> Option<Fault> {
        (self.plan)(self.calls.fetch_add(1, Ordering::Relaxed), call)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Layer for Faults {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match self.next(call) {
            None | Some(Fault::EarlyEnd | Fault::FlippedBit) => run.await,
            Some(Fault::Error(error)) => Err(error),
            Some(Fault::LostAnswer(error)) => run.await.and(Err(error)),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }

    async fn chunk(
        &self,
        call: Call<'_>,
        next: impl Future<Output = Option<Result<Bytes>>> + Send,
    ) -> Option<Result<Bytes>> {
        match self.next(call) {
            None => next.await,
            Some(Fault::EarlyEnd) => None,
            Some(Fault::FlippedBit) => Some(next.await?.map(flipped)),
            Some(Fault::Error(error) | Fault::LostAnswer(error)) => Some(Err(error)),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }
}

fn flipped(chunk: Bytes) -> Bytes {
    let mut bytes = chunk.to_vec();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    bytes.into()
}
