//! Record formats: how records lie in a byte stream, and how to ask for that.

use crate::{Codec, Dictionary, Error, ErrorCode, ObjectInfo, Result};

/// What is written after each row of CSV. Reading takes either, and CR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LineEnd {
    /// As most tools outside Windows write it.
    #[default]
    Lf,
    /// As RFC 4180 has it.
    Crlf,
}

impl LineEnd {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
        }
    }
}

/// The two characters that tell the fields of CSV apart: they differ, and are ASCII and no line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Punctuation {
    delimiter: u8,
    quote: u8,
}

impl Punctuation {
    /// A delimiter between fields, and quotes around those that need them.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if they are the same, a line end, or not ASCII.
    pub fn new(delimiter: char, quote: char) -> Result<Self> {
        let refused = |message: String| Error::new(ErrorCode::InvalidArgument, message);
        let ascii = |name: &str, c: char| match u8::try_from(c) {
            Ok(byte) if c.is_ascii() && !matches!(c, '\r' | '\n') => Ok(byte),
            _ => Err(refused(format!(
                "the {name} of CSV must be an ASCII character and no line end, not {c:?}"
            ))),
        };
        let (delimiter, quote) = (ascii("delimiter", delimiter)?, ascii("quote", quote)?);
        if delimiter == quote {
            return Err(refused("the delimiter and the quote of CSV must differ".to_owned()));
        }
        Ok(Self { delimiter, quote })
    }

    /// Between two fields.
    #[must_use]
    pub const fn delimiter(self) -> u8 {
        self.delimiter
    }

    /// Around a field that holds a delimiter, a quote or a line end.
    #[must_use]
    pub const fn quote(self) -> u8 {
        self.quote
    }
}

/// Commas and double quotes.
impl Default for Punctuation {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"' }
    }
}

/// How the fields of a CSV row are told apart, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CsvDialect {
    /// Between fields and around them.
    pub punctuation: Punctuation,
    /// The first row names the columns. Reading hands it out apart. Writing takes it from `columns`, or else from the
    /// first record.
    pub header: bool,
    /// The names of the columns in their order. Reading: a header must be these, and without a header they take its
    /// place. Writing: they are the header. `None`: what the header says; in a conversion, those of the source.
    pub columns: Option<Vec<String>>,
    /// In conversions, fields without quotes that look like a JSON number, `true` or `false` are that, and empty ones
    /// are null; in writing, strings that look like it get quotes. Fields that are the JSON text of an object or an
    /// array are that, with quotes or without; a string that is one is written as a JSON string, with its quotation
    /// marks. Otherwise every field is a string.
    pub infer: bool,
    /// Take rows of any number of fields, a quote in a field without quotes as itself, and what follows a closing quote
    /// as a part of the field. Otherwise each is [`ErrorCode::Corrupted`]. A quote that is never closed always is. In
    /// an object, a field beyond the columns has its position as its key, unless it is empty.
    pub lenient: bool,
    /// What is written after each row.
    pub line_end: LineEnd,
}

/// RFC 4180 with a header, rows ended by LF, every field a string.
impl Default for CsvDialect {
    fn default() -> Self {
        Self {
            punctuation: Punctuation::default(),
            header: true,
            columns: None,
            infer: false,
            lenient: false,
            line_end: LineEnd::default(),
        }
    }
}

impl CsvDialect {
    /// With a delimiter between fields, and quotes around those that need them.
    ///
    /// # Errors
    /// As for [`Punctuation::new`].
    pub fn new(delimiter: char, quote: char) -> Result<Self> {
        Ok(Self { punctuation: Punctuation::new(delimiter, quote)?, ..Self::default() })
    }

    /// With tabs between fields.
    #[must_use]
    pub fn tabs() -> Self {
        Self { punctuation: Punctuation { delimiter: b'\t', ..Punctuation::default() }, ..Self::default() }
    }
}

/// How the length of a record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LengthPrefix {
    /// Four bytes, the highest first.
    #[default]
    BigEndian,
    /// Four bytes, the lowest first.
    LittleEndian,
    /// One to five bytes: unsigned LEB128, as Protocol Buffers have it.
    Varint,
}

/// What the records of a format are. Conversions go from one form to another, whatever the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<'a> {
    /// A JSON text.
    Json,
    /// A row of fields.
    Row(&'a CsvDialect),
    /// Bytes, which are what the other side of a conversion has for records.
    Bytes,
}

/// Makes the enum, and all that can be derived from a table, so that a format is one row here. In each row: the form of
/// its records, and what each of its extensions stands for, the plain one first.
macro_rules! formats {
    ($dollar:tt $(
        $(#[$doc:meta])* $case:ident $(($value:ident: $type:ty))? => $name:literal, $form:expr,
        [$($extension:literal: $of:expr),*];
    )*) => {
        /// How records lie in a byte stream.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$doc])* $case $(($type))?,)*
        }

        impl Format {
            /// Every extension, without its dot, and what it stands for.
            pub const EXTENSIONS: [(&str, fn() -> Self); [$($($extension),*),*].len()] =
                [$($(($extension, || $of)),*),*];

            /// Its name, as in `--from`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$case { .. } => $name,)* }
            }

            /// What its records are.
            #[must_use]
            #[allow(unused_variables, reason = "not every row has a use for its value")]
            pub const fn form(&self) -> Form<'_> {
                match self { $(Self::$case $(($value))? => $form,)* }
            }
        }

        /// The formats of a module of bindings.
        #[macro_export]
        macro_rules! mirror_format {
            ($dollar wit:ident) => {
                $crate::mirror! { variant $crate::Format = $dollar wit::Format { $($case $(($value))?),* } }
            };
        }
    };
}

