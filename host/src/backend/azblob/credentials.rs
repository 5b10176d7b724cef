//! Credentials: those that the settings hold, and those that are searched for.

use std::fmt;

use reqsign_azure_storage::{Credential, DefaultCredentialProvider};
use reqsign_core::{Context, ErrorKind, ProvideCredential};

use crate::{Error, ErrorCode, secret::Secret};

/// The usual places: the login of the Azure command line, a service principal, a workload identity, and the identity of
/// the machine, if that is one of them. Keys and signatures are looked for elsewhere.
pub(super) fn searched(instance_metadata: bool) -> DefaultCredentialProvider {
    let places = DefaultCredentialProvider::builder().no_env();
    if instance_metadata { places.build() } else { places.no_imds().build() }
}

/// A secret of an account. The library has the same type, but logs it.
pub(super) enum Given {
    Key { account: String, key: Secret },
    Sas(Secret),
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

impl ProvideCredential for Given {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        Ok(Some(match self {
            Self::Key { account, key } => Credential::with_shared_key(account, key.expose()),
            Self::Sas(token) => Credential::with_sas_token(token.expose()),
        }))
    }
}

/// The error when no signature could be made. The library's own words are left out: they may quote what it read.
pub(super) fn unsigned(error: &reqsign_core::Error) -> Error {
    let (code, message) = match error.kind() {
        ErrorKind::RateLimited => {
            (ErrorCode::RateLimited, "the service that gives tokens is busy: try again later")
        }
        _ if error.is_retryable() => {
            (ErrorCode::Unavailable, "cannot reach the service that gives tokens: check the network")
        }
        _ => (
            ErrorCode::PermissionDenied,
            "there are no credentials that can be used: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or `key` or \
             `sas_token` in the configuration, run `az login`, or set `anonymous = true` for a public container",
        ),
    };
    Error::new(code, message)
}
