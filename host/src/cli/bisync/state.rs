//! Where the state of a pair of places is kept, and what the places are called in it.

#![allow(clippy::disallowed_methods, reason = "the lock and its directory are there before a backend is")]

#[cfg(not(target_family = "wasm"))]
use std::fs::{self, TryLockError};
use std::{env, fs::File, path::PathBuf};

use clap::Args;

use super::super::{
    exit::{Exit, Failure},
    local::{self, Need},
    output::printable,
    pair,
    place::{Place, PlaceKind},
};
use crate::{Location, Path};

/// Where the states are.
#[derive(Args)]
pub(super) struct StateOptions {
    /// Keep the state of the last run in the directory PLACE, under a name made from FIRST and SECOND [default:
    /// `omnistorage/bisync` in the user's state directory]
    #[arg(long, value_name = "PLACE", value_parser = Place::parser())]
    state: Option<Place>,
}

impl StateOptions {
    pub(super) fn directory(&self) -> Result<Place, Failure> {
        if let Some(place) = &self.state {
            return Ok(place.clone());
        }
        let directory = default_directory().ok_or_else(|| {
            Failure::usage("there is no home directory to keep the state in: name a place with --state")
        })?;
        Place::parse(directory.as_os_str()).map_err(Failure::usage)
    }
}

/// `omnistorage/bisync` in the user's state directory (XDG Base Directory Specification).
fn default_directory() -> Option<PathBuf> {
    let directory = env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/state")))?;
    Some(directory.join("omnistorage/bisync"))
}

/// What a place is called, however it was typed: a local one by its absolute path without links.
pub(super) fn identity(place: &Place) -> Result<String, Failure> {
    Ok(match &place.kind {
        PlaceKind::Local { path, directory } => {
            let (root, path) = local::resolve(&place.typed, path, *directory, Need::Contents)?;
            let root = root.to_str().ok_or_else(|| {
                Failure::usage(format!("`{}`: its path is not UTF-8", printable(&place.typed)))
            })?;
            if path.is_root() { root.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
        }
        PlaceKind::Memory(path) | PlaceKind::Standard(path) => format!("memory:{path}"),
        PlaceKind::Bucket { kind, bucket, settings, path } => {
            format!("{kind}://{bucket}{}/{path}", settings.identity())
        }
        PlaceKind::Buckets { kind, settings, path } => format!("{kind}://{}/{path}", settings.identity()),
        PlaceKind::Server { kind, endpoint, settings, path } => {
            format!("{kind} {endpoint}{}/{path}", settings.identity())
        }
        PlaceKind::Configured { name, path } => format!("{name}:{path}"),
    })
}

/// The name of the state of a pair.
pub(super) fn name((first, second): &(String, String)) -> String {
    format!("{}.state", pair::name(first, second))
}

/// Keeps other runs over the same pair away until it is dropped. However this run ends, the system releases the lock.
/// There is no lock for a state at a store.
#[cfg(not(target_family = "wasm"))]
pub(super) fn lock(directory: &Place, name: &str) -> Result<Option<File>, Failure> {
    let PlaceKind::Local { path, .. } = &directory.kind else { return Ok(None) };
    let path = path.join(name).with_extension("lock");
    let failed = |error| Failure::system(&format!("`{}`", printable(&path.to_string_lossy())), error);
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            Exit::Retryable,
            "another run over these two places is at work: wait for its end",
        )),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// WASI has no locks, so in a component there is none for any state.
#[cfg(target_family = "wasm")]
pub(super) fn lock(_: &Place, _: &str) -> Result<Option<File>, Failure> {
    Ok(None)
}

/// The state in its directory.
pub(super) fn within(directory: Location, name: &str) -> Result<Location, Failure> {
    let refused = |error| Failure::new(Exit::Usage, format!("the path of the state is refused: {error}"));
    let path = Path::parse(name).and_then(|name| directory.path.join(&name)).map_err(refused)?;
    Ok(Location { path, ..directory })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_name_however_it_is_typed() {
        let scratch = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(scratch.path()).unwrap();
        std::fs::create_dir(root.join("d")).unwrap();
        let named = |text: &str| identity(&Place::parse(text.as_ref()).unwrap()).unwrap();
        let root = root.to_str().unwrap();
        for typed in ["d", "d/", "d/../d", "./d"] {
            assert_eq!(named(&format!("{root}/{typed}")), format!("{root}/d"));
        }
        assert_eq!(named(&format!("{root}/new/x")), format!("{root}/new/x"));
        assert_eq!(named("s3://b/c/"), "s3://b/c");
        assert_eq!(named("nas:x"), "nas:x");
    }

    #[test]
    fn one_run_at_a_time_holds_a_pair() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Place::parse(scratch.path().join("new").as_os_str()).unwrap();
        let held = lock(&directory, "a.state").unwrap();
        assert!(held.is_some() && lock(&directory, "b.state").unwrap().is_some());
        assert_eq!(lock(&directory, "a.state").unwrap_err().exit, Exit::Retryable);
        drop(held);
        assert!(lock(&directory, "a.state").unwrap().is_some());
        assert!(lock(&Place::parse("s3://b/c".as_ref()).unwrap(), "a.state").unwrap().is_none());
    }

    #[test]
    fn each_pair_has_a_name_of_its_own() {
        let named = |first: &str, second: &str| name(&(first.to_owned(), second.to_owned()));
        assert_eq!(named("/a", "/b"), named("/a", "/b"));
        assert_ne!(named("/a", "/b"), named("/b", "/a"));
        assert_ne!(named("/ab", "/c"), named("/a", "b/c"));
        assert!(named("/a", "/b").ends_with(".state"));
    }
}
