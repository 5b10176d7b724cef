//! The bytes of one object in order, while the ranges that follow arrive over other connections.
//!
//! A single connection to a store is slower than the line, and several are several times as fast. The caller still gets
//! the bytes in order, so this works for every target.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture};
use omnistorage_types::Path;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        Backend, Contents, ReadOptions, Reader,
        checksum::{Checksum, cheapest},
        gone_on,
    },
};

/// Permits for the pieces that are read ahead in the whole process: 64 MiB.
static ROOM: Semaphore = Semaphore::const_new(8);

/// Which objects are read by several ranges at once, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranges<'a> {
    /// In bytes. Smaller objects are read over one connection.
    threshold: u64,
    /// The length of a range, in bytes.
    piece: u64,
    /// How many at the same time, for one object.
    connections: usize,
    /// A permit for each piece that is read ahead. Nobody waits for a permit: without one, the pieces come one by one.
    room: &'a Semaphore,
}

impl Ranges<'static> {
    /// The threshold and the number of connections are rclone's (`--multi-thread-cutoff`, `--multi-thread-streams`).
    pub(super) const DEFAULT: Self =
        Self { threshold: 256 << 20, piece: 8 << 20, connections: 4, room: &ROOM };
}

impl<'a> Ranges<'a> {
    /// Opens an object that should have that many bytes. `None`: it should be read over one connection, and that read
    /// reports whatever is wrong.
    pub(super) async fn open(
        self,
        source: &'a dyn Backend,
        path: &'a Path,
        expected_size: Option<u64>,
    ) -> Option<(ObjectInfo, Body<'a>)> {
        let size = expected_size.filter(|size| *size >= self.threshold)?;
        let features = source.capabilities().features;
        // Where no network is between, one reader is as fast as several.
        if !features.range_read || features.batches {
            return None;
        }
        // This answer knows more than one for a range: S3 sends the checksums of an object only with the whole object.
        let info = source.stat(path).await.ok().filter(|info| info.size == Some(size))?;
        // A weak etag does not say that the bytes are the same (RFC 9110, section 8.8.1).
        let etag = info.etag.clone().filter(|etag| !etag.starts_with("W/"))?;
        let checksum = cheapest(&info.hashes).cloned().map(Checksum::new);
        let rest = Rest { ranges: self, source, path, etag, position: 0, size };
        Some((info, Body { pieces: VecDeque::new(), rest: Some(rest), checksum }))
    }
}

/// The bytes of an object, in order.
pub(super) struct Body<'a> {
    /// The bytes of the first one are handed out.
    pieces: VecDeque<Piece<'a>>,
    /// The object they belong to, and the pieces that follow.
    rest: Option<Rest<'a>>,
    /// Of all bytes.
    checksum: Option<Checksum>,
}

impl<'a> Body<'a> {
    /// For an object that is read over one connection.
    pub(super) fn of(contents: Contents) -> Self {
        let piece = Piece {
            source: Source::Open(contents),
            left: None,
            position: 0,
            arrived: VecDeque::new(),
            room: None,
        };
        Self { pieces: VecDeque::from([piece]), rest: None, checksum: None }
    }

    /// The next bytes; `None` at the true end.
    ///
    /// # Errors
    /// As those of [`Contents`]; [`ErrorCode::Unavailable`] if the object has changed; [`ErrorCode::Corrupted`] at the
    /// end if the bytes do not match the store's checksum.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        let next = poll_fn(|context| self.poll_next(context)).await;
        next.map_err(|error| match &self.rest {
            Some(rest) => error.at(rest.source.kind(), rest.path),
            None => error,
        })
    }

    /// Reads ahead while something else is done.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let done = work.as_mut().poll(context);
            if done.is_pending() {
                self.read_ahead(context);
            }
            done
        })
        .await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        loop {
            self.read_ahead(context);
            let Some(piece) = self.pieces.front_mut() else {
                self.checksum.take().map_or(Ok(()), Checksum::verify)?;
                return Poll::Ready(Ok(None));
            };
            if let Some(chunk) = ready!(piece.poll_next(context)).transpose()? {
                if let Some(checksum) = &mut self.checksum {
                    checksum.update(&chunk);
                }
                return Poll::Ready(Ok(Some(chunk)));
            }
            self.pieces.pop_front();
        }
    }

    /// Begins what may be begun, and drives everything in flight. A piece that holds a permit of a backend while it
    /// waits for bytes is always polled here, so nobody waits for it in a circle.
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        if let Some(rest) = &mut self.rest {
            rest.begin(&mut self.pieces);
        }
        for piece in &mut self.pieces {
            piece.read_ahead(context);
        }
    }
}

