//! `records convert`, `records count`, `records head`.

use clap::{Args, Subcommand, value_parser};
use indicatif::HumanBytes;
use serde::Serialize;

use super::{
    Globals,
    exit::{Failure, Subject},
    output::{Output, note},
    place::Place,
    session::{Need, Session},
};
use crate::runtime::{Codec, Encoding, Format};

/// Read and convert files of records
///
/// The format and the codec are told by the extensions of the path (`.ndjson` or `.jsonl`, then `.gz`), or by --from
/// and --to.
#[derive(Args)]
pub(crate) struct Records {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Convert(Convert),
    Count(Count),
    Head(Head),
}

impl Records {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Convert(command) => command.run(globals).await,
            Command::Count(command) => command.run(globals).await,
            Command::Head(command) => command.run(globals).await,
        }
    }
}

/// How to read.
#[derive(Args)]
struct Reading {
    /// Read as FORMAT[.CODEC], as in `ndjson.gz`
    #[arg(long, value_name = "FORMAT[.CODEC]", value_parser = encoding)]
    from: Option<Encoding>,
    /// Refuse records of more bytes [default: 16 MiB]
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u64).range(1..))]
    max_record: Option<u64>,
    /// Check that each record is well formed
    #[arg(long)]
    validate: bool,
}

impl Reading {
    fn encoding(self) -> Encoding {
        Encoding { max_record: self.max_record, validate: self.validate, ..self.from.unwrap_or_default() }
    }
}

/// Read every record of SOURCE and write it to TARGET, whole or not at all
#[derive(Args)]
struct Convert {
    #[command(flatten)]
    reading: Reading,
    /// Write as FORMAT[.CODEC]
    #[arg(long, value_name = "FORMAT[.CODEC]", value_parser = encoding)]
    to: Option<Encoding>,
    /// Compress at LEVEL (gzip: 0 to 9)
    #[arg(long, value_name = "LEVEL", allow_hyphen_values = true)]
    level: Option<i32>,
    /// Print a JSON object: records, bytes_read, bytes_written
    #[arg(long)]
    json: bool,
    #[arg(value_parser = Place::parser())]
    source: Place,
    #[arg(value_parser = Place::parser())]
    target: Place,
}

#[derive(Serialize)]
struct ConvertJson {
    records: u64,
    bytes_read: u64,
    bytes_written: u64,
}

impl Convert {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, source, target) = Session::two(globals, &self.source, &self.target)?;
        let from = self.reading.encoding();
        let to = Encoding { level: self.level, max_record: from.max_record, ..self.to.unwrap_or_default() };
        let converted = session.storage.convert(&source, &from, &target, &to).await;
        let report = converted.map_err(session.failure(Subject::Object))?;
        if self.json {
            let mut output = Output::new();
            output.json(&ConvertJson {
                records: report.records,
                bytes_read: report.bytes_read,
                bytes_written: report.bytes_written,
            })?;
            return output.flush();
        }
        if !globals.quiet {
            let (read, written) = (HumanBytes(report.bytes_read), HumanBytes(report.bytes_written));
            note(format_args!("converted {} records, {read} to {written}", report.records));
        }
        Ok(())
    }
}

/// Count the records
#[derive(Args)]
struct Count {
    #[command(flatten)]
    reading: Reading,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Count {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let mut records =
            session.storage.read_records(&at, &self.reading.encoding()).await.map_err(&failed)?;
        let mut count = 0_usize;
        while let Some(batch) = records.read_batch().await.map_err(&failed)? {
            count += batch.len();
        }
        let mut output = Output::new();
        output.line(&count.to_string())?;
        output.flush()
    }
}

/// Print the first records, one a line
#[derive(Args)]
struct Head {
    #[command(flatten)]
    reading: Reading,
    /// How many
    #[arg(long, short, value_name = "N", default_value_t = 10)]
    number: usize,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Head {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let mut records =
            session.storage.read_records(&at, &self.reading.encoding()).await.map_err(&failed)?;
        let (mut output, mut left) = (Output::new(), self.number);
        while left > 0
            && let Some(batch) = records.read_batch().await.map_err(&failed)?
        {
            for record in batch.iter().take(left) {
                output.bytes(record)?;
                output.bytes(b"\n")?;
            }
            left = left.saturating_sub(batch.len());
        }
        output.flush()
    }
}

/// A codec by its name or its extension.
pub(super) fn codec(name: &str) -> Result<Codec, String> {
    match name {
        "gzip" | "gz" => Ok(Codec::Gzip),
        "zstd" | "zst" => Ok(Codec::Zstd),
        "snappy" | "sz" => Ok(Codec::Snappy),
        _ => Err(format!("there is no codec `{name}`: there are gzip, zstd and snappy")),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    let (format, codec_name) =
        text.split_once('.').map_or((text, None), |(format, codec)| (format, Some(codec)));
    let format = match format {
        "ndjson" | "jsonl" => Format::Ndjson,
        "csv" | "lp" => return Err(format!("the format `{format}` is not in this build: there is ndjson")),
        _ => return Err(format!("there is no format `{format}`: there is ndjson")),
    };
    Ok(Encoding { format: Some(format), codec: codec_name.map(codec).transpose()?, ..Encoding::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_a_format_and_a_codec() {
        let parsed = encoding("jsonl.gz").unwrap();
        assert!(matches!(parsed, Encoding { format: Some(Format::Ndjson), codec: Some(Codec::Gzip), .. }));
        assert_eq!(encoding("ndjson").unwrap().codec, None);
        for text in ["", "csv", "ndjson.", "ndjson.7z", "ndjson.gz.gz", ".gz", "xml"] {
            assert!(encoding(text).is_err(), "{text}");
        }
    }
}
