//! The configuration of a backend: strings by key, as they come from a file, the environment or code.

use std::{collections::BTreeMap, fmt::Display, str::FromStr, sync::Arc, time::Duration};

use crate::{Error, ErrorCode, Result, duration::parse_duration, retry_options::RetryOptions};

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
pub struct Config {
    settings: BTreeMap<String, String>,
    account: Option<Arc<dyn Account>>,
    #[cfg_attr(
        not(any(feature = "cloud", feature = "opendal")),
        expect(dead_code, reason = "no backend here tries again by itself")
    )]
    retry: Option<RetryOptions>,
}

/// Who pays for the bytes that a backend keeps in memory.
pub(crate) trait Account: Send + Sync {
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]
    fn take(&self, bytes: u64) -> Result<()>;

    fn give_back(&self, bytes: u64);
}

impl Config {
    /// Without any key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings of a kind from the environment of this process, in the way of [`Config::from_variables`].
    #[must_use]
    pub fn from_environment(kind: &str) -> Self {
        Self::from_variables(kind, environment())
    }

    /// From environment variables: `OMNISTORAGE_S3_BUCKET` is the setting `bucket` of the kind `s3`, and two underscores stand
    /// for a dot, so `OMNISTORAGE_S3_RETRY__ATTEMPTS` is `retry.attempts`. Empty variables count as not set.
    ///
    /// ```
    /// use omnistorage::Config;
    ///
    /// let variables = [("OMNISTORAGE_FILE_ROOT".to_owned(), "/srv/data".to_owned())];
    /// let mut config = Config::from_variables("file", variables);
    /// assert_eq!(config.take("root")?, Some("/srv/data".to_owned()));
    /// # Ok::<(), omnistorage::Error>(())
    /// ```
    pub fn from_variables(kind: &str, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let prefix = format!("OMNISTORAGE_{}_", kind.replace('-', "_").to_uppercase());
        let setting = |(name, value): (String, String)| {
            let key = name.strip_prefix(&prefix)?.to_lowercase().replace("__", ".");
            (!key.is_empty() && !value.is_empty()).then_some((key, value))
        };
        variables.into_iter().filter_map(setting).collect()
    }

    /// With another key, or another value for it.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// The keys, without their values, which may be secrets.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.keys().map(String::as_str)
    }

    /// Takes the value of a key, parsed.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming the key if the value is malformed. The value is not repeated: it may be
    /// a secret.
    pub fn take<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.settings.remove(key) else { return Ok(None) };
        value.parse().map(Some).map_err(|error| malformed(key, error))
    }

    /// Takes a duration: a number and a unit, as in `1s`, `100ms` or `1h30m`.
    ///
    /// # Errors
    /// As [`Config::take`].
    pub fn take_duration(&mut self, key: &str) -> Result<Option<Duration>> {
        let Some(text) = self.take::<String>(key)? else { return Ok(None) };
        parse_duration(&text).map(Some).map_err(|error| malformed(key, error))
    }

    /// Takes the value of a key that must be there.
    ///
    /// # Errors
    /// As [`Config::take`], and if the key is missing.
    pub fn require<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<T> {
        self.take(key)?
            .ok_or_else(|| Error::new(ErrorCode::InvalidArgument, format!("the setting `{key}` is missing")))
    }

    /// With who pays for what the backend keeps.
    #[cfg(feature = "runtime")]
    pub(crate) fn charged_to(self, account: Arc<dyn Account>) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Who pays for what the backend keeps; `None` if that is nobody's business.
    pub(crate) fn account(&self) -> Option<Arc<dyn Account>> {
        self.account.clone()
    }

    /// Whether a component wrote it, which pays for what it opens.
    #[cfg(feature = "sftp")]
    pub(crate) fn is_of_guest(&self) -> bool {
        self.account.is_some()
    }

    /// With how often to try again, for a backend that does so itself.
    pub(crate) fn retried(self, retry: Option<RetryOptions>) -> Self {
        Self { retry, ..self }
    }

    /// How often to try again; `None` if nobody says so.
    #[cfg(any(feature = "cloud", feature = "opendal"))]
    pub(crate) fn retry(&self) -> Option<RetryOptions> {
        self.retry
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] naming a key that nobody took.
    pub fn finish(self, kind: &str) -> Result<()> {
        match self.settings.into_keys().next() {
            None => Ok(()),
            Some(key) => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("the {kind} backend has no setting `{}`", key.escape_debug()),
            )),
        }
    }
}

/// The variables of this process; those that are not UTF-8 are none of ours.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn malformed(key: &str, error: impl Display) -> Error {
    Error::new(ErrorCode::InvalidArgument, format!("the setting `{key}` is malformed: {error}"))
}

impl std::fmt::Debug for Config {
    /// The keys alone: a value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.settings.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let settings = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { settings, account: None, retry: None }
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Config {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}
