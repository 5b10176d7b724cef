//! The header of a gzip member (RFC 1952 section 2.3).

use std::{ffi::CString, num::NonZero};

use super::super::{CodecError, CodecErrorKind, crc::CRC32};

/// What the header of a member says about its contents. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The name of the file that was compressed: Latin-1 by the standard, UTF-8 in practice.
    pub name: Option<CString>,
    /// A comment, in the same letters.
    pub comment: Option<CString>,
    /// When the file was last changed, in seconds since 1970. The format cannot express 0, which means unknown.
    pub modified: Option<NonZero<u32>>,
}

impl Header {
    /// The longest name or comment that [`read`](Self::read) gives, in bytes. Longer ones are left out.
    pub const MAX_TEXT: usize = 4096;

    /// The header of the first member, read from the first bytes of a stream; `None` if they do not hold all of it.
    ///
    /// # Errors
    /// [`CodecErrorKind::Corrupted`] if it is no header of gzip data.
    pub fn read(head: &[u8]) -> Result<Option<Self>, CodecError> {
        let mut parser = Parser::new();
        for (offset, byte) in (0..).zip(head) {
            match parser.push(*byte) {
                Ok(false) => {}
                Ok(true) => return Ok(Some(parser.told)),
                Err(error) => return Err(CodecError::new(CodecErrorKind::Corrupted, offset, error.as_str())),
            }
        }
        Ok(None)
    }

    /// Appends the header of a member compressed at that level.
    pub(super) fn write(&self, level: u32, output: &mut Vec<u8>) {
        let flags = self.name.as_ref().map_or(0, |_| FNAME) | self.comment.as_ref().map_or(0, |_| FCOMMENT);
        // XFL names the slowest and the fastest algorithm; OS 255 is unknown.
        let extra_flags = match level {
            9 => 2,
            1 => 4,
            _ => 0,
        };
        output.extend([0x1f, 0x8b, 8, flags]);
        output.extend(self.modified.map_or(0, NonZero::get).to_le_bytes());
        output.extend([extra_flags, 255]);
        for text in [&self.name, &self.comment].into_iter().flatten() {
            output.extend(text.as_bytes_with_nul());
        }
    }
}

/// A header so far, taken byte by byte so that it may be split anywhere. The extra field is checked and not kept.
pub(super) struct Parser {
    told: Header,
    /// The name or comment so far.
    text: Vec<u8>,
    field: Field,
    /// Bytes of the field that were taken, where its length is fixed.
    position: u8,
    /// The little-endian number in the field; in [`Field::Extra`], the bytes still to come.
    number: u16,
    flags: u8,
    crc: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Checksum,
    End,
}

/// FLG: which optional fields there are.
const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// What is wrong with a header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderError {
    NotGzip,
    Method,
    Reserved,
    Checksum,
}

impl HeaderError {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotGzip => "not gzip data",
            Self::Method => "the gzip header names a compression method that does not exist",
            Self::Reserved => "the gzip header has reserved flags set",
            Self::Checksum => "the CRC-16 of the gzip header does not match",
        }
    }
}

impl Parser {
    pub(super) fn new() -> Self {
        Self {
            told: Header::default(),
            text: Vec::new(),
            field: Field::Fixed,
            position: 0,
            number: 0,
            flags: 0,
            crc: 0,
        }
    }

    /// Takes a byte, and returns whether it was the last one of the header.
    pub(super) fn push(&mut self, byte: u8) -> Result<bool, HeaderError> {
        if self.field < Field::Checksum {
            self.crc = CRC32.update(self.crc, &[byte]);
        }
        match self.field {
            Field::Fixed => self.fixed(byte)?,
            Field::ExtraLength => {
                if self.two_bytes(byte) {
                    self.field = if self.number == 0 { self.after(Field::Extra) } else { Field::Extra };
                }
            }
            Field::Extra => {
                self.number -= 1;
                if self.number == 0 {
                    self.field = self.after(Field::Extra);
                }
            }
            // One byte more than is returned, to know when it is too long.
            Field::Name | Field::Comment if byte != 0 => {
                if self.text.len() <= Header::MAX_TEXT {
                    self.text.push(byte);
                }
            }
            Field::Name | Field::Comment => {
                let text = std::mem::take(&mut self.text);
                let text = CString::new(text).ok().filter(|text| text.count_bytes() <= Header::MAX_TEXT);
                match self.field {
                    Field::Name => self.told.name = text,
                    _ => self.told.comment = text,
                }
                self.field = self.after(self.field);
            }
            Field::Checksum => {
                if self.two_bytes(byte) {
                    if u32::from(self.number) != self.crc & 0xffff {
                        return Err(HeaderError::Checksum);
                    }
                    self.field = Field::End;
                }
            }
            Field::End => {}
        }
        Ok(self.field == Field::End)
    }

    fn fixed(&mut self, byte: u8) -> Result<(), HeaderError> {
        match (self.position, byte) {
            (0, 0x1f) | (1, 0x8b) | (2, 8) => {}
            (0 | 1, _) => return Err(HeaderError::NotGzip),
            (2, _) => return Err(HeaderError::Method),
            (3, flags) if flags & RESERVED != 0 => return Err(HeaderError::Reserved),
            (3, flags) => self.flags = flags,
            (place @ 4..=7, byte) => {
                let before = self.told.modified.map_or(0, NonZero::get);
                self.told.modified = NonZero::new(before | u32::from(byte) << (8 * (place - 4)));
            }
            // The extra flags and the operating system say nothing about the contents.
            _ => {}
        }
        self.position += 1;
        if self.position == 10 {
            self.position = 0;
            self.field = self.after(Field::Fixed);
        }
        Ok(())
    }

    /// Takes a byte of a 16-bit number, and returns whether it was the last one.
    fn two_bytes(&mut self, byte: u8) -> bool {
        self.number = if self.position == 0 { u16::from(byte) } else { self.number | u16::from(byte) << 8 };
        self.position ^= 1;
        self.position == 0
    }

    /// The next field that the flags announce.
    fn after(&self, field: Field) -> Field {
        let has = |flag| self.flags & flag != 0;
        match field {
            Field::Fixed if has(FEXTRA) => Field::ExtraLength,
            Field::Fixed | Field::ExtraLength | Field::Extra if has(FNAME) => Field::Name,
            Field::Fixed | Field::ExtraLength | Field::Extra | Field::Name if has(FCOMMENT) => Field::Comment,
            Field::Checksum | Field::End => Field::End,
            _ if has(FHCRC) => Field::Checksum,
            _ => Field::End,
        }
    }
}
