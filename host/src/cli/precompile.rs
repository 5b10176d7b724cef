//! The compiled component for a package, and where the package puts it.

use std::{env, path::PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use crate::runtime::precompile;

/// Compile the component for a package, so that a first start takes no longer than the next ones
///
/// The binary looks for it in `../lib/omnistorage`, seen from where it lies itself, and takes it if nobody but the user
/// and the administrator can write there. It is for every processor of this architecture with the usual instructions; on
/// others, and for other versions, the component is compiled as if there were none.
#[derive(Args)]
pub(crate) struct Precompile {
    /// Where it is written, under a name that tells what it was made from
    directory: PathBuf,
}

impl Precompile {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        precompile(&self.directory).map_err(|error| Failure::new(Exit::Other, error.to_string()))
    }
}

/// Where a package that brought this binary put the compiled component.
pub(super) fn directory() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.parent()?.join("lib/omnistorage"))
}
