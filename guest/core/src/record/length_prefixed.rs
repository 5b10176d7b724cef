//! Length-prefixed records: a length, then as many bytes.
//!
//! The stream is nothing but records, one after the other, without a header, padding or an end mark:
//!
//! ```text
//! stream = *record
//! record = length *OCTET        ; as many octets as the length says, also none
//! length = 4OCTET               ; unsigned, big-endian (`LengthPrefix::BigEndian`) or little-endian
//!        / 1*5OCTET             ; `LengthPrefix::Varint`: unsigned LEB128
//! ```
//!
//! LEB128 is seven bits an octet, the lowest first, and the high bit of an octet says that another follows: what
//! Protocol Buffers put before delimited messages. It is written in as few octets as it takes; reading also takes
//! longer forms, up to five octets and 32 bits.
//!
//! A length above [`RecordOptions::max_record`] ends the reading before a byte is reserved for it. A stream that ends
//! within a length or a record is [`RecordErrorKind::Truncated`].
//!
//! The record `hi` and an empty one are, in each form:
//!
//! ```
//! use omnistorage_core::record::{Batch, BatchError, Format, RecordOptions, length_prefixed::LengthPrefix, writer};
//!
//! let mut batch = Batch::new();
//! batch.push(b"hi")?;
//! batch.push(b"")?;
//! for (prefix, bytes) in [
//!     (LengthPrefix::BigEndian, &b"\0\0\0\x02hi\0\0\0\0"[..]),
//!     (LengthPrefix::LittleEndian, b"\x02\0\0\0hi\0\0\0\0"),
//!     (LengthPrefix::Varint, b"\x02hi\0"),
//! ] {
//!     let mut output = Vec::new();
//!     writer(&Format::LengthPrefixed(prefix), RecordOptions::default())?.write(&batch, &mut output)?;
//!     assert_eq!(output, bytes);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use omnistorage_types::LengthPrefix;

use super::{
    Batch, RecordError, RecordErrorKind, RecordOptions, RecordReader, RecordWriter, Validation, batch::Found,
};

/// The length at the start of the bytes, and how many bytes it takes; `None` if it does not end there.
fn read_length(prefix: LengthPrefix, bytes: &[u8]) -> Result<Option<(u32, usize)>, &'static str> {
    match prefix {
        LengthPrefix::BigEndian => read_four(u32::from_be_bytes)(bytes),
        LengthPrefix::LittleEndian => read_four(u32::from_le_bytes)(bytes),
        LengthPrefix::Varint => read_varint(bytes),
    }
}

fn write_length(prefix: LengthPrefix, length: u32, output: &mut Vec<u8>) {
    match prefix {
        LengthPrefix::BigEndian => output.extend_from_slice(&length.to_be_bytes()),
        LengthPrefix::LittleEndian => output.extend_from_slice(&length.to_le_bytes()),
        LengthPrefix::Varint => write_varint(length, output),
    }
}

/// Bytes of the longest length.
const LONGEST: usize = 5;

fn read_four(from: fn([u8; 4]) -> u32) -> impl Fn(&[u8]) -> Result<Option<(u32, usize)>, &'static str> {
    move |bytes| Ok(bytes.first_chunk().map(|four| (from(*four), 4)))
}

fn read_varint(bytes: &[u8]) -> Result<Option<(u32, usize)>, &'static str> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(LONGEST).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).map_err(|_| "its length has more than 32 bits")?;
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < LONGEST { Ok(None) } else { Err("its length takes more than five bytes") }
}

