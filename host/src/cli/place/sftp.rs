//! Servers of SFTP by a URL: `sftp://[user@]host[:port]/path`, from the root of the server on, and `sftp://host/~/path`,
//! from the home directory on.

use super::{PlaceKind, SFTP, Settings, backend_path, decoded};
#[cfg(feature = "sftp")]
use crate::Config;

/// The part of a path that is the home directory, as it is typed. A directory of that name is written `%7E`.
const HOME: &str = "~";

/// What follows `sftp://`.
pub(super) fn place(rest: &str) -> Result<PlaceKind, String> {
    let Some((host, path)) = rest.split_once('/') else {
        let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        return Err(format!(
            "the URL names no directory: `sftp://{rest}/dir` is one from the root of the server on, and `sftp://{rest}/~/dir` \
             one from the home directory on",
        ));
    };
    let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
    if host.is_empty() {
        return Err("the URL names no host".to_owned());
    }
    if user.is_some_and(|user| user.contains(':')) {
        return Err(
            "ssh takes no passwords from here, and others see the command line: use a key, or an agent"
                .to_owned(),
        );
    }
    let (home, path) = match path.strip_prefix(HOME).map(|below| (below, below.strip_prefix('/'))) {
        Some(("", _)) => (true, ""),
        Some((_, Some(below))) => (true, below),
        _ => (false, path),
    };
    let path = decoded(path)?.join(&b'/');
    let path = String::from_utf8(path).map_err(|_| "the path of the URL is not UTF-8".to_owned())?;
    let user = user.map_or_else(String::new, |user| format!("{user}@"));
    let home = if home { "/~" } else { "" };
    let endpoint = format!("sftp://{user}{host}{home}");
    Ok(PlaceKind::Server { kind: SFTP, endpoint, settings: Settings::default(), path: backend_path(&path)? })
}

/// The settings of the backend of such an endpoint.
#[cfg(feature = "sftp")]
pub(crate) fn config(endpoint: &str) -> Config {
    let rest = endpoint.strip_prefix("sftp://").unwrap_or(endpoint);
    let (host, root) = rest.strip_suffix("/~").map_or((rest, "/"), |host| (host, HOME));
    let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
    let (host, port) = match host.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((v6, port)) => (v6, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let config = Config::from([("host", host), ("root", root)]);
    [("user", user), ("port", port)]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .fold(config, |config, (key, value)| config.with(key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(rest: &str) -> (String, String) {
        match place(rest) {
            Ok(PlaceKind::Server { kind: SFTP, endpoint, path, .. }) => (endpoint, path.as_str().to_owned()),
            other => panic!("{rest}: {other:?}"),
        }
    }

    #[test]
    fn a_server_is_a_url() {
        for (typed, endpoint, path) in [
            ("h/", "sftp://h", ""),
            ("h/a%20b/c/", "sftp://h", "a b/c"),
            ("me@h:22/~/a", "sftp://me@h:22/~", "a"),
            ("h/~", "sftp://h/~", ""),
            ("h/~/", "sftp://h/~", ""),
            ("h/%7E/a", "sftp://h", "~/a"),
            ("h/~a", "sftp://h", "~a"),
            ("a@b@[::1]:22/x", "sftp://a@b@[::1]:22", "x"),
        ] {
            assert_eq!(parsed(typed), (endpoint.to_owned(), path.to_owned()), "{typed}");
        }
        for (typed, hint) in [
            ("h", "`sftp://h/~/dir`"),
            ("", "names no directory"),
            ("/x", "no host"),
            ("me@/x", "no host"),
            ("me:hush@h/x", "use a key"),
            ("h/a?b", "%3F"),
            ("h/a/../b", "`..`"),
            ("h//a", "path"),
            ("h/%FF", "UTF-8"),
        ] {
            let refused = place(typed).unwrap_err();
            assert!(refused.contains(hint) && !refused.contains("hush"), "{typed}: {refused}");
        }
    }

    #[cfg(feature = "sftp")]
    #[test]
    fn an_endpoint_becomes_settings() {
        for (endpoint, expected) in [
            ("sftp://h", ["h", "/", "-", "-"]),
            ("sftp://me@h:22/~", ["h", "~", "me", "22"]),
            ("sftp://a@b@[::1]:22", ["::1", "/", "a@b", "22"]),
            ("sftp://[fe80::1%eth0]", ["fe80::1%eth0", "/", "-", "-"]),
        ] {
            let mut config = config(endpoint);
            let mut value = |key| config.take::<String>(key).unwrap().unwrap_or_else(|| "-".to_owned());
            assert_eq!(["host", "root", "user", "port"].map(&mut value), expected, "{endpoint}");
        }
    }
}
