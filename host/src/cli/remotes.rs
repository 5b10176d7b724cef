//! Remotes of rclone's configuration, for the kinds that are here: what a remote says is taken over as a whole or not at
//! all. A setting without a counterpart here is refused by its name, and so is a kind.

#![allow(clippy::disallowed_methods, reason = "the configuration of rclone is a file")]

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path as File, PathBuf},
};

use super::{
    Globals,
    exit::Failure,
    place::{PlaceKind, SFTP, Settings},
};
use crate::Path;

/// Where remotes are looked for.
pub(crate) struct Remotes;

/// A remote, as it is written.
pub(crate) struct Remote {
    name: String,
    file: PathBuf,
    kind: String,
    settings: BTreeMap<String, String>,
}

impl Remotes {
    /// The remote of a name: in the file that is given, else in the one that rclone would take.
    ///
    /// # Errors
    /// A file that cannot be read, or is encrypted.
    pub(crate) fn find(globals: &Globals, name: &str) -> Result<Option<Remote>, Failure> {
        Ok(Self::all(globals)?.into_iter().find(|remote| remote.name == name))
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) fn all(globals: &Globals) -> Result<Vec<Remote>, Failure> {
        let Some(file) = Self::file(globals) else { return Ok(Vec::new()) };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            // What is not named need not be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && globals.rclone_config.is_none() => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(wrong(&file, &error.to_string())),
        };
        parse(&file, &text)
    }

    /// The file, which need not exist.
    pub(crate) fn file(globals: &Globals) -> Option<PathBuf> {
        let home = || env::var_os("HOME").map(PathBuf::from);
        let configured = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let usual = || Some(configured.or_else(|| Some(home()?.join(".config")))?.join("rclone/rclone.conf"));
        globals
            .rclone_config
            .clone()
            .or_else(|| {
                env::var_os("RCLONE_CONFIG").map(PathBuf::from).filter(|file| !file.as_os_str().is_empty())
            })
            .or_else(usual)
    }
}

fn wrong(file: &File, what: &str) -> Failure {
    Failure::usage(format!("rclone's configuration `{}`: {what}", file.display()))
}

fn parse(file: &File, text: &str) -> Result<Vec<Remote>, Failure> {
    let mut remotes: Vec<Remote> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("RCLONE_ENCRYPT_V") {
            return Err(wrong(file, "it is encrypted: `rclone config encryption remove` makes it readable"));
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (name, file) = (name.to_owned(), file.to_owned());
            remotes.push(Remote { name, file, kind: String::new(), settings: BTreeMap::new() });
            continue;
        }
        let setting =
            line.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        match (setting, remotes.last_mut()) {
            (Some((key, value)), Some(remote)) if key == "type" => remote.kind = value,
            (Some((key, value)), Some(remote)) => drop(remote.settings.insert(key, value)),
            // Not the line itself: it may hold a secret.
            _ => return Err(wrong(file, &format!("line {} is no setting", number + 1))),
        }
    }
    Ok(remotes)
}

impl Remote {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its kind, as rclone calls it.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// What a path of it is here.
    ///
    /// # Errors
    /// A kind that is not here, or a setting that has no counterpart.
    pub(crate) fn place(&self, path: &Path) -> Result<PlaceKind, String> {
        let mut taken = Taken { remote: self, left: self.settings.clone() };
        // What says nothing of what is stored.
        taken.drop_all(&["description"]);
        let place = match self.kind.as_str() {
            "local" => PlaceKind::Local {
                path: PathBuf::from(if path.is_root() { "." } else { path.as_str() }),
                directory: false,
            },
            "memory" => PlaceKind::Memory(path.clone()),
            "s3" => taken.s3(path)?,
            "google cloud storage" => taken.gcs(path)?,
            "azureblob" => taken.azblob(path)?,
            "http" => taken.server("http", path)?,
            "sftp" => taken.sftp(path)?,
            "webdav" => taken.server("webdav", path)?,
            kind => {
                return Err(self.refusal(&format!(
                    "it is of the kind `{kind}`, and of rclone's kinds s3, google cloud storage, azureblob, http, sftp, \
                     webdav, local and memory are here"
                )));
            }
        };
        taken.finish()?;
        Ok(place)
    }

    fn refusal(&self, why: &str) -> String {
        format!("the remote `{}` of `{}`: {why}", self.name, self.file.display())
    }
}

/// The settings of a remote that are yet to be taken over.
struct Taken<'a> {
    remote: &'a Remote,
    left: BTreeMap<String, String>,
}