fn write_varint(mut length: u32, output: &mut Vec<u8>) {
    while length >= 0x80 {
        output.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    output.push(length.to_le_bytes()[0]);
}

/// Takes lengths and records apart.
pub(super) struct Reader {
    prefix: LengthPrefix,
    options: RecordOptions,
    /// The start of a length or of a record; of a record without its length.
    carry: Vec<u8>,
    /// The length of the record that is carried.
    length: Option<usize>,
    /// Records so far.
    records: u64,
}

impl Reader {
    pub(super) const fn new(prefix: LengthPrefix, options: RecordOptions) -> Self {
        Self { prefix, options, carry: Vec::new(), length: None, records: 0 }
    }

    /// The length as it was read, within the limit.
    #[inline(always)]
    fn check(
        &self,
        read: Result<Option<(u32, usize)>, &'static str>,
    ) -> Result<Option<(usize, usize)>, RecordError> {
        match read {
            Ok(Some((length, taken))) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.options.check_length(length, self.records + 1)?;
                Ok(Some((length, taken)))
            }
            Ok(None) => Ok(None),
            Err(message) => Err(RecordError::new(RecordErrorKind::Malformed, self.records + 1, message)),
        }
    }

    /// Takes the records that lie whole at the start of the input; returns how many bytes they are.
    #[inline]
    fn take_whole(
        &mut self,
        read: impl Fn(&[u8]) -> Result<Option<(u32, usize)>, &'static str>,
        input: &[u8],
        batch: &mut Batch,
        max_records: usize,
    ) -> Result<usize, RecordError> {
        let mut rest = input;
        loop {
            rest = self.take_quickly(&read, rest, batch, max_records);
            if !batch.is_full(max_records)
                && let Some((length, taken)) = self.check(read(rest))?
                && let Some((record, behind)) = rest[taken..].split_at_checked(length)
            {
                self.take(record, batch)?;
                rest = behind;
            } else {
                break;
            }
        }
        Ok(input.len() - rest.len())
    }

    /// Takes what needs no further look; returns the rest.
    #[inline(always)]
    fn take_quickly<'a>(
        &mut self,
        read: impl Fn(&[u8]) -> Result<Option<(u32, usize)>, &'static str>,
        input: &'a [u8],
        batch: &mut Batch,
        max_records: usize,
    ) -> &'a [u8] {
        if self.options.validation != Validation::Framing {
            return input;
        }
        let (before, limit) = (batch.len(), self.options.limit());
        let taken = batch.extend(input, max_records, |rest| {
            let Ok(Some((length, start))) = read(rest) else { return None };
            let length = usize::try_from(length).ok().filter(|length| *length <= limit)?;
            Some(Found { start, end: start + length, next: start + length })
        });
        self.records += (batch.len() - before) as u64;
        &input[taken..]
    }

    /// Keeps the start of a length or of a record.
    fn keep(&mut self, rest: &[u8]) -> Result<(), RecordError> {
        let (length, taken) = self.check(read_length(self.prefix, rest))?.unzip();
        self.length = length;
        self.carry.extend_from_slice(&rest[taken.unwrap_or(0)..]);
        Ok(())
    }

    /// Whether a length or a record has begun and not ended.
    fn is_within(&self) -> bool {
        self.length.is_some() || !self.carry.is_empty()
    }

    /// Goes on with what is carried; returns how many bytes of the input that took.
    fn resume(&mut self, input: &[u8], batch: &mut Batch) -> Result<usize, RecordError> {
        let mut taken = 0;
        while self.length.is_none() {
            let Some(byte) = input.get(taken) else { return Ok(taken) };
            self.carry.push(*byte);
            taken += 1;
            if let Some((length, _)) = self.check(read_length(self.prefix, &self.carry))? {
                self.length = Some(length);
                self.carry.clear();
            }
        }
        let missing = self.length.unwrap_or_default() - self.carry.len();
        let part = &input[taken..input.len().min(taken + missing)];
        self.carry.extend_from_slice(part);
        if part.len() == missing {
            let mut record = std::mem::take(&mut self.carry);
            self.take(&record, batch)?;
            record.clear();
            (self.carry, self.length) = (record, None);
        }
        Ok(taken + part.len())
    }

    #[inline(always)]
    fn take(&mut self, record: &[u8], batch: &mut Batch) -> Result<(), RecordError> {
        let number = self.records + 1;
        self.options.check_encoding(record, number)?;
        batch.push(record).map_err(RecordError::full(number))?;
        self.records = number;
        Ok(())
    }
}

impl RecordReader for Reader {
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError> {
        let mut start = 0;
        while self.is_within() && start < input.len() && !batch.is_full(max_records) {
            start += self.resume(&input[start..], batch)?;
        }
        if self.is_within() {
            return Ok(start);
        }
        let rest = &input[start..];
        // One loop each, without a choice in it.
        start += match self.prefix {
            LengthPrefix::BigEndian => {
                self.take_whole(read_four(u32::from_be_bytes), rest, batch, max_records)
            }
            LengthPrefix::LittleEndian => {
                self.take_whole(read_four(u32::from_le_bytes), rest, batch, max_records)
            }
            LengthPrefix::Varint => self.take_whole(read_varint, rest, batch, max_records),
        }?;
        if start < input.len() && !batch.is_full(max_records) {
            self.keep(&input[start..])?;
            start = input.len();
        }
        Ok(start)
    }

    fn finish(&mut self, _: &mut Batch) -> Result<(), RecordError> {
        let message = match self.length {
            Some(length) => format!("cut off: {} of its {length} bytes are there", self.carry.len()),
            None if self.carry.is_empty() => return Ok(()),
            None => "cut off within its length".to_owned(),
        };
        Err(RecordError::new(RecordErrorKind::Truncated, self.records + 1, message))
    }
}

/// Writes each record behind its length.
pub(super) struct Writer {
    prefix: LengthPrefix,
    options: RecordOptions,
    records: u64,
}

impl Writer {
    pub(super) const fn new(prefix: LengthPrefix, options: RecordOptions) -> Self {
        Self { prefix, options, records: 0 }
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        output.reserve(batch.size() + LONGEST * batch.len());
        for record in batch.iter() {
            let number = self.records + 1;
            self.options.check_length(record.len(), number)?;
            self.options.check_encoding(record, number)?;
            let length = u32::try_from(record.len()).map_err(|_| self.options.too_long(number))?;
            write_length(self.prefix, length, output);
            output.extend_from_slice(record);
            self.records = number;
        }
        Ok(())
    }
}
