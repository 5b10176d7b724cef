//! The options that say how records are stored.

use std::{num::NonZero, path::PathBuf, thread};

use clap::{Args, ValueEnum, value_parser};
use omnistorage_types::encoding_from_path;

use crate::{
    Location,
    cli::{
        Globals,
        codec::{self, codec},
        dictionary,
        exit::Failure,
        output::note,
        window::{self, parse_window},
    },
    runtime::{Codec, CsvDialect, Encoding, Form, Format, LengthPrefix, LineEnd, Punctuation, Validation},
};

/// How to read.
#[derive(Args)]
pub(super) struct Reading {
    /// Read as FORMAT[.CODEC], as in `ndjson.gz`
    #[arg(long, value_name = "FORMAT[.CODEC]")]
    from: Option<String>,
    /// Refuse records of more bytes [default: 16 MiB]
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u64).range(1..))]
    max_record: Option<u64>,
    /// Refuse zstd data whose window is more than SIZE
    #[arg(long, value_name = "SIZE", default_value = window::DEFAULT, value_parser = parse_window)]
    max_window: u64,
    /// Read and write zstd with the dictionary in FILE
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// Check each record: that it is UTF-8, or also its syntax, which is the default
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "syntax"
    )]
    validate: Option<Validate>,
    #[command(flatten)]
    csv: Csv,
    /// How the length of a length-prefixed record is written [default: big-endian]
    #[arg(long, value_enum, value_name = "PREFIX")]
    length_prefix: Option<Prefix>,
}

/// What CSV looks like: that of the source, or of the target if only that is CSV.
#[derive(Args)]
struct Csv {
    /// What is between fields, `tab` for a tab [default: a comma, in .tsv a tab]
    #[arg(help_heading = "CSV", long, value_name = "CHARACTER", value_parser = character)]
    delimiter: Option<char>,
    /// What is around fields that hold a delimiter [default: "]
    #[arg(help_heading = "CSV", long, value_name = "CHARACTER", value_parser = character)]
    quote: Option<char>,
    /// The first row is a record, too
    #[arg(help_heading = "CSV", long)]
    no_header: bool,
    /// The names of the columns: to read rows without a header, to check one, or to write
    #[arg(help_heading = "CSV", long, value_name = "NAME,...", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Take fields that look like a number, true, false, nothing, or the JSON of an object or an array as that; write
    /// strings that look so in quotes
    #[arg(help_heading = "CSV", long)]
    infer: bool,
    /// Take rows with too few or too many fields, which in JSON get their positions as keys, and stray quotes, but for
    /// one that begins a field and is never closed
    #[arg(help_heading = "CSV", long)]
    lenient: bool,
}

/// How to write.
#[derive(Args)]
pub(super) struct Writing {
    /// Write as FORMAT[.CODEC]
    #[arg(long, value_name = "FORMAT[.CODEC]")]
    to: Option<String>,
    #[arg(
        long,
        value_name = "LEVEL",
        allow_hyphen_values = true,
        help = format!("Compress at LEVEL ({})", codec::levels())
    )]
    level: Option<i32>,
    #[cfg_attr(
        not(target_family = "wasm"),
        doc = "Decompress, convert and compress on up to N cores; compressed in blocks that every tool can read [default: \
               all of them, or 1 where the target is compressed]"
    )]
    #[cfg_attr(target_family = "wasm", doc = "Taken, and without effect: a component has one core")]
    #[arg(long, value_name = "N")]
    cores: Option<NonZero<usize>>,
    /// What to write after each row of CSV [default: lf]
    #[arg(help_heading = "CSV", long, value_enum, value_name = "END")]
    line_end: Option<End>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Validate {
    Utf8,
    Syntax,
}

#[derive(Clone, Copy, ValueEnum)]
enum Prefix {
    BigEndian,
    LittleEndian,
    Varint,
}

#[derive(Clone, Copy, ValueEnum)]
enum End {
    Lf,
    Crlf,
}

impl Writing {
    /// On how many cores to work. More than one where nothing is lost by it: blocks compress a little worse than a whole.
    pub(super) fn cores(&self, to: &Encoding, target: &Location) -> NonZero<usize> {
        let is_compressed = to.codec.or(encoding_from_path(&target.path).1).is_some();
        self.cores.unwrap_or_else(|| if is_compressed { NonZero::<usize>::MIN } else { all_cores() })
    }
}

/// How many cores there are to work on; one where that cannot be told.
pub(super) fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

