//! A file of backends by name.

mod expand;

use std::{collections::BTreeMap, env, fs, path::Path, sync::Arc};

use toml::{Table, Value};

use crate::{Error, ErrorCode, Result, backend::Backend, config::Config, registry::Registry};

/// Backends by name, as a TOML file describes them. A table below that of a backend holds the settings of what is put
/// around it; see [`Registry::open`].
///
/// In the `root` of a backend of files `~` is the home directory, and `$NAME` or `${NAME}` a variable of the environment
/// (`$$` a dollar sign): they are filled in when it is opened.
///
/// ```
/// use omnistorage::{Configuration, Registry};
///
/// let configuration = Configuration::parse(
///     "config.toml",
///     r#"
///     [backends.archive]
///     kind = "memory"
///     prefix = "2026"
///     read_only = true
///     retry = { attempts = 5, max_delay = "10s" }
///     "#,
/// )?;
/// let archive = configuration.open("archive", &Registry::with_builtin())?;
/// assert_eq!(archive.kind(), "memory");
/// # Ok::<(), omnistorage::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// What messages call the file.
    origin: String,
    backends: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    origin: String,
    kind: String,
    config: Config,
}

impl Configuration {
    /// Reads a file.
    ///
    /// # Errors
    /// As [`Configuration::parse`]; what keeps the file from being read.
    #[allow(clippy::disallowed_methods, reason = "the configuration is a file")]
    pub fn load(file: &Path) -> Result<Self> {
        let origin = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| {
            let message = format!("cannot read the configuration file `{origin}`: {error}");
            Error::from(error).with_message(message)
        })?;
        Self::parse(&origin, &text)
    }

    /// Understands the text of a file, which messages call `origin`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the line, the table or the setting that is wrong, and never a value.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let wrong = |what: String| Error::new(ErrorCode::InvalidArgument, format!("`{origin}`: {what}"));
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
                let (kind, config) = backend(settings)
                    .map_err(|what| wrong(format!("backend `{}`: {what}", name.escape_debug())))?;
                backends.insert(name, Entry { origin: origin.to_owned(), kind, config });
            }
        }
        Ok(Self { origin: origin.to_owned(), backends })
    }

    /// With another backend, or another one of that name; messages say that it comes from `origin`.
    #[must_use]
    pub fn with(mut self, name: &str, origin: &str, kind: &str, config: Config) -> Self {
        let entry = Entry { origin: origin.to_owned(), kind: kind.to_owned(), config };
        self.backends.insert(name.to_owned(), entry);
        self
    }

    /// The names and the kinds, sorted by name.
    pub fn backends(&self) -> impl Iterator<Item = (&str, &str)> {
        self.backends.iter().map(|(name, entry)| (name.as_str(), entry.kind.as_str()))
    }

    /// The settings of a backend as they are written, without its kind.
    #[must_use]
    pub fn config(&self, name: &str) -> Option<&Config> {
        self.backends.get(name).map(|entry| &entry.config)
    }

    /// The settings of a backend, if there is one, with what stands for something else filled in.
    pub(crate) fn expanded(&self, name: &str) -> Option<Result<Config>> {
        let Entry { kind, config, .. } = self.backends.get(name)?;
        let mut config = config.clone();
        if kind != "file" {
            return Some(Ok(config));
        }
        Some(match config.take::<String>("root") {
            Ok(Some(root)) => {
                let root = expand::expand(&root, |variable| env::var(variable).ok()).map_err(|what| {
                    Error::new(ErrorCode::InvalidArgument, format!("the setting `root`: {what}"))
                });
                root.map(|root| config.with("root", root))
            }
            Ok(None) => Ok(config),
            Err(error) => Err(error),
        })
    }

    /// Opens a backend.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownBackend`] if there is none of that name; [`ErrorCode::InvalidArgument`] if its root names a
    /// variable that is not set; as [`Registry::open`].
    pub fn open(&self, name: &str, registry: &Registry) -> Result<Arc<dyn Backend>> {
        let (Some(Entry { origin, kind, .. }), Some(config)) = (self.backends.get(name), self.expanded(name))
        else {
            let message = format!("there is no backend `{}` in `{}`", name.escape_debug(), self.origin);
            return Err(Error::new(ErrorCode::UnknownBackend, message));
        };
        let explain = |error: Error| {
            let message = format!("`{origin}`, backend `{}`: {error}", name.escape_debug());
            Error::new(error.code(), message)
        };
        config.and_then(|config| registry.open(kind, config)).map_err(explain)
    }
}

