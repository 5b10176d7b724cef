//! Where a bucket is, how to speak to it, and with whose credentials.

use std::path::PathBuf;

use reqsign_google::{Credential, RequestSigner};

use super::{
    KIND,
    bucket::{Bucket, Preconditions},
    credentials::{Credentials, Given, explain},
    identity::{Account, Fingerprint, Identity},
    part_size::PartSize,
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        cloud::{
            client::{Client, TIMEOUT},
            part::{Parts, PartsInFlight},
            settings::{contradiction, take_prefix, variable},
        },
        endpoint::{checked_endpoint, require_private},
    },
    config::Config,
    secret::Secret,
};

/// Variables that name a project, in the order in which they are asked.
const PROJECT: [&str; 2] = ["OMNISTORAGE_GCS_PROJECT", "GOOGLE_CLOUD_PROJECT"];

const GOOGLE: &str = "https://storage.googleapis.com";

/// What one can do whose token must not be seen on the way.
const ANONYMOUS: &str = "set `anonymous = true`";

/// With parts of 8 MiB, 64 MiB.
const PARTS_IN_FLIGHT: PartsInFlight = PartsInFlight(8);

/// Makes a bucket from its settings. Where they leave something out, the environment is asked; see
/// [`GcsBackend::from_config`](super::GcsBackend::from_config) for all of them.
pub(super) fn bucket(mut config: Config) -> Result<Bucket> {
    let name = checked_name(config.require("bucket")?)?;
    let prefix = take_prefix(&mut config)?;
    let user_project = config.take("user_project")?;
    let part_size = config.take::<PartSize>("part_size")?.unwrap_or_default();
    let parts = Parts::new(config.take("parts_in_flight")?.unwrap_or(PARTS_IN_FLIGHT).0);
    let conditional_copy: Option<bool> = config.take("conditional_copy")?;
    let conditional_delete: Option<bool> = config.take("conditional_delete")?;
    let Service { client, identity, .. } = service(&mut config)?;
    config.finish(KIND)?;
    let is_google = identity.endpoint == GOOGLE;
    let preconditions = Preconditions {
        copy: conditional_copy.unwrap_or(is_google),
        delete: conditional_delete.unwrap_or(is_google),
    };
    Ok(Bucket::new(client, name, prefix, identity, user_project, part_size, parts).honouring(preconditions))
}

/// Makes an account from its settings, for what is about no bucket in particular.
pub(super) fn account(mut config: Config) -> Result<Service> {
    let service = service(&mut config)?;
    config.finish(KIND)?;
    Ok(service)
}

/// A store, and how to speak to it.
pub(super) struct Service {
    pub(super) client: Client<Credential>,
    pub(super) identity: Identity,
    project: Option<String>,
    given: Given,
}

impl Service {
    /// The project in which buckets are made.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if nobody says which.
    pub(super) async fn project(&self) -> Result<String> {
        let said = self.project.clone().or_else(|| PROJECT.into_iter().find_map(variable));
        let project = match said {
            Some(project) => Some(project),
            None => self.given.project().await?,
        };
        project.ok_or_else(|| {
            let message = "buckets belong to a project: set `GOOGLE_CLOUD_PROJECT`, or the setting `project`";
            Error::new(ErrorCode::InvalidArgument, message)
        })
    }
}

/// Takes what is about a store, and about no bucket.
fn service(config: &mut Config) -> Result<Service> {
    let endpoint: Option<String> = config.take("endpoint")?;
    let project = config.take("project")?;
    let token_endpoint =
        config.take::<String>("token_endpoint")?.map(|url| checked_token_endpoint(&url)).transpose()?;
    let (account, given) = credentials(config)?;
    let retry = config.retry().unwrap_or_default();
    let emulator = if endpoint.is_some() { None } else { variable("STORAGE_EMULATOR_HOST") };
    let (endpoint, account) = match (endpoint, emulator) {
        (Some(endpoint), _) => (checked_endpoint(&endpoint)?, account),
        // An emulator asks for no credentials, and must not be given any.
        (None, Some(emulator)) => (emulator_endpoint(&emulator)?, Account::Anonymous),
        (None, None) => (GOOGLE.to_owned(), account),
    };
    let mut client = Client::new(TIMEOUT)?.retry(retry);
    if account != Account::Anonymous {
        require_private(&endpoint, ANONYMOUS)?;
        client = signed(client, Credentials::new(given.clone(), token_endpoint));
    }
    Ok(Service { client, identity: Identity { endpoint, account }, project, given })
}

