//! Where a container is, how to speak to it, and with whose credentials.

use std::sync::atomic::AtomicBool;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqsign_azure_storage::{Credential, RequestSigner};

use super::{
    KIND,
    container::{Container, Identity, Who},
    credentials::{Given, searched, unsigned},
    part_size::PartSize,
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        cloud::{
            client::{Client, TIMEOUT},
            pages::Order,
            part::{Parts, PartsInFlight},
            settings::{contradiction, take_prefix, variable},
        },
        endpoint::{checked_endpoint, require_private},
    },
    config::Config,
    secret::Secret,
};

/// With parts of 8 MiB, 32 MiB.
const PARTS_IN_FLIGHT: PartsInFlight = PartsInFlight(4);

/// The account that emulators have, with a key that everybody knows; see [connect to
/// Azurite](https://learn.microsoft.com/azure/storage/common/storage-connect-azurite).
const DEVELOPMENT: [(&str, &str); 3] = [
    ("BlobEndpoint", "http://127.0.0.1:10000/devstoreaccount1"),
    ("AccountName", "devstoreaccount1"),
    (
        "AccountKey",
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    ),
];

/// Makes a container from its settings. Where they leave something out, the environment is asked; see
/// [`AzblobBackend::from_config`](super::AzblobBackend::from_config) for all of them.
pub(super) fn container(mut config: Config) -> Result<Container> {
    let name = checked_name(config.require("container")?)?;
    let prefix = take_prefix(&mut config)?;
    let part_size = config.take::<PartSize>("part_size")?.unwrap_or_default();
    let parts = Parts::new(config.take("parts_in_flight")?.unwrap_or(PARTS_IN_FLIGHT).0);
    let is_sorted = config.take("sorted_list")?.unwrap_or(true);
    let instance_metadata = config.take("instance_metadata")?.unwrap_or(true);
    let account = Account::take(&mut config, &Environment::of_process()?)?;
    let retry = config.retry().unwrap_or_default();
    config.finish(KIND)?;

    let client = Client::<Credential>::new(TIMEOUT)?.retry(retry);
    let Account { endpoint, rights } = account;
    if !matches!(rights, Rights::Anonymous | Rights::Key { .. }) {
        require_private(&endpoint, "set `anonymous = true`")?;
    }
    let (who, client) = match rights {
        Rights::Anonymous => (Who::Anonymous, client),
        Rights::Key { account, key } => {
            let given = Given::Key { account: account.clone(), key };
            (Who::Key(account), client.signed(given, RequestSigner::new(), unsigned))
        }
        Rights::Sas(token) => {
            let given = Given::Sas(token.clone());
            (Who::Sas(token), client.signed(given, RequestSigner::new(), unsigned))
        }
        Rights::Searched => {
            let signer = RequestSigner::new();
            (Who::Environment, client.signed(searched(instance_metadata), signer, unsigned))
        }
    };
    Ok(Container {
        client,
        name,
        prefix,
        identity: Identity { endpoint, who },
        part_size,
        parts,
        order: if is_sorted { Order::Keys } else { Order::Other },
        closed: AtomicBool::new(false),
    })
}

/// Where an account is, and by what right it is used.
struct Account {
    endpoint: String,
    rights: Rights,
}

enum Rights {
    Anonymous,
    Key { account: String, key: Secret },
    Sas(Secret),
    Searched,
}

