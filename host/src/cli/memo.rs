//! Where the memo of a source and a target is.

#![allow(
    clippy::disallowed_methods,
    reason = "the directory of the memo is made and hidden before a backend opens it"
)]

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    exit::Failure,
    place::{Place, PlaceKind},
};

/// What is remembered from run to run.
#[derive(Args)]
pub(crate) struct MemoOptions {
    /// Remember in the directory PLACE, under a name made from SOURCE and TARGET, what a run found to be the same, so
    /// that the next one need not ask [default: `omnistorage/memo` in the user's cache directory]
    #[arg(long, value_name = "PLACE", value_parser = Place::parser())]
    memo: Option<Place>,
    /// Believe nothing that an earlier run found, and keep nothing for the next one
    #[arg(long)]
    no_memo: bool,
}

impl MemoOptions {
    /// The directory, which is made if it is local; `None` if nothing should be remembered, or nothing can be.
    pub(crate) fn directory(
        &self,
        source: &Place,
        target: &Place,
        dry_run: bool,
    ) -> Result<Option<Place>, Failure> {
        let is_local = |place: &Place| matches!(place.kind, PlaceKind::Local { .. });
        let is_kept = |place: &Place| !matches!(place.kind, PlaceKind::Memory(_) | PlaceKind::Standard(_));
        // Listings of files carry everything we need.
        let is_of_use = !(is_local(source) && is_local(target)) && is_kept(source) && is_kept(target);
        if self.no_memo || !is_of_use {
            return Ok(None);
        }
        let place = match &self.memo {
            Some(place) => place.clone(),
            None => match default_directory() {
                Some(directory) => Place::parse(directory.as_os_str()).map_err(Failure::usage)?,
                None => return Ok(None),
            },
        };
        let PlaceKind::Local { path, .. } = &place.kind else { return Ok(Some(place)) };
        if dry_run && !path.is_dir() {
            return Ok(None);
        }
        if let Err(error) = make_private(path).and_then(|()| fs::read_dir(path).map(drop)) {
            // Without a cache directory every run is a first one.
            return match &self.memo {
                Some(_) => Err(Failure::system("the directory of --memo", error)),
                None => Ok(None),
            };
        }
        Ok(Some(place))
    }

    /// Lets nobody but its owner read a memo: it holds the names of all objects.
    pub(crate) fn hide(directory: &Place, name: &str) {
        if let PlaceKind::Local { path, .. } = &directory.kind {
            // A memo that a run left unchanged, or did not make, is as it should be.
            let _ = hide(&path.join(name));
        }
    }
}

/// `omnistorage/memo` in the user's cache directory (XDG Base Directory Specification).
pub(crate) fn default_directory() -> Option<PathBuf> {
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = caches.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?;
    Some(caches.join("omnistorage/memo"))
}

/// Makes a directory for this user alone, and those above it.
#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(unix)]
fn hide(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)
}

#[cfg(not(unix))]
fn hide(_: &Path) -> io::Result<()> {
    Ok(())
}
