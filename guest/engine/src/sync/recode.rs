//! Compressing or decompressing objects on the way.

use futures::{FutureExt, future::LocalBoxFuture, join};
use omnistorage_core::{
    codec::{self, Codec, CodecKind, DecoderLimits},
    entry::{Entry, ObjectKind},
    sync::{
        compare::{CompareOptions, Comparison, Evidence, Reason, Verdict, compare, compare_recoded},
        recode::Recoding,
    },
};
use omnistorage_path::Path;

use super::{
    contents::same_contents,
    share::Share,
    sides::Reading,
    transfer::{Arrived, identity},
    unsure::Pair,
};
use crate::{
    body::{Coded, Sink, Source},
    error::error,
    exports::sync::{self, SyncOptions},
    imports::{
        backend::{Features, ReadOptions, WriteCondition, WriteOptions},
        types::{Error, ErrorCode},
    },
    sync::backup::as_it_is,
};

/// What is done with objects on the way.
#[derive(Clone, Copy)]
pub(super) struct Recoder {
    pub(super) recoding: Recoding,
    level: Option<i32>,
    max_window: u64,
}

impl Recoder {
    /// What the options ask for.
    ///
    /// # Errors
    /// A level that the codec lacks, and options that make no sense beside it.
    pub(super) fn new(options: &SyncOptions) -> Result<Option<Self>, Error> {
        let Some(recoding) = options.recoding else { return Ok(None) };
        let refused = |what: &str| {
            let message = format!("{what} tells nothing of objects that are compressed on one side");
            Err(error(ErrorCode::InvalidArgument, message))
        };
        if options.comparison == sync::Comparison::SizeOnly {
            return refused("the size");
        }
        if !options.track_renames.is_empty() {
            return refused("a rename strategy");
        }
        let (recoding, level) = match recoding {
            sync::Recoding::Compress(options) => (Recoding::Compress(options.codec.into()), options.level),
            sync::Recoding::Decompress => (Recoding::Decompress, None),
        };
        let max_window = options.max_window.unwrap_or(DecoderLimits::DEFAULT_MAX_WINDOW);
        let recoder = Self { recoding, level, max_window };
        if let Recoding::Compress(codec) = recoder.recoding {
            codec::encoder(codec, recoder.level)?;
        }
        Ok(Some(recoder))
    }

    /// Whether an object of the source changes on the way.
    pub(super) fn changes(self, source: &Entry) -> bool {
        source.kind == ObjectKind::Object && self.recoding.codec(&source.path).is_some()
    }

    /// What it goes through, and the memory for that; `None` if it goes as it is.
    async fn codec(self, path: &Path, window: u64) -> Result<Option<(Box<dyn Codec>, Share)>, Error> {
        let Some(codec) = self.recoding.codec(path) else { return Ok(None) };
        Ok(Some(match self.recoding {
            Recoding::Compress(_) => {
                let share = Share::of_encoder(codec, self.level).await;
                (codec::encoder(codec, self.level)?, share)
            }
            Recoding::Decompress => (decoder(codec, window), Share::of_decoder(window).await),
        }))
    }

    /// Does what decompresses, with windows of common size, and once more with large ones if those are needed and allowed:
    /// of the large ones, the memory has room for one at a time.
    async fn with_window<R>(self, act: impl AsyncFn(u64) -> Result<R, Error>) -> Result<R, Error> {
        let common = self.max_window.min(DecoderLimits::DEFAULT_MAX_WINDOW);
        match act(common).await {
            Err(error) if error.code == ErrorCode::LimitExceeded && common < self.max_window => {
                act(self.max_window).await
            }
            done => done,
        }
    }

    /// Transfers an object through its codec. What the target holds then is whole, and from all of the source.
    ///
    /// `size`: what must come of the source. `condition`: of what stands on the target.
    pub(super) async fn carry(
        self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
        size: Option<u64>,
        condition: WriteCondition,
    ) -> Result<Arrived, Error> {
        let carry =
            async |window| self.carry_within(source, target, entry, size, condition.clone(), window).await;
        self.with_window(carry).await
    }

