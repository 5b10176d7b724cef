//! The configuration file, and what the command line makes of it.
//!
//! ```toml
//! [backends.archive]
//! kind = "file"
//! root = "/srv/archive"   # `~` and `${VARIABLE}` are filled in
//! fsync = true
//! read_only = true
//! ```
//!
//! In addition to the backends of the file, `env` is the one that the environment describes: `STORAGE_BACKEND=file
//! OMNISTORAGE_FILE_ROOT=/srv/archive`.

#![allow(clippy::disallowed_methods, reason = "the configuration is a file")]

mod exposure;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{exit::Failure, place::is_name};
use crate::{Backend, Config, Error, Registry, registry::KIND_VARIABLE};

/// Names that mean something else in a place.
const RESERVED: [&str; 11] =
    ["az", ENVIRONMENT, "file", "gs", "http", "https", "memory", "s3", "sftp", "webdav", "webdavs"];

/// The backend of the environment.
const ENVIRONMENT: &str = "env";

/// The backends that have names.
pub(crate) struct Configuration {
    file: PathBuf,
    backends: crate::Configuration,
}

impl Configuration {
    /// Reads the given file, or the one in the user's configuration directory, which need not exist. Also returns what
    /// the user should be warned about.
    pub(crate) fn load(given: Option<&Path>) -> Result<(Self, Option<String>), Failure> {
        let file = given.map(Path::to_owned).or_else(default_file).unwrap_or_default();
        let is_there = given.is_some() || fs::exists(&file).unwrap_or(true);
        let read = if is_there && !file.as_os_str().is_empty() {
            crate::Configuration::load(&file).map_err(|error| Failure::usage(error.message()))?
        } else {
            crate::Configuration::default()
        };
        let mut configuration = Self::checked(file, read)?;
        let warning = exposure::warning(&configuration.file, &configuration.backends);
        if let Some(kind) = env::var(KIND_VARIABLE).ok().filter(|kind| !kind.is_empty()) {
            let config = Config::from_environment(&kind);
            let backends = configuration.backends;
            configuration.backends = backends.with(ENVIRONMENT, "the environment", &kind, config);
        }
        Ok((configuration, warning))
    }

    /// Refuses names that could not be written in a place.
    pub(crate) fn checked(file: PathBuf, backends: crate::Configuration) -> Result<Self, Failure> {
        let is_usable = |name: &str| is_name(name) && !RESERVED.contains(&name);
        if let Some((name, _)) = backends.backends().find(|(name, _)| !is_usable(name)) {
            return Err(Failure::usage(format!(
                "`{}`: a backend cannot be called `{}`: use letters, digits, `_`, `-` and `.`, and none of {}",
                file.display(),
                name.escape_debug(),
                RESERVED.join(", "),
            )));
        }
        Ok(Self { file, backends })
    }

    /// The names and the kinds, sorted by name.
    pub(crate) fn backends(&self) -> impl Iterator<Item = (&str, &str)> {
        self.backends.backends()
    }

    /// The settings of a backend as they are written.
    pub(crate) fn config(&self, name: &str) -> Option<&Config> {
        self.backends.config(name)
    }

    /// The directory of a backend of kind `file`, without links, and whether the backend is nothing else: no decorator
    /// is around it.
    pub(crate) fn directory(&self, name: &str) -> Option<(PathBuf, bool)> {
        self.backends().find(|backend| *backend == (name, "file"))?;
        let mut config = self.backends.expanded(name)?.ok()?;
        let root = fs::canonicalize(config.take::<PathBuf>("root").ok()??).ok()?;
        let prefix: crate::Path = config.take("prefix").ok()?.unwrap_or_default();
        for own in ["create", "fsync", "metadata"] {
            config.take::<bool>(own).ok()?;
        }
        config.take::<crate::backend::file::Links>("links").ok()?;
        let is_plain = prefix.is_root() && config.finish("file").is_ok();
        Some((root.join(prefix.as_str()), is_plain))
    }

    /// Whether there is a backend of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.backends.config(name).is_some()
    }

    /// The same, or an error that says where it was looked for.
    pub(crate) fn require(&self, name: &str) -> Result<(), Failure> {
        if self.has(name) {
            return Ok(());
        }
        Err(Failure::usage(if name == ENVIRONMENT {
            format!("the environment names no backend: set {KIND_VARIABLE} to its kind")
        } else if name == "azblob" {
            "there is no backend `azblob`; a container of Azure is written `az://container/key`".to_owned()
        } else if name == "gcs" {
            "there is no backend `gcs`; a bucket of Google Cloud Storage is written `gs://bucket/key`"
                .to_owned()
        } else {
            format!(
                "there is no backend `{name}` in `{}`, nor a remote in rclone's configuration; if you mean a file whose name holds a colon, write `./{name}:...`",
                self.file.display()
            )
        }))
    }

    /// Opens a backend; one of files with more settings.
    pub(crate) fn open(
        &self,
        name: &str,
        registry: &Registry,
        of_files: &[(&str, &str)],
    ) -> Result<Arc<dyn Backend>, Failure> {
        self.require(name)?;
        let wrong = |error: Error| Failure::usage(error.message());
        let (file, origin) = ("file", self.file.display().to_string());
        match self.backends.config(name) {
            Some(config) if !of_files.is_empty() && self.backends().any(|known| known == (name, file)) => {
                let with = |config: Config, (key, value): &(&str, &str)| config.with(*key, *value);
                let config = of_files.iter().fold(config.clone(), with);
                self.backends.clone().with(name, &origin, file, config).open(name, registry)
            }
            _ => self.backends.open(name, registry),
        }
        .map_err(wrong)
    }
}

/// `omnistorage/config.toml` in the user's configuration directory (XDG Base Directory Specification).
pub(crate) fn default_file() -> Option<PathBuf> {
    let directory = env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
    Some(directory.join("omnistorage/config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Configuration, Failure> {
        Configuration::checked("c.toml".into(), crate::Configuration::parse("c.toml", text).unwrap())
    }

    #[test]
    fn names_must_be_usable_in_places() {
        for name in ["s3", "env", "'a/b'", "''"] {
            let failure = checked(&format!("[backends.{name}]\nkind = 'memory'")).err().unwrap();
            assert_eq!(failure.exit, super::super::exit::Exit::Usage);
            let message = failure.message.unwrap();
            assert!(message.contains("c.toml") && message.contains(name.trim_matches('\'')), "{message}");
        }
    }

    #[test]
    fn a_backend_is_opened() {
        let configuration = checked("[backends.a]\nkind = 'memory'\n").unwrap();
        assert_eq!(configuration.open("a", &Registry::with_builtin(), &[]).unwrap().kind(), "memory");
        assert_eq!(configuration.backends().collect::<Vec<_>>(), [("a", "memory")]);
        let missing = configuration.require("b").unwrap_err().message.unwrap();
        assert!(missing.contains("no backend `b`") && missing.contains("c.toml"), "{missing}");
    }

    #[test]
    fn a_directory_is_known_with_what_is_around_it() {
        let scratch = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(scratch.path()).unwrap();
        for (more, below, is_plain) in [
            ("", "", true),
            ("fsync = true", "", true),
            ("prefix = 'a/b'", "a/b", false),
            ("read_only = true", "", false),
        ] {
            let text = format!("[backends.a]\nkind = 'file'\nroot = '{}'\n{more}", root.display());
            let directory = checked(&text).unwrap().directory("a");
            assert_eq!(directory, Some((root.join(below), is_plain)), "{more}");
        }
        assert_eq!(checked("[backends.a]\nkind = 'memory'").unwrap().directory("a"), None);
    }
}