formats! { $
    /// One JSON text a line, ended by LF or CRLF. Blank lines are skipped, and so is a byte order mark at the start;
    /// the last line may lack its end. `.ndjson`, `.jsonl`.
    Ndjson => "ndjson", Form::Json, ["ndjson": Self::Ndjson, "jsonl": Self::Ndjson];
    /// One JSON array and nothing else; its elements are the records, each on one line. `.json`.
    JsonArray => "json", Form::Json, ["json": Self::JsonArray];
    /// A length, then as many bytes. `.lp`.
    LengthPrefixed(prefix: LengthPrefix) => "length-prefixed", Form::Bytes,
        ["lp": Self::LengthPrefixed(LengthPrefix::default())];
    /// RFC 4180. A record is a row as it is written, without its line end. `.csv`, `.tsv`.
    Csv(dialect: CsvDialect) => "csv", Form::Row(dialect),
        ["csv": Self::Csv(CsvDialect::default()), "tsv": Self::Csv(CsvDialect::tabs())];
}

impl Format {
    /// The format of an extension without its dot, or of a name, as it is by default.
    ///
    /// ```
    /// use omnistorage_types::{Format, LengthPrefix};
    ///
    /// let prefixed = Some(Format::LengthPrefixed(LengthPrefix::BigEndian));
    /// assert_eq!(Format::from_name("lp"), prefixed);
    /// assert_eq!(Format::from_name("length-prefixed"), prefixed);
    /// assert_eq!(Format::from_name("txt"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let of_extension = Self::EXTENSIONS.into_iter().find(|(extension, _)| *extension == name);
        let plain = || Self::EXTENSIONS.into_iter().map(|(_, of)| of()).find(|format| format.name() == name);
        of_extension.map(|(_, of)| of()).or_else(plain)
    }

    /// The extensions of all, for a message: `.ndjson, .jsonl, ...`.
    #[must_use]
    pub fn extensions() -> String {
        Self::EXTENSIONS.map(|(extension, _)| format!(".{extension}")).join(", ")
    }

    /// The dialect, if its records are rows.
    pub fn dialect_mut(&mut self) -> Option<&mut CsvDialect> {
        if let Self::Csv(dialect) = self { Some(dialect) } else { None }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What of a record is checked, beyond what its framing needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Validation {
    /// Nothing more.
    #[default]
    Framing,
    /// That it is UTF-8.
    Utf8,
    /// That it is UTF-8, and of the syntax of its format. NDJSON and JSON arrays: RFC 8259. The framing of CSV is its
    /// syntax, and length-prefixed records have none.
    Syntax,
}

/// How records are stored. What is `None` is told from the extensions of the path, and on reading the codec also from
/// the first bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// Decided by its extension.
    pub format: Option<Format>,
    /// Decided by its extension.
    pub codec: Option<Codec>,
    /// Of the codec, for writing.
    pub level: Option<i32>,
    /// In bytes; `None`: 16 MiB. A longer record ends the reading or the writing with
    /// [`ErrorCode::LimitExceeded`].
    pub max_record: Option<u64>,
    /// Of zstd that is read, as in [`DecompressOptions`](crate::DecompressOptions); `None`: 8 MiB.
    pub max_window: Option<u64>,
    /// Of zstd, which is read or written.
    pub dictionary: Option<Dictionary>,
    /// What is checked.
    pub validation: Validation,
}

/// What a conversion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConvertReport {
    /// Records converted.
    pub records: u64,
    /// Bytes of the source, as stored.
    pub bytes_read: u64,
    /// Bytes of the target, as stored.
    pub bytes_written: u64,
    /// The row of the source that names the columns, if its format has one.
    pub header: Option<Vec<u8>>,
}

/// What counting the records of an object found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountReport {
    /// Records that there are.
    pub records: u64,
    /// As in [`ConvertReport::header`].
    pub header: Option<Vec<u8>>,
}

/// What all parts of an object have to be told, so that each is read by itself, several at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The object as it was when its start was read.
    pub version: ObjectInfo,
    /// The names of the columns of CSV that is read, or that is made of objects: those of the first records.
    pub columns: Option<Vec<String>>,
    /// As in [`ConvertReport::header`].
    pub header: Option<Vec<u8>>,
}

/// A part of an object: the records that begin in a range of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The first byte of the range.
    pub start: u64,
    /// Behind its last byte. The part goes on to the end of the record that began last.
    pub end: u64,
    /// A record begins at `start`, or the object does. Otherwise the part begins behind the first LF of the range, or the
    /// byte before it: that is a border of records in NDJSON, and in CSV only if it is not in quotes.
    pub starts_record: bool,
}

/// What was read of a part. Where [`border`](Self::border) is the [`end`](Self::end) of the part before, and that of the
/// first is 0, the results one after the other are those of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartReport {
    /// Where its first record begins, as far as can be told; `None`: no record begins in it.
    pub border: Option<u64>,
    /// Behind the line end of its last record.
    pub end: u64,
    /// Records of it.
    pub records: u64,
}
