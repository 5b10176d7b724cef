//! The kinds of backends in this component: each is a file, a feature and a line here.

#[cfg(feature = "blobstore")]
mod blobstore;
#[cfg(feature = "files")]
mod files;
#[cfg(any(feature = "blobstore", feature = "files"))]
mod leftovers;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "s3")]
mod s3;

use std::{collections::BTreeMap, iter};

use omnistorage::{Config, Registry, Result};

/// How to open each.
///
/// # Errors
/// None in practice: each name is registered once.
pub(crate) fn registry() -> Result<Registry> {
    let mut kinds = Registry::new();
    #[cfg(feature = "blobstore")]
    blobstore::register(&mut kinds)?;
    #[cfg(feature = "files")]
    files::register(&mut kinds)?;
    #[cfg(feature = "memory")]
    memory::register(&mut kinds)?;
    #[cfg(feature = "s3")]
    s3::register(&mut kinds)?;
    Ok(kinds)
}

/// Backends that are there without anybody describing them: their names, kinds and settings.
pub(crate) fn by_themselves() -> BTreeMap<String, (String, Config)> {
    let described = iter::empty();
    #[cfg(feature = "files")]
    let described = described.chain(files::by_themselves());
    #[cfg(feature = "memory")]
    let described = described.chain(memory::by_themselves());
    described.collect()
}

/// The name of a backend, however it is written: where backends are places, a place will do.
pub(crate) fn name(written: &str) -> &str {
    #[cfg(feature = "files")]
    let written = files::name(written);
    written
}

/// How to grant a backend of a name that there is not: the end of a sentence.
pub(crate) fn hint(name: &str) -> String {
    if cfg!(feature = "files") {
        format!("; to grant a directory, run the host with --dir DIRECTORY::{}", name.escape_debug())
    } else {
        String::new()
    }
}