impl Account {
    /// From the settings, and from the environment what they leave out. An account of the settings is no account of the
    /// environment: the key and the endpoint there are of another one.
    fn take(config: &mut Config, environment: &Environment) -> Result<Self> {
        let account: Option<String> = config.take("account")?;
        let endpoint: Option<String> = config.take("endpoint")?;
        let key: Option<Secret> = config.take("key")?;
        let token: Option<Secret> = config.take("sas_token")?;
        let anonymous = config.take("anonymous")?.unwrap_or(false);

        let same = |given: &Option<String>, known: &Option<String>| given.is_none() || given == known;
        let is_of_environment =
            same(&account, &environment.account) && same(&endpoint, &environment.endpoint);
        let fallback = |known: &Option<String>| known.clone().filter(|_| is_of_environment);
        let account = account.or_else(|| environment.account.clone().filter(|_| endpoint.is_none()));
        let has_own = key.is_some() || token.is_some();
        let secret =
            |known: &Option<Secret>| known.clone().filter(|_| is_of_environment && !has_own && !anonymous);
        let (key, token) =
            (key.or_else(|| secret(&environment.key)), token.or_else(|| secret(&environment.token)));
        let endpoint = match (endpoint.or_else(|| fallback(&environment.endpoint)), &account) {
            (Some(endpoint), _) => checked_endpoint(&endpoint)?,
            (None, Some(account)) => format!("https://{}.blob.core.windows.net", checked_account(account)?),
            (None, None) => {
                let message = "the setting `account` is missing: set it, or AZURE_STORAGE_ACCOUNT, to the name of the storage \
                               account";
                return Err(Error::new(ErrorCode::InvalidArgument, message));
            }
        };
        let rights = match (key, token, anonymous) {
            (None, None, true) => Rights::Anonymous,
            (_, _, true) => {
                return Err(contradiction("`anonymous = true` and credentials exclude each other"));
            }
            (Some(_), Some(_), _) if has_own => {
                return Err(contradiction("`key` and `sas_token` exclude each other"));
            }
            (Some(key), _, _) if BASE64_STANDARD.decode(key.expose()).is_err() => {
                let message = "the key of the account is malformed: it is written in base64; check `key`, or AZURE_STORAGE_KEY";
                return Err(Error::new(ErrorCode::InvalidArgument, message));
            }
            (Some(key), _, _) => {
                let no_account = || contradiction("`key` is of an account: set `account`, too");
                Rights::Key { account: account.ok_or_else(no_account)?, key }
            }
            // As the portal gives it.
            (None, Some(token), _) => Rights::Sas(Secret::new(token.expose().trim_start_matches('?'))),
            (None, None, false) => Rights::Searched,
        };
        Ok(Self { endpoint, rights })
    }
}

/// What the tools of Azure find in the environment.
#[derive(Default)]
struct Environment {
    account: Option<String>,
    endpoint: Option<String>,
    key: Option<Secret>,
    token: Option<Secret>,
}

impl Environment {
    fn of_process() -> Result<Self> {
        Self::of(variable)
    }

    /// A connection string says all of it.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        match variable("AZURE_STORAGE_CONNECTION_STRING") {
            Some(text) => Self::parse(&text),
            None => Ok(Self {
                account: variable("AZURE_STORAGE_ACCOUNT"),
                endpoint: variable("AZURE_STORAGE_SERVICE_ENDPOINT").map(without_slash),
                key: variable("AZURE_STORAGE_KEY").map(Secret::new),
                token: variable("AZURE_STORAGE_SAS_TOKEN").map(Secret::new),
            }),
        }
    }

    /// `AccountName=a;AccountKey=k;EndpointSuffix=core.windows.net`; the message of an error repeats none of it.
    fn parse(text: &str) -> Result<Self> {
        let malformed = || {
            let message = "AZURE_STORAGE_CONNECTION_STRING is malformed: it is written `AccountName=NAME;AccountKey=KEY`";
            Error::new(ErrorCode::InvalidArgument, message)
        };
        let (mut found, mut protocol, mut suffix) = (Self::default(), "https".to_owned(), None);
        let written = text.split(';').map(str::trim).filter(|pair| !pair.is_empty());
        let mut pairs =
            written.map(|pair| pair.split_once('=').ok_or_else(malformed)).collect::<Result<Vec<_>>>()?;
        if pairs.iter().any(|(key, value)| {
            key.eq_ignore_ascii_case("UseDevelopmentStorage") && value.eq_ignore_ascii_case("true")
        }) {
            pairs.extend(DEVELOPMENT);
        }
        for (key, value) in pairs {
            match key.to_ascii_lowercase().as_str() {
                "accountname" => found.account = Some(value.to_owned()),
                "accountkey" => found.key = Some(Secret::new(value)),
                "sharedaccesssignature" => found.token = Some(Secret::new(value)),
                "blobendpoint" => found.endpoint = Some(without_slash(value.to_owned())),
                "endpointsuffix" => suffix = Some(value.to_owned()),
                "defaultendpointsprotocol" => protocol = value.to_owned(),
                // Of other services, and of secondary regions.
                _ => {}
            }
        }
        if let (None, Some(account), Some(suffix)) = (&found.endpoint, &found.account, suffix) {
            found.endpoint = Some(format!("{protocol}://{}.blob.{suffix}", checked_account(account)?));
        }
        Ok(found)
    }
}

