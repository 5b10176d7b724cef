//! How records are stored.

use crate::runtime::{Codec, bindings::exports::omnistorage::storage::records as wit};

/// What is written after each row of CSV. Reading takes either, and CR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnd {
    /// As most tools outside Windows write it.
    #[default]
    Lf,
    /// As RFC 4180 has it.
    Crlf,
}

/// How the fields of a CSV row are told apart, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvDialect {
    /// Between two fields: an ASCII character, no line end.
    pub delimiter: char,
    /// Around a field that holds a delimiter, a quote or a line end: another such character.
    pub quote: char,
    /// The first row names the columns. Reading hands it out apart: see [`RecordReader::header`](super::RecordReader).
    /// Writing takes it from `columns`, or else from the first record.
    pub header: bool,
    /// The names of the columns in their order. Reading: a header must be these, and without a header they take its
    /// place. Writing: they are the header. `None`: what the header says; in a conversion, those of the source.
    pub columns: Option<Vec<String>>,
    /// In conversions, fields without quotes that look like a JSON number, `true` or `false` are that, and empty ones
    /// are null; in writing, strings that look like it get quotes. Fields that are the JSON text of an object or an array
    /// are that, with quotes or without; a string that is one is written as a JSON string, with its quotation marks.
    /// Otherwise every field is a string.
    pub infer: bool,
    /// Take rows of any number of fields, a quote in a field without quotes as itself, and what follows a closing quote
    /// as a part of the field. Otherwise each is [`ErrorCode::Corrupted`](crate::ErrorCode::Corrupted). A quote that is
    /// never closed always is. In an object, a field beyond the columns has its position as its key, unless it is empty.
    pub lenient: bool,
    /// What is written after each row.
    pub line_end: LineEnd,
}

/// RFC 4180 with a header, rows ended by LF, every field a string.
impl Default for CsvDialect {
    fn default() -> Self {
        Self {
            delimiter: ',',
            quote: '"',
            header: true,
            columns: None,
            infer: false,
            lenient: false,
            line_end: LineEnd::default(),
        }
    }
}

/// How the length of a record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LengthPrefix {
    /// Four bytes, the highest first.
    #[default]
    BigEndian,
    /// Four bytes, the lowest first.
    LittleEndian,
    /// One to five bytes: unsigned LEB128, as Protocol Buffers have it.
    Varint,
}

/// How records lie in a byte stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON text a line, ended by LF or CRLF. Blank lines are skipped, and so is a byte order mark at the start; the
    /// last line may lack its end.
    Ndjson,
    /// A length, then as many bytes.
    LengthPrefixed(LengthPrefix),
    /// RFC 4180. A record is a row as it is written, without its line end.
    Csv(CsvDialect),
}

/// What of a record is checked, beyond what its framing needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Nothing more.
    #[default]
    Framing,
    /// That it is UTF-8.
    Utf8,
    /// That it is UTF-8, and of the syntax of its format. NDJSON: RFC 8259. The framing of CSV is its syntax, and
    /// length-prefixed records have none.
    Syntax,
}

/// How records are stored. What is `None` is told from the extensions of the path, and on reading the codec also from
/// the first bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// `.ndjson`, `.jsonl`, `.csv`, `.tsv` and `.lp` tell it.
    pub format: Option<Format>,
    /// `.gz`, `.zst` and `.sz` tell it.
    pub codec: Option<Codec>,
    /// Of the codec, for writing.
    pub level: Option<i32>,
    /// In bytes; `None`: 16 MiB. A longer record ends the reading or the writing with
    /// [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded).
    pub max_record: Option<u64>,
    /// Of zstd that is read, as in [`DecompressOptions`](crate::runtime::DecompressOptions); `None`: 8 MiB.
    pub max_window: Option<u64>,
    /// What is checked.
    pub validation: Validation,
}

impl From<&Encoding> for wit::Encoding {
    fn from(encoding: &Encoding) -> Self {
        Self {
            format: encoding.format.clone().map(Into::into),
            codec: encoding.codec.map(Into::into),
            level: encoding.level,
            max_record: encoding.max_record,
            max_window: encoding.max_window,
            validation: match encoding.validation {
                Validation::Framing => wit::Validation::Framing,
                Validation::Utf8 => wit::Validation::Utf8,
                Validation::Syntax => wit::Validation::Syntax,
            },
        }
    }
}

impl From<Format> for wit::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Ndjson => Self::Ndjson,
            Format::LengthPrefixed(prefix) => Self::LengthPrefixed(match prefix {
                LengthPrefix::BigEndian => wit::LengthPrefix::BigEndian,
                LengthPrefix::LittleEndian => wit::LengthPrefix::LittleEndian,
                LengthPrefix::Varint => wit::LengthPrefix::Varint,
            }),
            Format::Csv(CsvDialect { delimiter, quote, header, columns, infer, lenient, line_end }) => {
                let line_end = match line_end {
                    LineEnd::Lf => wit::LineEnd::Lf,
                    LineEnd::Crlf => wit::LineEnd::Crlf,
                };
                Self::Csv(wit::CsvDialect { delimiter, quote, header, columns, infer, lenient, line_end })
            }
        }
    }
}

impl From<wit::Format> for Format {
    fn from(format: wit::Format) -> Self {
        match format {
            wit::Format::Ndjson => Self::Ndjson,
            wit::Format::LengthPrefixed(prefix) => Self::LengthPrefixed(match prefix {
                wit::LengthPrefix::BigEndian => LengthPrefix::BigEndian,
                wit::LengthPrefix::LittleEndian => LengthPrefix::LittleEndian,
                wit::LengthPrefix::Varint => LengthPrefix::Varint,
            }),
            wit::Format::Csv(dialect) => {
                let wit::CsvDialect { delimiter, quote, header, columns, infer, lenient, line_end } = dialect;
                let line_end = match line_end {
                    wit::LineEnd::Lf => LineEnd::Lf,
                    wit::LineEnd::Crlf => LineEnd::Crlf,
                };
                Self::Csv(CsvDialect { delimiter, quote, header, columns, infer, lenient, line_end })
            }
        }
    }
}
