//! What a job has its backends do.

/// What a job has asked of its backends. They are not ours to watch: between the library and its backends nobody
/// counts, so nothing is known about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activity;