fn without_slash(endpoint: String) -> String {
    endpoint.trim_end_matches('/').to_owned()
}

/// Anything else could be another host.
fn checked_account(account: &str) -> Result<&str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !account.is_empty() && account.bytes().all(is_plain) {
        return Ok(account);
    }
    let message = format!("`{}` is no name of a storage account", account.escape_debug());
    Err(Error::new(ErrorCode::InvalidArgument, message))
}

/// Anything else could be another path.
fn checked_name(name: String) -> Result<String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-$".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_plain) {
        return Ok(name);
    }
    let message = format!(
        "the setting `container`: `{}` is no name of a container, which has small letters, digits and `-`",
        name.escape_debug()
    );
    Err(Error::new(ErrorCode::InvalidArgument, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(settings: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Account> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut config: Config =
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Account::take(&mut config, &Environment::of(variable)?)
    }

    fn told(settings: &[(&str, &str)], variables: &[(&str, &str)]) -> (String, String) {
        let Account { endpoint, rights } = taken(settings, variables).unwrap();
        let rights = match rights {
            Rights::Anonymous => "nobody".to_owned(),
            Rights::Key { account, key } => format!("{account} by {}", key.expose()),
            Rights::Sas(token) => format!("by {}", token.expose()),
            Rights::Searched => "searched".to_owned(),
        };
        (endpoint, rights)
    }

    #[test]
    fn accounts_are_found_where_the_tools_of_azure_look() {
        const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";
        let of_tools = [("AZURE_STORAGE_ACCOUNT", "a"), ("AZURE_STORAGE_KEY", "kkkk")];
        let at = "https://a.blob.core.windows.net";
        for (settings, variables, endpoint, rights) in [
            (&[][..], &of_tools[..], at, "a by kkkk"),
            (&[("account", "a")], &of_tools, at, "a by kkkk"),
            (&[("account", "b")], &of_tools, "https://b.blob.core.windows.net", "searched"),
            (&[("endpoint", "https://other")], &of_tools, "https://other", "searched"),
            (&[("account", "a"), ("sas_token", "?sig=s")], &of_tools, at, "by sig=s"),
            (&[("account", "a"), ("anonymous", "true")], &of_tools, at, "nobody"),
            (&[("account", "a"), ("key", "ownn")], &[], at, "a by ownn"),
            (
                &[],
                &[(
                    CONNECTION,
                    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=kg==;EndpointSuffix=core.chinacloudapi.cn",
                )],
                "https://a.blob.core.chinacloudapi.cn",
                "a by kg==",
            ),
            (
                &[],
                &[(CONNECTION, "BlobEndpoint=https://x/;SharedAccessSignature=sv=1&sig=s")],
                "https://x",
                "by sv=1&sig=s",
            ),
            (
                &[],
                &[(CONNECTION, "UseDevelopmentStorage=true;")],
                DEVELOPMENT[0].1,
                &format!("{} by {}", DEVELOPMENT[1].1, DEVELOPMENT[2].1),
            ),
        ] {
            assert_eq!(told(settings, variables), (endpoint.to_owned(), rights.to_owned()), "{settings:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let base = || Config::from([("account", "a"), ("container", "c")]);
        for (config, word) in [
            (Config::from([("account", "a")]), "`container`"),
            (base().with("container", "a/b"), "`a/b`"),
            (base().with("container", "Big"), "`Big`"),
            (base().with("account", "a.b"), "`a.b`"),
            (base().with("endpoint", "localhost:1"), "endpoint"),
            (base().with("endpoint", "http://x.example").with("sas_token", "canary"), "`https://`"),
            (base().with("key", "kkkk").with("sas_token", "canary"), "`sas_token`"),
            (base().with("key", "canary!"), "base64"),
            (base().with("key", "canary").with("anonymous", "true"), "`anonymous"),
            (base().with("part_size", "1"), "`part_size`"),
            (base().with("acount", "1"), "`acount`"),
            (base().with("prefix", "../x"), "path"),
        ] {
            let error = container(config).err().unwrap();
            assert!(error.message().contains(word) && !error.message().contains("canary"), "{error}");
        }
        let malformed = [("AZURE_STORAGE_CONNECTION_STRING", "canary")];
        let error = taken(&[], &malformed).err().unwrap();
        assert!(
            error.message().contains("CONNECTION_STRING") && !error.message().contains("canary"),
            "{error}"
        );
    }
}
