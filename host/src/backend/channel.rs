//! Messages between tasks: what is written is read as it comes, and kept nowhere.
//!
//! A path is a queue of messages. Their number is bounded, and so are the bytes of all messages of a backend. An upload
//! sends: each chunk is a message, and waits while there is no room. A reader receives: its contents are the messages, each a chunk of its own. The tasks may be those
//! of the program, or the program on one side and the component on the other.
//!
//! - **A path exists** from its first writer on, until its messages are read to the end. Reading any other path is
//!   [`ErrorCode::NotFound`].
//! - **Each message goes to one reader**: several share the work. With [replay](ChannelOptions::replay) each reader gets
//!   all of them.
//! - **The end** comes when all writers have committed. A writer that aborts or is dropped has sent only a part:
//!   readers then get an error in place of the end.
//! - **Several writers** may send to a path at the same time or one after the other. A writer that comes after the end
//!   was read begins a new queue.
//! - A path that is deleted, and a backend that is closed, end all that waits on them with an error.
//!
//! Bytes are seen before the commit, so this is a backend for streams, not for files that others rely on. The runtime
//! of a component chooses the chunks in which it sends bytes: to keep the boundaries of messages, use a record format
//! or `write-all`.

mod queue;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage_types::Path;

use self::queue::{Gone, Queue, Receiver, Sender};
use super::{
    Allowance, Announced, Backend, Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload,
    WholeListing, WriteOptions, require_object,
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, ObjectInfo, ObjectKind, Result,
    config::{Account, Config},
};

const KIND: &str = "channel";

/// What a message takes beside its own bytes.
pub const MESSAGE: u64 = 64;

/// The most paths of a backend at once: even a queue without messages takes some memory.
const MOST_QUEUES: usize = 100_000;

/// How the queues of a [`ChannelBackend`] behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// The messages that a queue holds. Default: 16.
    pub capacity: NonZeroUsize,
    /// The bytes that the messages of all queues take together, each with [`MESSAGE`] beside its own. One that is
    /// larger is let in where there is no other. Default: 64 MiB.
    pub capacity_bytes: u64,
    /// Whether a queue keeps its messages, so that each reader gets all of them from the first one on, and late ones
    /// too. Nothing makes room then: a message beyond either capacity fails with [`ErrorCode::LimitExceeded`]. A path
    /// stays until it is deleted. Default: no.
    pub replay: bool,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self { capacity: const { NonZeroUsize::new(16).unwrap() }, capacity_bytes: 64 << 20, replay: false }
    }
}

/// Messages between tasks; see the [module](self).
///
/// ```
/// use futures::StreamExt;
/// use omnistorage::{Backend, ChannelBackend, Path};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let (channel, path) = (ChannelBackend::default(), Path::parse("jobs")?);
/// let mut sender = channel.write(&path, &Default::default()).await?;
/// let mut messages = channel.read(&path, &Default::default()).await?.contents;
/// sender.push("one".into()).await?;
/// sender.push("two".into()).await?;
/// sender.commit().await?;
/// assert_eq!(messages.next().await, Some(Ok("one".into())));
/// assert_eq!(messages.next().await, Some(Ok("two".into())));
/// assert_eq!(messages.next().await, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ChannelBackend {
    queues: Queues,
    options: ChannelOptions,
    /// Of the messages in all queues.
    allowance: Allowance,
    /// Who pays for the messages that wait.
    account: Option<Arc<dyn Account>>,
}

impl Default for ChannelBackend {
    fn default() -> Self {
        Self::new(ChannelOptions::default())
    }
}

impl ChannelBackend {
    /// Without any message.
    #[must_use]
    pub fn new(options: ChannelOptions) -> Self {
        let bytes = Allowance::new(options.capacity_bytes);
        // What is kept makes no room, however long one waits.
        let allowance = if options.replay { bytes } else { bytes.patient() };
        Self { queues: Queues::default(), options, allowance, account: None }
    }

    /// Takes `capacity` (a number of messages, at least 1), `capacity_bytes` (a number) and `replay` (a boolean). In a
    /// backend that a component opened for itself, messages count towards that component's limit of memory.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] for a key that is malformed or unknown.
    pub fn from_config(mut config: Config) -> Result<Self> {
        let default = ChannelOptions::default();
        let options = ChannelOptions {
            capacity: config.take("capacity")?.unwrap_or(default.capacity),
            capacity_bytes: config.take("capacity_bytes")?.unwrap_or(default.capacity_bytes),
            replay: config.take("replay")?.unwrap_or(default.replay),
        };
        let account = config.account();
        config.finish(KIND)?;
        Ok(Self { account, ..Self::new(options) })
    }
}

impl fmt::Debug for ChannelBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBackend").field("options", &self.options).finish_non_exhaustive()
    }
}

type QueuesByPath = BTreeMap<Path, Arc<Queue>>;

/// The queues; `None` once the backend is closed. While the lock of one queue is held, this one is never taken.
#[derive(Clone)]
struct Queues(Arc<Mutex<Option<QueuesByPath>>>);

impl Default for Queues {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(BTreeMap::new()))))
    }
}

impl Queues {
    /// Looks at the queues; errors get the path.
    fn with<T>(&self, path: &Path, look: impl FnOnce(&mut QueuesByPath) -> Result<T>) -> Result<T> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = queues.as_mut().ok_or_else(Error::backend_closed).and_then(look);
        outcome.map_err(|error| error.at(KIND, path))
    }

    /// Forgets the queue if it is the one at the path, and nothing more can come of it.
    fn tidy(&self, path: &Path, queue: &Arc<Queue>) {
        // In a closed backend there is nothing left to forget.
        let _ = self.with(path, |queues| {
            if queues.get(path).is_some_and(|found| Arc::ptr_eq(found, queue) && queue.is_spent()) {
                queues.remove(path);
            }
            Ok(())
        });
    }
}

