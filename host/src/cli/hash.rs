//! `hash`.

use std::{borrow::Cow, num::NonZeroUsize};

use clap::Args;
use futures::StreamExt;

use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    local::Need,
    output::{Output, note},
    place::Place,
    session::Session,
};
use crate::{
    HashAlgorithm, Location, ObjectKind,
    backend::{ListOptions, Listed},
};

/// Print checksums as md5sum does: of an object, or of every object in a directory and below
///
/// In the lines of a directory paths are relative to it, so that `cd DIRECTORY; sha256sum --check` can read them.
#[derive(Args)]
pub(crate) struct Hash {
    /// md5, sha1, sha256 or crc32c
    algorithm: HashAlgorithm,
    /// Objects to read at once
    #[arg(long, value_name = "N", default_value = "8")]
    checkers: NonZeroUsize,
    /// An object or a directory; `-` is standard input
    #[arg(value_parser = Place::or_standard())]
    place: Place,
}

impl Hash {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let mut output = Output::new();
        if session.storage.stat(&at).await.map_err(&failed)?.kind != ObjectKind::Directory {
            let hash = session.storage.hash(&at, self.algorithm).await.map_err(&failed)?;
            output.line(&line(&hash, &self.place.typed))?;
            return output.flush();
        }

        let options = ListOptions { recursive: true, ..ListOptions::default() };
        let entries = session.storage.list(&at, &options).await.map_err(session.failure(Subject::Tree))?;
        let objects = entries.filter(|listed| {
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
            output.line(&line(&hash, below.as_ref().unwrap_or(&path).as_str()))?;
        }
        output.flush()?;
        Failure::told(exit)
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
