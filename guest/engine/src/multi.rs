//! The interface `multi`: several targets at once, and several replicas of one object.

mod replicas;
mod target;
mod tee;

use std::collections::BTreeSet;

use omnistorage_core::{codec, multi};
use wit_bindgen::spawn_local;

use crate::{
    body::{Coded, Sink},
    compression::decompressed,
    error::error,
    exports::{
        compression::{Body, DecompressOptions},
        multi::{Failure, Guest, Mode, TargetResult},
        objects::{CompressionOptions, Reader},
    },
    imports::{
        backend::{ReadOptions, WriteOptions},
        types::{Error, ErrorCode, Location},
    },
};

/// Locations in one call: each target has a buffer of its own.
const MOST: usize = 256;

impl Guest for crate::Component {
    async fn tee(
        targets: Vec<Location>,
        contents: Body,
        options: WriteOptions,
        compress: Option<CompressionOptions>,
        mode: Mode,
    ) -> Result<Vec<TargetResult>, Failure> {
        let encoder = check(&targets, "target").and_then(|()| {
            Ok(compress.map(|options| codec::encoder(options.codec.into(), options.level)).transpose()?)
        });
        let encoder = encoder.map_err(|error| Failure { error, targets: Vec::new() })?;
        let needed = multi::Mode::from(mode).needed(targets.len());
        tee::tee(targets, Coded::new(contents.into(), encoder), &options, needed).await
    }

    async fn read_any(
        replicas: Vec<Location>,
        options: ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader, Error> {
        check(&replicas, "replica")?;
        let (info, source) = replicas::open(replicas, options).await?;
        let contents = match decompress {
            Some(options) => decompressed(source, options),
            None => {
                let (sink, contents) = Sink::new();
                spawn_local(Coded::new(source, None).pump(sink));
                contents
            }
        };
        Ok(Reader { info, contents })
    }
}

/// There are some, not too many, and no two are the same.
fn check(locations: &[Location], what: &str) -> Result<(), Error> {
    let refused = |message| Err(error(ErrorCode::InvalidArgument, message));
    if locations.is_empty() {
        return refused(format!("there is no {what}: give at least one"));
    }
    if locations.len() > MOST {
        return refused(format!("there are {} {what}s, and {MOST} are the most at once", locations.len()));
    }
    let mut known = BTreeSet::new();
    match locations.iter().find(|at| !known.insert((at.backend.as_str(), at.path.as_str()))) {
        None => Ok(()),
        Some(twice) => {
            let message = format!("it is given twice: each {what} must be another one");
            Err(Error { at: Some(twice.clone()), ..error(ErrorCode::InvalidArgument, message) })
        }
    }
}

impl From<Mode> for multi::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::All => Self::All,
            Mode::BestEffort => Self::BestEffort,
            Mode::Quorum => Self::Quorum,
        }
    }
}
