//! Credentials that the settings hold.

use std::fmt;

use reqsign_aws_v4::Credential;
use reqsign_core::{Context, ProvideCredential};

use crate::secret::Secret;

/// A key with its secret. The library has the same type, but its `Debug` shows the secret, and the library logs it.
pub(super) struct Given {
    pub(super) key: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("key", &self.key).finish_non_exhaustive()
    }
}

impl ProvideCredential for Given {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        Ok(Some(Credential {
            access_key_id: self.key.clone(),
            secret_access_key: self.secret.expose().to_owned(),
            session_token: self.token.as_ref().map(|token| token.expose().to_owned()),
            expires_in: None,
        }))
    }
}
