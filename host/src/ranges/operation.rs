//! What runs over ranges do.

/// What is done with two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Objects come to the target.
    Transfer(Transfer),
    /// [`Storage::check`](crate::runtime::Storage::check)
    Check,
}

/// How objects come to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// [`Storage::copy`](crate::runtime::Storage::copy)
    Copy,
    /// [`Storage::sync`](crate::runtime::Storage::sync)
    Sync,
    /// [`Storage::move_to`](crate::runtime::Storage::move_to)
    Move,
}

impl Operation {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transfer(Transfer::Copy) => "copy",
            Self::Transfer(Transfer::Sync) => "sync",
            Self::Transfer(Transfer::Move) => "move",
            Self::Check => "check",
        }
    }
}
