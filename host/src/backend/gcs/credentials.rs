//! Whose credentials requests are sent with, and where their tokens come from.

use std::{fmt, path::PathBuf};

use bytes::Bytes;
use http::StatusCode;
use reqsign_core::{Context, ErrorKind, HttpSend, ProvideCredential};
use reqsign_google::{
    Credential, ServiceAccountTokenCredentialProvider, StaticCredentialProvider, Token,
    VmMetadataCredentialProvider,
};

use crate::{Error, ErrorCode, backend::cloud::settings::variable, secret::Secret};

/// Where Google gives tokens for keys of service accounts and for users who have logged in.
const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";

/// Where gcloud keeps the result of `gcloud auth application-default login`.
const GCLOUD_FILE: &str = "application_default_credentials.json";

/// What the settings say about credentials.
#[derive(Clone)]
pub(super) enum Given {
    /// Nothing: they are searched for in the places of [application default
    /// credentials](https://cloud.google.com/docs/authentication/application-default-credentials).
    Nothing {
        /// Whether the instance is one of these places.
        instance_metadata: bool,
    },
    /// The file of a key, of a user, or of another identity that stands for one of Google's.
    File(PathBuf),
    /// What is in such a file.
    Json(Secret),
    /// A token as it is.
    Token(Secret),
}

impl Given {
    /// The project that the file of the credentials names.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if there is a file that cannot be read.
    #[allow(clippy::disallowed_methods, reason = "a file of credentials is the user's own, wherever it is")]
    pub(super) async fn project(&self) -> Result<Option<String>, Error> {
        let file = match self {
            Self::Json(json) => return Ok(project_in(json.expose())),
            Self::Token(_) => None,
            Self::File(file) => Some(file.clone()),
            Self::Nothing { .. } => variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
        };
        let Some(file) = file else { return Ok(None) };
        let json = tokio::fs::read_to_string(&file).await.map_err(|error| {
            let message = format!("the file of the credentials, `{}`, cannot be read", file.display());
            Error::new(ErrorCode::InvalidArgument, message).with_source(error)
        })?;
        Ok(project_in(&json))
    }
}

/// That of a service account, or the one that a user has chosen.
fn project_in(json: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct File {
        project_id: Option<String>,
        quota_project_id: Option<String>,
    }

    let file: File = serde_json::from_str(json).ok()?;
    file.project_id.or(file.quota_project_id).filter(|project| !project.is_empty())
}

/// Provides tokens. Those of a service account are exchanged here, not by the signer: it would ask for a new one before
/// every request.
pub(super) struct Credentials {
    given: Given,
    /// The endpoint to ask for tokens instead of Google's, for networks that reach Google by a name of their own.
    token_endpoint: Option<String>,
}

impl Credentials {
    pub(super) fn new(given: Given, token_endpoint: Option<String>) -> Self {
        Self { given, token_endpoint }
    }

