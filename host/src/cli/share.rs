//! `--cluster`: shares a run among the workers of a cluster.

#[cfg(not(target_family = "wasm"))]
mod options;

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::options::{ClusterOptions, Sharing, connect, failed};

/// A component has no cluster.
#[cfg(target_family = "wasm")]
#[derive(clap::Args)]
pub(crate) struct ClusterOptions {}

#[cfg(target_family = "wasm")]
impl ClusterOptions {
    pub(crate) const fn sharing(&self) -> Option<Sharing<'_>> {
        None
    }
}

#[cfg(target_family = "wasm")]
#[derive(Clone, Copy)]
pub(crate) enum Sharing<'a> {
    #[allow(dead_code, reason = "there is none")]
    Never(std::convert::Infallible, std::marker::PhantomData<&'a ()>),
}
