//! Amazon S3, and what speaks its protocol. It needs a bucket, so the environment must describe it.

use std::sync::Arc;

use omnistorage::{Registry, Result, S3Backend};

pub(super) fn register(kinds: &mut Registry) -> Result<()> {
    kinds.register("s3", |config| Ok(Arc::new(S3Backend::from_config(config)?)))
}
