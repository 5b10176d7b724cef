//! Compresses or decompresses objects on the way.

use std::{cell::Cell, rc::Rc};

use async_trait::async_trait;
use futures::join;
use omnistorage_core::{
    codec::{self, Coder, DecoderLimits, Dictionary},
    entry::{Entry, ObjectKind},
    sync::{
        compare::{CompareOptions, Comparison, Evidence, Reason, Verdict, compare, compare_recoded},
        recode::Recoding,
    },
};
use omnistorage_types::{
    self as types, Codec, Error, ErrorCode, Location, ObjectInfo, Path, ReadOptions, SyncOptions,
    WriteCondition, WriteOptions,
};

use super::{
    arrived::{Arrived, identity},
    contents::same_contents,
    copying::as_it_is,
    pair::Pair,
    place::Reading,
    share::Share,
};
use crate::{
    body::{Coded, Source},
    dictionary,
    port::{Body, Reader},
};

/// What happens to objects on the way.
#[derive(Clone)]
pub(super) struct Recoder {
    pub(super) recoding: Recoding,
    level: Option<i32>,
    dictionary: Option<Dictionary>,
    max_window: u64,
}

impl Recoder {
    /// Reads it from the options.
    ///
    /// # Errors
    /// A level that the codec lacks, a dictionary that is damaged or not for the codec, and options that make no sense beside
    /// it.
    pub(super) fn new(options: &SyncOptions) -> Result<Option<Self>, Error> {
        let Some(recoding) = &options.recoding else { return Ok(None) };
        let refused = |what: &str| {
            let message = format!("{what} tells nothing of objects that are compressed on one side");
            Err(Error::new(ErrorCode::InvalidArgument, message))
        };
        if options.comparison == Comparison::SizeOnly {
            return refused("the size");
        }
        if !options.track_renames.is_empty() {
            return refused("a rename strategy");
        }
        let (recoding, level, dictionary) = match recoding {
            types::Recoding::Compress(types::Compression { codec, level, dictionary }) => {
                (Recoding::Compress(*codec), *level, dictionary)
            }
            types::Recoding::Decompress(dictionary) => (Recoding::Decompress, None, dictionary),
        };
        let dictionary = dictionary::read(dictionary.as_ref())?;
        let max_window = options.max_window.unwrap_or(DecoderLimits::DEFAULT_MAX_WINDOW);
        if let Recoding::Compress(codec) = recoding {
            codec::encoder_with(codec, level, dictionary.as_ref())?;
        }
        Ok(Some(Self { recoding, level, dictionary, max_window }))
    }

    /// Whether an object of the source changes on the way.
    pub(super) fn changes(&self, source: &Entry) -> bool {
        source.kind == ObjectKind::Object && self.recoding.codec(&source.path).is_some()
    }

    /// The codec for an object and the memory that it needs; `None` if the object goes unchanged.
    async fn coder(&self, path: &Path, window: u64) -> Result<Option<(Box<dyn Coder>, Share)>, Error> {
        let Some(codec) = self.recoding.codec(path) else { return Ok(None) };
        Ok(Some(match self.recoding {
            Recoding::Compress(_) => {
                let share = Share::of_encoder(codec, self.level, self.dictionary.as_ref()).await;
                (codec::encoder_with(codec, self.level, self.dictionary.as_ref())?, share)
            }
            Recoding::Decompress => {
                (self.decoder(codec, window)?, Share::of_decoder(window, self.dictionary.as_ref()).await)
            }
        }))
    }

    /// Does what decompresses, with windows of common size, and once more with large ones if those are needed and
    /// allowed: of the large ones, the memory has room for one at a time.
    async fn with_window<R>(&self, act: impl AsyncFn(u64) -> Result<R, Error>) -> Result<R, Error> {
        let common = self.max_window.min(DecoderLimits::DEFAULT_MAX_WINDOW);
        match act(common).await {
            Err(error) if error.code() == ErrorCode::LimitExceeded && common < self.max_window => {
                act(self.max_window).await
            }
            done => done,
        }
    }

    /// Transfers an object through its codec. What the target holds then is from all of the source, and whole if it is
    /// verified.
    ///
    /// `size`: what must come of the source. `condition`: of what stands on the target.
    pub(super) async fn carry(
        &self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
        size: Option<u64>,
        condition: WriteCondition,
    ) -> Result<Sent, Error> {
        let carry =
            async |window| self.carry_within(source, target, entry, size, condition.clone(), window).await;
        self.with_window(carry).await
    }

    async fn carry_within(
        &self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
        size: Option<u64>,
        condition: WriteCondition,
        window: u64,
    ) -> Result<Sent, Error> {
        let (coder, _share) = self.coder(&entry.path, window).await?.unzip();
        let to = self.target_path(&entry.path);
        let Reader { info, contents } =
            source.backend().read(source.full(&entry.path)?, ReadOptions::default()).await?;
        let is_listed = info.etag.is_some() && info.etag == entry.etag;
        let features = target.features();
        let options = WriteOptions {
            condition,
            modified: entry.modified.or(info.modified).filter(|_| features.set_modified),
            metadata: if features.custom_metadata { info.metadata } else { Vec::new() },
            ..as_it_is()
        };
        let sent = Rc::new(Cell::new(0));
        let body = Whole {
            body: Coded::new(Source::new(contents), coder),
            size,
            at: Location { path: source.full(&entry.path)?, ..source.location() },
            sent: Rc::clone(&sent),
        };
        let written = target.backend().write(target.full(&to)?, Box::new(body), options).await?;
        Ok(Sent { written, bytes: sent.get(), is_listed })
    }

