//! The interface `multi`: several targets at once, and several replicas of one object.

mod replicas;
mod target;
mod tee;

use std::collections::BTreeSet;

use omnistorage_types::{
    Compression, DecompressOptions, Error, ErrorCode, Location, Mode, ReadOptions, Result, TargetResult,
    TeeError, WriteOptions,
};

use crate::{
    Engine,
    body::{Coded, Source},
    compression::{decompressed_source, encoder},
    planted::{self, Bug},
    port::{Contents, Reader},
};

/// The most locations in one call: each target has a buffer of its own.
const MOST: usize = 256;

#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl Engine {
    /// Writes a body to every target at once.
    pub async fn tee(
        &self,
        targets: Vec<Location>,
        contents: Contents,
        options: WriteOptions,
        compress: Option<Compression>,
        mode: Mode,
    ) -> Result<Vec<TargetResult>, TeeError> {
        let encoder = check(&targets, "target").and_then(|()| compress.as_ref().map(encoder).transpose())?;
        let body = Coded::new(Source::new(contents), encoder);
        let fewer = usize::from(planted::has(Bug::TeeNeedsFewer));
        let needed = mode.needed(targets.len()).saturating_sub(fewer).max(1);
        tee::tee(&self.port, targets, body, &options, needed).await
    }

    /// Reads an object from whichever of its replicas can be read.
    pub async fn read_any(
        &self,
        replicas: Vec<Location>,
        options: ReadOptions,
        decompress: Option<DecompressOptions>,
    ) -> Result<Reader> {
        check(&replicas, "replica")?;
        let (info, contents) = replicas::open(&self.port, replicas, options).await?;
        let contents = match decompress {
            Some(options) => decompressed_source(Source::new(contents), options),
            None => contents,
        };
        Ok(Reader { info, contents })
    }
}

/// Refuses an empty list, too many locations, and the same one twice.
fn check(locations: &[Location], what: &str) -> Result<()> {
    let refused = |message| Err(Error::new(ErrorCode::InvalidArgument, message));
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
            Err(Error::new(ErrorCode::InvalidArgument, message).at(&twice.backend, &twice.path))
        }
    }
}
