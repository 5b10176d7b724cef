//! How to use omnistorage. Each example is a program of its own, `cargo run -p omnistorage-examples --example NAME`,
//! and a test here.

/// The README: its code is compiled and run.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;

#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
#[path = "backend/main.rs"]
mod backend;
#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
mod component;
#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
#[path = "embed/main.rs"]
mod embed;
#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
mod mirror;
#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
#[path = "plugin-host/main.rs"]
mod plugin_host;
#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
mod records;
#[cfg(test)]
#[allow(dead_code, reason = "the examples have a `main` of their own")]
mod replicas;

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn backend() {
        super::backend::run().await.unwrap();
    }

    mod conformance {
        use std::sync::Arc;

        use omnistorage::Backend;

        use crate::backend::key_value::KeyValue;

        async fn key_value() -> (Arc<dyn Backend>, ()) {
            (Arc::new(KeyValue::new()), ())
        }

        omnistorage_conformance::conformance_tests!(key_value);
    }

    #[tokio::test]
    async fn embed() {
        super::embed::run(omnistorage_test_servers::weed().config()).await.unwrap();
    }

    #[tokio::test]
    async fn mirror() {
        super::mirror::run().await.unwrap();
    }

    #[tokio::test]
    async fn plugin_host() {
        super::plugin_host::run().await.unwrap();
    }

    #[tokio::test]
    async fn records() {
        super::records::run().await.unwrap();
    }

    #[tokio::test]
    async fn replicas() {
        super::replicas::run().await.unwrap();
    }

    #[tokio::test]
    async fn component() {
        super::component::run().await.unwrap();
    }
}
