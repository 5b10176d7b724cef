//! The configuration of a backend: strings by key, as they come from a file, the environment or code.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use crate::error::{Error, ErrorCode, Result};

/// Strings by key. A factory takes the keys that it knows; [`Config::finish`] then refuses those that are left, so
/// that a mistyped key is an error and never silence.
///
/// ```
/// use omnistorage::Config;
///
/// let mut config = Config::from([("root", "/srv/data"), ("fsnyc", "true")]);
/// let root: String = config.require("root")?;
/// let fsync: bool = config.take("fsync")?.unwrap_or(false);
/// let error = config.finish("file").unwrap_err();
/// assert_eq!(error.message(), "the file backend has no setting `fsnyc`");
/// # assert_eq!((root.as_str(), fsync), ("/srv/data", false));
/// # Ok::<(), omnistorage::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Config(BTreeMap<String, String>);

impl Config {
    /// Without any key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With another key, or another value for it.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// Takes the value of a key, parsed.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the key if the value is malformed. The value is not repeated: it may be
    /// a secret.
    pub fn take<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        value.parse().map(Some).map_err(|error| {
            Error::new(ErrorCode::InvalidArgument, format!("the setting `{key}` is malformed: {error}"))
        })
    }

    /// Takes the value of a key that must be there.
    ///
    /// # Errors
    /// As [`Config::take`], and if the key is missing.
    pub fn require<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<T> {
        self.take(key)?
            .ok_or_else(|| Error::new(ErrorCode::InvalidArgument, format!("the setting `{key}` is missing")))
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming a key that nobody took.
    pub fn finish(self, kind: &str) -> Result<()> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(key) => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("the {kind} backend has no setting `{}`", key.escape_debug()),
            )),
        }
    }
}

impl std::fmt::Debug for Config {
    /// The keys alone: a value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Config {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}
