//! What the extensions of a path say of its format and codec.

pub use omnistorage_types::{encoding_from_path, extension};
