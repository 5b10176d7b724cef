//! What a run is to do.

/// What a run is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Transfers what differs, and deletes what is extra.
    Sync,
    /// Transfers what differs.
    Copy,
    /// Transfers what differs, and lets the source go.
    Move,
}
