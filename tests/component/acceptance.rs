//! What users of rclone rely on: the tests of rclone's `fs/sync` and `fs/operations`, by their names, each on memory,
//! files and S3 as source and as target. After every run, the events replayed on the old target must give the new one,
//! the counters must be those of the events, and the source must be as it was, but for what a move took.

mod compare;
mod copy;
mod deletes;
mod limits;
mod moves;
mod never_again;
mod operations;
mod pairs;
mod renames;
