//! Objects in the memory of the component, which last as long as its instance.

use std::sync::Arc;

use omnistorage::{Config, MemoryBackend, Registry, Result};

const KIND: &str = "memory";

pub(super) fn register(kinds: &mut Registry) -> Result<()> {
    kinds.register(KIND, |config| Ok(Arc::new(MemoryBackend::from_config(config)?)))
}

/// One, which has the name of its kind.
pub(super) fn by_themselves() -> [(String, (String, Config)); 1] {
    [(KIND.to_owned(), (KIND.to_owned(), Config::new()))]
}
