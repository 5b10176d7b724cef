//! Whether what is on the target by now is what was to be brought there: by an attempt whose answer was lost, or by
//! another run.

use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::compare::modify_window,
};
use omnistorage_types::Error;

use super::{contents::hash_both, place::Reading, recode::Recoder};

/// By what an object of the target is told to be that of the source.
pub(super) struct Likeness<'a> {
    pub(super) source: &'a Reading,
    pub(super) target: &'a Reading,
    pub(super) recoder: Option<Recoder>,
    /// Sizes may differ.
    pub(super) ignore_size: bool,
    /// Equal times do not suffice: the source goes then.
    pub(super) contents_only: bool,
}

impl Likeness<'_> {
    /// Whether it is: by its size, and by its time where the target keeps those that it is given, else by its contents.
    pub(super) async fn holds(&self, entry: &Entry, there: &Entry) -> Result<bool, Error> {
        let Self { source, target, .. } = self;
        let recoder = self.recoder.as_ref().filter(|recoder| recoder.changes(entry));
        let keeps_size = recoder.is_none() && !self.ignore_size;
        let differs = |(one, other)| one != other;
        if there.kind != ObjectKind::Object || (keeps_size && entry.size.zip(there.size).is_some_and(differs))
        {
            return Ok(false);
        }
        let given = match source.lists_writes {
            // When it was written is not the time that it has.
            true => source.stat(&entry.path).await?.and_then(|seen| seen.modified),
            false => entry.modified,
        };
        let window = modify_window(source.precision_ns(), target.precision_ns(), None);
        if let (Some(window), Some(given), Some(told)) = (window, given, there.modified) {
            let is_within = told.nanoseconds_since(given).unsigned_abs() <= u128::from(window);
            if !is_within || !self.contents_only {
                return Ok(is_within);
            }
        }
        match recoder {
            Some(recoder) => recoder.same_contents(source, target, entry).await,
            None => {
                let hashed = hash_both(source, target, &[(entry, there)]).await.pop();
                Ok(hashed.transpose()?.is_some_and(|hashed| hashed.are_equal()))
            }
        }
    }
}
