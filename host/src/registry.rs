//! Backends by name: which kinds there are, and how to open one from its configuration.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    Error, ErrorCode, Result,
    backend::Backend,
    config::{Config, environment},
    wrappers::Wrappers,
};

type Factory = Arc<dyn Fn(Config) -> Result<Arc<dyn Backend>> + Send + Sync>;

/// Kinds of backends and how to open them.
///
/// ```
/// use omnistorage::{Config, Registry};
///
/// let registry = Registry::with_builtin();
/// assert!(registry.is_registered("memory"));
/// let backend = registry.open("memory", Config::new())?;
/// assert_eq!(backend.kind(), "memory");
/// # Ok::<(), omnistorage::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<String, Factory>);

impl Registry {
    /// Knows no kind.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows the kinds of this crate.
    #[must_use]
    pub fn with_builtin() -> Self {
        let mut registry = Self::new();
        #[cfg(feature = "azblob")]
        registry.insert("azblob", |config| Ok(Arc::new(crate::AzblobBackend::from_config(config)?)));
        #[cfg(unix)]
        registry.insert("file", |config| Ok(Arc::new(crate::FileBackend::from_config(config)?)));
        registry.insert("channel", |config| Ok(Arc::new(crate::ChannelBackend::from_config(config)?)));
        #[cfg(feature = "gcs")]
        registry.insert("gcs", |config| Ok(Arc::new(crate::GcsBackend::from_config(config)?)));
        #[cfg(feature = "http")]
        registry.insert("http", |config| Ok(Arc::new(crate::HttpBackend::from_config(config)?)));
        registry.insert("memory", |config| Ok(Arc::new(crate::MemoryBackend::from_config(config)?)));
        #[cfg(feature = "opendal")]
        registry.insert("opendal", |config| Ok(Arc::new(crate::OpendalBackend::from_config(config)?)));
        #[cfg(feature = "s3")]
        registry.insert("s3", |config| Ok(Arc::new(crate::S3Backend::from_config(config)?)));
        #[cfg(feature = "sftp")]
        registry.insert("sftp", |config| Ok(Arc::new(crate::SftpBackend::from_config(config)?)));
        #[cfg(feature = "webdav")]
        registry.insert("webdav", |config| Ok(Arc::new(crate::OpendalBackend::webdav(config)?)));
        registry
    }

    /// Makes a kind known.
    ///
    /// # Errors
    /// [`ErrorCode::AlreadyExists`] if the name is taken.
    pub fn register(
        &mut self,
        name: &str,
        factory: impl Fn(Config) -> Result<Arc<dyn Backend>> + Send + Sync + 'static,
    ) -> Result<()> {
        if self.is_registered(name) {
            return Err(Error::new(
                ErrorCode::AlreadyExists,
                format!("a backend `{name}` is already registered"),
            ));
        }
        self.insert(name, factory);
        Ok(())
    }

    fn insert(
        &mut self,
        name: &str,
        factory: impl Fn(Config) -> Result<Arc<dyn Backend>> + Send + Sync + 'static,
    ) {
        self.0.insert(name.to_owned(), Arc::new(factory));
    }

    /// Forgets a kind; says whether it was there.
    pub fn unregister(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// Whether there is such a kind.
    #[must_use]
    pub fn is_registered(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The kinds, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Opens a backend of a kind. Every kind has, beside its own settings, those of what is put around it:
    ///
    /// | setting | means |
    /// |---|---|
    /// | `prefix` | a path: only what is [below it](crate::backend::prefix) is there, as if it were all |
    /// | `read_only` | `true`: [no changes](crate::backend::read_only) |
    /// | `retry.attempts`, `retry.delay`, `retry.max_delay` | [repeat](crate::backend::retry) what fails and may pass; default of each with any of them: 5, `200ms`, `30s`, which is also what `s3` and `gcs` do without them |
    /// | `limit.concurrency`, `limit.calls_per_second`, `limit.bytes_per_second` | [hold back](crate::backend::limit) what is more |
    /// | `observe` | `true`: [tell](crate::backend::observe) `tracing` of every call |
    /// | `fault.every`, `fault.error` | for tests: let one of so many calls [fail](crate::backend::fault) with that error code, by default `unavailable` |
    ///
    /// # Errors
    /// [`ErrorCode::UnknownBackend`]; [`ErrorCode::InvalidArgument`] naming the key that is missing, unknown or
    /// malformed; what the backend itself finds wrong.
    pub fn open(&self, name: &str, mut config: Config) -> Result<Arc<dyn Backend>> {
        let factory = self.0.get(name).ok_or_else(|| {
            let known: Vec<_> = self.names().collect();
            Error::new(
                ErrorCode::UnknownBackend,
                format!("there is no backend `{}`; known: {}", name.escape_debug(), known.join(", ")),
            )
        })?;
        let wrappers = Wrappers::take(&mut config)?;
        let backend = factory(config.retried(wrappers.retry()))?;
        Ok(wrappers.around(backend))
    }

    /// Opens the backend that the environment describes: `STORAGE_BACKEND` is the kind, and
    /// [`OMNISTORAGE_<KIND>_<SETTING>`](Config::from_variables) its settings.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if `STORAGE_BACKEND` is not set; as [`Registry::open`].
    pub fn open_from_environment(&self) -> Result<Arc<dyn Backend>> {
        self.open_from_variables(environment())
    }

    /// The same for variables given as pairs of names and values.
    ///
    /// # Errors
    /// As [`Registry::open_from_environment`].
    pub fn open_from_variables(
        &self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Arc<dyn Backend>> {
        let variables: Vec<_> = variables.into_iter().collect();
        let kind = variables.iter().find(|(name, value)| name == KIND_VARIABLE && !value.is_empty());
        let (_, kind) = kind.ok_or_else(|| {
            let known: Vec<_> = self.names().collect();
            let message = format!(
                "the environment names no backend: set {KIND_VARIABLE} to one of {}",
                known.join(", ")
            );
            Error::new(ErrorCode::InvalidArgument, message)
        })?;
        let config = Config::from_variables(kind, variables.iter().cloned());
        self.open(kind, config).map_err(|error| error.with_note("it is described by the environment"))
    }
}

/// Which kind of backend the environment describes.
pub(crate) const KIND_VARIABLE: &str = "STORAGE_BACKEND";

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_and_keys_are_named() {
        let registry = Registry::with_builtin();
        let error = registry.open("s4", Config::new()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownBackend);
        assert!(error.message().contains("`s4`"), "{error}");
        let error = registry.open("memory", Config::from([("rot", "x")])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains("`rot`"), "{error}");
    }

    #[test]
    fn a_name_is_registered_once() {
        let mut registry = Registry::with_builtin();
        let factory = |config| Ok(Arc::new(crate::MemoryBackend::from_config(config)?) as Arc<dyn Backend>);
        assert_eq!(registry.register("memory", factory).unwrap_err().code(), ErrorCode::AlreadyExists);
        registry.register("other", factory).unwrap();
        assert!(registry.unregister("other") && !registry.unregister("other"));
    }
}
