//! Where a bucket is, how to speak to it, and with whose credentials.

use reqsign_aws_v4::{AssumeRoleCredentialProvider, Credential, RequestSigner};
use reqsign_core::{ErrorKind, ProvideCredentialChain};

use super::{
    KIND,
    bucket::{Bucket, Traits},
    credentials::{Given, searched},
    identity::{Account, Identity},
    part_size::{CopyLimit, PartSize},
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        cloud::{
            client::{Client, TIMEOUT},
            pages::Order,
            part::PartsInFlight,
            settings::{contradiction, take_prefix, variable},
        },
        endpoint::{checked_endpoint, exposed_host},
    },
    config::Config,
    secret::Secret,
};

pub(super) const DEFAULT_REGION: &str = "us-east-1";

/// With parts of 5 MiB, 20 MiB.
const PARTS_IN_FLIGHT: PartsInFlight = PartsInFlight(4);

/// Makes a bucket from its settings. Where they leave something out, the environment is asked; see
/// [`S3Backend::from_config`](super::S3Backend::from_config) for all of them.
pub(super) fn bucket(mut config: Config) -> Result<Bucket> {
    let name: String = config.require("bucket")?;
    let prefix = take_prefix(&mut config)?;
    let Service { region, endpoint } = Service::take(&mut config)?;
    let path_style = config.take("path_style")?.unwrap_or(endpoint.is_some() || name.contains('.'));
    let is_amazon = endpoint.is_none();
    let traits = Traits {
        conditional_write: config.take("conditional_write")?.unwrap_or(true),
        conditional_copy: config.take("conditional_copy")?.unwrap_or(is_amazon),
        conditional_delete: config.take("conditional_delete")?.unwrap_or(is_amazon),
        checksum: config.take("checksum")?.unwrap_or(true),
        part_size: config.take::<PartSize>("part_size")?.unwrap_or_default(),
        parts_in_flight: config.take("parts_in_flight")?.unwrap_or(PARTS_IN_FLIGHT),
        copy_limit: config.take::<CopyLimit>("copy_limit")?.unwrap_or_default(),
        resume: config.take("resume")?.unwrap_or(false),
        md5_etags: config.take("md5_etags")?.unwrap_or(true),
        order: if config.take("sorted_list")?.unwrap_or(true) { Order::Keys } else { Order::Other },
    };
    let base = base(&name, &region, endpoint.as_deref(), path_style)?;

    let (account, client) = client(&mut config, &region)?;
    let may_be_read = config.take("plain_http")?.unwrap_or(false);
    config.finish(KIND)?;
    if account != Account::Anonymous && !may_be_read {
        warn_if_exposed(endpoint.as_deref());
    }
    let identity = Identity { endpoint, region, account };
    Ok(Bucket::new(client, base, name, prefix, identity, traits))
}

/// Where an account is, from the settings that are not about one bucket.
pub(super) fn service(mut config: Config) -> Result<(Client<Credential>, Service)> {
    let service = Service::take(&mut config)?;
    let (account, client) = client(&mut config, &service.region)?;
    let may_be_read = config.take("plain_http")?.unwrap_or(false);
    config.finish(KIND)?;
    if account != Account::Anonymous && !may_be_read {
        warn_if_exposed(service.endpoint.as_deref());
    }
    Ok((client, service))
}

/// Where buckets are.
pub(super) struct Service {
    pub(super) region: String,
    /// `None`: Amazon's.
    pub(super) endpoint: Option<String>,
}

impl Service {
    fn take(config: &mut Config) -> Result<Self> {
        let region = config
            .take("region")?
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let endpoint = config
            .take("endpoint")?
            .or_else(|| variable("AWS_ENDPOINT_URL_S3"))
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .map(|endpoint| checked_endpoint(&endpoint))
            .transpose()?;
        Ok(Self { region, endpoint })
    }

    /// Its URL, without a slash at the end.
    pub(super) fn url(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| amazon(&self.region))
    }
}

fn amazon(region: &str) -> String {
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://s3.{region}.amazonaws.com{china}")
}

fn warn_if_exposed(endpoint: Option<&str>) {
    if let Some(host) = endpoint.and_then(exposed_host) {
        tracing::warn!(
            "what is sent to `{}`, and a session token, can be read on the way: write the endpoint with `https://`, or set \
             `plain_http = true` in the configuration",
            host.escape_debug()
        );
    }
}

