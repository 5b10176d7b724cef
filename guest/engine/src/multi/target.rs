//! One target of a tee, from its opening to its commit, and back again.

use std::{pin::pin, rc::Rc};

use futures::{
    FutureExt,
    future::{Either, LocalBoxFuture, Shared, select},
    join,
};

use omnistorage_types::{
    Error, ErrorCode, Location, ObjectInfo, ObjectKind, Outcome, ReadOptions, WriteCondition, WriteOptions,
};

use crate::{
    pipe::{Sink, cancelled, pipe},
    place::Place,
    port::{Reader, Storage},
};

/// A target that takes bytes. If this is dropped, the target stays as it was.
pub(super) struct Writing {
    /// Its position among the targets.
    pub(super) index: usize,
    place: Rc<Place>,
    sink: Sink,
    /// Ends early if the backend fails.
    write: Shared<LocalBoxFuture<'static, Result<ObjectInfo, Error>>>,
    buffer: Vec<u8>,
    before: Before,
}

/// What was at a target before the commit, so that it can be brought back.
enum Before {
    /// Unknown: nobody looked, or the look failed.
    Unknown,
    Nothing,
    /// The old object, held open: its bytes stay those of its version.
    Object(Reader),
}

/// A target that holds the new object.
pub(super) struct Written {
    pub(super) index: usize,
    pub(super) info: ObjectInfo,
    place: Rc<Place>,
    before: Before,
}

impl Writing {
    /// Begins to write. If the backend refuses, that shows later.
    pub(super) async fn open(
        port: &Rc<dyn Storage>,
        index: usize,
        at: Location,
        options: WriteOptions,
    ) -> Result<Self, Error> {
        let place = Rc::new(Place::open(port, at).await?);
        let (sink, body) = pipe();
        let writing = place.clone();
        let write = async move {
            let path = writing.path.clone();
            writing.backend.write(path, body, options).await
        };
        Ok(Self {
            index,
            place,
            sink,
            write: write.boxed_local().shared(),
            buffer: Vec::new(),
            before: Before::Unknown,
        })
    }

    /// Sends bytes, and waits while the backend is behind.
    pub(super) async fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(chunk);
        // The write only goes on while it is polled.
        let pushed = match select(pin!(self.sink.push(buffer)), self.write.clone()).await {
            Either::Left((pushed, _)) => pushed.ok(),
            Either::Right(_) => None,
        };
        match pushed {
            Some(buffer) => {
                self.buffer = buffer;
                Ok(())
            }
            // The backend ended the write; its result says why.
            None => Err(self.failure().await),
        }
    }

    /// Waits until the backend fails, if ever: before the commit it has no other reason to end.
    pub(super) async fn failure(&self) -> Error {
        match self.write.clone().await {
            Err(error) => error,
            Ok(_) => self.place.error(ErrorCode::Other, "the backend took a part for the whole"),
        }
    }

    /// Looks at what is there, so that it can be brought back. A tee does not need to read its targets: if the look is
    /// refused, the commit cannot be undone, and that is all.
    pub(super) async fn look(&mut self) {
        if !self.place.backend.capabilities().await.features.atomic_write {
            return;
        }
        self.before = match self.place.stat().await {
            Ok(info) if info.kind == ObjectKind::Object => {
                let options = ReadOptions { offset: 0, length: None, if_match: info.etag };
                let opened = self.place.backend.read(self.place.path.clone(), options).await;
                opened.map_or(Before::Unknown, Before::Object)
            }
            Err(error) if error.code() == ErrorCode::NotFound => Before::Nothing,
            _ => Before::Unknown,
        };
    }

    /// Whether a commit could be undone.
    pub(super) fn can_be_undone(&self) -> bool {
        !matches!(self.before, Before::Unknown)
    }

    /// Commits. If the object then has another size than the `bytes` sent, it is removed where possible.
    pub(super) async fn commit(self, bytes: u64) -> Result<Written, (usize, Outcome)> {
        let Self { index, place, sink, write, before, .. } = self;
        let ((), info) = join!(sink.end(Ok(())), write);
        let info = info.map_err(|error| (index, Outcome::Failed(error)))?;
        let written = Written { index, info, place, before };
        match written.info.size {
            Some(size) if size != bytes => {
                let message = format!("the backend kept {size} of {bytes} bytes");
                let damaged = written.place.error(ErrorCode::Corrupted, &message);
                Err((
                    index,
                    match written.undo().await {
                        Outcome::Undone => Outcome::Failed(damaged),
                        _ => Outcome::Stranded(damaged),
                    },
                ))
            }
            _ => Ok(written),
        }
    }

    /// Aborts the write, and waits until the backend has discarded it.
    pub(super) async fn give_up(self) -> usize {
        // The write fails, as it was asked to.
        let ((), _) = join!(self.sink.end(Err(cancelled())), self.write);
        self.index
    }
}

impl Written {
    /// Brings back what was there before, unless somebody else has written to it since.
    pub(super) async fn undo(self) -> Outcome {
        let undone = match self.is_there().await {
            Ok(false) => Ok(()),
            Ok(true) => self.bring_back().await,
            Err(error) => Err(error),
        };
        match undone {
            Ok(()) => Outcome::Undone,
            Err(error) => Outcome::Stranded(error),
        }
    }

    /// Whether the new object is still the one that is there.
    async fn is_there(&self) -> Result<bool, Error> {
        match self.place.stat().await {
            Ok(now) => Ok(now.etag.is_none() || self.info.etag.is_none() || now.etag == self.info.etag),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn bring_back(self) -> Result<(), Error> {
        let Self { place, info, before, .. } = self;
        match before {
            Before::Unknown => {
                Err(place.error(ErrorCode::Unsupported, "what was there before cannot be brought back"))
            }
            Before::Nothing => place.backend.delete(vec![place.path.clone()]).await.pop().unwrap_or(Ok(())),
            Before::Object(old) => {
                let features = place.backend.capabilities().await.features;
                let condition = match info.etag {
                    Some(etag) if features.if_match => WriteCondition::IfMatch(etag),
                    _ => WriteCondition::Always,
                };
                let options = WriteOptions {
                    condition,
                    content_type: old.info.content_type.filter(|_| features.content_type),
                    modified: old.info.modified.filter(|_| features.set_modified),
                    metadata: if features.custom_metadata { old.info.metadata } else { Vec::new() },
                    expected_size: old.info.size,
                    expected_hash: None,
                };
                let written = place.backend.write(place.path.clone(), old.contents, options).await;
                match written {
                    // Somebody else removed it first: the new object is gone either way.
                    Err(error) if error.code() == ErrorCode::PreconditionFailed => Ok(()),
                    written => written.map(drop),
                }
            }
        }
    }
}
