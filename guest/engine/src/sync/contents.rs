//! Compares contents by hash, with many objects in one call, or byte by byte.

use futures::join;
use omnistorage_core::{
    entry::{Entry, Hash, HashAlgorithm},
    sync::compare::{Hashes, common_hash},
};
use omnistorage_types::{Error, ErrorCode, Path, ReadOptions};

use super::{
    place::{Reading, hash_algorithm},
    retry::retrying_many,
};
use crate::{
    body::{Coded, Source},
    port::Body,
};

/// The hashes of an object on both sides, by one algorithm.
pub(super) struct Hashed {
    source: Hash,
    target: Hash,
    /// Whether one of them comes from a listing.
    listed: bool,
}

impl Hashed {
    /// The same as the core's type.
    pub(super) const fn hashes(&self) -> Hashes<'_> {
        Hashes { source: Some(&self.source), target: Some(&self.target), listed: self.listed }
    }

    /// Whether one of them comes from a listing.
    pub(super) const fn is_listed(&self) -> bool {
        self.listed
    }

    /// Whether they are equal.
    pub(super) fn are_equal(&self) -> bool {
        self.source == self.target
    }
}

/// The hashes of objects on both sides, in their order: of each by an algorithm that a listing carries one of, if any
/// does.
pub(super) async fn hash_both(
    source: &Reading,
    target: &Reading,
    pairs: &[(&Entry, &Entry)],
) -> Vec<Result<Hashed, Error>> {
    let algorithms: Vec<_> = pairs.iter().map(|(from, to)| algorithm(source, target, from, to)).collect();
    let mut hashed: Vec<Option<Result<Hashed, Error>>> = pairs.iter().map(|_| None).collect();
    for algorithm in [HashAlgorithm::Crc32c, HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha256] {
        let by_this = || algorithms.iter().enumerate().filter(|(_, of_pair)| **of_pair == algorithm);
        let (from, to): (Vec<_>, Vec<_>) =
            by_this().filter_map(|(position, _)| pairs.get(position)).copied().unzip();
        if from.is_empty() {
            continue;
        }
        let (known, there) =
            join!(known_or_asked(source, &from, algorithm), known_or_asked(target, &to, algorithm));
        for ((position, _), (from, to)) in by_this().zip(known.into_iter().zip(there)) {
            let both = from.and_then(|from| Ok((from, to?)));
            if let (Some(slot), Some((source, target))) = (hashed.get_mut(position), pairs.get(position)) {
                let listed = tells(source, algorithm) || tells(target, algorithm);
                *slot = Some(both.map(|(source, target)| Hashed { source, target, listed }));
            }
        }
    }
    let missing = |entry: &Entry| source.error(ErrorCode::Other, &entry.path, "there is no hash for it");
    let found = hashed.into_iter().zip(pairs);
    found.map(|(hashed, (entry, _))| hashed.unwrap_or_else(|| Err(missing(entry)))).collect()
}

fn tells(entry: &Entry, algorithm: HashAlgorithm) -> bool {
    entry.hashes.iter().any(|hash| hash.algorithm == algorithm)
}

/// What to compare a pair by: what both listings carry, else what one of them does, and of that what costs least.
fn algorithm(source: &Reading, target: &Reading, from: &Entry, to: &Entry) -> HashAlgorithm {
    if let Some((both, _)) = common_hash(&from.hashes, &to.hashes) {
        return both.algorithm;
    }
    let listed = from.hashes.iter().chain(&to.hashes).map(|hash| hash.algorithm);
    listed
        .min_by_key(|algorithm| *algorithm != HashAlgorithm::Crc32c)
        .unwrap_or_else(|| hash_algorithm(source, target))
}

/// Takes the hashes that the listing carries, and asks only for the others.
async fn known_or_asked(
    side: &Reading,
    entries: &[&Entry],
    algorithm: HashAlgorithm,
) -> Vec<Result<Hash, Error>> {
    let known = |entry: &Entry| entry.hashes.iter().find(|hash| hash.algorithm == algorithm).cloned();
    let listed: Vec<_> = entries.iter().map(|entry| known(entry)).collect();
    let unknown = entries.iter().zip(&listed).filter(|(_, listed)| listed.is_none());
    let unknown: Vec<_> = unknown.map(|(entry, _)| &entry.path).collect();
    let mut asked =
        if unknown.is_empty() { Vec::new() } else { hashes(side, &unknown, algorithm).await }.into_iter();
    let missing = |entry: &&Entry| Err(side.error(ErrorCode::Other, &entry.path, "there is no hash for it"));
    let hash = |(entry, listed): (&&Entry, Option<Hash>)| match listed {
        Some(listed) => Ok(listed),
        None => asked.next().unwrap_or_else(|| missing(entry)),
    };
    entries.iter().zip(listed).map(hash).collect()
}

/// The hashes of objects of one side, in the order of the paths.
pub(super) async fn hashes(
    side: &Reading,
    paths: &[&Path],
    algorithm: HashAlgorithm,
) -> Vec<Result<Hash, Error>> {
    retrying_many(&side.attempts, paths, async |paths| {
        let full: Result<Vec<_>, _> = paths.iter().map(|path| side.full(path)).collect();
        let mut results = match full {
            Ok(full) => side.backend().hash_many(full, algorithm).await,
            Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
        }
        .into_iter();
        let hash = |path: &&Path| match results.next() {
            Some(hash) => hash,
            None => Err(side.error(ErrorCode::Other, path, "the backend gave no hash for it")),
        };
        paths.iter().map(hash).collect()
    })
    .await
}

/// Compares an object byte by byte.
pub(super) async fn same_bytes(source: &Reading, target: &Reading, entry: &Entry) -> Result<bool, Error> {
    let (source, target) = join!(body(source, entry), body(target, entry));
    same_contents(source?, target?).await
}

/// Compares byte by byte. An error on either side is returned, even if the bytes differ before it.
pub(super) async fn same_contents(mut source: Coded, mut target: Coded) -> Result<bool, Error> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut same = true;
    loop {
        let (from, to) = join!(fill(&mut source, &mut left), fill(&mut target, &mut right));
        let (from, to) = (from?, to?);
        if !from && !to {
            return Ok(same);
        }
        let common = left.len().min(right.len());
        same &= left[..common] == right[..common] && from == to;
        left.drain(..common);
        right.drain(..common);
        if !same {
            left.clear();
            right.clear();
        }
    }
}

/// Reads more bytes if none are left, and returns whether there are any now.
async fn fill(source: &mut Coded, bytes: &mut Vec<u8>) -> Result<bool, Error> {
    if bytes.is_empty()
        && let Some(chunk) = source.next(std::mem::take(bytes)).await?
    {
        *bytes = chunk;
    }
    Ok(!bytes.is_empty())
}

async fn body(side: &Reading, entry: &Entry) -> Result<Coded, Error> {
    let options = ReadOptions::default();
    let reader = side.backend().read(side.full(&entry.path)?, options).await?;
    Ok(Coded::new(Source::new(reader.contents), None))
}
