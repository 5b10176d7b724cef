//! The memory backend keeps its promises.

use std::sync::Arc;

use omnistorage::{Backend, MemoryBackend};

async fn memory() -> (Arc<dyn Backend>, ()) {
    (Arc::new(MemoryBackend::new()), ())
}

omnistorage_conformance::conformance_tests!(memory);
