//! What a run would make of one path, and why.

use omnistorage_types::{Explanation, SyncOptions};

use super::{
    Storage,
    sandbox::{Guest, Inside},
};
use crate::{Location, Path, Result};

impl Storage {
    /// What a run with these options would make of a path below both places, as they are now; nothing is changed. For
    /// a copy, [`SyncOptions::deletion`] is `None`.
    ///
    /// # Errors
    /// As [`Storage::sync`], and what a run ends with before it looks at any object: see
    /// [`Job::outcome`](super::Job::outcome).
    pub async fn explain(
        &self,
        source: &Location,
        target: &Location,
        path: &Path,
        options: &SyncOptions,
    ) -> Result<Explanation> {
        let (source, target, options) = (source.into(), target.into(), options.into());
        let path = path.to_string();
        let call = async |inside: &Inside, guest: &Guest| {
            guest.sync(inside)?.call_explain(inside, source, target, path, options).await
        };
        self.call(call).await?.try_into()
    }

    /// The same for [`Storage::move_to`]; the reason also tells what becomes of the object of the source.
    ///
    /// # Errors
    /// As [`Storage::explain`].
    pub async fn explain_move(
        &self,
        source: &Location,
        target: &Location,
        path: &Path,
        options: &SyncOptions,
    ) -> Result<Explanation> {
        let (source, target, options) = (source.into(), target.into(), options.into());
        let path = path.to_string();
        let call = async |inside: &Inside, guest: &Guest| {
            guest.sync(inside)?.call_explain_move(inside, source, target, path, options).await
        };
        self.call(call).await?.try_into()
    }
}
