//! TLS is rustls, with the cryptography of `ring`.

/// A client to be built, that can do TLS.
pub(crate) fn client() -> reqwest::ClientBuilder {
    // A program that installed another provider before keeps it: that serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}
