//! Errors that an application makes itself.

use crate::types::{Error, ErrorCode};

impl Error {
    /// An error of an application's own, as for a body that it cannot go on with.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, at: None, offset: None, message, retry_after_ms: None, given_up: false }
    }
}