/// The part of an object for which no piece was begun yet.
struct Rest<'a> {
    ranges: Ranges<'a>,
    source: &'a dyn Backend,
    path: &'a Path,
    etag: String,
    position: u64,
    size: u64,
}

impl<'a> Rest<'a> {
    fn begin(&mut self, pieces: &mut VecDeque<Piece<'a>>) {
        for piece in pieces.iter_mut().skip(1).filter(|piece| piece.room.is_none()) {
            piece.room = self.ranges.room.try_acquire().ok();
        }
        while self.position < self.size && pieces.len() < self.ranges.connections {
            // A piece that is handed out at once needs no permit. Nor does the answer that comes next, as long as its
            // bytes stay on the line: without it there would be a pause after each piece.
            let room = if pieces.is_empty() { None } else { self.ranges.room.try_acquire().ok() };
            if room.is_none() && pieces.len() > 1 {
                return;
            }
            pieces.push_back(self.piece(room));
        }
    }

    fn piece(&mut self, room: Option<SemaphorePermit<'a>>) -> Piece<'a> {
        let (source, path, position) = (self.source, self.path, self.position);
        let length = self.ranges.piece.min(self.size - position);
        self.position += length;
        let options =
            ReadOptions { offset: position, length: Some(length), if_match: Some(self.etag.clone()) };
        let opening = Box::pin(async move { source.read(path, &options).await });
        let source = Source::Opening(opening);
        Piece { source, left: Some(length), position, arrived: VecDeque::new(), room }
    }
}

/// A range of an object.
struct Piece<'a> {
    source: Source<'a>,
    /// How many bytes have not arrived yet; `None` if their number is unknown.
    left: Option<u64>,
    /// The offset in the object of the byte that arrives next.
    position: u64,
    /// The chunks as they came: joining them would only cost time.
    arrived: VecDeque<Result<Bytes>>,
    /// Given back when the last of it was handed out.
    room: Option<SemaphorePermit<'a>>,
}

enum Source<'a> {
    Opening(BoxFuture<'a, Result<Reader>>),
    Open(Contents),
    /// Not to be asked again.
    Ended,
}

impl Piece<'_> {
    /// Opens it, and takes its bytes if there is room for them.
    fn read_ahead(&mut self, context: &mut Context<'_>) {
        if let Poll::Ready(Err(error)) = self.poll_open(context) {
            self.arrived.push_back(Err(error));
        }
        while self.room.is_some()
            && let Poll::Ready(Some(chunk)) = self.poll_source(context)
        {
            self.arrived.push_back(chunk);
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        match self.arrived.pop_front() {
            Some(chunk) => Poll::Ready(Some(chunk)),
            None => self.poll_source(context),
        }
    }

    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Source::Opening(opening) = &mut self.source else { return Poll::Ready(Ok(())) };
        let opened = ready!(opening.as_mut().poll(context));
        self.source = Source::Ended;
        let reader = opened.map_err(|error| gone_on(error).with_offset(self.position))?;
        self.source = Source::Open(reader.contents);
        Poll::Ready(Ok(()))
    }

    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let chunk = match &mut self.source {
            Source::Open(contents) => ready!(contents.poll_next_unpin(context)),
            Source::Opening(_) => return Poll::Pending,
            Source::Ended => return Poll::Ready(None),
        };
        let chunk = self.accept(chunk);
        if !matches!(chunk, Ok(Some(_))) {
            self.source = Source::Ended;
        }
        Poll::Ready(chunk.transpose())
    }

    /// Checks a chunk against what is still missing.
    fn accept(&mut self, chunk: Option<Result<Bytes>>) -> Result<Option<Bytes>> {
        let Some(left) = &mut self.left else { return chunk.transpose() };
        let wrong = |what| Error::new(ErrorCode::Corrupted, what);
        let chunk = match chunk {
            Some(chunk) => chunk.map_err(|error| gone_on(error).with_offset(self.position))?,
            None if *left == 0 => return Ok(None),
            None => return Err(wrong("the store ended a range too early").with_offset(self.position)),
        };
        let bytes = chunk.len() as u64;
        let too_many = || wrong("the store gave more than the range asked for").with_offset(self.position);
        *left = left.checked_sub(bytes).ok_or_else(too_many)?;
        self.position += bytes;
        Ok(Some(chunk))
    }
}