    async fn carry_within(
        self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
        size: Option<u64>,
        condition: WriteCondition,
        window: u64,
    ) -> Result<Arrived, Error> {
        let (codec, _share) = self.codec(&entry.path, window).await?.unzip();
        let to = self.target_path(&entry.path);
        let read = ReadOptions { offset: 0, length: None, if_match: None };
        let reader = source.backend().read(source.full(&entry.path)?, read).await?;
        let modified = entry.modified.map(Into::into).or(reader.info.modified);
        let is_listed = reader.info.etag.is_some() && reader.info.etag == entry.etag;
        let options = WriteOptions {
            condition,
            modified: modified.filter(|_| target.has(Features::SET_MODIFIED)),
            metadata: match target.has(Features::CUSTOM_METADATA) {
                true => reader.info.metadata,
                false => Vec::new(),
            },
            ..as_it_is()
        };
        let body = Source::new(reader.contents, reader.completion);
        let (sink, contents) = Sink::new();
        let full = target.full(&to)?;
        let write = target.backend().write(full, contents.contents, contents.completion, options);
        let pump = pump(Coded::new(body, codec), sink, size);
        match join!(pump, write) {
            (Ok(sent), Ok(written)) => match written.size {
                Some(size) if size != sent => {
                    let message = format!("{size} bytes arrived of {sent}");
                    Err(target.error(ErrorCode::Corrupted, &to, &message))
                }
                _ => Ok(if is_listed { identity(&written) } else { None }),
            },
            // That nobody took the bytes is not why.
            (Err(error), Err(why)) if error.code == ErrorCode::Cancelled => Err(why),
            (Err(error), _) => Err(match error.at {
                Some(_) => error,
                None => Error { at: source.error(error.code, &entry.path, "").at, ..error },
            }),
            (Ok(_), Err(why)) => Err(why),
        }
    }

    /// The path on the target of an object of the source.
    pub(super) fn target_path(self, path: &Path) -> Path {
        // The merge has refused those that have none.
        self.recoding.target_path(path).unwrap_or_else(|_| path.clone())
    }

    /// What is to be done with an object that both sides have. A time that no listing carried is looked up.
    pub(super) async fn decide(
        self,
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
        self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
    ) -> Result<bool, Error> {
        self.with_window(async |window| self.same_contents_within(source, target, entry, window).await).await
    }

    async fn same_contents_within(
        self,
        source: &Reading,
        target: &Reading,
        entry: &Entry,
        window: u64,
    ) -> Result<bool, Error> {
        let _share = Share::of_decoder(window).await;
        let codec = self.recoding.codec(&entry.path);
        let (of_source, of_target) = match self.recoding {
            Recoding::Compress(_) => (None, codec),
            Recoding::Decompress => (codec, None),
        };
        let to = self.target_path(&entry.path);
        let (source, target) =
            join!(open(source, &entry.path, of_source, window), open(target, &to, of_target, window));
        same_contents(source?, target?).await
    }
}

async fn open(place: &Reading, path: &Path, codec: Option<CodecKind>, window: u64) -> Result<Coded, Error> {
    let read = ReadOptions { offset: 0, length: None, if_match: None };
    let reader = place.backend().read(place.full(path)?, read).await?;
    Ok(Coded::new(Source::new(reader.contents, reader.completion), codec.map(|codec| decoder(codec, window))))
}

fn decoder(codec: CodecKind, window: u64) -> Box<dyn Codec> {
    codec::decoder(codec, DecoderLimits { max_window: Some(window), ..DecoderLimits::default() })
}

/// Feeds a body through its codec, and ends the sink well only if all of the source came; gives the bytes sent.
fn pump(mut body: Coded, mut sink: Sink, size: Option<u64>) -> LocalBoxFuture<'static, Result<u64, Error>> {
    async move {
        let (mut buffer, mut sent) = (Vec::new(), 0);
        let verdict = loop {
            match body.next(buffer).await {
                Ok(Some(chunk)) => {
                    sent += chunk.len() as u64;
                    match sink.push(chunk).await {
                        Ok(empty) => buffer = empty,
                        Err(error) => break Err(error),
                    }
                }
                Ok(None) => {
                    let read = body.source().bytes();
                    break match size {
                        Some(size) if size != read => {
                            let message = format!("{read} bytes came of {size}");
                            Err(error(ErrorCode::Corrupted, message))
                        }
                        _ => Ok(sent),
                    };
                }
                Err(error) => break Err(error),
            }
        };
        sink.end(verdict.clone().map(drop)).await;
        verdict
    }
    .boxed_local()
}

/// What is to be done with an object that both sides have, from what the listings say.
pub(super) fn compare_listed(
    recoder: Option<Recoder>,
    source: &Entry,
    target: &Entry,
    options: CompareOptions,
) -> Verdict {
    match recoder {
        Some(recoder) if recoder.changes(source) => compare_recoded(source, target, options),
        _ => compare(source, target, options),
    }
}
