//! Google Cloud Storage as far as the backend speaks to it, in memory: for what fake-gcs-server does not do.
//!
//! Conditions hold on every way to write, uploads are resumed and kept in part, copies take several steps, listings and
//! answers have the fields that were asked for and no others, batches are answered out of order, objects that are packed
//! are unpacked for whoever does not say that he can do it himself, and tokens are given and asked for. What is known of
//! the behaviour of the real store is from its documentation.
//!
//! Faults are ordered, one by one: [`Gcs::order`].

mod batch;
mod error;
mod fault;
mod fields;
mod listing;
mod media;
mod multipart;
mod object;
mod request;
mod resumable;
mod rewrite;
mod server;
mod store;
mod token;
mod upload;

use std::sync::{Arc, Mutex, OnceLock};

use omnistorage::Config;

pub use self::fault::Fault;
use self::{fault::Order, server::Shared, store::Store};
use crate::{BUCKET, OTHER_BUCKET, unused_prefix};

/// The token that is always good.
pub const ACCESS_TOKEN: &str = "token-of-the-tests";
/// The refresh token that is always good.
pub const REFRESH_TOKEN: &str = "refresh-token-of-the-tests";

/// A store that runs, as long as the process.
#[derive(Debug)]
pub struct Gcs {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    shared: Arc<Mutex<Shared>>,
}

impl Gcs {
    /// With two empty buckets, for whoever asks.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Shared::new(Store::new(&[BUCKET, OTHER_BUCKET]), false))
    }

    /// The same for those with a token.
    #[must_use]
    pub fn with_tokens() -> Self {
        Self::with(Shared::new(Store::new(&[BUCKET, OTHER_BUCKET]), true))
    }

    fn with(shared: Shared) -> Self {
        let shared = Arc::new(Mutex::new(shared));
        Self { endpoint: server::start(Arc::clone(&shared)), shared }
    }

    /// The settings of a backend, below a prefix that nobody else uses.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config_below(&unused_prefix())
    }

    /// The settings of a backend, below that prefix.
    #[must_use]
    pub fn config_below(&self, prefix: &str) -> Config {
        config(&self.endpoint, prefix)
    }

    /// Lets the next requests fail, so many of them, whose method and path, as in `POST /upload/storage`, hold a text.
    pub fn order(&self, matching: &str, times: usize, fault: Fault) {
        let order = Order { matching: matching.to_owned(), times, fault };
        self.shared.lock().unwrap().orders.push(order);
    }

    /// Forgets the faults that were ordered and did not come.
    pub fn clear_orders(&self) {
        self.shared.lock().unwrap().orders.clear();
    }

    /// The methods and paths of the requests since the last call.
    #[must_use]
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unwrap().requests)
    }

    /// How many uploads are open.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.shared.lock().unwrap().store.open_uploads()
    }

    /// Puts bytes in a bucket behind everybody's back, with a description: `{"contentEncoding": "gzip"}`.
    pub fn put(&self, key: &str, contents: &[u8], description: &serde_json::Value) {
        self.shared.lock().unwrap().store.put(BUCKET, key, contents, description);
    }

    /// Takes back all tokens that were given but for [`ACCESS_TOKEN`].
    pub fn expire_tokens(&self) {
        self.shared.lock().unwrap().tokens.expire();
    }
}

/// The store that asks nobody for a token.
pub fn gcs() -> &'static Gcs {
    static STORE: OnceLock<Gcs> = OnceLock::new();
    STORE.get_or_init(Gcs::start)
}

/// The settings of a backend without credentials.
pub(crate) fn config(endpoint: &str, prefix: &str) -> Config {
    Config::from([("bucket", BUCKET), ("prefix", prefix), ("endpoint", endpoint), ("anonymous", "true")])
}
