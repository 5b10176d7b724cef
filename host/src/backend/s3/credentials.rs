//! Credentials: those that the settings hold, and those that are searched for.

use std::fmt;

use reqsign_aws_v4::Credential;
use reqsign_core::{Context, ProvideCredential, ProvideCredentialChain};

use crate::{Result, secret::Secret};

/// The usual places of AWS.
///
/// # Errors
/// None: what is wrong with them shows when they are needed.
#[cfg(not(target_family = "wasm"))]
pub(super) fn searched(
    profile: Option<&str>,
    instance_metadata: bool,
) -> Result<ProvideCredentialChain<Credential>> {
    let mut provider = reqsign_aws_v4::DefaultCredentialProvider::builder();
    if let Some(profile) = profile {
        // A profile that is requested by name takes precedence over the environment.
        provider = provider.no_env().with_profile(profile);
    }
    if !instance_metadata {
        provider = provider.no_imds().no_ecs();
    }
    Ok(ProvideCredentialChain::new().push(provider.build()))
}

/// The environment: a component has no home with files, starts no programs, and is not to search its host's network.
///
/// # Errors
/// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) for a profile, which lies in a file.
#[cfg(target_family = "wasm")]
pub(super) fn searched(
    profile: Option<&str>,
    _instance_metadata: bool,
) -> Result<ProvideCredentialChain<Credential>> {
    if profile.is_some() {
        let message = "a component reads no profiles: give it `access_key_id` and `secret_access_key`, or both in its environment";
        return Err(crate::Error::new(crate::ErrorCode::Unsupported, message));
    }
    Ok(ProvideCredentialChain::new().push(reqsign_aws_v4::EnvCredentialProvider::new()))
}

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
