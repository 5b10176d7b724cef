//! WebDAV as a kind of its own: its address is checked, and a password is not sent where everybody can read it.

use super::OpendalBackend;
use crate::{
    Result,
    backend::endpoint::{checked_endpoint, require_private},
    config::Config,
};

/// What says who asks.
const CREDENTIALS: [&str; 3] = ["username", "password", "token"];

impl OpendalBackend {
    /// A server of WebDAV, or a directory of it, from its settings:
    ///
    /// | key | is |
    /// |---|---|
    /// | `endpoint` | `https://host[:port]`, perhaps with a path; the only one that must be given |
    /// | `root` | the directory below it that is the root here |
    /// | `username`, `password` | for basic authentication |
    /// | `token` | a bearer token instead |
    /// | `allow_http` | `true`: a password or a token may also be sent to another machine without encryption |
    /// | `timeout`, `io_timeout`, `max_object` | as for [other services](super) |
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) naming the key that is missing, unknown or
    /// malformed; credentials that everybody on the way could read.
    pub fn webdav(mut config: Config) -> Result<Self> {
        let endpoint = checked_endpoint(&config.require::<String>("endpoint")?)?;
        let allow_http: bool = config.take("allow_http")?.unwrap_or_default();
        if !allow_http && config.keys().any(|key| CREDENTIALS.contains(&key)) {
            require_private(&endpoint, "set `allow_http = true`")?;
        }
        let root = config.take::<String>("root")?;
        let root = root.as_deref().map(|root| root.trim_matches('/')).filter(|root| !root.is_empty());
        let address = root.map_or_else(|| endpoint.clone(), |root| format!("{endpoint}/{root}"));
        config = config.with("service", "webdav").with("endpoint", endpoint);
        if let Some(root) = root {
            config = config.with("root", format!("/{root}"));
        }
        Self::open(config, Some(address))
    }
}