impl Taken<'_> {
    /// A value that is given, and not empty.
    fn take(&mut self, key: &str) -> Option<String> {
        self.left.remove(key).filter(|value| !value.is_empty())
    }

    fn is_true(&mut self, key: &str) -> Result<bool, String> {
        match self.take(key).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(self.remote.refusal(&format!("`{key}` is neither true nor false"))),
        }
    }

    fn drop_all(&mut self, keys: &[&str]) {
        keys.iter().for_each(|key| drop(self.left.remove(*key)));
    }

    /// Drops settings that say what is done anyway.
    fn drop_private(&mut self, keys: &[&str]) {
        for key in keys {
            if self.left.get(*key).is_some_and(|value| matches!(value.as_str(), "" | "private")) {
                drop(self.left.remove(*key));
            }
        }
    }

    fn finish(self) -> Result<(), String> {
        match self.left.iter().find(|(_, value)| !value.is_empty()) {
            None => Ok(()),
            Some((key, _)) => Err(self.remote.refusal(&format!(
                "its setting `{key}` has no counterpart here: describe the backend in a configuration of ours (`omnistorage \
                 config create`)"
            ))),
        }
    }

    fn s3(&mut self, path: &Path) -> Result<PlaceKind, String> {
        let mut settings = Vec::new();
        let mut set = |key: &str, value: String| settings.push((key.to_owned(), value));
        let from_environment = self.is_true("env_auth")?;
        let keys = (self.take("access_key_id"), self.take("secret_access_key"));
        let (token, profile) = (self.take("session_token"), self.take("profile"));
        match keys {
            (Some(key), Some(secret)) => {
                set("access_key_id", key);
                set("secret_access_key", secret);
                token.into_iter().for_each(|token| set("session_token", token));
            }
            (None, None) if from_environment => {
                profile.into_iter().for_each(|profile| set("profile", profile))
            }
            (None, None) if profile.is_none() && token.is_none() => set("anonymous", "true".to_owned()),
            (None, None) => {
                return Err(self.remote.refusal("`profile` counts beside `env_auth = true` alone"));
            }
            _ => return Err(self.remote.refusal("`access_key_id` and `secret_access_key` belong together")),
        }
        let role = (self.take("role_arn"), self.take("role_external_id"));
        role.0.into_iter().for_each(|role| set("role_arn", role));
        role.1.into_iter().for_each(|id| set("external_id", id));
        let region = self.take("region").unwrap_or_else(|| "us-east-1".to_owned());
        let path_style = self.take("force_path_style");
        let provider = self.take("provider");
        match self.take("endpoint") {
            Some(endpoint) if endpoint.contains("://") => set("endpoint", endpoint),
            Some(endpoint) => set("endpoint", format!("https://{endpoint}")),
            None if provider.as_deref().is_none_or(|provider| provider == "AWS") => {
                // Wherever the environment would lead.
                let china = if region.starts_with("cn-") { ".cn" } else { "" };
                set("endpoint", format!("https://s3.{region}.amazonaws.com{china}"));
                if path_style.is_none() {
                    set("path_style", "false".to_owned());
                }
            }
            None => return Err(self.remote.refusal("it has no `endpoint`, and its provider is not Amazon")),
        }
        set("region", region);
        path_style.into_iter().for_each(|style| set("path_style", style));
        // How requests are made, and what new buckets are like.
        self.drop_all(&[
            "bucket_acl",
            "chunk_size",
            "copy_cutoff",
            "list_chunk",
            "list_version",
            "location_constraint",
            "max_upload_parts",
            "no_check_bucket",
            "upload_concurrency",
            "upload_cutoff",
            "use_multipart_etag",
        ]);
        self.drop_private(&["acl"]);
        Ok(in_bucket("s3", path, settings).unwrap_or_else(|settings| PlaceKind::Buckets {
            kind: "s3",
            settings,
            path: Path::root(),
        }))
    }

    fn gcs(&mut self, path: &Path) -> Result<PlaceKind, String> {
        let mut settings = Vec::new();
        let mut set = |key: &str, value: String| settings.push((key.to_owned(), value));
        let (anonymous, from_environment) = (self.is_true("anonymous")?, self.is_true("env_auth")?);
        match (self.take("service_account_file"), self.take("service_account_credentials")) {
            (Some(file), None) => set("credentials", file),
            (None, Some(json)) => set("credentials_json", json),
            (None, None) if anonymous => set("anonymous", "true".to_owned()),
            (None, None) if from_environment => {}
            (None, None) => {
                let why = "it has the login of rclone's own application, which is for rclone: give it a service account, or \
                           `env_auth = true`";
                return Err(self.remote.refusal(why));
            }
            (Some(_), Some(_)) => return Err(self.remote.refusal("it has two service accounts")),
        }
        self.take("endpoint").into_iter().for_each(|endpoint| set("endpoint", endpoint));
        self.drop_all(&["project_number", "location", "bucket_policy_only", "bucket_acl", "no_check_bucket"]);
        self.drop_private(&["object_acl"]);
        in_bucket("gcs", path, settings)
            .map_err(|_| self.remote.refusal("the buckets of Google Cloud Storage are not listed: name one"))
    }

    /// A server that asks for no password: rclone hides one in its own way.
    fn server(&mut self, kind: &'static str, path: &Path) -> Result<PlaceKind, String> {
        let endpoint = self.take("url").ok_or_else(|| self.remote.refusal("it has no `url`"))?;
        self.drop_all(&["no_slash", "no_head", "vendor", "nextcloud_chunk_size", "pacer_min_sleep"]);
        if self.left.contains_key("pass") {
            return Err(self.remote.refusal(
                "its password is written in rclone's own way: give it to a backend of the configuration (`omnistorage config \
                 create NAME webdav endpoint=URL username=ME password=-`)",
            ));
        }
        Ok(PlaceKind::Server { kind, endpoint, settings: Settings::default(), path: path.clone() })
    }

    /// Whose key the host has is for ssh to know, where the remote names no file: rclone would take any.
    fn sftp(&mut self, path: &Path) -> Result<PlaceKind, String> {
        let host = self.take("host").ok_or_else(|| self.remote.refusal("it has no `host`"))?;
        let user = self.take("user").map_or_else(String::new, |user| format!("{user}@"));
        let port = self.take("port").map_or_else(String::new, |port| format!(":{port}"));
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        if ["pass", "ask_password", "key_file_pass"]
            .iter()
            .any(|key| self.take(key).is_some_and(|value| value != "false"))
        {
            return Err(self.remote.refusal("ssh takes no passwords from here: use a key, or an agent"));
        }
        let files = [("key_file", "identity_file"), ("known_hosts_file", "known_hosts_file")];
        let settings =
            files.into_iter().filter_map(|(theirs, ours)| Some((ours.to_owned(), self.take(theirs)?)));
        let settings = Settings::of(settings.collect());
        // How requests are made, and what runs in a shell there.
        self.drop_all(&[
            "chunk_size",
            "concurrency",
            "connections",
            "copy_is_hardlink",
            "disable_concurrent_reads",
            "disable_concurrent_writes",
            "disable_hashcheck",
            "idle_timeout",
            "key_use_agent",
            "md5sum_command",
            "path_override",
            "set_modtime",
            "sha1sum_command",
            "shell_type",
            "skip_links",
            "use_fstat",
        ]);
        let endpoint = format!("sftp://{user}{host}{port}/~");
        Ok(PlaceKind::Server { kind: SFTP, endpoint, settings, path: path.clone() })
    }

    fn azblob(&mut self, path: &Path) -> Result<PlaceKind, String> {
        let mut settings = Vec::new();
        let mut set = |key: &str, value: String| settings.push((key.to_owned(), value));
        let from_environment = self.is_true("env_auth")?;
        if self.is_true("use_emulator")? {
            return Err(self.remote.refusal("give the emulator by `account`, `key` and `endpoint`"));
        }
        let Some(account) = self.take("account") else {
            return Err(self.remote.refusal("it has no `account`"));
        };
        // Wherever the environment would lead.
        let endpoint = self.take("endpoint");
        set("endpoint", endpoint.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net")));
        set("account", account);
        match self.take("key") {
            Some(key) => set("key", key),
            None if from_environment => {}
            None => set("anonymous", "true".to_owned()),
        }
        self.drop_all(&[
            "access_tier",
            "chunk_size",
            "list_chunk",
            "no_check_container",
            "public_access",
            "upload_concurrency",
            "upload_cutoff",
        ]);
        in_bucket("azblob", path, settings)
            .map_err(|_| self.remote.refusal("the containers of an account are not listed: name one"))
    }
}

