//! Compression of bodies, on one core or several.

mod cores;
mod dictionary;

use super::{bindings::exports::omnistorage::storage::compression as wit, stream::Body};

impl From<Body> for wit::Body {
    fn from(Body { contents, completion }: Body) -> Self {
        Self { contents, completion }
    }
}
