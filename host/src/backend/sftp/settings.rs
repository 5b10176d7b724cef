//! Who is asked, and how ssh is started for it. No shell is between: each setting is one argument.

use std::{fmt, num::NonZeroUsize, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{Error, ErrorCode, Result, config::Config};

/// How many connections there are at most, unless a setting says otherwise.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
/// The most that may be asked for.
const MOST_CONNECTIONS: usize = 16;
/// To write all of a large object to a disk takes a server some minutes. That it is there at all, ssh finds out sooner.
const TIMEOUT: Duration = Duration::from_secs(300);
/// What the names of settings begin with that are options of ssh.
const OPTION: &str = "options.";

/// What is asked of ssh in any case: to ask nobody, and to open nothing but what is needed here.
const ALWAYS: [&str; 5] =
    ["BatchMode=yes", "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no"];

/// What is asked of ssh unless a setting says otherwise: to notice within a minute that nobody is there any more.
const ALIVE: [&str; 2] = ["-oServerAliveInterval=15", "-oServerAliveCountMax=3"];

/// The settings of a backend.
pub(super) struct Settings {
    host: String,
    user: Option<String>,
    port: Option<u16>,
    /// The directory that is the root: absolute, or from the home directory on; empty for that itself.
    pub(super) root: String,
    pub(super) program: String,
    /// What else ssh is told, each as one argument.
    arguments: Vec<String>,
    pub(super) connections: usize,
    pub(super) timeout: Duration,
    pub(super) fsync: bool,
    pub(super) atomic_write: bool,
}

impl Settings {
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the setting that is missing, unknown, malformed, or none that a component
    /// may choose.
    pub(super) fn from_config(mut config: Config) -> Result<Self> {
        if config.is_of_guest() && config.keys().any(starts_programs) {
            let message = "settings that lead to programs and files of this machine (`ssh`, `config_file`, \
                           `identity_file`, `known_hosts_file`, `options`) are not for a component to choose";
            return Err(wrong(message));
        }
        let host: String = config.require("host")?;
        check_host(&host)?;
        let user: Option<String> = config.take("user")?;
        user.as_deref().map(check_user).transpose()?;
        let port: Option<u16> = config.take("port")?;
        let root =
            config.take::<String>("root")?.map_or_else(|| Ok(String::new()), |root| checked_root(&root))?;
        let program: String = config.take("ssh")?.unwrap_or_else(|| "ssh".to_owned());
        let mut arguments = Vec::new();
        if let Some(file) = config.take::<String>("config_file")? {
            arguments.extend(["-F".to_owned(), checked("config_file", file)?]);
        }
        if let Some(file) = config.take::<String>("identity_file")? {
            arguments.extend(["-i".to_owned(), checked("identity_file", file)?]);
        }
        if let Some(file) = config.take::<String>("known_hosts_file")? {
            let file = checked("known_hosts_file", file)?;
            if file.contains(['"', '\\']) {
                return Err(wrong("`known_hosts_file` holds a character that ssh does not take there"));
            }
            arguments.push(format!("-oUserKnownHostsFile=\"{file}\""));
            arguments.push("-oGlobalKnownHostsFile=none".to_owned());
        }
        let options: Vec<_> =
            config.keys().filter(|key| key.starts_with(OPTION)).map(str::to_owned).collect();
        for key in options {
            let value: String = config.require(&key)?;
            arguments.push(option(&key, value)?);
        }
        let connections = config.take::<NonZeroUsize>("connections")?.unwrap_or(CONNECTIONS).get();
        if connections > MOST_CONNECTIONS {
            return Err(wrong(&format!("`connections` is at most {MOST_CONNECTIONS}")));
        }
        let timeout = config.take_duration("timeout")?.unwrap_or(TIMEOUT);
        let fsync = config.take("fsync")?.unwrap_or_default();
        let atomic_write = config.take("atomic_write")?.unwrap_or(true);
        config.finish(super::KIND)?;
        Ok(Self { host, user, port, root, program, arguments, connections, timeout, fsync, atomic_write })
    }

    /// The server as the user knows it, without secrets.
    pub(super) fn address(&self) -> String {
        self.to_string()
    }

    /// ssh, ready to be started; it ends with whoever holds it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // The first of several values counts: ours go first.
        command.args(ALWAYS.map(|option| format!("-o{option}")));
        command.args(&self.arguments);
        command.args(ALIVE);
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        command.args(["-s", "--", &self.host, "sftp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // What a terminal sends to this program on Ctrl-C is not for ssh: over its connection we clean up.
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Whether a setting makes ssh run a program, or read a file of this machine.
fn starts_programs(key: &str) -> bool {
    key.starts_with(OPTION) || matches!(key, "ssh" | "config_file" | "identity_file" | "known_hosts_file")
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

/// ssh may hand the host to a command of its own configuration, by a shell: so it holds nothing that a shell would obey.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`]
pub(super) fn check_host(host: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:%".contains(&byte);
    if host.is_empty() || host.starts_with('-') || !host.bytes().all(is_plain) {
        let message = "the host is a name, an address, or what the configuration of ssh calls it: letters, digits, `.`, `-` \
                       and `_`, and no `-` in front";
        return Err(wrong(message));
    }
    Ok(())
}

/// The same of the user.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`]
pub(super) fn check_user(user: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte);
    if user.is_empty() || user.starts_with('-') || !user.bytes().all(is_plain) {
        let message =
            "the user is a name of letters, digits, `.`, `_`, `-`, `+` and `@`, and no `-` in front";
        return Err(wrong(message));
    }
    Ok(())
}

/// An argument of ssh that is no option, and on one line.
fn checked(key: &str, value: String) -> Result<String> {
    if value.is_empty() || value.starts_with('-') || value.contains(char::is_control) {
        return Err(wrong(&format!("`{key}` is no path that ssh would take")));
    }
    Ok(value)
}

/// An option of ssh's configuration, as one argument.
fn option(key: &str, value: String) -> Result<String> {
    let name = key.strip_prefix(OPTION).unwrap_or(key);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(wrong(&format!("`{}` names no option of ssh", key.escape_debug())));
    }
    if value.is_empty() || value.contains(char::is_control) {
        return Err(wrong(&format!("`{key}` is no value that ssh would take")));
    }
    Ok(format!("-o{name}={value}"))
}

/// The root as it is sent: without a slash at its end, and `~` and `~/x` as seen from the home directory.
fn checked_root(root: &str) -> Result<String> {
    let (lead, below) = match root.strip_prefix('/') {
        Some(below) => ("/", below),
        None if root == "~" => ("", ""),
        None => ("", root.strip_prefix("~/").unwrap_or(root)),
    };
    let below = below.trim_end_matches('/');
    let below = omnistorage_types::Path::parse(below)
        .map_err(|why| wrong(&format!("the setting `root` is no directory: {why}")))?;
    Ok(format!("{lead}{below}"))
}

#[cfg(test)]
#[cfg(feature = "runtime")]
mod tests {
    use super::*;

    fn arguments(config: Config) -> Vec<String> {
        let settings = Settings::from_config(config).unwrap();
        let command = settings.command();
        command
            .as_std()
            .get_args()
            .skip(ALWAYS.len())
            .map(|argument| argument.to_str().unwrap().to_owned())
            .collect()
    }

    fn host(host: &str) -> Config {
        Config::from([("host", host)])
    }

    #[test]
    fn each_setting_is_one_argument() {
        let config = host("h")
            .with("user", "me")
            .with("port", "22")
            .with("identity_file", "/k; rm -rf /")
            .with("known_hosts_file", "/known hosts")
            .with("options.ProxyJump", "bastion");
        assert_eq!(
            arguments(config),
            [
                "-i",
                "/k; rm -rf /",
                "-oUserKnownHostsFile=\"/known hosts\"",
                "-oGlobalKnownHostsFile=none",
                "-oProxyJump=bastion",
                "-oServerAliveInterval=15",
                "-oServerAliveCountMax=3",
                "-p",
                "22",
                "-l",
                "me",
                "-s",
                "--",
                "h",
                "sftp"
            ]
        );
        let plain = arguments(host("fe80::1%eth0"));
        assert_eq!(
            plain.get(ALIVE.len()..),
            Some(&["-s", "--", "fe80::1%eth0", "sftp"].map(str::to_owned)[..])
        );
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_refused() {
        for host_ in ["", "-oProxyCommand=x", "a b", "a;b", "$(id)", "a\nb", "a/b", "`x`", "a@b", "é"] {
            let refused = Settings::from_config(host(host_)).err().unwrap();
            assert_eq!(refused.code(), ErrorCode::InvalidArgument, "{host_}");
        }
        for (key, value) in [
            ("user", "-x"),
            ("user", "a;b"),
            ("user", ""),
            ("user", "a b"),
            ("port", "0x1"),
            ("port", "65536"),
            ("identity_file", "-x"),
            ("identity_file", "a\nb"),
            ("known_hosts_file", "a\"b"),
            ("config_file", ""),
            ("options.Proxy Command", "x"),
            ("options.", "x"),
            ("options.ProxyJump", "a\nb"),
            ("connections", "0"),
            ("connections", "17"),
            ("timeout", "soon"),
            ("root", "/a/../b"),
            ("root", "~/a//b"),
            ("pasword", "canary"),
        ] {
            let refused = Settings::from_config(host("h").with(key, value)).err().unwrap();
            assert_eq!(refused.code(), ErrorCode::InvalidArgument, "{key}");
            assert!(!refused.message().contains("canary"), "{refused}");
        }
    }

    /// Whoever may open this kind may not thereby run what they like.
    #[test]
    fn a_component_chooses_no_program() {
        struct Nobody;
        impl crate::config::Account for Nobody {
            fn take(&self, _: u64) -> Result<()> {
                Ok(())
            }

            fn give_back(&self, _: u64) {}
        }
        let of_guest = |config: Config| Settings::from_config(config.charged_to(std::sync::Arc::new(Nobody)));
        assert!(of_guest(host("h").with("user", "me").with("root", "/x")).is_ok());
        for key in ["ssh", "config_file", "identity_file", "known_hosts_file", "options.ProxyCommand"] {
            let refused = of_guest(host("h").with(key, "/x")).err().unwrap();
            assert_eq!(refused.code(), ErrorCode::InvalidArgument);
            assert!(Settings::from_config(host("h").with(key, "/x")).is_ok(), "{key}");
        }
    }

    #[test]
    fn a_root_is_absolute_or_in_the_home_directory() {
        for (root, sent) in [("/", "/"), ("/a/b/", "/a/b"), ("~", ""), ("", ""), ("~/x", "x"), ("x/y", "x/y")]
        {
            assert_eq!(checked_root(root).unwrap(), sent);
        }
    }
}
