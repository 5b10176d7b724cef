//! A wrapper keeps the promises of the backend inside it.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use omnistorage::{
    Backend, Error, ErrorCode, MemoryBackend, Path,
    backend::{
        fault::{Fault, Faults},
        layer::{Layer, Layered, Operation},
        limit::{Limit, LimitOptions},
        observe::Observe,
        prefix::Prefix,
        retry::{Retry, RetryOptions},
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

mod prefix {
    use super::*;

    /// With neighbours, which nobody must see.
    #[allow(clippy::unwrap_used, reason = "without the neighbours there is less to test")]
    async fn tenant() -> (Arc<dyn Backend>, ()) {
        let inner = memory();
        for neighbour in ["other", "tenant10/a", "tenan/a", "tenant-1"] {
            let path = Path::parse(neighbour).unwrap();
            inner.write_all(&path, "x".into(), &Default::default()).await.unwrap();
        }
        (Arc::new(Prefix::new(inner, Path::parse("tenant1/data").unwrap())), ())
    }

    omnistorage_conformance::conformance_tests!(tenant);
}

mod retry {
    use super::*;

    /// Every fifth call that may be repeated fails at first. Bodies are left alone: one that breaks off while its object
    /// is replaced has no end.
    fn unsteady() -> (Arc<dyn Backend>, ()) {
        let fault = Fault::Error(Error::new(ErrorCode::Unavailable, "the store is busy"));
        let faults = Faults::new(move |number, call| {
            use Operation as Of;
            let may_be_repeated = matches!(
                call.operation,
                Of::Read
                    | Of::ReadAll
                    | Of::Write
                    | Of::Exists
                    | Of::Stat
                    | Of::List
                    | Of::ListNext
                    | Of::Delete
                    | Of::SetModified
                    | Of::Hash
            );
            (number % 5 == 0 && may_be_repeated).then(|| fault.clone())
        });
        let quick = RetryOptions { delay: Duration::from_micros(1), ..RetryOptions::default() };
        (Arc::new(Retry::new(Arc::new(Layered::new(memory(), faults)), quick)), ())
    }

    omnistorage_conformance::conformance_tests!(async || unsteady());
}
