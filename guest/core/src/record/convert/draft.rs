//! A record of the target while it is put together.

use std::io;

use super::json::plain_bytes;
use crate::record::{RecordError, RecordOptions, append::append};

/// Behind the records before it, and no longer than a record may be.
pub(super) struct Draft<'a> {
    pub(super) bytes: &'a mut Vec<u8>,
    start: usize,
    options: RecordOptions,
    number: u64,
}

impl<'a> Draft<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>, options: RecordOptions, number: u64) -> Self {
        Self { start: bytes.len(), bytes, options, number }
    }

    /// Whether there is nothing of it yet.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == self.start
    }

    /// Whether it may still be written.
    ///
    /// # Errors
    /// [`RecordErrorKind::LimitExceeded`](crate::record::RecordErrorKind::LimitExceeded).
    #[inline]
    pub(super) fn check(&self) -> Result<(), RecordError> {
        self.options.check_length(self.bytes.len() - self.start, self.number)
    }

    /// Appends a JSON string.
    ///
    /// # Errors
    /// Text that is not UTF-8; as [`check`](Self::check), before it takes up much more memory than that.
    #[inline]
    pub(super) fn json_string(&mut self, text: &[u8]) -> Result<(), NoText> {
        let mut is_ascii = true;
        if plain_bytes(text, &mut is_ascii) == text.len() && is_ascii {
            self.bytes.push(b'"');
            append(self.bytes, text);
            self.bytes.push(b'"');
            return Ok(());
        }
        self.escaped(text)
    }

    /// The same for text that is not plain: apart from the [hot loop](crate::codec).
    #[inline(never)]
    fn escaped(&mut self, text: &[u8]) -> Result<(), NoText> {
        let text =
            std::str::from_utf8(text).map_err(|error| NoText::Unicode { byte: error.valid_up_to() + 1 })?;
        serde_json::to_writer(&mut *self, text).map_err(|_| NoText::Limit(self.options.too_long(self.number)))
    }
}

/// Why there is no JSON text of a value.
pub(super) enum NoText {
    Unicode { byte: usize },
    Limit(RecordError),
}

/// Fails once the record is too long.
impl io::Write for Draft<'_> {
    #[inline]
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        append(self.bytes, part);
        self.check().map_err(io::Error::other)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