/// The kind and the settings of a backend; what is wrong with them otherwise.
fn backend(settings: Table) -> Result<(String, Config), String> {
    let mut config = Config::new();
    let mut kind = None;
    for (key, value) in settings {
        match (key.as_str(), value) {
            ("kind", value) => kind = Some(scalar("kind", value)?),
            (_, Value::Table(table)) => {
                for (inner, value) in table {
                    let key = format!("{key}.{inner}");
                    let value = scalar(&key, value)?;
                    config = config.with(key, value);
                }
            }
            (_, value) => {
                let value = scalar(&key, value)?;
                config = config.with(key, value);
            }
        }
    }
    let kind = kind.ok_or("the setting `kind` is missing")?;
    Ok((kind, config))
}

fn scalar(key: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Boolean(truth) => Ok(truth.to_string()),
        Value::Integer(number) => Ok(number.to_string()),
        _ => Err(format!("the setting `{}` must be a string, a number or true or false", key.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let parsed = Configuration::parse("c.toml", text);
        let opened = parsed.and_then(|configuration| configuration.open("a", &Registry::with_builtin()));
        opened.unwrap_err().message().to_owned()
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, parts) in [
            ("[backends.b]\nkind = 'memory'", vec!["no backend `a`", "c.toml"]),
            ("[backends.a]\nroot = 'x'", vec!["backend `a`", "`kind` is missing"]),
            ("[backends.a]\nkind = 'memory'\nrot = 'x'", vec!["backend `a`", "`rot`"]),
            ("[backends.a]\nkind = 's4'", vec!["backend `a`", "`s4`"]),
            ("[backends.a]\nkind = 'memory'\nx = [1]", vec!["backend `a`", "`x`"]),
            ("[backend.a]", vec!["c.toml", "`backend` is not known"]),
            ("[backends.a]\nkind = 'memory'\n= 1", vec!["line 3", "c.toml"]),
            ("[backends.a]\nkind = 'memory'\nretry.atempts = 3", vec!["backend `a`", "`retry.atempts`"]),
            ("[backends.a]\nkind = 'memory'\nretry = 3", vec!["backend `a`", "`retry`"]),
            ("[backends.a]\nkind = 'memory'\nretry.attempts = 0", vec!["backend `a`", "`retry.attempts`"]),
            ("[backends.a]\nkind = 'memory'\nretry.delay = '1 week'", vec!["`retry.delay`", "1h30m"]),
            ("[backends.a]\nkind = 'memory'\nprefix = '../b'", vec!["backend `a`", "`prefix`"]),
            (
                "[backends.a]\nkind = 'file'\nroot = '${NOT_SET_ANYWHERE}/x'",
                vec!["backend `a`", "`root`", "`NOT_SET_ANYWHERE`"],
            ),
            ("[backends.a]\nkind = 'memory'\nread_only = 'yes'", vec!["backend `a`", "`read_only`"]),
            ("[backends.a]\nkind = 'memory'\nlimit = { x = { y = 1 } }", vec!["backend `a`", "`limit.x`"]),
            ("[backends.a]\nkind = 'memory'\nfault.error = 'timeout'", vec!["`fault.every`"]),
        ] {
            let message = refused(text);
            assert!(parts.iter().all(|part| message.contains(part)), "{text}: {message}");
        }
    }

    #[test]
    fn a_secret_is_never_repeated() {
        for text in ["key = 'hush", "key = 'hush'", "prefix = '/hush'", "retry.delay = 'hush'"] {
            let message = refused(&format!("[backends.a]\nkind = 'memory'\n{text}"));
            assert!(!message.contains("hush"), "{message}");
        }
        let shown = Configuration::parse("c", "[backends.a]\nkind = 'memory'\nkey = 'hush'").unwrap();
        assert!(!format!("{shown:?}").contains("hush"));
    }
}
