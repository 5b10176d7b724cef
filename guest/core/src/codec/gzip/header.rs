//! The header of a gzip member (RFC 1952 section 2.3), taken byte by byte so that it may be split anywhere.

use flate2::Crc;

/// The header so far. Name, comment and extra field are checked and not kept.
pub(super) struct Header {
    field: Field,
    /// Bytes of the field that were taken, where its length is fixed.
    position: u8,
    /// The little-endian number in the field; in [`Field::Extra`], the bytes still to come.
    number: u16,
    flags: u8,
    crc: Crc,
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

impl Header {
    pub(super) fn new() -> Self {
        Self { field: Field::Fixed, position: 0, number: 0, flags: 0, crc: Crc::new() }
    }

    /// Takes a byte, and tells whether it was the last one of the header.
    pub(super) fn push(&mut self, byte: u8) -> Result<bool, HeaderError> {
        if self.field < Field::Checksum {
            self.crc.update(&[byte]);
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
            Field::Name | Field::Comment if byte != 0 => {}
            Field::Name | Field::Comment => self.field = self.after(self.field),
            Field::Checksum => {
                if self.two_bytes(byte) {
                    if u32::from(self.number) != self.crc.sum() & 0xffff {
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
            // The time, the extra flags and the operating system tell nothing about the contents.
            _ => {}
        }
        self.position += 1;
        if self.position == 10 {
            self.position = 0;
            self.field = self.after(Field::Fixed);
        }
        Ok(())
    }

    /// Takes a byte of a 16-bit number, and tells whether it was the last one.
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
