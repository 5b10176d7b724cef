//! What a command finds at a place, told as it comes: entries, and what could not be listed.

use futures::StreamExt;

use super::{
    exit::{Exit, Failure, Subject},
    output::note,
    session::Session,
};
use crate::{
    Location, ObjectInfo,
    backend::{ListOptions, Listed, ListingFailure},
    runtime::Filter,
};

/// Something that a listing holds, under the path that the user knows it by: relative to the place, or the name of the
/// object that the place is.
pub(crate) enum Found<'a> {
    /// What stands at a path.
    Entry(&'a str, ObjectInfo),
    /// What could not be listed.
    Failure(&'a str, Box<ListingFailure>),
}

/// Hands over what a place holds. What could not be listed is told on standard error too, unless the output `tells`, and
/// makes the exit code: a listing that is not complete is no success.
///
/// # Errors
/// What ended the listing before its time, and what `take` refuses.
pub(crate) async fn each(
    session: &Session,
    at: &Location,
    filter: &Filter,
    options: &ListOptions,
    tells: bool,
    mut take: impl FnMut(Found<'_>) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let failed = session.failure(Subject::Tree);
    let mut entries = session.storage.find(at, filter, options).await.map_err(&failed)?;
    let mut exit = Exit::Done;
    while let Some(listed) = entries.next().await {
        match listed.map_err(&failed)? {
            Listed::Entry(entry) => {
                let path = entry.path.clone();
                let below = path.strip_prefix(&at.path);
                let below = below.as_ref().filter(|below| !below.is_root());
                take(Found::Entry(
                    below.map_or_else(|| path.name().unwrap_or_default(), crate::Path::as_str),
                    entry,
                ))?;
            }
            Listed::Failure(failure) => {
                exit = exit.worse(Exit::of(failure.error.code(), Subject::Object));
                if !tells {
                    note(format_args!("error: {}", session.describe(&failure.error)));
                }
                let name = failure.what.name().to_owned();
                let below = name.strip_prefix(at.path.as_str()).filter(|_| !at.path.is_root());
                let below = below.and_then(|below| below.strip_prefix('/')).unwrap_or(&name);
                take(Found::Failure(below, failure))?;
            }
        }
    }
    Ok(exit)
}