    async fn find(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        match &self.given {
            Given::Token(token) => {
                let access_token = token.expose().to_owned();
                Ok(Some(Credential::with_token(Token { access_token, expires_at: None })))
            }
            Given::Json(json) => from_json(context, json.expose()).await,
            Given::File(file) => from_file(context, file.clone()).await,
            Given::Nothing { instance_metadata } => {
                let named = context.env_var("GOOGLE_APPLICATION_CREDENTIALS").filter(|file| !file.is_empty());
                if let Some(file) = named {
                    return from_file(context, file.into()).await;
                }
                if let Some(file) = gcloud_file(context)
                    && tokio::fs::try_exists(&file).await.unwrap_or(false)
                {
                    return from_file(context, file).await;
                }
                if *instance_metadata { from_instance(context).await } else { Ok(None) }
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl ProvideCredential for Credentials {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let through = Tokens { context: context.clone(), endpoint: self.token_endpoint.clone() };
        let context = context.clone().with_http_send(through);
        match self.find(&context).await? {
            Some(Credential { service_account: Some(account), token: None, .. }) => {
                let exchange = ServiceAccountTokenCredentialProvider::new(account);
                exchange.provide_credential(&context).await.map_err(unusable)
            }
            Some(found) => Ok(Some(found)),
            None => Err(reqsign_core::Error::credential_invalid("there are no credentials")),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a file of credentials is the user's own, wherever it is")]
async fn from_file(context: &Context, file: PathBuf) -> reqsign_core::Result<Option<Credential>> {
    let missing = |_| reqsign_core::Error::config_invalid("the file cannot be read");
    let json = tokio::fs::read_to_string(file).await.map_err(missing)?;
    from_json(context, &json).await
}

async fn from_json(context: &Context, json: &str) -> reqsign_core::Result<Option<Credential>> {
    StaticCredentialProvider::new(json).provide_credential(context).await.map_err(unusable)
}

/// Whatever the library calls the error: the given credentials are of no use, unless the error came from a server, or
/// no server answered.
fn unusable(error: reqsign_core::Error) -> reqsign_core::Error {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::RateLimited => error,
        _ if error.is_retryable() => error,
        _ => reqsign_core::Error::config_invalid("the credentials cannot be used"),
    }
}

/// Where there is no instance, nobody answers.
async fn from_instance(context: &Context) -> reqsign_core::Result<Option<Credential>> {
    match VmMetadataCredentialProvider::new().provide_credential(context).await {
        Err(error) if error.kind() != ErrorKind::RateLimited => Ok(None),
        found => found,
    }
}

fn gcloud_file(context: &Context) -> Option<PathBuf> {
    let variable = |name| context.env_var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let directory = variable("CLOUDSDK_CONFIG")
        .or_else(|| Some(variable("APPDATA")?.join("gcloud")))
        .or_else(|| Some(variable("HOME")?.join(".config/gcloud")))?;
    Some(directory.join(GCLOUD_FILE))
}

/// Sends requests for tokens to the endpoint that is set, and tells a refusal from a fault.
#[derive(Debug)]
struct Tokens {
    context: Context,
    endpoint: Option<String>,
}

impl HttpSend for Tokens {
    async fn http_send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> reqsign_core::Result<http::Response<Bytes>> {
        if let Some(endpoint) = &self.endpoint
            && *request.uri() == TOKEN_ENDPOINT
        {
            let no_url = |_| reqsign_core::Error::config_invalid("the token endpoint is no URL");
            *request.uri_mut() = endpoint.parse().map_err(no_url)?;
        }
        let answer = self.context.http_send(request).await?;
        match answer.status() {
            // RFC 6749, section 5.2: a token that has expired, was withdrawn, or is not good for this.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(reqsign_core::Error::permission_denied("the credentials were refused"))
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(reqsign_core::Error::rate_limited("the service is busy"))
            }
            _ => Ok(answer),
        }
    }
}

/// The error when no token could be had.
pub(super) fn explain(error: &reqsign_core::Error) -> Error {
    let (code, message) = match error.kind() {
        ErrorKind::PermissionDenied => (
            ErrorCode::PermissionDenied,
            "Google refuses these credentials, which may have expired or been withdrawn: run `gcloud auth \
             application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS, or `credentials` in the configuration, to another file",
        ),
        ErrorKind::RateLimited => {
            (ErrorCode::RateLimited, "the service that gives tokens is busy: try again later")
        }
        ErrorKind::ConfigInvalid => (
            ErrorCode::InvalidArgument,
            "the file of credentials is missing or no such file: check GOOGLE_APPLICATION_CREDENTIALS, \
             or `credentials`",
        ),
        _ if error.is_retryable() => (
            ErrorCode::Unavailable,
            "cannot reach the service that gives tokens: check the network, and `token_endpoint` if it is set",
        ),
        _ => (
            ErrorCode::PermissionDenied,
            "there are no credentials: set GOOGLE_APPLICATION_CREDENTIALS, or `credentials` in the configuration, to a key file, run \
             `gcloud auth application-default login`, or set `anonymous = true` in the configuration for a public bucket",
        ),
    };
    Error::new(code, message)
}
