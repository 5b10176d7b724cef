//! How to use omnistorage. Each example is a program of its own, `cargo run -p omnistorage-examples --example NAME`,
//! and a test here.

/// The README: its code is compiled and run.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;

#[cfg(test)]
mod tests {
    #[allow(dead_code)]
    #[path = "component.rs"]
    mod component;
    #[allow(dead_code)]
    #[path = "mirror.rs"]
    mod mirror;
    #[allow(dead_code)]
    #[path = "records.rs"]
    mod records;

    #[tokio::test]
    async fn mirror() {
        mirror::run().await.unwrap();
    }

    #[tokio::test]
    async fn records() {
        records::run().await.unwrap();
    }

    #[tokio::test]
    async fn component() {
        component::run().await.unwrap();
    }
}
