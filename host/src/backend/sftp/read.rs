//! Reads: several requests ahead of who reads, and the object must stay the one it was.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage_types::Path;

use super::{
    KIND,
    attributes::Attributes,
    opened::Opened,
    remote::{Shared, require_kind_object},
    reply::Reply,
    wire::{Opening, Request},
};
use crate::{
    Error, ErrorCode, Result, Timestamp,
    backend::{ReadOptions, Reader},
};

/// The most bytes that are asked for ahead. It is what the connections of OpenSSH have room for.
const WINDOW: u64 = 2 << 20;
/// What is asked for ahead at first: who wants the beginning alone should not wait for more.
const FIRST_WINDOW: u64 = 256 << 10;

/// Opens an object.
pub(super) async fn read(remote: &Shared, path: &Path, options: &ReadOptions) -> Result<Reader> {
    if options.if_match.is_some() {
        return Err(Error::unsupported(KIND, "etags"));
    }
    let lease = remote.pool.lease().await?;
    // Never a named pipe, which would hold up the server.
    let seen = remote.object(&lease, path).await?;
    let opened = lease.send(Request::open(&remote.at(path), Opening::Read, &Attributes::NONE));
    let file = Opened { handle: opened.handle().await?, lease };
    let first = file.lease.send(Request::fstat(&file.handle));
    let mut body = Body {
        remote: Arc::clone(remote),
        path: path.clone(),
        version: Version::of(&seen, path)?,
        asked: VecDeque::new(),
        next: 0,
        end: 0,
        window: FIRST_WINDOW,
        ahead: 0,
        unchanged: None,
        file,
    };
    // As if it were the one that was seen, so that nobody waits twice.
    body.begin(options);
    let first = first.attributes().await?;
    let info = first.info(path)?;
    require_kind_object(info.kind)?;
    let version = Version::of(&first, path)?;
    if version != body.version {
        body.version = version;
        body.begin(options);
    }
    let contents = stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match body.chunk().await {
            Ok(None) => None,
            Ok(Some(chunk)) => Some((Ok(chunk), Some(body))),
            Err(error) => Some((Err(error.at(KIND, &body.path)), None)),
        }
    });
    Ok(Reader { info, contents: contents.boxed() })
}

/// The bytes of an object that are still to come.
struct Body {
    remote: Shared,
    path: Path,
    /// As it was when it was opened.
    version: Version,
    asked: VecDeque<Asked>,
    /// Where to ask next.
    next: u64,
    end: u64,
    /// How many bytes may be asked for ahead, and how many are.
    window: u64,
    ahead: u64,
    /// Asked for after the last bytes.
    unchanged: Option<Reply>,
    file: Opened,
}

/// What changes whenever the contents of an object do, as far as the protocol tells.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    size: u64,
    modified: Option<Timestamp>,
}

impl Version {
    fn of(told: &Attributes, path: &Path) -> Result<Self> {
        let info = told.info(path)?;
        Ok(Self { size: info.size.unwrap_or_default(), modified: info.modified })
    }
}

/// A request for bytes.
struct Asked {
    offset: u64,
    len: u32,
    reply: Reply,
}

impl Body {
    fn ask(&self, offset: u64, len: u32) -> Asked {
        let reply = self.file.lease.send(Request::read(&self.file.handle, offset, len));
        Asked { offset, len, reply }
    }

    /// Asks for the first bytes of what is wanted of this version.
    fn begin(&mut self, options: &ReadOptions) {
        let size = self.version.size;
        self.end = options.length.map_or(size, |length| options.offset.saturating_add(length).min(size));
        self.next = options.offset.min(self.end);
        self.asked.clear();
        self.ahead = 0;
        self.unchanged = None;
        self.ask_ahead();
    }

    /// Asks for as much as may be under way, and behind the last bytes whether they are of one version.
    fn ask_ahead(&mut self) {
        while self.next < self.end && (self.ahead < self.window || self.asked.is_empty()) {
            let left = u32::try_from(self.end - self.next).unwrap_or(u32::MAX);
            let asked = self.ask(self.next, left.min(self.file.lease.limits().read));
            self.next += u64::from(asked.len);
            self.ahead += u64::from(asked.len);
            self.asked.push_back(asked);
        }
        if self.next == self.end && self.unchanged.is_none() {
            self.unchanged = Some(self.file.lease.send(Request::fstat(&self.file.handle)));
        }
    }

    /// The next bytes; `None` at the end, if the object is still the one it was.
    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.remote.pool.check_open()?;
        self.ask_ahead();
        let Some(Asked { offset, len, reply }) = self.asked.pop_front() else {
            return self.finish().await.map(|()| None);
        };
        let data = reply.data().await?;
        let got = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if got == 0 || got > len {
            return Err(changed());
        }
        self.ahead -= u64::from(got);
        self.window = (self.window * 2).min(WINDOW);
        if got < len {
            // A server may give less than it was asked for: the rest comes before all else.
            let rest = self.ask(offset + u64::from(got), len - got);
            self.asked.push_front(rest);
        }
        Ok(Some(data))
    }

    async fn finish(&mut self) -> Result<()> {
        let Some(reply) = self.unchanged.take() else { return Ok(()) };
        let last = Version::of(&reply.attributes().await?, &self.path)?;
        if last == self.version { Ok(()) } else { Err(changed()) }
    }
}

fn changed() -> Error {
    let message = "the object is being changed while it is read: try again when that is over";
    Error::new(ErrorCode::Unavailable, message)
}
