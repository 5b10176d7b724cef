//! The component `omnistorage:storage` as it ships: `omnistorage-bindings`, which exports its interfaces, and nothing else.
//!
//! It is a crate of its own because the last crate of a build decides how the whole program is optimised when it is
//! linked, whatever the others asked for: this one asks for speed, so that the loops of the codecs use vectors, and the
//! engine can ask for small code.

extern crate omnistorage_bindings as _;
