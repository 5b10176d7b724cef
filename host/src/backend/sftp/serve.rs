//! The task of a connection: sends requests to ssh, takes answers from it, and says why it ended.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    process::Child,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

use super::{
    cursor::Malformed,
    exchange::Exchange,
    failure::{Ending, malformed},
    wire::{Frame, Hello, MAX_MESSAGE},
};
use crate::{Error, ErrorCode, Result};

/// How long ssh may take to say why it ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How much of what it says is kept.
const SAID: usize = 4096;
/// What is read from the pipe at once.
const BUFFER: usize = 128 * 1024;
/// Messages are sent together until they have so many bytes.
const GATHERED: usize = 16 * 1024;

/// A server that does not answer.
pub(super) fn silent(host: &str, timeout: Duration) -> Error {
    let message = format!("`{host}` has not answered for {} s: try again", timeout.as_secs());
    Error::new(ErrorCode::Timeout, message)
}

/// What ssh says on standard error, as far as it is kept.
pub(super) struct Said {
    text: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Said {
    pub(super) fn of(mut stderr: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&text);
        let reading = tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(len @ 1..) = stderr.read(&mut buffer).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(buffer.get(..len).unwrap_or_default());
                // The last words say why.
                let surplus = kept.len().saturating_sub(SAID);
                kept.drain(..surplus);
            }
        });
        Self { text, reading }
    }

    /// All of it, once its end came, or nobody wants to wait any longer: what ssh leaves running may keep the pipe.
    async fn whole(&mut self) -> String {
        let _ = tokio::time::timeout(Duration::from_millis(200), &mut self.reading).await;
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// The task of a session.
pub(super) struct Serving {
    pub(super) exchange: Arc<Exchange>,
    pub(super) host: String,
    pub(super) timeout: Duration,
    pub(super) child: Child,
    pub(super) said: Said,
    pub(super) hello: Option<oneshot::Sender<Result<Hello>>>,
}

/// Why a session ended.
enum Ended {
    /// The pipes did: ssh knows why.
    Pipes,
    With(Error),
}

impl Serving {
    /// Until the connection ends.
    pub(super) async fn serve(
        mut self,
        mut stdin: impl AsyncWrite + Unpin,
        stdout: impl AsyncRead + Unpin,
        mut frames: mpsc::UnboundedReceiver<Frame>,
    ) {
        let ended = {
            let exchange = Arc::clone(&self.exchange);
            let sending = async {
                send_all(&mut stdin, &mut frames, &exchange).await;
                // What was said before is read first: it may say why.
                std::future::pending().await
            };
            tokio::select! {
                ended = self.receive(stdout) => ended,
                ended = sending => ended,
            }
        };
        drop(stdin);
        let was_open = self.hello.is_none();
        let error = match ended {
            Ended::With(error) => error,
            Ended::Pipes => {
                let exited = tokio::time::timeout(LAST_WORDS, self.child.wait()).await;
                let exit_code = exited.ok().and_then(|status| status.ok()?.code());
                let said = self.said.whole().await;
                Ending { host: self.host, was_open, exit_code, said }.explain()
            }
        };
        tracing::debug!(%error, "a connection of SFTP ended");
        self.exchange.end(&error);
        if let Some(hello) = self.hello.take() {
            let _ = hello.send(Err(error));
        }
    }

    /// Takes messages until there are no more.
    async fn receive(&mut self, mut stdout: impl AsyncRead + Unpin) -> Ended {
        let mut buffer = BytesMut::with_capacity(BUFFER);
        loop {
            match take_message(&mut buffer) {
                Ok(Some(message)) => match self.take(message) {
                    Ok(()) => continue,
                    Err(what) => return Ended::With(malformed(what)),
                },
                Ok(None) => {}
                Err(_) if self.hello.is_some() => {
                    let message = format!(
                        "what `{}` sent first is not SFTP: something that its shell reads at the start (`.bashrc`) may print \
                         a text",
                        self.host
                    );
                    return Ended::With(Error::new(ErrorCode::Other, message));
                }
                Err(what) => return Ended::With(malformed(what)),
            }
            buffer.reserve(BUFFER);
            match self.read(&mut stdout, &mut buffer).await {
                Ok(0) | Err(None) => return Ended::Pipes,
                Ok(_) => self.exchange.touch(),
                Err(Some(silent)) => return Ended::With(silent),
            }
        }
    }

    /// Reads more, as long as something moves; `Err(None)` if the pipe broke.
    async fn read(
        &self,
        stdout: &mut (impl AsyncRead + Unpin),
        buffer: &mut BytesMut,
    ) -> std::result::Result<usize, Option<Error>> {
        loop {
            let now = Instant::now();
            let until = match self.exchange.deadline(self.timeout) {
                Some(deadline) if deadline <= now => return Err(Some(silent(&self.host, self.timeout))),
                Some(deadline) => deadline,
                None => now + self.timeout,
            };
            if let Ok(read) = tokio::time::timeout_at(until, stdout.read_buf(buffer)).await {
                return read.map_err(|_| None);
            }
        }
    }

    fn take(&mut self, message: Bytes) -> std::result::Result<(), Malformed> {
        match self.hello.take() {
            Some(hello) => {
                let _ = hello.send(Ok(Hello::read(message)?));
                Ok(())
            }
            None => self.exchange.answer(message),
        }
    }
}

/// The next message, if all of it came.
fn take_message(buffer: &mut BytesMut) -> std::result::Result<Option<Bytes>, Malformed> {
    let Some(head) = buffer.first_chunk::<4>() else { return Ok(None) };
    let len = u32::from_be_bytes(*head) as usize;
    if len == 0 || len > MAX_MESSAGE {
        return Err(Malformed("a message of an impossible length"));
    }
    if buffer.len() < 4 + len {
        buffer.reserve(4 + len - buffer.len());
        return Ok(None);
    }
    buffer.advance(4);
    Ok(Some(buffer.split_to(len).freeze()))
}

/// Sends what comes, and returns when nobody takes it any more. Small messages are sent together.
async fn send_all(
    stdin: &mut (impl AsyncWrite + Unpin),
    frames: &mut mpsc::UnboundedReceiver<Frame>,
    exchange: &Exchange,
) {
    let mut gathered = BytesMut::from(&*Frame::hello().head);
    let mut large = Bytes::new();
    loop {
        while gathered.len() < GATHERED && large.is_empty() {
            let Ok(Frame { head, payload }) = frames.try_recv() else { break };
            gathered.extend_from_slice(&head);
            if payload.len() < GATHERED { gathered.extend_from_slice(&payload) } else { large = payload }
        }
        if gathered.is_empty() {
            let Some(Frame { head, payload }) = frames.recv().await else { return };
            gathered.extend_from_slice(&head);
            large = payload;
        }
        if stdin.write_all(&gathered).await.is_err() || stdin.write_all(&large).await.is_err() {
            return;
        }
        gathered.clear();
        large.clear();
        exchange.touch();
    }
}
