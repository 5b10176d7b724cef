//! `records convert`, `records count`, `records head`.

mod encoding;

use std::num::NonZero;

use clap::{Args, Subcommand};
use indicatif::HumanBytes;
use serde::Serialize;

use super::{
    Globals,
    exit::{Failure, Subject},
    local::Need,
    output::{Output, note},
    place::{Place, PlaceKind},
    session::Session,
};
use crate::runtime::{Codec, Format};
use encoding::{Reading, Writing};

/// Read and convert files of records
#[derive(Args)]
#[command(long_about = Records::about())]
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
    fn about() -> String {
        format!(
            "Read and convert files of records\n\nThe extensions of the path tell the format and the codec ({}, \
             then {}), or --from and --to do. `-` is standard input or output.",
            Format::extensions(),
            Codec::extensions()
        )
    }

    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Convert(command) => command.run(globals).await,
            Command::Count(command) => command.run(globals).await,
            Command::Head(command) => command.run(globals).await,
        }
    }
}

/// Read every record of SOURCE and write it to TARGET, whole or not at all
///
/// JSON (a text a line, or one array) and CSV turn into each other: a row is an object whose keys are the columns, or
/// an array if there is no header. The columns of JSON are all of its keys, unless --columns names them. If a record
/// after the first ones brings another, or the target is standard output, JSON is read twice; what comes from standard
/// input is kept in a temporary file for that. An object or an array in a field is its JSON text. Length-prefixed holds
/// the records of either as they are.
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage records convert listing.ndjson.zst listing.csv")]
struct Convert {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    writing: Writing,
    /// Print a JSON object: records, bytes_read, bytes_written
    #[arg(long)]
    json: bool,
    /// An object of records; `-` is standard input
    #[arg(value_parser = Place::or_standard())]
    source: Place,
    /// The object that they go to; `-` is standard output
    #[arg(value_parser = Place::or_standard())]
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
        if self.json && matches!(self.target.kind, PlaceKind::Standard(_)) {
            return Err(Failure::usage(
                "with `-` as the target, records and --json would mix: leave one out",
            ));
        }
        let (session, source, target) = Session::two(globals, &self.source, &self.target)?;
        let (from, to) = encoding::both(&self.reading, &self.writing, &source, &target)?;
        if encoding::is_read_twice(&from, &to) {
            session.keep_input();
        }
        let cores = self.writing.cores(&to, &target);
        let converted = session.storage.convert_on_cores(&source, &from, &target, &to, cores).await;
        let report = converted.map_err(session.failure(Subject::Object))?;
        self.reading.hint(globals, &from, report.header.as_deref());
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
#[command(after_help = "Examples:\n  omnistorage records count s3://bucket/log.ndjson.gz")]
struct Count {
    #[command(flatten)]
    reading: Reading,
    #[cfg_attr(not(target_family = "wasm"), doc = "Read on up to N cores [default: all of them]")]
    #[cfg_attr(target_family = "wasm", doc = "Taken, and without effect: a component has one core")]
    #[arg(long, value_name = "N")]
    cores: Option<NonZero<usize>>,
    /// An object of records; `-` is standard input
    #[arg(value_parser = Place::or_standard())]
    place: Place,
}

impl Count {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let encoding = self.reading.encoding(&at)?;
        let cores = self.cores.unwrap_or_else(encoding::all_cores);
        let counted = session.storage.count_records(&at, &encoding, cores).await.map_err(&failed)?;
        self.reading.hint(globals, &encoding, counted.header.as_deref());
        let mut output = Output::new();
        output.line(&counted.records.to_string())?;
        output.flush()
    }
}

/// Print the first records, one a line, below the header if there is one
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage records head -n 5 weather.csv")]
struct Head {
    #[command(flatten)]
    reading: Reading,
    /// How many
    #[arg(long, short, value_name = "N", default_value_t = 10)]
    number: usize,
    /// An object of records; `-` is standard input
    #[arg(value_parser = Place::or_standard())]
    place: Place,
}

impl Head {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let encoding = self.reading.encoding(&at)?;
        let mut records = session.storage.read_records(&at, &encoding).await.map_err(&failed)?;
        let (mut output, mut left) = (Output::new(), self.number);
        if let Some(header) = records.header().await.map_err(&failed)? {
            output.record(header)?;
            self.reading.hint(globals, &encoding, Some(header));
        }
        while left > 0
            && let Some(batch) = records.read_batch().await.map_err(&failed)?
        {
            for record in batch.iter().take(left) {
                output.record(record)?;
            }
            left = left.saturating_sub(batch.len());
        }
        output.flush()
    }
}
