//! The S3 backend survives what breaks between it and its store.

#![allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use omnistorage::{Backend, Config, Path, S3Backend};
use omnistorage_test_servers::{Proxy, Server, faults::Store};

const PART: usize = 5 << 20;

fn store(server: &Server, settings: impl Fn(Config) -> Config, verifies: bool) -> Store {
    let proxy = Proxy::before(&server.endpoint);
    let config =
        settings(server.config().with("part_size", PART.to_string()).with("copy_limit", PART.to_string()));
    let open = |config| Arc::new(S3Backend::from_config(config).unwrap());
    let straight = open(config.clone());
    let through = open(config.with("endpoint", &proxy.endpoint));
    let sweeper = Arc::clone(&straight);
    let debris = move || {
        let sweeper = Arc::clone(&sweeper);
        async move { sweeper.sweep(&Path::root(), Duration::ZERO).await.unwrap() }.boxed()
    };
    Store { proxy, through, straight, debris: Box::new(debris), part: PART, verifies }
}

/// What a failure leaves is not counted and not removed: it is what the next write has to go on with.
fn resuming(server: &Server, settings: impl Fn(Config) -> Config, verifies: bool) -> Store {
    let store = store(server, |config| settings(config).with("resume", "true"), verifies);
    Store { debris: Box::new(|| async { 0 }.boxed()), ..store }
}

mod moto {
    fn store() -> omnistorage_test_servers::faults::Store {
        super::store(omnistorage_test_servers::moto(), |config| config, false)
    }

    omnistorage_test_servers::fault_tests!(store);

    mod resumed {
        fn store() -> omnistorage_test_servers::faults::Store {
            super::super::resuming(omnistorage_test_servers::moto(), |config| config, false)
        }

        omnistorage_test_servers::fault_tests!(@ store, large_over_small large_if_absent large_given_up);
    }
}

mod weed {
    fn store() -> omnistorage_test_servers::faults::Store {
        super::store(omnistorage_test_servers::weed(), |config| config.with("sorted_list", "false"), true)
    }

    omnistorage_test_servers::fault_tests!(store);

    mod resumed {
        fn store() -> omnistorage_test_servers::faults::Store {
            let settings = |config: omnistorage::Config| config.with("sorted_list", "false");
            super::super::resuming(omnistorage_test_servers::weed(), settings, true)
        }

        omnistorage_test_servers::fault_tests!(@ store, large_over_small large_if_absent large_given_up);
    }
}
