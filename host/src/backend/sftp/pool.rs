//! The connections of a backend: opened when they are needed, shared by all calls, and opened again when they are lost.

use std::{
    ops::Deref,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Mutex;

use super::{session::Session, settings::Settings};
use crate::{Error, Result};

/// From so many calls on, the next connection is used.
const BUSY: usize = 4;

/// Connections, of which there are at most as many as the settings say.
pub(super) struct Pool {
    pub(super) settings: Settings,
    /// `None` once it is closed.
    slots: RwLock<Option<Arc<[Slot]>>>,
}

/// Room for a connection.
#[derive(Default)]
struct Slot {
    session: Mutex<Option<Arc<Session>>>,
    /// Calls that use it.
    calls: Arc<AtomicUsize>,
}

/// A connection as one call uses it.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    session: Arc<Session>,
    _call: Arc<Call>,
}

impl Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

/// One of the calls of a slot.
#[derive(Debug)]
struct Call(Arc<AtomicUsize>);

impl Call {
    fn of(slot: &Slot) -> Self {
        slot.calls.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&slot.calls))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(settings: Settings) -> Self {
        let slots = (0..settings.connections).map(|_| Slot::default()).collect();
        Self { settings, slots: RwLock::new(Some(slots)) }
    }

    fn slots(&self) -> Result<Arc<[Slot]>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.clone().ok_or_else(Error::backend_closed)
    }

    /// # Errors
    /// [`ErrorCode::BackendClosed`](crate::ErrorCode::BackendClosed)
    pub(super) fn check_open(&self) -> Result<()> {
        self.slots().map(drop)
    }

    /// A connection, for as long as it is held.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub(super) async fn lease(&self) -> Result<Lease> {
        let slots = self.slots()?;
        let calls = |slot: &&Slot| slot.calls.load(Ordering::Relaxed);
        let idle = slots.iter().find(|slot| calls(slot) < BUSY);
        let slot = idle.or_else(|| slots.iter().min_by_key(calls)).ok_or_else(Error::backend_closed)?;
        let call = Arc::new(Call::of(slot));
        let mut held = slot.session.lock().await;
        let session = match held.as_ref().filter(|session| session.is_open()) {
            Some(session) => Arc::clone(session),
            None => {
                *held = None;
                let session = Arc::new(Session::open(&self.settings).await?);
                Arc::clone(held.insert(session))
            }
        };
        // It was closed meanwhile.
        self.check_open()?;
        Ok(Lease { session, _call: call })
    }

    /// Ends all connections that are not in use; the others end with what uses them.
    pub(super) fn close(&self) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}
