//! Which bucket it is, and for whom.

use std::path::PathBuf;

use crate::secret::Secret;

/// Where the bucket is and who speaks to it: two buckets with the same identity can copy between each other on the
/// server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) endpoint: String,
    pub(super) account: Account,
}

impl Identity {
    /// Whether requests go without a token.
    pub(super) fn is_anonymous(&self) -> bool {
        self.account == Account::Anonymous
    }
}

/// Who speaks, as far as the settings tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Account {
    Anonymous,
    Environment,
    File(PathBuf),
    /// A fingerprint of a secret: the same text means the same account, and nothing else can be learnt from it.
    Given(Fingerprint),
}

/// Tells secrets apart without keeping them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of this secret.
    pub(super) fn of(secret: &Secret) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(secret.expose()).into())
    }
}
