//! What the sandboxes of one job have in common, if it has several: one account of what they ask of their backends, and one
//! limit of bandwidth.

use std::{
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

use super::activity::Activity;
use crate::backend::limit::{Limit, LimitOptions};

/// Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Common {
    pub(super) activity: Activity,
    bandwidth: Arc<Mutex<Option<Bandwidth>>>,
}

/// The rate that was asked for last, and what holds all to it.
#[derive(Debug)]
struct Bandwidth {
    bytes_per_second: NonZeroU64,
    limit: Arc<Limit>,
}

impl Common {
    /// What holds all that ask for this rate to it together.
    pub(super) fn limit(&self, bytes_per_second: NonZeroU64) -> Arc<Limit> {
        let mut bandwidth = self.bandwidth.lock().unwrap_or_else(PoisonError::into_inner);
        match &*bandwidth {
            Some(known) if known.bytes_per_second == bytes_per_second => Arc::clone(&known.limit),
            _ => {
                let options =
                    LimitOptions { bytes_per_second: Some(bytes_per_second), ..LimitOptions::default() };
                let limit = Arc::new(Limit::new(options));
                *bandwidth = Some(Bandwidth { bytes_per_second, limit: Arc::clone(&limit) });
                limit
            }
        }
    }
}
