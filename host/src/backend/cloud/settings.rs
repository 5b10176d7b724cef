//! What the settings of the stores have in common.

use std::env;

use omnistorage_types::Path;

use crate::{Error, ErrorCode, Result, config::Config};

/// A variable of the environment; an empty one counts as none.
pub(in crate::backend) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The path in a bucket that is the root of a backend; one slash at its end is fine.
///
/// # Errors
/// [`ErrorCode::InvalidPath`] if it breaks the grammar.
pub(in crate::backend) fn take_prefix(config: &mut Config) -> Result<Path> {
    match config.take::<String>("prefix")? {
        Some(prefix) => Ok(Path::parse(prefix.strip_suffix('/').unwrap_or(&prefix))?),
        None => Ok(Path::root()),
    }
}

/// Two settings that exclude each other, or one without another that it needs.
pub(in crate::backend) fn contradiction(message: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}
