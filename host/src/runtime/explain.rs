//! What a run would make of one path, and why.

use super::{
    Action, Storage, SyncOptions,
    bindings::exports::omnistorage::storage::sync as wit,
    sandbox::{Guest, Inside},
};
use crate::{Path, error::Result, object::Location};

/// What a run would make of one path, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the filter includes the path.
    pub included: bool,
    /// What the filter says: the rule that decided, and where it stands.
    pub ruling: String,
    /// What would be done; `None`: nothing.
    pub action: Option<Action>,
    /// Why, for a person.
    pub reason: String,
}

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
        self.call(call).await.map(Into::into)
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
        self.call(call).await.map(Into::into)
    }
}

impl From<wit::Explanation> for Explanation {
    fn from(explanation: wit::Explanation) -> Self {
        let wit::Explanation { included, ruling, action, reason } = explanation;
        Self { included, ruling, action: action.map(Into::into), reason }
    }
}