/// Refuses what cannot be a queue: the root, and a path that lies above or below one.
fn check_place(path: &Path, queues: &QueuesByPath) -> Result<()> {
    let mut above = std::iter::successors(path.parent(), Path::parent);
    require_object(path)?;
    if above.any(|above| queues.contains_key(&above)) {
        Err(Error::new(ErrorCode::NotDirectory, "there is a channel above this path"))
    } else if queues.keys().any(|other| other != path && other.starts_with(path)) {
        Err(Error::new(ErrorCode::IsDirectory, "there are channels below this path"))
    } else {
        Ok(())
    }
}

#[async_trait]
impl Backend for ChannelBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        let features = Features { sorted_list: true, ..Features::default() };
        Capabilities { features, hashes: Vec::new(), modified_precision: None }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let queue = self.queues.with(path, |queues| {
            require_object(path)?;
            let queue = queues.get(path).ok_or_else(|| {
                Error::new(ErrorCode::NotFound, "no such channel: it begins with its first writer")
            })?;
            options.require_whole(KIND)?;
            Ok(Receiver::new(queue))
        })?;
        let received = Received { queues: self.queues.clone(), path: path.clone(), receiver: Some(queue) };
        let contents = stream::unfold(received, async |mut received| {
            let message = received.receiver.as_mut()?.receive().await?;
            if message.is_err() {
                received.leave(); // nothing comes after an error
            }
            Some((message.map_err(|error| error.at(KIND, &received.path)), received))
        });
        let info = ObjectInfo::new(path.clone(), ObjectKind::Object);
        Ok(Reader { info, contents: contents.fuse().boxed() })
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let sender = self.queues.with(path, |queues| {
            check_place(path, queues)?;
            options.require_plain(KIND)?;
            if queues.len() >= MOST_QUEUES && !queues.contains_key(path) {
                let message =
                    format!("there are {MOST_QUEUES} channels, which is the most: read some to their end");
                return Err(Error::new(ErrorCode::LimitExceeded, message));
            }
            let queue = queues.entry(path.clone()).or_insert_with(|| {
                Arc::new(Queue::new(self.options, self.allowance.clone(), self.account.clone()))
            });
            Ok(Sender::new(queue))
        })?;
        Ok(Box::new(ChannelUpload {
            queues: self.queues.clone(),
            path: path.clone(),
            sender: Some(sender),
            announced: Announced::new(options),
        }))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.queues.with(path, |queues| {
            if path.is_root() {
                Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory))
            } else if queues.contains_key(path) {
                Ok(ObjectInfo::new(path.clone(), ObjectKind::Object))
            } else {
                Err(Error::new(ErrorCode::NotFound, "no such channel"))
            }
        })
    }

    /// The paths as they are now.
    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let (queues, root) = (self.queues.clone(), prefix.clone());
        let is_open = move || queues.with(&root, |_| Ok(()));
        self.queues.with(prefix, |queues| {
            let objects = queues.keys().map(|path| ObjectInfo::new(path.clone(), ObjectKind::Object));
            Ok(Box::new(WholeListing::new(objects, prefix, options, is_open)) as Box<dyn Listing>)
        })
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let delete = |path: &Path| {
            let queue = self.queues.with(path, |queues| {
                require_object(path)?;
                Ok(queues.remove(path))
            })?;
            if let Some(queue) = queue {
                queue.end(Gone::Deleted);
            }
            Ok(())
        };
        paths.iter().map(delete).collect()
    }

    /// There is no hash before the messages are read, and then they are gone.
    async fn hash(&self, path: &Path, _: HashAlgorithm) -> Result<Hash> {
        self.stat(path).await?;
        Err(Error::unsupported(KIND, "hashes").at(KIND, path))
    }

    async fn close(&self) -> Result<()> {
        let queues = self.queues.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        queues.iter().flat_map(BTreeMap::values).for_each(|queue| queue.end(Gone::Closed));
        Ok(())
    }
}

/// What a reader holds.
struct Received {
    queues: Queues,
    path: Path,
    receiver: Option<Receiver>,
}

impl Received {
    fn leave(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            self.queues.tidy(&self.path, &receiver.leave());
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A writer.
struct ChannelUpload {
    queues: Queues,
    path: Path,
    sender: Option<Sender>,
    announced: Announced,
}

impl ChannelUpload {
    /// Ends the sending, well or not.
    fn leave(&mut self, outcome: Result<()>) -> Result<()> {
        let Some(sender) = self.sender.take() else { return Ok(()) };
        let (queue, left) = sender.leave(outcome);
        self.queues.tidy(&self.path, &queue);
        left
    }
}

#[async_trait]
impl Upload for ChannelUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let Some(sender) = &self.sender else {
            return Err(Error::new(ErrorCode::WriterClosed, "the writer was finished").at(KIND, &self.path));
        };
        sender.send(chunk.clone()).await.map_err(|error| error.at(KIND, &self.path))?;
        self.announced.update(&chunk);
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<ObjectInfo> {
        let checked = self.announced.check();
        let left = self.leave(checked.clone());
        checked.and(left).map_err(|error| error.at(KIND, &self.path))?;
        let size = Some(self.announced.size());
        Ok(ObjectInfo { size, ..ObjectInfo::new(self.path.clone(), ObjectKind::Object) })
    }

    async fn abort(self: Box<Self>) {}
}

impl Drop for ChannelUpload {
    fn drop(&mut self) {
        let message = "a writer went away before the end of what it had to send";
        // The readers get it.
        let _ = self.leave(Err(Error::new(ErrorCode::Cancelled, message)));
    }
}