impl Reading {
    /// The encoding of what is read.
    pub(super) fn encoding(&self, at: &Location) -> Result<Encoding, Failure> {
        let mut encoding = self.resolve(self.from.as_deref(), at)?;
        self.describe([&mut encoding])?;
        self.add_dictionary([(&mut encoding, at)])?;
        Ok(encoding)
    }

    /// The format and the codec of one side, and what holds for both.
    fn resolve(&self, name: Option<&str>, at: &Location) -> Result<Encoding, Failure> {
        let named = match name {
            Some(name) => parse(name)?,
            None => Encoding { format: encoding_from_path(&at.path).0, ..Encoding::default() },
        };
        let validation = match self.validate {
            None => Validation::Framing,
            Some(Validate::Utf8) => Validation::Utf8,
            Some(Validate::Syntax) => Validation::Syntax,
        };
        let (max_record, max_window) = (self.max_record, Some(self.max_window));
        Ok(Encoding { max_record, max_window, validation, ..named })
    }

    /// Gives the dictionary to the sides that are, or may be, zstd: one at least.
    fn add_dictionary<const N: usize>(&self, sides: [(&mut Encoding, &Location); N]) -> Result<(), Failure> {
        let Some(dictionary) = dictionary::read(self.dictionary.as_deref())? else { return Ok(()) };
        let mut is_of_use = false;
        for (encoding, at) in sides {
            let codec = encoding.codec.or(encoding_from_path(&at.path).1);
            if codec.is_none_or(|codec| codec == Codec::Zstd) {
                encoding.dictionary = Some(dictionary.clone());
                is_of_use = true;
            }
        }
        if is_of_use { Ok(()) } else { Err(misplaced("--dictionary", "zstd")) }
    }

    /// Notes if the header was probably read with the wrong delimiter.
    pub(super) fn hint(&self, globals: &Globals, encoding: &Encoding, header: Option<&[u8]>) {
        if let (Some(Format::Csv(dialect)), Some(header)) = (&encoding.format, header)
            && self.csv.delimiter.is_none()
            && !globals.quiet
            && let Some((name, value)) = other_delimiter(dialect, header)
        {
            note(format_args!(
                "hint: the header has no {} and a {name}: if that is between its fields, say --delimiter {value}",
                if dialect.punctuation.delimiter() == b'\t' { "tab" } else { "comma" }
            ));
        }
    }

    /// Applies what the options say of a format to the first side that has it.
    fn describe<const N: usize>(&self, mut sides: [&mut Encoding; N]) -> Result<(), Failure> {
        if let Some(prefix) = self.length_prefix {
            let found = sides.iter_mut().find_map(|side| match &mut side.format {
                Some(Format::LengthPrefixed(prefix)) => Some(prefix),
                _ => None,
            });
            *found.ok_or_else(|| misplaced("--length-prefix", "length-prefixed"))? = prefix.into();
        }
        let mut csv = sides.iter_mut().filter_map(|side| csv_of(side));
        match csv.next() {
            Some(first) => {
                self.csv.describe(first)?;
                csv.for_each(|other| {
                    other.infer |= self.csv.infer;
                    other.lenient |= self.csv.lenient;
                });
                Ok(())
            }
            None => self.csv.any().map_or(Ok(()), |option| Err(misplaced(option, "CSV"))),
        }
    }
}

/// The encodings of a conversion.
pub(super) fn both(
    reading: &Reading,
    writing: &Writing,
    source: &Location,
    target: &Location,
) -> Result<(Encoding, Encoding), Failure> {
    let mut from = reading.resolve(reading.from.as_deref(), source)?;
    let mut to = reading.resolve(writing.to.as_deref(), target)?;
    reading.describe([&mut from, &mut to])?;
    reading.add_dictionary([(&mut from, source), (&mut to, target)])?;
    to.level = writing.level;
    if let Some(end) = writing.line_end {
        let dialect = csv_of(&mut to).ok_or_else(|| misplaced("--line-end", "CSV that is written"))?;
        dialect.line_end = end.into();
    }
    Ok((from, to))
}

/// Whether all of the source must be read before the target can be begun: for the columns.
pub(super) fn is_read_twice(from: &Encoding, to: &Encoding) -> bool {
    let form = |format| Option::map(format, Format::form);
    let needs_columns =
        matches!(form(to.format.as_ref()), Some(Form::Row(dialect)) if dialect.columns.is_none());
    needs_columns && form(from.format.as_ref()) == Some(Form::Json)
}

