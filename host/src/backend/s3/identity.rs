//! Which bucket it is, and for whom.

/// Where the bucket is and who speaks to it: two buckets with the same identity can copy between each other on the
/// server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) endpoint: Option<String>,
    pub(super) region: String,
    pub(super) account: Account,
}

/// Who speaks, as far as the settings tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Account {
    Anonymous,
    Key(String),
    Profile(String),
    Environment,
}
