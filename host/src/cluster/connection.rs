//! The connection to NATS, and what is kept there.

use std::{fmt, path::Path, time::Duration};

use async_nats::{
    Client, ConnectOptions, ServerAddr,
    jetstream::{self, Context, kv, stream},
};

use percent_encoding::percent_decode_str;

use crate::{Error, ErrorCode, Result};

/// The bucket of the records of runs.
const RUNS: &str = "omnistorage-runs";
/// The bucket of what was done.
const LEDGER: &str = "omnistorage-ledger";
/// The stream of ranges that wait.
const WORK: &str = "omnistorage-work";
/// What begins the subjects of that stream.
const WORK_SUBJECTS: &str = "omnistorage.work";
/// What begins the subjects on which workers tell of themselves.
const ALIVE_SUBJECTS: &str = "omnistorage.alive";
/// What begins the subjects on which workers ask for something to do.
const WANTED_SUBJECTS: &str = "omnistorage.wanted";
/// What begins the subjects on which one worker is asked to give something away.
const GIVE_SUBJECTS: &str = "omnistorage.give";
/// How many servers keep what is kept, where there are as many: one of them may go.
const REPLICAS: usize = 3;
/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server of NATS with JetStream, or several that are one. Clones share the connection.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) runs: kv::Store,
    pub(super) ledger: kv::Store,
    pub(super) work: stream::Stream,
}

impl Cluster {
    /// Connects to a server, as `nats://host:4222` or `tls://user:password@host:4222`, or to one of several with commas between
    /// them, and makes what is not there yet: two buckets and a stream on disk, with three replicas where there are as many
    /// servers. Who wants them otherwise makes them before. A connection that is lost is made again.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] for an address that is none, [`ErrorCode::Unavailable`] if nobody answers there,
    /// [`ErrorCode::PermissionDenied`] if the server does not know the credentials, [`ErrorCode::Unsupported`] if it is
    /// older than 2.12 or has no JetStream.
    pub async fn connect(address: &str, credentials: Option<&Path>, name: &str) -> Result<Self> {
        let mut options = ConnectOptions::new()
            .name(name)
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis(100 * u64::try_from(attempts).unwrap_or(u64::MAX).min(20))
            });
        if let Some(file) = credentials {
            options = options.credentials_file(file).await.map_err(|error| {
                let message = format!("cannot read the credentials `{}`: {error}", file.display());
                Error::new(ErrorCode::InvalidArgument, message)
            })?;
        }
        let server = Shown(address);
        let servers = address.split(',').map(str::parse).collect::<std::io::Result<Vec<ServerAddr>>>();
        let servers = servers.map_err(|_| {
            let message = format!("`{server}` is no address of a cluster: it is written `nats://host:4222`");
            Error::new(ErrorCode::InvalidArgument, message)
        })?;
        if let Some((user, password)) = servers.iter().find_map(user_and_password) {
            options = match password {
                Some(password) => options.user_and_password(user, password),
                None => options.token(user),
            };
        }
        let client = options.connect(servers).await.map_err(|error| {
            use async_nats::ConnectErrorKind as Kind;
            let code = match error.kind() {
                Kind::ServerParse => ErrorCode::InvalidArgument,
                Kind::Authentication | Kind::AuthorizationViolation => ErrorCode::PermissionDenied,
                _ => ErrorCode::Unavailable,
            };
            // The error may hold the address, and that a password.
            Error::new(code, format!("cannot connect to the cluster `{server}`: {}", error.kind()))
        })?;
        if !client.is_server_compatible(2, 12, 0) {
            let version = client.server_info().version;
            let message = format!("`{server}` is NATS {version}: it must be 2.12 or later");
            return Err(Error::new(ErrorCode::Unsupported, message));
        }
        let context = jetstream::new(client.clone());
        let no_stream = |error: &dyn fmt::Display| {
            let message = format!(
                "`{server}` does not keep anything: JetStream must be on (`nats-server --jetstream`): {error}"
            );
            Error::new(ErrorCode::Unsupported, message)
        };
        // A server tells of those that it is one with.
        let servers = client.server_info().connect_urls.len();
        let replicas = if servers >= REPLICAS { REPLICAS } else { 1 };
        let bucket = async |name| Self::bucket(&context, name, replicas).await;
        let (runs, ledger) = (bucket(RUNS).await, bucket(LEDGER).await);
        let (runs, ledger) =
            (runs.map_err(|error| no_stream(&error))?, ledger.map_err(|error| no_stream(&error))?);
        let work = stream::Config {
            name: WORK.to_owned(),
            subjects: vec![format!("{WORK_SUBJECTS}.>")],
            retention: stream::RetentionPolicy::WorkQueue,
            storage: stream::StorageType::File,
            num_replicas: replicas,
            ..stream::Config::default()
        };
        let work = context.get_or_create_stream(work).await.map_err(|error| no_stream(&error))?;
        Ok(Self { client, context, runs, ledger, work })
    }

    async fn bucket(context: &Context, name: &str, replicas: usize) -> std::result::Result<kv::Store, Error> {
        if let Ok(bucket) = context.get_key_value(name).await {
            return Ok(bucket);
        }
        let config = kv::Config {
            bucket: name.to_owned(),
            history: 1,
            num_replicas: replicas,
            ..kv::Config::default()
        };
        context.create_key_value(config).await.map_err(|error| unavailable("make a bucket", &error))
    }

    /// A name that no other run has.
    pub(super) fn unused_id(&self) -> String {
        let inbox = self.client.new_inbox();
        inbox.rsplit_once('.').map_or(inbox.as_str(), |(_, id)| id).to_owned()
    }

    /// The subject of the ranges of a run.
    pub(super) fn work_subject(run: &str) -> String {
        format!("{WORK_SUBJECTS}.{run}")
    }

    /// The subject on which the workers of a run tell of themselves.
    pub(super) fn alive_subject(run: &str) -> String {
        format!("{ALIVE_SUBJECTS}.{run}")
    }

    /// The subject on which the workers of a run ask for something to do.
    pub(super) fn wanted_subject(run: &str) -> String {
        format!("{WANTED_SUBJECTS}.{run}")
    }

    /// The subject on which a worker of a run is asked to give something away.
    pub(super) fn give_subject(run: &str, worker: &str) -> String {
        format!("{GIVE_SUBJECTS}.{run}.{worker}")
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cluster")
    }
}

