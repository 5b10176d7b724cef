//! Whether deletes that were held may follow, by the sum of all reports.

use omnistorage_core::sync::guard::{DeletePlan, DeleteRefusal, deletes_allowed};
use omnistorage_types::{Error, ErrorCode, Report, Stop, SyncOptions};

use super::options::delete_limits;

/// The guards of one run over all ranges.
pub(super) fn judge(sum: &Report, options: &SyncOptions) -> Result<(), Error> {
    let Report { errors, source_objects, extras, .. } = *sum;
    if let Some(stopped) = sum.stopped.map(Stop::as_str).filter(|_| extras > 0) {
        let message =
            format!("{stopped} ended a run before everything was looked at: nothing may be deleted");
        return Err(Error::new(ErrorCode::PreconditionFailed, message));
    }
    let plan = DeletePlan { errors, source_objects, extras };
    deletes_allowed(plan, delete_limits(options, 0))
        .map_err(|refusal| Error::new(code(refusal), refusal.to_string()))
}

/// What a run that is refused its deletes ends with.
pub(super) const fn code(refusal: DeleteRefusal) -> ErrorCode {
    match refusal {
        DeleteRefusal::TooMany { .. } => ErrorCode::LimitExceeded,
        DeleteRefusal::Withheld { .. } | DeleteRefusal::EmptySource { .. } => ErrorCode::PreconditionFailed,
    }
}
