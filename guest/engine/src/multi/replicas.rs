//! One object from its replicas: where one fails, the next goes on at the same byte.

use std::{rc::Rc, vec::IntoIter};

use async_trait::async_trait;
use omnistorage_core::{
    Path,
    entry::Entry,
    multi::{Prefix, same_version},
};
use omnistorage_types::{Error, ErrorCode, Location, ObjectInfo, ReadOptions};

use crate::{
    body::Source,
    place::Place,
    port::{Body, Contents, Storage},
};

/// Opens the first replica that can be opened; the others wait.
pub(super) async fn open(
    port: &Rc<dyn Storage>,
    replicas: Vec<Location>,
    options: ReadOptions,
) -> Result<(ObjectInfo, Contents), Error> {
    let mut waiting = replicas.into_iter();
    let mut refused: Option<Error> = None;
    for at in waiting.by_ref() {
        match opened(port, at, options.clone()).await {
            Ok((info, source)) => {
                let version = Entry::of(info.clone(), Path::root());
                let (ahead, prefix, port) = (Vec::new(), Prefix::default(), port.clone());
                let reading = Reading { port, options, source, ahead, waiting, version, prefix };
                return Ok((info, Box::new(reading)));
            }
            // "Not found" says less than any other error.
            Err(error) => match &refused {
                Some(known) if known.code() != ErrorCode::NotFound || error.code() == ErrorCode::NotFound => {
                }
                _ => refused = Some(error),
            },
        }
    }
    Err(refused.unwrap_or_else(|| Error::new(ErrorCode::InvalidArgument, "there is no replica")))
}

async fn opened(
    port: &Rc<dyn Storage>,
    at: Location,
    options: ReadOptions,
) -> Result<(ObjectInfo, Source), Error> {
    let place = Place::open(port, at).await?;
    let reader = place.read(options).await?;
    Ok((reader.info, Source::of(&place, reader.contents)))
}

/// An object while it is read.
struct Reading {
    port: Rc<dyn Storage>,
    options: ReadOptions,
    source: Source,
    /// Bytes that were read but not handed on: what came after the prefix when it was compared.
    ahead: Vec<u8>,
    /// The replicas that were not tried yet.
    waiting: IntoIter<Location>,
    /// The version that was opened first.
    version: Entry,
    /// The bytes that were handed on.
    prefix: Prefix,
}

impl Reading {
    /// The next bytes; `None` after the end, if everything has come.
    async fn read(&mut self, buffer: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        let chunk = self.source.next(buffer).await?;
        let (length, size) = (self.prefix.len(), self.version.size);
        let range = size.map(|size| {
            let beyond = size.saturating_sub(self.options.offset);
            self.options.length.map_or(beyond, |length| length.min(beyond))
        });
        match range {
            Some(range) if chunk.is_none() && length != range => {
                let message = format!("the replica ended after {length} of {range} bytes");
                Err(self.source.locate(Error::new(ErrorCode::Corrupted, message)))
            }
            _ => Ok(chunk),
        }
    }

    /// Goes on with the next replica of the same version.
    async fn fall_over(&mut self, why: Error) -> Result<(), Error> {
        let mut message = why.message().to_owned();
        while let Some(at) = self.waiting.next() {
            match self.resume(at.clone()).await {
                Ok((source, ahead)) => {
                    (self.source, self.ahead) = (source, ahead);
                    return Ok(());
                }
                Err(refused) => {
                    message += &format!("; the replica `{at}` cannot go on: {}", refused.message());
                }
            }
        }
        Err(why.with_message(message))
    }

    /// Opens the rest of another replica, if it is of the same version.
    async fn resume(&self, at: Location) -> Result<(Source, Vec<u8>), Error> {
        let place = Place::open(&self.port, at).await?;
        let info = place.stat().await?;
        let same = same_version(&self.version, &Entry::of(info.clone(), Path::root()));
        let skip = match same {
            Some(false) => return Err(another_version(&place)),
            Some(true) => self.prefix.len(),
            None => 0,
        };
        let options = ReadOptions {
            offset: self.options.offset.saturating_add(skip),
            length: self.options.length.map(|length| length.saturating_sub(skip)),
            // Read the same version that was compared.
            if_match: self.options.if_match.clone().or(info.etag),
        };
        let mut source = Source::of(&place, place.read(options).await?.contents);
        if same.is_some() {
            return Ok((source, Vec::new()));
        }
        let (mut comparison, mut ahead, mut buffer) = (self.prefix.comparison(), Vec::new(), Vec::new());
        loop {
            match comparison.verdict() {
                Some(true) => return Ok((source, ahead)),
                Some(false) => return Err(another_version(&place)),
                None => {}
            }
            let chunk = source.next(buffer).await?.ok_or_else(|| another_version(&place))?;
            ahead.extend_from_slice(comparison.push(&chunk));
            buffer = chunk;
        }
    }
}

#[async_trait(?Send)]
impl Body for Reading {
    async fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.read(buffer).await {
                Ok(Some(chunk)) => {
                    self.prefix.push(&chunk);
                    return Ok(Some(chunk));
                }
                Ok(None) => return Ok(None),
                Err(why) => self.fall_over(why).await?,
            }
            buffer = Vec::new();
        }
    }
}

fn another_version(place: &Place) -> Error {
    place.error(ErrorCode::PreconditionFailed, "it is of another version")
}
