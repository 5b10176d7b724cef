//! What a component that uses omnistorage depends on: an application, a plugin, a function.
//!
//! The interfaces of the WIT world `application` are modules here: [`objects`], [`records`], [`compression`], [`sync`],
//! [`bisync`], [`multi`], and [`backend`] for storage itself. A component imports those that it calls, and no others.
//!
//! ```no_run
//! use omnistorage_application::{Body, Error, ReadOptions, WriteOptions, objects};
//!
//! async fn double() -> Result<(), Error> {
//!     let opened = objects::read("data/once.txt".into(), ReadOptions::default(), None).await?;
//!     let text = opened.contents.read_to_end(1 << 20).await?;
//!     objects::write("data/twice.txt".into(), Body::from(text.repeat(2)), WriteOptions::default(), None).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Bodies
//!
//! A [`Body`] is a stream and a completion, the word whether the end of the stream was the true end. A stream that was
//! cut off ends as well as any other: only the completion tells. What reads a body here, [`Body::read_to_end`] and
//! [`Checked`], reads the completion too.
//!
//! A body that came from the library may go back into it, from [`objects::read`] into [`objects::write`], only through
//! [`Body::relay`]: a component must not read a completion that it wrote itself, and the library, which may have written
//! it, cannot tell that it came back. Without it the program traps, or works with one backend and traps with another.
//!
//! A body that was made here is for others to read. To read it here is the same trap.
//!
//! # Beside bindings of your own
//!
//! The types of streams and futures are those of `wit-bindgen`, so a body of `wasi:http` by the crate `wasip3` can go into
//! storage as it is: [`Body::new`]. What feeds a body runs in the background, which needs an exported function that is
//! `async func` in WIT. For a world of your own that uses our types, tell your generator where they are:
//!
//! ```text
//! wit_bindgen::generate!({
//!     world: "plugin",
//!     with: {
//!         "omnistorage:storage/types@0.1.0": omnistorage_application::types,
//!         "omnistorage:storage/compression@0.1.0": omnistorage_application::compression,
//!         "omnistorage:storage/filters@0.1.0": omnistorage_application::filters,
//!         "omnistorage:storage/objects@0.1.0": omnistorage_application::objects,
//!     },
//! });
//! ```
//!
//! Export functions with such types in an interface: what a world exports by itself has its types as imports of their own,
//! and those cannot be composed.

#![warn(clippy::disallowed_methods)]

mod body;
mod checked;
mod defaults;
mod error;
mod location;

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    // A suffix keeps the description of this world apart from one of the same name in the component.
    wit_bindgen::generate!({
        world: "application",
        path: "wit",
        generate_all,
        type_section_suffix: "omnistorage-application-0.1.0",
    });
}

#[doc(no_inline)]
pub use bindings::omnistorage::storage::{
    backend::{ObjectReader, ReadOptions, WriteOptions},
    compression::Body,
    types::{Error, ErrorCode, ListOptions, Location},
};
pub use bindings::{
    omnistorage::storage::{backend, bisync, compression, filters, multi, objects, records, sync, types},
    wit_future, wit_stream,
};
pub use checked::Checked;
/// The runtime of the bindings, of the version that they need.
pub use wit_bindgen;