/// What is between the fields of a header that seems to have a single one, and how to write it on a command line.
fn other_delimiter(dialect: &CsvDialect, header: &[u8]) -> Option<(&'static str, &'static str)> {
    // What is in quotes is no delimiter.
    let outside = || header.split(|byte| *byte == dialect.punctuation.quote()).step_by(2).flatten();
    let has = |delimiter: u8| outside().any(|byte| *byte == delimiter);
    let others = [(b';', "semicolon", "';'"), (b'\t', "tab", "tab"), (b',', "comma", ",")];
    let found =
        others.into_iter().find(|(delimiter, ..)| !has(dialect.punctuation.delimiter()) && has(*delimiter));
    found.map(|(_, name, value)| (name, value))
}

fn csv_of(side: &mut Encoding) -> Option<&mut CsvDialect> {
    side.format.as_mut().and_then(Format::dialect_mut)
}

fn misplaced(option: &str, what: &str) -> Failure {
    Failure::usage(format!(
        "{option} is about {what}, and there is none here: leave it out, or name the format"
    ))
}

impl Csv {
    fn describe(&self, dialect: &mut CsvDialect) -> Result<(), Failure> {
        let named = dialect.punctuation;
        let delimiter = self.delimiter.unwrap_or_else(|| named.delimiter().into());
        let quote = self.quote.unwrap_or_else(|| named.quote().into());
        dialect.punctuation =
            Punctuation::new(delimiter, quote).map_err(|why| Failure::usage(why.message()))?;
        dialect.header = !self.no_header;
        dialect.columns.clone_from(&self.columns);
        dialect.infer = self.infer;
        dialect.lenient = self.lenient;
        Ok(())
    }

    /// An option that was given.
    fn any(&self) -> Option<&'static str> {
        [
            (self.delimiter.is_some(), "--delimiter"),
            (self.quote.is_some(), "--quote"),
            (self.no_header, "--no-header"),
            (self.columns.is_some(), "--columns"),
            (self.infer, "--infer"),
            (self.lenient, "--lenient"),
        ]
        .into_iter()
        .find_map(|(given, option)| given.then_some(option))
    }
}

/// A format by its name, with the codec behind it.
fn parse(text: &str) -> Result<Encoding, Failure> {
    let (name, codec_name) = text.split_once('.').map_or((text, None), |(name, codec)| (name, Some(codec)));
    let format = Format::from_name(&name.to_ascii_lowercase());
    if format.is_none() {
        let message = format!("there is no format `{name}`: use one of {}", Format::extensions());
        return Err(Failure::usage(message));
    }
    let codec = codec_name.map(codec).transpose().map_err(Failure::usage)?;
    Ok(Encoding { format, codec, ..Encoding::default() })
}

/// One character, `tab` or `\t` for a tab.
fn character(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(character), None) => Ok(character),
        _ => Err("it must be one character, or `tab`".to_owned()),
    }
}

impl From<Prefix> for LengthPrefix {
    fn from(prefix: Prefix) -> Self {
        match prefix {
            Prefix::BigEndian => Self::BigEndian,
            Prefix::LittleEndian => Self::LittleEndian,
            Prefix::Varint => Self::Varint,
        }
    }
}

impl From<End> for LineEnd {
    fn from(end: End) -> Self {
        match end {
            End::Lf => Self::Lf,
            End::Crlf => Self::Crlf,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_one_field_has_perhaps_another_delimiter() {
        let tabs = CsvDialect::tabs();
        for (dialect, header, expected) in [
            (&CsvDialect::default(), "a;b", Some("semicolon")),
            (&CsvDialect::default(), "\"a,b\";c", Some("semicolon")),
            (&CsvDialect::default(), "a\tb", Some("tab")),
            (&CsvDialect::default(), "a;b,c", None),
            (&CsvDialect::default(), "a", None),
            (&CsvDialect::default(), "\"a;b\"", None),
            (&tabs, "a,b", Some("comma")),
            (&tabs, "a\tb,c", None),
        ] {
            let found = other_delimiter(dialect, header.as_bytes()).map(|(name, _)| name);
            assert_eq!(found, expected, "{header:?}");
        }
    }

    #[test]
    fn a_tab_has_a_name() {
        for (text, expected) in [
            ("tab", Some('\t')),
            ("\\t", Some('\t')),
            ("\t", Some('\t')),
            (";", Some(';')),
            ("", None),
            ("ab", None),
        ] {
            assert_eq!(character(text).ok(), expected, "{text:?}");
        }
    }
}