fn signed(client: Client<Credential>, credentials: Credentials) -> Client<Credential> {
    client.signed(credentials, RequestSigner::new("storage"), explain)
}

/// The credentials in the settings, of which at most one can be given.
fn credentials(config: &mut Config) -> Result<(Account, Given)> {
    let file: Option<PathBuf> = config.take("credentials")?;
    let json: Option<Secret> = config.take("credentials_json")?;
    let token: Option<Secret> = config.take("access_token")?;
    let anonymous = config.take("anonymous")?.unwrap_or(false);
    let instance_metadata = config.take("instance_metadata")?.unwrap_or(true);
    let nothing = Given::Nothing { instance_metadata };
    Ok(match (file, json, token) {
        (None, None, None) if anonymous => (Account::Anonymous, nothing),
        (None, None, None) => (Account::Environment, nothing),
        _ if anonymous => {
            return Err(contradiction("`anonymous = true` and credentials exclude each other"));
        }
        (Some(file), None, None) => (Account::File(file.clone()), Given::File(file)),
        (None, Some(json), None) => (Account::Given(Fingerprint::of(&json)), Given::Json(json)),
        (None, None, Some(token)) => (Account::Given(Fingerprint::of(&token)), Given::Token(token)),
        _ => {
            return Err(contradiction(
                "`credentials`, `credentials_json` and `access_token` exclude each other",
            ));
        }
    })
}

/// Anything else could be another path.
fn checked_name(name: String) -> Result<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_plain) && !name.starts_with('.') {
        return Ok(name);
    }
    let message = format!("the setting `bucket`: `{}` is no name of a bucket", name.escape_debug());
    Err(Error::new(ErrorCode::InvalidArgument, message))
}

/// `host:port`, or a URL.
fn emulator_endpoint(text: &str) -> Result<String> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    checked_endpoint(&url).map_err(|error| error.with_note("it is from STORAGE_EMULATOR_HOST"))
}

fn checked_token_endpoint(url: &str) -> Result<String> {
    let url = checked_endpoint(url).map_err(|error| error.with_note("it is the setting `token_endpoint`"))?;
    require_private(&url, ANONYMOUS)?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        for (config, word) in [
            (Config::new(), "`bucket`"),
            (Config::from([("bucket", "a/b")]), "`a/b`"),
            (Config::from([("bucket", "..")]), "`bucket`"),
            (Config::from([("bucket", "b"), ("endpoint", "localhost:9000")]), "endpoint"),
            (Config::from([("bucket", "b"), ("endpoint", "http://store.example")]), "`https://`"),
            (Config::from([("bucket", "b"), ("token_endpoint", "x")]), "`token_endpoint`"),
            (Config::from([("bucket", "b"), ("anonymous", "true"), ("credentials", "f")]), "`anonymous"),
            (Config::from([("bucket", "b"), ("access_token", "t"), ("credentials", "f")]), "`access_token`"),
            (Config::from([("bucket", "b"), ("part_size", "1")]), "`part_size`"),
            (Config::from([("bucket", "b"), ("parts_in_flight", "65")]), "`parts_in_flight`"),
            (Config::from([("bucket", "b"), ("chunk_size", "1")]), "`chunk_size`"),
            (Config::from([("bucket", "b"), ("prefix", "../x")]), "path"),
        ] {
            let error = bucket(config).err().unwrap();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn tokens_travel_in_secret() {
        let config =
            Config::from([("bucket", "b"), ("endpoint", "http://store.example"), ("anonymous", "true")]);
        assert!(bucket(config).is_ok());
    }

    #[test]
    fn an_emulator_is_named_as_its_users_do() {
        assert_eq!(emulator_endpoint("localhost:9023").unwrap(), "http://localhost:9023");
        assert_eq!(emulator_endpoint("http://127.0.0.1:9023/").unwrap(), "http://127.0.0.1:9023");
        assert!(emulator_endpoint("a b").is_err());
    }

    #[test]
    fn secrets_are_told_apart_and_not_kept() {
        let made = |token: &str| bucket(Config::from([("bucket", "b"), ("access_token", token)])).unwrap();
        let (one, same, other) = (made("canary"), made("canary"), made("other"));
        assert_eq!(one.identity, same.identity);
        assert_ne!(one.identity, other.identity);
        assert!(!format!("{one:?} {:?}", one.identity).contains("canary"));
    }
}