/// The first segment of a path of rclone is the bucket; without one, the settings come back.
fn in_bucket(
    kind: &'static str,
    path: &Path,
    settings: Vec<(String, String)>,
) -> Result<PlaceKind, Settings> {
    let settings = Settings::of(settings);
    let Some(bucket) = path.segments().next().filter(|_| !path.is_root()) else { return Err(settings) };
    let rest =
        path.as_str().strip_prefix(bucket).map(|rest| rest.trim_start_matches('/')).unwrap_or_default();
    match Path::parse(rest) {
        Ok(rest) => Ok(PlaceKind::Bucket { kind, bucket: bucket.to_owned(), settings, path: rest }),
        Err(_) => Err(settings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, path: &str) -> Result<PlaceKind, String> {
        let remotes = parse(File::new("rclone.conf"), text).map_err(|failure| failure.message.unwrap())?;
        remotes.first().unwrap().place(&Path::parse(path).unwrap())
    }

    #[test]
    fn remotes_of_our_kinds_are_taken_over() {
        let text = "# c\n[nas]\ntype = s3\nprovider = Minio\naccess_key_id = AK\nsecret_access_key = hush\n\
                    endpoint = nas:9000\nacl = private\n";
        let Ok(PlaceKind::Bucket { kind, bucket, settings, path }) = place(text, "b/k/l") else { panic!() };
        assert_eq!((kind, bucket.as_str(), path.as_str()), ("s3", "b", "k/l"));
        assert_eq!(settings.identity(), "?access_key_id=AK&endpoint=https://nas:9000&region=us-east-1");
        assert!(!format!("{settings:?}").contains("hush"));
        assert!(matches!(place(text, ""), Ok(PlaceKind::Buckets { .. })));
        let Ok(PlaceKind::Bucket { settings, .. }) = place("[a]\ntype = s3\n", "b") else { panic!() };
        assert_eq!(
            settings.identity(),
            "?anonymous=true&endpoint=https://s3.us-east-1.amazonaws.com&path_style=false&region=us-east-1"
        );
        let gcs = "[g]\ntype = google cloud storage\nservice_account_file = /k.json\nlocation = eu\n";
        let Ok(PlaceKind::Bucket { kind: "gcs", settings, .. }) = place(gcs, "b") else { panic!() };
        assert_eq!(settings.identity(), "?credentials=/k.json");
        let azure = "[z]\ntype = azureblob\naccount = acc\nkey = hush\nendpoint = http://127.0.0.1:1/acc\n";
        let Ok(PlaceKind::Bucket { kind: "azblob", bucket, settings, .. }) = place(azure, "c/k") else {
            panic!()
        };
        assert_eq!(settings.identity(), "?endpoint=http://127.0.0.1:1/acc&account=acc");
        assert_eq!(bucket, "c");
        let http = PlaceKind::Server {
            kind: "http",
            endpoint: "https://h/d/".to_owned(),
            settings: Settings::default(),
            path: Path::parse("a b").unwrap(),
        };
        assert_eq!(place("[h]\ntype = http\nurl = https://h/d/\n", "a b"), Ok(http));
        let sftp = "[n]\ntype = sftp\nhost = nas\nuser = me\nport = 2222\nkey_file = /k\nshell_type = unix\n";
        let Ok(PlaceKind::Server { kind: "sftp", endpoint, settings, path }) = place(sftp, "a/b") else {
            panic!()
        };
        assert_eq!((endpoint.as_str(), path.as_str()), ("sftp://me@nas:2222/~", "a/b"));
        assert_eq!(settings.identity(), "?identity_file=/k");
        assert_eq!(place("[m]\ntype = memory", "a"), Ok(PlaceKind::Memory(Path::parse("a").unwrap())));
        assert!(matches!(place("[l]\ntype = local", "a"), Ok(PlaceKind::Local { .. })));
    }

    #[test]
    fn what_has_no_counterpart_is_named() {
        for (text, word) in [
            ("[d]\ntype = dropbox", "`dropbox`"),
            ("[a]\ntype = s3\nstorage_class = GLACIER", "`storage_class`"),
            ("[a]\ntype = s3\nacl = public-read", "`acl`"),
            ("[a]\ntype = s3\nprofile = p", "`env_auth = true`"),
            ("[a]\ntype = s3\naccess_key_id = AK", "belong together"),
            ("[a]\ntype = s3\nprovider = Wasabi", "`endpoint`"),
            ("[g]\ntype = google cloud storage\ntoken = {}", "service account"),
            ("[z]\ntype = azureblob\nsas_url = hush", "`account`"),
            ("[z]\ntype = azureblob\naccount = a\nsas_url = hush", "`sas_url`"),
            ("[w]\ntype = webdav\nurl = https://h\nuser = me\npass = hush", "password"),
            ("[w]\ntype = webdav\nurl = https://h\nbearer_token = hush", "`bearer_token`"),
            ("[n]\ntype = sftp\nuser = me", "`host`"),
            ("[n]\ntype = sftp\nhost = h\npass = hush", "use a key"),
            ("[n]\ntype = sftp\nhost = h\nkey_pem = hush", "`key_pem`"),
            ("# Encrypted\n\nRCLONE_ENCRYPT_V0:\nabc", "encrypted"),
            ("[a]\ntype = s3\nhush", "line 3"),
        ] {
            let refused = place(text, "b").unwrap_err();
            assert!(refused.contains(word) && refused.contains("rclone.conf"), "{refused}");
            assert!(!refused.contains("hush"), "{refused}");
        }
    }
}
