//! Reads what a message holds, and no more than it holds.

use bytes::{Buf, Bytes};

/// A message that is not as the protocol has it, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// Reads the fields of a message.
#[derive(Debug)]
pub(super) struct Cursor(Bytes);

impl Cursor {
    pub(super) fn new(message: Bytes) -> Self {
        Self(message)
    }

    pub(super) fn rest(&self) -> &Bytes {
        &self.0
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.0.try_get_u8().map_err(|_| CUT)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.0.try_get_u32().map_err(|_| CUT)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.0.try_get_u64().map_err(|_| CUT)
    }

    pub(super) fn string(&mut self) -> Result<Bytes, Malformed> {
        let len = usize::try_from(self.u32()?).map_err(|_| CUT)?;
        if len > self.0.len() { Err(CUT) } else { Ok(self.0.split_to(len)) }
    }
}

const CUT: Malformed = Malformed("a message that is shorter than what it holds");