/// Sends with the credentials that the settings name, else with those of the environment.
fn client(config: &mut Config, region: &str) -> Result<(Account, Client<Credential>)> {
    let timeout = config.take_duration("timeout")?.unwrap_or(TIMEOUT);
    if timeout.is_zero() {
        return Err(contradiction("`timeout` must be more than nothing: it is written `60s`"));
    }
    let client = Client::new(timeout)?.retry(config.retry().unwrap_or_default());
    let key: Option<String> = config.take("access_key_id")?;
    let secret: Option<Secret> = config.take("secret_access_key")?;
    let token: Option<Secret> = config.take("session_token")?;
    let profile: Option<String> = config.take("profile")?;
    let role: Option<String> = config.take("role_arn")?;
    let external_id: Option<String> = config.take("external_id")?;
    let anonymous = config.take("anonymous")?.unwrap_or(false);
    let instance_metadata = config.take("instance_metadata")?.unwrap_or(true);

    if anonymous {
        return match (&key, &secret, &token, &profile, &role) {
            (None, None, None, None, None) => Ok((Account::Anonymous, client)),
            _ => Err(contradiction("`anonymous = true` and credentials exclude each other")),
        };
    }
    let (mut account, mut credentials) = match (key, secret) {
        (Some(key), Some(secret)) => {
            let given = Given { key: key.clone(), secret, token };
            (Account::Key(key), ProvideCredentialChain::new().push(given))
        }
        (None, None) if token.is_none() => {
            let credentials = searched(profile.as_deref(), instance_metadata)?;
            (profile.map_or(Account::Environment, Account::Profile), credentials)
        }
        _ => {
            return Err(contradiction(
                "`access_key_id` and `secret_access_key` belong together, and `session_token` to both",
            ));
        }
    };
    if let Some(role) = role {
        credentials =
            assume(client.signer(credentials, RequestSigner::new("sts", region)), region, &role, external_id);
        account = Account::Profile(role);
    } else if external_id.is_some() {
        return Err(contradiction("`external_id` belongs to `role_arn`"));
    }
    Ok((account, client.signed(credentials, RequestSigner::new("s3", region), unsigned)))
}

fn assume(
    signer: reqsign_core::Signer<Credential>,
    region: &str,
    role: &str,
    external_id: Option<String>,
) -> ProvideCredentialChain<Credential> {
    let mut provider = AssumeRoleCredentialProvider::new(role.to_owned(), signer)
        .with_region(region.to_owned())
        .with_regional_sts_endpoint();
    if let Some(external_id) = external_id {
        provider = provider.with_external_id(external_id);
    }
    ProvideCredentialChain::new().push(provider)
}

/// The error when no signature could be made. The library's own words are left out: they may quote what it read.
fn unsigned(error: &reqsign_core::Error) -> Error {
    let (code, message) = match error.kind() {
        ErrorKind::RateLimited => {
            (ErrorCode::RateLimited, "the service that gives credentials asks for a pause")
        }
        ErrorKind::PermissionDenied => (
            ErrorCode::PermissionDenied,
            "the service that gives credentials refused: check the role, the profile or the key file",
        ),
        ErrorKind::ConfigInvalid => (
            ErrorCode::InvalidArgument,
            "the credentials are not usable as configured: check the profile or the key file",
        ),
        ErrorKind::RequestInvalid => {
            (ErrorCode::InvalidArgument, "the request cannot be signed: check the endpoint")
        }
        _ => (
            ErrorCode::PermissionDenied,
            "no valid credentials were found: set them in the environment, in a profile or in the configuration, or \
             set `anonymous = true` there for a public bucket",
        ),
    };
    Error::new(code, message)
}

/// The URL that a key is appended to, after a slash.
pub(super) fn base(name: &str, region: &str, endpoint: Option<&str>, path_style: bool) -> Result<String> {
    // Anything else would be another host, or another path.
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !is_plain(name) || name.starts_with('.') {
        let message = format!("`{}` is no name of a bucket", name.escape_debug());
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    if !is_plain(region) {
        let message = "the setting `region` is none: it is written `eu-west-1`";
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    let amazon = amazon(region);
    let endpoint = endpoint.unwrap_or(&amazon);
    Ok(match endpoint.split_once("://") {
        Some((scheme, host)) if !path_style => format!("{scheme}://{name}.{host}"),
        _ => format!("{endpoint}/{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_a_host_or_a_path() {
        let base = |name, endpoint, path_style| base(name, "eu-west-1", endpoint, path_style).unwrap();
        assert_eq!(base("photos", None, false), "https://photos.s3.eu-west-1.amazonaws.com");
        assert_eq!(base("a.b", None, true), "https://s3.eu-west-1.amazonaws.com/a.b");
        assert_eq!(base("photos", Some("http://127.0.0.1:9000"), true), "http://127.0.0.1:9000/photos");
        assert_eq!(base("photos", Some("https://nas.example"), false), "https://photos.nas.example");
    }

    #[test]
    fn what_stands_in_the_place_of_a_region_is_not_repeated() {
        let error =
            bucket(Config::from([("bucket", "b"), ("region", "a secret/pasted here")])).err().unwrap();
        assert!(!error.message().contains("secret"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (config, word) in [
            (Config::new(), "`bucket`"),
            (Config::from([("bucket", "a/b")]), "`a/b`"),
            (Config::from([("bucket", "b"), ("endpoint", "localhost:9000")]), "endpoint"),
            (Config::from([("bucket", "b"), ("region", "x@y/")]), "region"),
            (Config::from([("bucket", "b"), ("access_key_id", "x")]), "`secret_access_key`"),
            (Config::from([("bucket", "b"), ("anonymous", "true"), ("profile", "p")]), "`anonymous"),
            (Config::from([("bucket", "b"), ("part_size", "1")]), "part"),
            (Config::from([("bucket", "b"), ("parts_in_flight", "0")]), "`parts_in_flight`"),
            (Config::from([("bucket", "b"), ("resume", "maybe")]), "`resume`"),
            (Config::from([("bucket", "b"), ("plain_http", "maybe")]), "`plain_http`"),
            (Config::from([("bucket", "b"), ("pathstyle", "true")]), "`pathstyle`"),
            (Config::from([("bucket", "b"), ("prefix", "../x")]), "path"),
        ] {
            let error = bucket(config).err().unwrap();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
