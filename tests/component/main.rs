//! The component in its host: what an embedder relies on.

mod objects;
mod setup;
mod sync;
