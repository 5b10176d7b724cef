//! What a run does.

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Transfers what differs, and deletes what is extra.
    Sync,
    /// Transfers what differs.
    Copy,
    /// Transfers what differs, and removes it from the source.
    Move,
}
