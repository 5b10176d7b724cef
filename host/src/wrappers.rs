//! What can be put around a backend of any kind, from its configuration.

use std::{num::NonZeroU32, sync::Arc};

use omnistorage_types::Path;

use crate::{
    Error, ErrorCode, Result,
    backend::{
        Backend,
        fault::{Fault, Faults},
        layer::Layered,
        limit::{Limit, LimitOptions},
        observe::Observe,
        prefix::Prefix,
        read_only::ReadOnly,
        retry::{Retry, RetryOptions},
    },
    config::Config,
};

/// The settings of every kind, beside its own. [`Registry::open`](crate::Registry::open) documents them.
#[derive(Default)]
pub(crate) struct Wrappers {
    prefix: Path,
    read_only: bool,
    observe: bool,
    retry: Option<RetryOptions>,
    limit: LimitOptions,
    faults: Option<Faults>,
}

impl Wrappers {
    /// Takes their settings out of a configuration; the rest is for the backend. How often to try again is for both: a
    /// backend that speaks to a network does so around each request, and the decorator around what is left.
    pub(crate) fn take(config: &mut Config) -> Result<Self> {
        Ok(Self {
            prefix: config.take("prefix")?.unwrap_or_default(),
            read_only: config.take("read_only")?.unwrap_or_default(),
            observe: config.take("observe")?.unwrap_or_default(),
            retry: take_retry(config)?,
            limit: LimitOptions {
                concurrency: config.take("limit.concurrency")?,
                calls_per_second: config.take("limit.calls_per_second")?,
                bytes_per_second: config.take("limit.bytes_per_second")?,
            },
            faults: take_faults(config)?,
        })
    }

    /// How often to try again; `None` if nobody says so.
    pub(crate) fn retry(&self) -> Option<RetryOptions> {
        self.retry
    }

    /// Puts them around the backend, what is nearest to it first: each attempt of a retry keeps the limits, and who
    /// observes sees what callers see.
    pub(crate) fn around(self, mut backend: Arc<dyn Backend>) -> Arc<dyn Backend> {
        if let Some(faults) = self.faults {
            backend = Arc::new(Layered::new(backend, faults));
        }
        if self.limit != LimitOptions::default() {
            backend = Arc::new(Layered::new(backend, Limit::new(self.limit)));
        }
        if let Some(options) = self.retry {
            backend = Arc::new(Retry::new(backend, options));
        }
        if self.observe {
            backend = Arc::new(Layered::new(backend, Observe::default()));
        }
        if self.read_only {
            backend = Arc::new(Layered::new(backend, ReadOnly));
        }
        if !self.prefix.is_root() {
            backend = Arc::new(Prefix::new(backend, self.prefix));
        }
        backend
    }
}

fn take_retry(config: &mut Config) -> Result<Option<RetryOptions>> {
    let attempts = config.take::<NonZeroU32>("retry.attempts")?;
    let (delay, max_delay) = (config.take_duration("retry.delay")?, config.take_duration("retry.max_delay")?);
    if attempts.is_none() && delay.is_none() && max_delay.is_none() {
        return Ok(None);
    }
    let default = RetryOptions::default();
    Ok(Some(RetryOptions {
        attempts: attempts.unwrap_or(default.attempts),
        delay: delay.unwrap_or(default.delay),
        max_delay: max_delay.unwrap_or(default.max_delay),
    }))
}

fn take_faults(config: &mut Config) -> Result<Option<Faults>> {
    let every = config.take::<NonZeroU32>("fault.every")?;
    let code = config.take::<ErrorCode>("fault.error")?;
    match (every, code) {
        (None, None) => Ok(None),
        (Some(every), code) => {
            let code = code.unwrap_or(ErrorCode::Unavailable);
            let fault = Fault::Error(Error::new(code, "a fault on purpose, from the configuration"));
            let every = u64::from(every.get());
            Ok(Some(Faults::new(move |number, _| ((number + 1) % every == 0).then(|| fault.clone()))))
        }
        (None, Some(_)) => Err(Error::new(
            ErrorCode::InvalidArgument,
            "the setting `fault.error` needs `fault.every`, the number of calls of which one fails",
        )),
    }
}
