//! A wrapper keeps the promises of the backend inside it.

use std::{num::NonZeroU32, sync::Arc};

use omnistorage::{
    Backend, MemoryBackend,
    backend::{
        fault::Faults,
        layer::{Layer, Layered},
        limit::{Limit, LimitOptions},
        observe::Observe,
    },
};

fn memory() -> Arc<dyn Backend> {
    Arc::new(MemoryBackend::new())
}

fn layered(layer: impl Layer) -> (Arc<dyn Backend>, ()) {
    (Arc::new(Layered::new(memory(), layer)), ())
}

mod fault {
    use super::*;

    omnistorage_conformance::conformance_tests!(async || layered(Faults::none()));
}

mod limit {
    use super::*;

    fn narrow() -> Limit {
        Limit::new(LimitOptions { concurrency: NonZeroU32::new(2), ..LimitOptions::default() })
    }

    omnistorage_conformance::conformance_tests!(async || layered(narrow()));
}

mod observe {
    use super::*;

    omnistorage_conformance::conformance_tests!(async || layered(Observe::default()));
}