    /// The path on the target of an object of the source.
    pub(super) fn target_path(&self, path: &Path) -> Path {
        // The merge has already refused objects that have none.
        self.recoding.target_path(path).unwrap_or_else(|_| path.clone())
    }

    /// What to do with an object that both sides have. A time that no listing carried is looked up.
    pub(super) async fn decide(
        &self,
        source: &Reading,
        target: &Reading,
        pair: &Pair,
        options: CompareOptions,
    ) -> Result<(Pair, Verdict), Error> {
        let entry = &pair.source;
        let mut seen = Pair { as_listed: pair.as_listed, ..Pair::listed(entry.clone(), pair.target.clone()) };
        let contents_decide = options.comparison == Comparison::Checksum || options.contents_only;
        if options.update_only || !contents_decide {
            let (from, to) = join!(source.stat(&entry.path), async {
                let to = self.target_path(&entry.path);
                target.stat(&to).await
            });
            match (from?, to?) {
                (Some(from), Some(to)) => {
                    let verdict = compare_recoded(&from, &to, options.with_times());
                    seen.as_listed = pair.seen(from, to).as_listed;
                    if !matches!(verdict, Verdict::NeedHash(_)) {
                        return Ok((seen, verdict));
                    }
                }
                (_, None) => return Ok((seen, Verdict::Transfer(Reason::MissingOnTarget))),
                (None, _) => return Err(source.error(ErrorCode::NotFound, &entry.path, "it is gone")),
            }
        }
        let verdict = match self.same_contents(source, target, entry).await? {
            true => Verdict::Same(Evidence::Contents),
            false if options.immutable => Verdict::Refuse(Reason::ContentsDiffer),
            false => Verdict::Transfer(Reason::ContentsDiffer),
        };
        Ok((seen, verdict))
    }

    /// Compares an object with what it is without compression on the other side, byte by byte.
    pub(super) async fn same_contents(
        &self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
    ) -> Result<bool, Error> {
        self.with_window(async |window| self.same_contents_within(source, target, entry, window).await).await
    }

    async fn same_contents_within(
        &self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
        window: u64,
    ) -> Result<bool, Error> {
        let _share = Share::of_decoder(window, self.dictionary.as_ref()).await;
        let codec = self.recoding.codec(&entry.path);
        let (of_source, of_target) = match self.recoding {
            Recoding::Compress(_) => (None, codec),
            Recoding::Decompress => (codec, None),
        };
        let to = self.target_path(&entry.path);
        let (source, target) = join!(
            self.open(source, &entry.path, of_source, window),
            self.open(target, &to, of_target, window)
        );
        same_contents(source?, target?).await
    }

    async fn open(
        &self,
        place: &Reading,
        path: &Path,
        codec: Option<Codec>,
        window: u64,
    ) -> Result<Coded, Error> {
        let decoder = codec.map(|codec| self.decoder(codec, window)).transpose()?;
        let reader = place.backend().read(place.full(path)?, ReadOptions::default()).await?;
        Ok(Coded::new(Source::new(reader.contents), decoder))
    }

    fn decoder(&self, codec: Codec, window: u64) -> Result<Box<dyn Coder>, Error> {
        let limits = DecoderLimits { max_window: Some(window), ..DecoderLimits::default() };
        Ok(codec::decoder_with(codec, limits, self.dictionary.as_ref())?)
    }
}

/// What a target holds of an object that went through its codec.
pub(super) struct Sent {
    pub(super) written: ObjectInfo,
    /// That left the codec.
    bytes: u64,
    /// It is of the version of the source that was listed.
    is_listed: bool,
}

impl Sent {
    /// Holds what was written to what was sent.
    pub(super) fn verify(&self, target: &Reading, to: &Path) -> Result<Arrived, Error> {
        match self.written.size {
            Some(size) if size != self.bytes => {
                let message = format!("{size} bytes arrived of {}", self.bytes);
                Err(target.error(ErrorCode::Corrupted, to, &message))
            }
            _ => Ok(if self.is_listed { identity(&self.written) } else { None }),
        }
    }
}

/// A body through its codec, which ends well only if all of the source came; counts the bytes sent.
struct Whole {
    body: Coded,
    /// What must come of the source.
    size: Option<u64>,
    /// The path for errors that carry none.
    at: Location,
    sent: Rc<Cell<u64>>,
}

#[async_trait(?Send)]
impl Body for Whole {
    async fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        let here = |error: Error| error.at(&self.at.backend, &self.at.path);
        if let Some(chunk) = self.body.next(buffer).await.map_err(here)? {
            self.sent.set(self.sent.get() + chunk.len() as u64);
            return Ok(Some(chunk));
        }
        let read = self.body.source().bytes();
        match self.size {
            Some(size) if size != read => {
                let message = format!("{read} bytes came of {size}");
                Err(here(Error::new(ErrorCode::Corrupted, message)))
            }
            _ => Ok(None),
        }
    }
}

/// What to do with an object that both sides have, from what the listings say.
pub(super) fn compare_listed(
    recoder: Option<&Recoder>,
    source: &Entry,
    target: &Entry,
    options: CompareOptions,
) -> Verdict {
    match recoder {
        Some(recoder) if recoder.changes(source) => compare_recoded(source, target, options),
        _ => compare(source, target, options),
    }
}
