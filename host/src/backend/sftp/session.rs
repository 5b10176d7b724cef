//! One connection: ssh as a child, over whose pipes many requests are under way at once.
//!
//! Requests are sent in the order of the calls, also where nobody waits for an answer yet. When the connection ends,
//! whatever waits learns why. The child ends with the session.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
};

use super::{
    exchange::Exchange,
    failure::{malformed, not_started},
    reply::Reply,
    serve::{Said, Serving, silent},
    settings::Settings,
    wire::{Extension, Hello, MAX_MESSAGE, Request, VERSION},
};
use crate::{Error, ErrorCode, Result};

/// Of the message of a write, beside the bytes: generously, as OpenSSH's own client has it.
const OVERHEAD: u64 = 1024;
/// How long a connection may take to be there.
const CONNECTING: Duration = Duration::from_secs(60);
/// What every server takes in a message.
const USUAL: u32 = 32 * 1024;
/// The most that is read or written by one request.
const MOST: u32 = (MAX_MESSAGE - OVERHEAD as usize) as u32;

/// An open connection.
#[derive(Debug)]
pub(super) struct Session {
    exchange: Arc<Exchange>,
    server: Server,
    task: AbortHandle,
}

/// What the server said of itself.
#[derive(Debug, Default)]
struct Server {
    hello: Hello,
    limits: Limits,
}

/// What a request may read or write, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) read: u32,
    pub(super) write: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { read: USUAL, write: USUAL }
    }
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// As [`Ending::explain`]; ssh that is not there.
    pub(super) async fn open(settings: &Settings) -> Result<Self> {
        let mut command = settings.command();
        let mut child = command.spawn().map_err(|error| not_started(&settings.program, error))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Error::new(ErrorCode::Other, "ssh was started without its pipes"));
        };
        let (outgoing, frames) = mpsc::unbounded_channel();
        let exchange = Arc::new(Exchange::new(outgoing));
        let (said, hello) = (Said::of(stderr), oneshot::channel());
        let serving = Serving {
            exchange: Arc::clone(&exchange),
            host: settings.address(),
            timeout: settings.timeout,
            child,
            said,
            hello: Some(hello.0),
        };
        // From here on the child ends with the session.
        let task = tokio::spawn(serving.serve(stdin, stdout, frames)).abort_handle();
        let mut session = Self { exchange, server: Server::default(), task };
        let greeted = async {
            let greeted = hello.1.await.map_err(|_| session.ended())?;
            session.server.hello = greeted?;
            if session.server.hello.version != VERSION {
                let message = format!(
                    "the server speaks version {} of SFTP, and version {VERSION} is spoken here",
                    session.server.hello.version
                );
                return Err(Error::new(ErrorCode::Unsupported, message));
            }
            if session.has(Extension::Limits) {
                session.server.limits = session.ask_limits().await?;
            }
            Ok(())
        };
        let patience = settings.timeout.min(CONNECTING);
        let greeted = tokio::time::timeout(patience, greeted).await;
        greeted.map_err(|_| silent(&settings.address(), patience))??;
        Ok(session)
    }

    async fn ask_limits(&self) -> Result<Limits> {
        let mut told = self.send(Request::extended(Extension::Limits)).extended().await?;
        let mut next = || told.u64().map_err(malformed);
        let (message, read, write) = (next()?, next()?, next()?);
        // Zero: the server does not say.
        let most = |told: u64| match u32::try_from(told.min(MOST.into())) {
            Ok(0) | Err(_) => USUAL,
            Ok(most) => most,
        };
        let message = if message == 0 { u64::from(MOST) } else { message.saturating_sub(OVERHEAD).max(1) };
        Ok(Limits { read: most(read.min(message)), write: most(write.min(message)) })
    }

    /// Sends a request at once; the answer may be waited for later, or never.
    pub(super) fn send(&self, request: Request) -> Reply {
        self.exchange.send(request)
    }

    pub(super) fn has(&self, extension: Extension) -> bool {
        self.server.hello.has(extension)
    }

    pub(super) fn limits(&self) -> Limits {
        self.server.limits
    }

    /// Whether requests still get an answer, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.exchange.ended().is_none()
    }

    fn ended(&self) -> Error {
        self.exchange.ended().unwrap_or_else(|| Error::new(ErrorCode::Unavailable, "ssh ended: try again"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
        self.exchange.end(&Error::backend_closed());
    }
}
