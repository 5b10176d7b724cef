//! The last pass: the directories that a border parts from what is in them.

use crate::{
    Error, ErrorCode, Location, ObjectKind, Path, Result,
    ranges::{
        counts::{Counted, Counts},
        course::Course,
        directories::parted,
        operation::{Operation, Transfer},
        pass::{afterwards, within},
        tiles::look,
    },
    runtime::{Job, Storage, SyncOptions},
};

/// Follows jobs to their ends, one after the other.
pub(crate) trait Follow<E: Counted>: Send {
    /// Why one is not followed to its end.
    type Left;

    /// Follows a job about a directory.
    ///
    /// # Errors
    /// Why it was left.
    fn follow(
        &mut self,
        directory: &Path,
        job: Result<Job<E, E::Report>>,
    ) -> impl Future<Output = std::result::Result<Result<Counts>, Self::Left>> + Send;
}

/// Looks once more at each directory that a border parts from what is in it, one after the other.
///
/// # Errors
/// Why the job of one was left.
pub(crate) async fn tidy<E: Counted, F: Follow<E>>(
    course: &Course<'_>,
    deletes: bool,
    follower: &mut F,
) -> std::result::Result<Result<Counts>, F::Left> {
    let Course { storage, operation, sides, options, tiles, .. } = *course;
    let operation = match operation {
        Operation::Transfer(Transfer::Sync) if !deletes => Operation::Transfer(Transfer::Copy),
        operation => operation,
    };
    let mut sum = E::counts(E::Report::default());
    for (directory, range) in parted(tiles.borders(), tiles.whole()) {
        match holds_object(storage, sides, &directory).await {
            Ok(false) => {}
            // It was seen to when its range was.
            Ok(true) => continue,
            Err(error) => return Ok(Err(error)),
        }
        let options = SyncOptions {
            hold_deletes: false,
            // Directories alone.
            max_delete: (operation == Operation::Transfer(Transfer::Sync)).then_some(0),
            allow_empty_source: true,
            comparison: afterwards(options),
            ..within(options.clone(), &range)
        };
        let job = E::begin(storage, operation, sides, &options).await;
        match follower.follow(&directory, job).await? {
            Ok(counts) => {
                let Some(more) = sum.plus(counts) else {
                    let odd = Error::new(ErrorCode::Corrupted, "the reports on directories do not add up");
                    return Ok(Err(odd));
                };
                sum = more;
            }
            // Objects that became extra meanwhile stay until the next run, and so does their directory.
            Err(error) if error.code() == ErrorCode::LimitExceeded => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(sum))
}

/// Whether a side has something else there than a directory.
async fn holds_object(storage: &Storage, sides: [&Location; 2], path: &Path) -> Result<bool> {
    for side in sides {
        if look(storage, side, path).await?.is_some_and(|kind| kind != ObjectKind::Directory) {
            return Ok(true);
        }
    }
    Ok(false)
}
