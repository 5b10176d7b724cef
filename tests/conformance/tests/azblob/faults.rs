//! The backend survives what breaks between it and its store.

use std::sync::Arc;

use futures::FutureExt;
use omnistorage::AzblobBackend;
use omnistorage_test_servers::{Proxy, azurite, faults::Store};

const PART: usize = 1 << 20;

fn store() -> Store {
    let server = azurite();
    let (host, account) = server.endpoint.rsplit_once('/').unwrap();
    let proxy = Proxy::before(host);
    let config = server.config().with("part_size", PART.to_string());
    let open = |config| Arc::new(AzblobBackend::from_config(config).unwrap());
    let straight = open(config.clone());
    let through = open(config.with("endpoint", format!("{}/{account}", proxy.endpoint)));
    // Blocks that no object has are forgotten by the service.
    let debris = Box::new(|| async { 0 }.boxed());
    Store { proxy, through, straight, debris, part: PART, verifies: true }
}

// An upload that is given up at once has sent nothing that could break.
omnistorage_test_servers::fault_tests!(@ store,
    small_over_small small_if_absent small_if_match large_over_small large_if_absent
    read_small read_range read_large stat list delete_many delete_one purge copy_many copy_large set_modified
);
