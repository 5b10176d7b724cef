//! Objects in a container of the host's blobstore: the draft 0.2.0 of `wasi:blobstore`, as wasmCloud has it.
//!
//! - **Whole or absent.** Bytes go to an object of a hidden name beside that of the target; once it is there and of the
//!   right size, the host moves it into place. A host that is killed may leave such an object. Listings hide it, and
//!   [`sweep`](omnistorage::Backend::sweep) removes it by the time in its name. That nobody sees less than the whole rests
//!   on the host's `move-object`.
//! - **Names** are all that the host lists, in any order, those of the whole container; they are sorted here, and the size
//!   of each is asked for when it is handed out.
//! - **Not there:** modification times (nobody says in what `created-at` counts), content types, metadata, etags and
//!   conditions.
//! - **Calls wait for each other**: the interface knows no other way, so an instance of the component does one at a time.

mod backend;
mod container;
mod copy;
mod failure;
mod listing;
mod names;
mod read;
mod sweep;
mod upload;

use std::sync::Arc;

use omnistorage::{Backend, Config, Registry, Result};

use self::{backend::BlobstoreBackend, container::Container};

/// What `wit-bindgen` makes of what the host gives.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({ world: "blobstore", path: "wit", generate_all });
}

const KIND: &str = "blobstore";

pub(super) fn register(kinds: &mut Registry) -> Result<()> {
    kinds.register(KIND, open)
}

/// Takes `container`, its name, and `create`: whether to make one that is not there.
fn open(mut config: Config) -> Result<Arc<dyn Backend>> {
    let name: String = config.require("container")?;
    let create = config.take("create")?.unwrap_or(false);
    config.finish(KIND)?;
    Ok(Arc::new(BlobstoreBackend::new(Container::open(&name, create)?)))
}
