//! `hash`.

use std::{borrow::Cow, num::NonZeroUsize};

use clap::Args;
use futures::StreamExt;

use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    filter::{FilterOptions, within},
    local::Need,
    output::{Output, note},
    place::Place,
    session::{Session, join},
    wildcard,
};
use crate::{
    HashAlgorithm, Location, ObjectKind,
    backend::{ListOptions, Listed},
    runtime::Filter,
};

/// Print checksums as md5sum does: of objects, or of every object in a directory and below
///
/// In the lines of one directory paths are relative to it, so that `cd DIRECTORY; sha256sum --check` can read them.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Hash {
    /// md5, sha1, sha256 or crc32c
    algorithm: HashAlgorithm,
    /// Objects to read at once
    #[arg(long, value_name = "N", default_value = "8")]
    checkers: NonZeroUsize,
    #[command(flatten)]
    filter: FilterOptions,
    /// Objects or directories; `-` is standard input, and a `*` in it is a wildcard
    #[arg(required = true, value_name = "PLACE", value_parser = Place::or_standard())]
    places: Vec<Place>,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage hash sha256 ./photos > photos.sha256
  omnistorage hash md5 's3://bucket/logs/*.gz'";

impl Hash {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let filter = self.filter.filter()?;
        let (mut places, mut filters) = (Vec::new(), Vec::new());
        for place in &self.places {
            let (place, pattern) = wildcard::split(place)?;
            filters.push(within(filter.clone(), pattern.as_ref())?);
            places.push(place);
        }
        let (session, locations) = Session::each_of(globals, &places, Need::Contents)?;
        let (mut output, mut exit) = (Output::new(), Exit::Done);
        for ((place, at), filter) in places.iter().zip(&locations).zip(&filters) {
            match self.hash(&session, (place, at), filter, &mut output).await {
                Ok(worst) => exit = exit.worse(worst),
                // The next place may be fine.
                Err(Failure { exit: why, message: Some(message) }) if places.len() > 1 => {
                    note(format_args!("error: {message}"));
                    exit = exit.worse(why);
                }
                Err(failure) => return Err(failure),
            }
        }
        output.flush()?;
        Failure::told(exit)
    }

    async fn hash(
        &self,
        session: &Session,
        (place, at): (&Place, &Location),
        filter: &Filter,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        let failed = session.failure(Subject::Object);
        if session.storage.stat(at).await.map_err(&failed)?.kind != ObjectKind::Directory {
            let hash = session.storage.hash(at, self.algorithm).await.map_err(&failed)?;
            output.line(&line(&hash, &place.typed))?;
            return Ok(Exit::Done);
        }

        let options = ListOptions { recursive: true, ..ListOptions::default() };
        let entries = session.storage.find(at, filter, &options).await;
        let objects = entries.map_err(session.failure(Subject::Tree))?.filter(|listed| {
            std::future::ready(match listed {
                Ok(Listed::Entry(entry)) => entry.kind == ObjectKind::Object,
                Ok(Listed::Failure(_)) | Err(_) => true,
            })
        });
        let hashes = objects.map(|listed| async {
            let path = match listed? {
                Listed::Entry(entry) => entry.path,
                Listed::Failure(failure) => return Ok(Err(failure.error)),
            };
            let object = Location { backend: at.backend.clone(), path };
            let hash = session.storage.hash(&object, self.algorithm).await?;
            Ok(Ok((hash, object.path)))
        });
        let mut hashes = std::pin::pin!(hashes.buffered(self.checkers.get()));
        let mut exit = Exit::Done;
        while let Some(hash) = hashes.next().await {
            let (hash, path) = match hash.map_err(&failed)? {
                Ok(hashed) => hashed,
                Err(error) => {
                    note(format_args!("error: {}", session.describe(&error)));
                    exit = exit.worse(Exit::of(error.code(), Subject::Object));
                    continue;
                }
            };
            let below = path.strip_prefix(&at.path);
            let below = below.as_ref().unwrap_or(&path).as_str();
            // Of one place, `cd PLACE` comes before a check.
            let path = if self.places.len() > 1 { join(&place.typed, below) } else { below.to_owned() };
            output.line(&line(&hash, &path))?;
        }
        Ok(exit)
    }
}

/// A line of md5sum: a backslash before it says that backslashes and line ends in the path are escaped.
fn line(hash: &crate::Hash, path: &str) -> String {
    let (mark, path) = if path.contains(['\\', '\n', '\r']) {
        ("\\", Cow::from(path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")))
    } else {
        ("", Cow::from(path))
    };
    format!("{mark}{hash}  {path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hasher;

    #[test]
    fn lines_are_those_of_md5sum() {
        let hash = Hasher::new(HashAlgorithm::Crc32c).finish();
        assert_eq!(line(&hash, "a b"), "00000000  a b");
        assert_eq!(line(&hash, "a\\\nb"), "\\00000000  a\\\\\\nb");
    }
}
