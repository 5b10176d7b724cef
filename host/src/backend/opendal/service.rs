//! The services of this build, and how each is set up.

use ::opendal::{Operator, services};

use super::{KIND, convert::failed};
use crate::{Error, ErrorCode, Result, config::Config};

/// The settings are those of OpenDAL's structs, which would silently ignore any other.
macro_rules! services {
    ($($feature:literal $service:ident [$($setting:literal)*])*) => {
        /// Sorted.
        pub(super) const NAMES: &[&str] = &[$(#[cfg(feature = $feature)] $feature),*];

        /// Sets up a service by its name.
        ///
        /// # Errors
        /// [`ErrorCode::InvalidArgument`] naming what is missing, unknown or malformed.
        pub(super) fn open(name: &str, config: Config) -> Result<Operator> {
            match name {
                $(
                    #[cfg(feature = $feature)]
                    $feature => {
                        let settings = take(config, &[$($setting),*])?;
                        Operator::from_iter::<services::$service>(settings).map_err(|error| {
                            Error::new(ErrorCode::InvalidArgument, failed(&error).message())
                        })
                    }
                )*
                _ => Err(unknown(name)),
            }
        }
    };
}

services! {
    "b2" B2 ["root" "application_key_id" "application_key" "bucket" "bucket_id"]
    "cos" Cos ["root" "endpoint" "secret_id" "secret_key" "security_token" "bucket" "disable_config_load"]
    "dropbox" Dropbox ["root" "access_token" "refresh_token" "client_id" "client_secret"]
    "obs" Obs ["root" "endpoint" "access_key_id" "secret_access_key" "bucket"]
    "oss" Oss ["root" "endpoint" "bucket" "addressing_style" "server_side_encryption" "server_side_encryption_key_id"
        "skip_signature" "access_key_id" "access_key_secret" "security_token" "role_arn" "role_session_name"
        "oidc_provider_arn" "oidc_token_file" "sts_endpoint" "external_id"]
    "swift" Swift ["endpoint" "container" "root" "token"]
    "webdav" Webdav ["endpoint" "username" "password" "token" "root" "disable_create_dir"]
    "webhdfs" Webhdfs ["root" "endpoint" "user_name" "delegation" "disable_list_batch"]
}

fn take(mut config: Config, known: &[&str]) -> Result<Vec<(String, String)>> {
    let mut settings = Vec::new();
    for key in known {
        if let Some(value) = config.take(key)? {
            settings.push(((*key).to_owned(), value));
        }
    }
    config.finish(KIND)?;
    Ok(settings)
}

fn unknown(name: &str) -> Error {
    let message = format!(
        "there is no service `{}` in this build, which has: {}; others are cargo features of the same name",
        name.escape_debug(),
        NAMES.join(", ")
    );
    Error::new(ErrorCode::InvalidArgument, message)
}
