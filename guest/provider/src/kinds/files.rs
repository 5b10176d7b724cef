//! Objects as files below a directory that the host grants (WASI calls it preopened).
//!
//! - **Confined.** A path is walked name by name from the directory of the host. Symbolic links are listed and never
//!   followed: a path through a link is refused, a write over a link replaces it, a delete removes it. Devices, sockets
//!   and named pipes are listed, and never read or replaced.
//! - **Whole or absent.** Bytes go to a hidden temporary file, in the directory of the object or the nearest above it that
//!   exists; once it is whole, it is renamed into place. A host that is killed may leave such a file. Listings hide it, and
//!   [`sweep`](omnistorage::Backend::sweep) removes it. Its name is one that the native backend of files knows.
//! - **Times** are kept to the nanosecond. WASI has no permissions, owners, attributes or locks, so there are no content
//!   types and no metadata, and a file that replaces another has the permissions of a new one.
//! - **Etags** are made of what tells one file from another, of its size and of its modification time.

mod backend;
mod copy;
mod directory;
mod failure;
mod info;
mod listing;
mod names;
mod place;
mod preopens;
mod read;
mod remove;
mod sweep;
mod temporary;
mod upload;

use std::sync::Arc;

use omnistorage::{Backend, Config, Path, Registry, Result, backend::prefix::Prefix};

use self::backend::FilesBackend;
pub(super) use self::preopens::name;

/// The word of the native backend of files.
const KIND: &str = "file";

pub(super) fn register(kinds: &mut Registry) -> Result<()> {
    kinds.register(KIND, open)
}

/// One for each directory that the host grants, under its name.
pub(super) fn by_themselves() -> impl Iterator<Item = (String, (String, Config))> {
    let granted = preopens::names().into_iter();
    granted.map(|root| (name(&root).to_owned(), (KIND.to_owned(), Config::from([("root", root)]))))
}

/// Takes `root`: a directory that the host grants, or one below it.
fn open(mut config: Config) -> Result<Arc<dyn Backend>> {
    let root: String = config.require("root")?;
    config.finish(KIND)?;
    let (directory, below) = preopens::find(&root)?;
    let backend = Arc::new(FilesBackend::new(directory));
    let below = Path::parse(below)?;
    Ok(if below.is_root() { backend } else { Arc::new(Prefix::new(backend, below)) })
}
