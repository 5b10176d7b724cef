//! Entries of listings in the words of the core.

use omnistorage_core::entry::{self, Entry, Failure, Unlisted};
use omnistorage_path::Path;

use crate::imports::types::{self, Error};

/// What a listing holds, in the words of the core.
pub(crate) type Listed = entry::Listed<Error>;

/// The path below a prefix, checked: a backend is not believed to stay below what it was asked for.
pub(crate) fn place_of(path: &str, prefix: &Path) -> Result<Path, String> {
    let path =
        Path::parse(path).map_err(|why| format!("the backend listed a path that is refused: {why}"))?;
    path.strip_prefix(prefix)
        .ok_or_else(|| format!("the backend listed a path that is not below {:?}", prefix.as_str()))
}

/// What a listing left out, relative to a prefix.
pub(crate) fn failure_of(failure: types::ListingFailure, prefix: &Path) -> Result<Failure<Error>, String> {
    let what = match failure.what {
        types::Unlisted::Directory(path) => Unlisted::Directory(place_of(&path, prefix)?),
        types::Unlisted::Entry(path) => Unlisted::Entry(place_of(&path, prefix)?),
        types::Unlisted::Name(types::OddName { directory, name }) => {
            let below = name.strip_prefix(prefix.as_str()).filter(|_| !prefix.is_root());
            let below = below.and_then(|below| below.strip_prefix('/')).map(str::to_owned);
            Unlisted::Name { directory: place_of(&directory, prefix)?, name: below.unwrap_or(name) }
        }
    };
    Ok(Failure { what, error: failure.error })
}

/// An entry with its path relative to a place.
pub(crate) fn entry(info: types::ObjectInfo, path: Path) -> Entry {
    Entry {
        path,
        kind: info.kind.into(),
        size: info.size,
        modified: info.modified.map(Into::into),
        etag: info.etag,
        hashes: info.hashes.into_iter().map(Into::into).collect(),
    }
}

impl From<types::ObjectKind> for entry::ObjectKind {
    fn from(kind: types::ObjectKind) -> Self {
        match kind {
            types::ObjectKind::Object => Self::Object,
            types::ObjectKind::Directory => Self::Directory,
            types::ObjectKind::Symlink => Self::Symlink,
            types::ObjectKind::Special => Self::Special,
        }
    }
}

impl From<types::Timestamp> for entry::Timestamp {
    fn from(time: types::Timestamp) -> Self {
        Self { seconds: time.seconds, nanoseconds: time.nanoseconds }
    }
}

impl From<entry::Timestamp> for types::Timestamp {
    fn from(time: entry::Timestamp) -> Self {
        Self { seconds: time.seconds, nanoseconds: time.nanoseconds }
    }
}

impl From<types::Hash> for entry::Hash {
    fn from(hash: types::Hash) -> Self {
        Self { algorithm: hash.algorithm.into(), digest: hash.digest }
    }
}

impl From<entry::Hash> for types::Hash {
    fn from(hash: entry::Hash) -> Self {
        Self { algorithm: hash.algorithm.into(), digest: hash.digest }
    }
}

impl From<types::HashAlgorithm> for entry::HashAlgorithm {
    fn from(algorithm: types::HashAlgorithm) -> Self {
        match algorithm {
            types::HashAlgorithm::Md5 => Self::Md5,
            types::HashAlgorithm::Sha1 => Self::Sha1,
            types::HashAlgorithm::Sha256 => Self::Sha256,
            types::HashAlgorithm::Crc32c => Self::Crc32c,
        }
    }
}

impl From<entry::HashAlgorithm> for types::HashAlgorithm {
    fn from(algorithm: entry::HashAlgorithm) -> Self {
        match algorithm {
            entry::HashAlgorithm::Md5 => Self::Md5,
            entry::HashAlgorithm::Sha1 => Self::Sha1,
            entry::HashAlgorithm::Sha256 => Self::Sha256,
            entry::HashAlgorithm::Crc32c => Self::Crc32c,
        }
    }
}