/// What stands before the host in an address: a user and a password, or a token.
fn user_and_password(server: &ServerAddr) -> Option<(String, Option<String>)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = server.username().filter(|user| !user.is_empty())?;
    Some((decoded(user), server.password().map(decoded)))
}

/// An address without its credentials.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, server) in self.0.split(',').enumerate() {
            let (scheme, rest) = server.split_once("://").unwrap_or(("nats", server));
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            write!(f, "{}{scheme}://{host}", if number > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// The server did not do something.
pub(super) fn unavailable(what: &str, error: &dyn fmt::Display) -> Error {
    Error::new(ErrorCode::Unavailable, format!("the cluster did not {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_token_stand_before_the_host() {
        let found = |address: &str| user_and_password(&address.parse().unwrap());
        assert_eq!(found("nats://me:a%40b@host"), Some(("me".to_owned(), Some("a@b".to_owned()))));
        assert_eq!(found("tls://token@host:1"), Some(("token".to_owned(), None)));
        assert_eq!(found("host"), None);
    }

    #[test]
    fn an_address_is_shown_without_its_credentials() {
        for (address, shown) in [
            ("nats://me:hush@host:4222", "nats://host:4222"),
            ("tls://token@host", "tls://host"),
            ("host:4222", "nats://host:4222"),
            ("me:hush@host", "nats://host"),
            ("nats://me:hush@one,nats://me:hush@two:1", "nats://one,nats://two:1"),
        ] {
            assert_eq!(Shown(address).to_string(), shown);
        }
    }
}
