//! The configuration file: backends by name.
//!
//! ```toml
//! [backends.archive]
//! kind = "file"
//! root = "/srv/archive"
//! fsync = true
//! ```

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::{Table, Value};

use super::exit::Failure;
use crate::{Backend, Config, Registry};

/// Names that a place uses for other things.
const RESERVED: [&str; 4] = ["file", "gs", "memory", "s3"];

/// The file as it was read.
pub(crate) struct Configuration {
    file: PathBuf,
    backends: BTreeMap<String, Table>,
}

impl Configuration {
    /// Reads the file given, else the one in the user's configuration directory, which need not exist.
    pub(crate) fn load(given: Option<&Path>) -> Result<Self, Failure> {
        let file = given.map(Path::to_owned).or_else(default_file).unwrap_or_default();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && given.is_none() => String::new(),
            Err(error) => {
                return Err(Failure::usage(format!(
                    "cannot read the configuration file `{}`: {error}",
                    file.display()
                )));
            }
        };
        Self::parse(file, &text)
    }

    fn parse(file: PathBuf, text: &str) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::usage(format!("`{}`: {what}", file.display()));
        // Not the whole error, nor errors of serde: they would show the line or the value, which may be a secret.
        let document: Table = toml::from_str(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
            wrong(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
        })?;

        let mut backends = BTreeMap::new();
        for (section, value) in document {
            let ("backends", Value::Table(named)) = (section.as_str(), value) else {
                return Err(wrong(format!(
                    "`{}` is not known: write [backends.NAME]",
                    section.escape_debug()
                )));
            };
            for (name, settings) in named {
                let Value::Table(settings) = settings else {
                    return Err(wrong(format!(
                        "`{0}` is no table: write [backends.{0}]",
                        name.escape_debug()
                    )));
                };
                if !is_name(&name) || RESERVED.contains(&name.as_str()) {
                    return Err(wrong(format!(
                        "a backend cannot be called `{}`: use letters, digits, `_`, `-` and `.`, and none of {}",
                        name.escape_debug(),
                        RESERVED.join(", "),
                    )));
                }
                backends.insert(name, settings);
            }
        }
        Ok(Self { file, backends })
    }

    /// The names and the kinds, sorted by name.
    pub(crate) fn backends(&self) -> impl Iterator<Item = (&str, &str)> {
        self.backends.iter().map(|(name, table)| {
            (name.as_str(), table.get("kind").and_then(Value::as_str).unwrap_or("unknown"))
        })
    }

    /// The directory of a backend of kind `file`.
    pub(crate) fn root(&self, name: &str) -> Option<&str> {
        let table = self.backends.get(name)?;
        table.get("root").filter(|_| table.get("kind").and_then(Value::as_str) == Some("file"))?.as_str()
    }

    /// Whether there is a backend of that name.
    pub(crate) fn require(&self, name: &str) -> Result<(), Failure> {
        if self.backends.contains_key(name) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "there is no backend `{name}` in `{}`; if you mean a file whose name holds a colon, write `./{name}:...`",
            self.file.display()
        )))
    }

    /// Opens a backend.
    pub(crate) fn open(&self, name: &str, registry: &Registry) -> Result<Arc<dyn Backend>, Failure> {
        self.require(name)?;
        let wrong =
            |what: String| Failure::usage(format!("`{}`, backend `{name}`: {what}", self.file.display()));
        let (mut kind, mut config) = (None, Config::new());
        for (key, value) in self.backends.get(name).into_iter().flatten() {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Boolean(truth) => truth.to_string(),
                Value::Integer(number) => number.to_string(),
                _ => {
                    return Err(wrong(format!(
                        "the setting `{key}` must be a string, a number or true or false"
                    )));
                }
            };
            if key == "kind" {
                kind = Some(value);
            } else {
                config = config.with(key, value);
            }
        }
        let kind = kind.ok_or_else(|| wrong("the setting `kind` is missing".to_owned()))?;
        registry.open(&kind, config).map_err(|error| wrong(error.to_string()))
    }
}

/// Whether a backend can have that name: it must not look like a path.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// `omnistorage/config.toml` in the user's configuration directory (XDG Base Directory Specification).
fn default_file() -> Option<PathBuf> {
    let directory = env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
    Some(directory.join("omnistorage/config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let parsed = Configuration::parse("c.toml".into(), text);
        let failure =
            parsed.and_then(|configuration| configuration.open("a", &Registry::with_builtin())).unwrap_err();
        assert_eq!(failure.exit, super::super::exit::Exit::Usage);
        failure.message.unwrap()
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, parts) in [
            ("[backends.b]\nkind = 'memory'", ["no backend `a`", "c.toml"]),
            ("[backends.a]\nroot = 'x'", ["backend `a`", "`kind` is missing"]),
            ("[backends.a]\nkind = 'memory'\nrot = 'x'", ["backend `a`", "`rot`"]),
            ("[backends.a]\nkind = 's4'", ["backend `a`", "`s4`"]),
            ("[backends.a]\nkind = 'memory'\nx = [1]", ["backend `a`", "`x`"]),
            ("[backends.s3]\nkind = 'memory'", ["`s3`", "c.toml"]),
            ("[backends.'a/b']\nkind = 'memory'", ["`a/b`", "c.toml"]),
            ("[backend.a]", ["c.toml", "`backend` is not known"]),
            ("[backends.a]\nkind = 'memory'\n= 1", ["line 3", "c.toml"]),
        ] {
            let message = refused(text);
            assert!(parts.iter().all(|part| message.contains(part)), "{text}: {message}");
        }
    }

    #[test]
    fn a_secret_is_never_repeated() {
        for text in
            ["[backends.a]\nkind = 'memory'\nkey = 'hush", "[backends.a]\nkind = 'memory'\nkey = 'hush'"]
        {
            assert!(!refused(text).contains("hush"), "{}", refused(text));
        }
    }

    #[test]
    fn a_backend_is_opened() {
        let configuration = Configuration::parse("c.toml".into(), "[backends.a]\nkind = 'memory'\n").unwrap();
        assert_eq!(configuration.open("a", &Registry::with_builtin()).unwrap().kind(), "memory");
        assert_eq!(configuration.backends().collect::<Vec<_>>(), [("a", "memory")]);
    }
}
