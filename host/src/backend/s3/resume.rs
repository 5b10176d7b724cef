//! Uploads that continue where an earlier run broke off.
//!
//! Only bytes are evidence: the source is read again, and a part is skipped only if the store is known to have the same
//! bytes.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    arrived::{self, Arrived},
    bucket::Bucket,
    part::Part,
    uploads,
};
use crate::{Error, ErrorCode, Result};

/// What an upload has from an earlier run, and whether it is of use to the next one.
#[derive(Default)]
pub(super) struct Remains {
    /// The parts by number; `None` for an upload that this run began.
    earlier: Option<BTreeMap<u64, Arrived>>,
    /// A part has arrived, in this run or in an earlier one.
    has_parts: AtomicBool,
    /// The store refused something, and would refuse it again.
    is_hopeless: AtomicBool,
}

impl Remains {
    fn of(parts: impl IntoIterator<Item = Arrived>) -> Self {
        let parts: BTreeMap<_, _> = parts.into_iter().map(|part| (part.part_number, part)).collect();
        let has_parts = AtomicBool::new(!parts.is_empty());
        Self { earlier: Some(parts), has_parts, is_hopeless: AtomicBool::new(false) }
    }

    /// Whether an earlier run began the upload.
    pub(super) fn is_resumed(&self) -> bool {
        self.earlier.is_some()
    }

    /// The part of that number, if the store has it with these bytes.
    pub(super) fn part(&self, bucket: &Bucket, number: u64, bytes: &[u8]) -> Option<Part> {
        let arrived = self.earlier.as_ref()?.get(&number)?;
        let checksum = bucket.checksum_of(bytes);
        arrived.holds(bytes, checksum.as_deref()).then(|| arrived.named(checksum))
    }

    /// Records what became of a part.
    pub(super) fn sent(&self, part: &Result<Part>) {
        match part {
            Ok(_) => self.has_parts.store(true, Ordering::Release),
            // Damaged on the way: the next attempt need not be.
            Err(error) if error.code() == ErrorCode::Corrupted => {}
            Err(error) => self.failed(error),
        }
    }

    /// Takes note of a failure.
    pub(super) fn failed(&self, error: &Error) {
        self.is_hopeless.fetch_or(!may_get_further(error), Ordering::AcqRel);
    }

    /// Whether the next run can continue the upload.
    pub(super) fn are_of_use(&self) -> bool {
        self.has_parts.load(Ordering::Acquire) && !self.is_hopeless.load(Ordering::Acquire)
    }
}

/// Whether the same upload may get further another time: later, with other credentials, or with more room.
fn may_get_further(error: &Error) -> bool {
    let code = error.code();
    code.may_pass()
        || matches!(
            code,
            ErrorCode::PermissionDenied
                | ErrorCode::BackendClosed
                | ErrorCode::Cancelled
                | ErrorCode::NoSpace
        )
}

/// The id of the upload that an earlier run left for a key, and what there is of it. If we cannot look for one, we
/// begin a new one.
pub(super) async fn find(bucket: &Bucket, key: &str) -> Option<(String, Remains)> {
    look_for(bucket, key).await.unwrap_or_else(|error| {
        tracing::warn!(key, %error, "unfinished uploads cannot be looked for: a new one is begun");
        None
    })
}

async fn look_for(bucket: &Bucket, key: &str) -> Result<Option<(String, Remains)>> {
    let Some(id) = uploads::last(bucket, key).await? else { return Ok(None) };
    let remains = Remains::of(arrived::list(bucket, key, &id).await?);
    Ok(Some((id, remains)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived() -> Arrived {
        Arrived { part_number: 1, etag: "x".to_owned(), size: 9, checksum: None }
    }

    #[test]
    fn what_would_be_refused_again_is_of_no_use() {
        let part = || Ok(arrived().named(None));
        let failure = |code| Err(Error::new(code, "no"));
        for (outcomes, are_of_use) in [
            (vec![], false),
            (vec![part()], true),
            (vec![failure(ErrorCode::Unavailable)], false),
            (vec![part(), failure(ErrorCode::Unavailable)], true),
            (vec![part(), failure(ErrorCode::PermissionDenied)], true),
            (vec![part(), failure(ErrorCode::Corrupted)], true),
            (vec![failure(ErrorCode::Other), part()], false),
            (vec![part(), failure(ErrorCode::NotFound)], false),
        ] {
            let remains = Remains::default();
            outcomes.iter().for_each(|outcome| remains.sent(outcome));
            assert_eq!(remains.are_of_use(), are_of_use, "{outcomes:?}");
        }
        for code in [ErrorCode::PreconditionFailed, ErrorCode::Corrupted, ErrorCode::Other] {
            let remains = Remains::of([arrived()]);
            assert!(remains.are_of_use());
            remains.failed(&Error::new(code, "no"));
            assert!(!remains.are_of_use(), "{code:?}");
        }
    }
}
