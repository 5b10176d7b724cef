//! Formats in the words of the core, and back.

use omnistorage_core::record::{
    Format, RecordError, Validation,
    csv::{Dialect, LineEnd, Punctuation},
    length_prefixed::LengthPrefix,
};

use crate::exports::records as wit;

impl TryFrom<wit::Format> for Format {
    type Error = RecordError;

    fn try_from(format: wit::Format) -> Result<Self, RecordError> {
        Ok(match format {
            wit::Format::Ndjson => Self::Ndjson,
            wit::Format::LengthPrefixed(prefix) => Self::LengthPrefixed(match prefix {
                wit::LengthPrefix::BigEndian => LengthPrefix::BigEndian,
                wit::LengthPrefix::LittleEndian => LengthPrefix::LittleEndian,
                wit::LengthPrefix::Varint => LengthPrefix::Varint,
            }),
            wit::Format::Csv(dialect) => Self::Csv(dialect.try_into()?),
        })
    }
}

impl TryFrom<wit::CsvDialect> for Dialect {
    type Error = RecordError;

    fn try_from(dialect: wit::CsvDialect) -> Result<Self, RecordError> {
        let wit::CsvDialect { delimiter, quote, header, columns, infer, lenient, line_end } = dialect;
        let punctuation = Punctuation::new(delimiter, quote)?;
        let line_end = match line_end {
            wit::LineEnd::Lf => LineEnd::Lf,
            wit::LineEnd::Crlf => LineEnd::Crlf,
        };
        Ok(Self { punctuation, header, columns, infer, lenient, line_end })
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
            Format::Csv(dialect) => Self::Csv(wit::CsvDialect {
                delimiter: dialect.punctuation.delimiter(),
                quote: dialect.punctuation.quote(),
                header: dialect.header,
                columns: dialect.columns,
                infer: dialect.infer,
                lenient: dialect.lenient,
                line_end: match dialect.line_end {
                    LineEnd::Lf => wit::LineEnd::Lf,
                    LineEnd::Crlf => wit::LineEnd::Crlf,
                },
            }),
        }
    }
}

impl From<wit::Validation> for Validation {
    fn from(validation: wit::Validation) -> Self {
        match validation {
            wit::Validation::Framing => Self::Framing,
            wit::Validation::Utf8 => Self::Utf8,
            wit::Validation::Syntax => Self::Syntax,
        }
    }
}
