//! The commands that write what objects hold to standard output: `cat`, `head`, `tail`.

use std::path::PathBuf;

use clap::Args;
use futures::StreamExt;

use super::{
    Globals, dictionary,
    exit::{Failure, Subject},
    local::Need,
    output::{Output, printable},
    place::{Place, PlaceKind},
    session::Session,
    window::{self, parse_window},
};
use crate::{
    Location, ObjectKind,
    backend::{ReadOptions, Reader},
    runtime::{Codec, DecompressOptions},
};

/// Write objects to standard output, one behind the other
#[derive(Args)]
#[command(after_help = CAT_EXAMPLES)]
pub(crate) struct Cat {
    /// Begin N bytes after the start; -N: N bytes before the end
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: i64,
    /// End after N bytes
    #[arg(long, value_name = "N")]
    length: Option<u64>,
    #[arg(
        long,
        conflicts_with_all = ["offset", "length"],
        help = format!("Decompress what the first bytes show to be compressed: {}", Codec::names())
    )]
    decompress: bool,
    /// Refuse zstd data whose window is more than SIZE
    #[arg(
        long,
        value_name = "SIZE",
        default_value = window::DEFAULT,
        value_parser = parse_window,
        requires = "decompress"
    )]
    max_window: u64,
    /// Decompress zstd data with the dictionary in FILE, which they were compressed with
    #[arg(long, value_name = "FILE", requires = "decompress")]
    dictionary: Option<PathBuf>,
    /// Continue with PLACE, a replica of the object, if the first one cannot be read; may be given more than once
    #[arg(long, value_name = "PLACE", value_parser = Place::parser())]
    replica: Vec<Place>,
    /// The objects; `-` is standard input
    #[arg(required = true, value_name = "PLACE", value_parser = Place::or_standard())]
    places: Vec<Place>,
}

const CAT_EXAMPLES: &str = "\
Examples:
  omnistorage cat s3://bucket/a.txt s3://bucket/b.txt > both.txt
  omnistorage cat --decompress nas:logs/2026-11.ndjson.zst | grep error
  omnistorage cat --offset -1000 s3://bucket/journal";

impl Cat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if self.places.len() > 1 && !self.replica.is_empty() {
            return Err(Failure::usage("--replica is for one object: give one PLACE"));
        }
        let (max_window, dictionary) = (Some(self.max_window), dictionary::read(self.dictionary.as_deref())?);
        let options = DecompressOptions { max_window, dictionary, ..Default::default() };
        let decompress = self.decompress.then_some(options);
        let mut output = Output::new();
        if !self.replica.is_empty() {
            let places: Vec<_> = self.places.into_iter().chain(self.replica).collect();
            let (session, sources) = Session::many(globals, &places)?;
            let offset = u64::try_from(self.offset).map_err(|_| {
                Failure::usage(
                    "of replicas, the end is not known beforehand: give an --offset from the start",
                )
            })?;
            let options = ReadOptions { offset, length: self.length, if_match: None };
            let reader = session.storage.read_any(&sources, &options, decompress).await;
            copy(&session, reader.map_err(session.failure(Subject::Object))?, &mut output).await?;
            return output.flush();
        }
        let (session, sources) = Session::each_of(globals, &self.places, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        for (source, place) in sources.iter().zip(&self.places) {
            let mut options = ReadOptions { offset: 0, length: self.length, if_match: None };
            match u64::try_from(self.offset) {
                Ok(offset) => options.offset = offset,
                Err(_) => {
                    let End { size, etag } = end(&session, source, place).await?;
                    options.offset = size.saturating_sub(self.offset.unsigned_abs());
                    options.if_match = etag;
                }
            }
            let reader = session.storage.read(source, &options, decompress.clone()).await;
            copy(&session, reader.map_err(&failed)?, &mut output).await?;
        }
        output.flush()
    }
}

/// Hands all of it over. What came before an error is written.
async fn copy(session: &Session, mut reader: Reader, output: &mut Output) -> Result<(), Failure> {
    while let Some(chunk) = reader.contents.next().await {
        match chunk {
            Ok(chunk) => output.bytes(&chunk)?,
            Err(error) => {
                output.flush()?;
                return Err(session.failure(Subject::Object)(error));
            }
        }
    }
    Ok(())
}

/// Where an object ends, and which version of it.
struct End {
    size: u64,
    etag: Option<String>,
}

async fn end(session: &Session, at: &Location, place: &Place) -> Result<End, Failure> {
    let typed = printable(&place.typed);
    if matches!(place.kind, PlaceKind::Standard(_)) {
        return Err(Failure::usage("where standard input ends is not known beforehand: use `tail`"));
    }
    let info = session.storage.stat(at).await.map_err(session.failure(Subject::Object))?;
    if info.kind != ObjectKind::Object {
        return Err(Failure::new(
            super::exit::Exit::NotRetryable,
            format!("`{typed}`: it is a directory, not an object"),
        ));
    }
    let can_match = session.storage.features(&at.backend).await.map_err(session.failure(Subject::Object))?;
    let etag = info.etag.filter(|_| can_match.features.if_match);
    match info.size {
        Some(size) => Ok(End { size, etag }),
        None => Err(Failure::usage(format!("`{typed}`: nobody tells how long it is"))),
    }
}

/// How much of an object.
#[derive(Args)]
struct Part {
    /// So many lines
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    lines: u64,
    /// So many bytes, instead of lines
    #[arg(long, short = 'c', value_name = "N")]
    bytes: Option<u64>,
    /// The objects; `-` is standard input
    #[arg(required = true, value_name = "PLACE", value_parser = Place::or_standard())]
    places: Vec<Place>,
}

impl Part {
    /// A line above each of several objects, as in head and tail.
    fn title(&self, output: &mut Output, index: usize) -> Result<(), Failure> {
        let Some(place) = self.places.get(index).filter(|_| self.places.len() > 1) else { return Ok(()) };
        if index > 0 {
            output.line("")?;
        }
        output.line(&format!("==> {} <==", place.typed))
    }
}

/// Write the first lines of objects to standard output
///
/// No more is read than that takes. What is known about an object, its size and its time, is told by `stat`.
#[derive(Args)]
#[command(after_help = HEAD_EXAMPLES)]
pub(crate) struct Head {
    #[arg(
        long,
        help = format!("Decompress what the first bytes show to be compressed: {}", Codec::names())
    )]
    decompress: bool,
    /// Decompress zstd data with the dictionary in FILE, which they were compressed with
    #[arg(long, value_name = "FILE", requires = "decompress")]
    dictionary: Option<PathBuf>,
    #[command(flatten)]
    part: Part,
}

const HEAD_EXAMPLES: &str = "\
Examples:
  omnistorage head s3://bucket/logs/today.ndjson
  omnistorage head -n 100 --decompress nas:logs/2026-11.ndjson.zst";

impl Head {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, sources) = Session::each_of(globals, &self.part.places, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let dictionary = dictionary::read(self.dictionary.as_deref())?;
        let decompress = self.decompress.then(|| DecompressOptions { dictionary, ..Default::default() });
        let mut output = Output::new();
        for (index, source) in sources.iter().enumerate() {
            let length = self.part.bytes.filter(|_| decompress.is_none());
            let options = ReadOptions { length, ..ReadOptions::default() };
            let reader = session.storage.read(source, &options, decompress.clone()).await;
            let mut reader = reader.map_err(&failed)?;
            self.part.title(&mut output, index)?;
            let mut left = Left::of(&self.part);
            while let Some(chunk) = reader.contents.next().await.filter(|_| !left.is_none()) {
                let chunk = chunk.map_err(|error| {
                    // What came before it is worth something.
                    drop(output.flush());
                    failed(error)
                })?;
                output.bytes(left.take(&chunk))?;
                if left.is_none() {
                    break;
                }
            }
        }
        output.flush()
    }
}

/// What is yet to be written.
enum Left {
    Lines(u64),
    Bytes(u64),
}

impl Left {
    const fn of(part: &Part) -> Self {
        match part.bytes {
            Some(bytes) => Self::Bytes(bytes),
            None => Self::Lines(part.lines),
        }
    }

    const fn is_none(&self) -> bool {
        matches!(self, Self::Lines(0) | Self::Bytes(0))
    }

    /// What of a chunk is meant.
    fn take<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let end = match self {
            Self::Bytes(left) => {
                let end = usize::try_from(*left).map_or(chunk.len(), |left| left.min(chunk.len()));
                *left -= end as u64;
                end
            }
            Self::Lines(left) => {
                let mut ends = chunk.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                let mut end = chunk.len();
                while *left > 0 {
                    let Some((at, _)) = ends.next() else { break };
                    *left -= 1;
                    if *left == 0 {
                        end = at + 1;
                    }
                }
                end
            }
        };
        chunk.get(..end).unwrap_or(chunk)
    }
}

/// Write the last lines of objects to standard output
///
/// No more is read than that takes; standard input is read to its end, and kept in memory as far as it may be the last.
#[derive(Args)]
#[command(after_help = TAIL_EXAMPLES)]
pub(crate) struct Tail {
    #[command(flatten)]
    part: Part,
}

const TAIL_EXAMPLES: &str = "\
Examples:
  omnistorage tail s3://bucket/logs/today.ndjson
  omnistorage tail -c 1000 ./journal";

/// Bytes that are looked through at once for the ends of lines, first and at most.
const FIRST_LOOK: u64 = 64 << 10;
const LARGEST_LOOK: u64 = 8 << 20;

impl Tail {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, sources) = Session::each_of(globals, &self.part.places, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let mut output = Output::new();
        for (index, (source, place)) in sources.iter().zip(&self.part.places).enumerate() {
            if matches!(place.kind, PlaceKind::Standard(_)) {
                self.part.title(&mut output, index)?;
                output.bytes(&self.last_of_stream(&session, source).await?)?;
                continue;
            }
            let End { size, etag } = end(&session, source, place).await?;
            let version = ReadOptions { if_match: etag, ..ReadOptions::default() };
            let offset = match self.part.bytes {
                Some(bytes) => size.saturating_sub(bytes),
                None => self.start_of_lines(&session, source, size, &version).await?,
            };
            // What is written to it meanwhile is not looked at.
            let options = ReadOptions { offset, length: Some(size - offset), ..version };
            let reader = session.storage.read(source, &options, None).await.map_err(&failed)?;
            self.part.title(&mut output, index)?;
            copy(&session, reader, &mut output).await?;
        }
        output.flush()
    }

    /// Where the last lines begin: looked for from the end on.
    async fn start_of_lines(
        &self,
        session: &Session,
        source: &Location,
        size: u64,
        version: &ReadOptions,
    ) -> Result<u64, Failure> {
        let failed = session.failure(Subject::Object);
        let (mut until, mut look, mut wanted) = (size, FIRST_LOOK, self.part.lines);
        if wanted == 0 {
            return Ok(size);
        }
        while until > 0 {
            let length = look.min(until);
            let offset = until - length;
            let options = ReadOptions { offset, length: Some(length), ..version.clone() };
            let mut reader = session.storage.read(source, &options, None).await.map_err(&failed)?;
            let mut part = Vec::new();
            while let Some(chunk) = reader.contents.next().await {
                part.extend_from_slice(&chunk.map_err(&failed)?);
            }
            for (at, _) in part.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
                let behind = offset + at as u64 + 1;
                // The end of the last line begins no other one.
                if behind == size {
                    continue;
                }
                wanted -= 1;
                if wanted == 0 {
                    return Ok(behind);
                }
            }
            (until, look) = (offset, (look * 4).min(LARGEST_LOOK));
        }
        Ok(0)
    }

    /// The last of what cannot be read from its end.
    async fn last_of_stream(&self, session: &Session, source: &Location) -> Result<Vec<u8>, Failure> {
        let failed = session.failure(Subject::Object);
        let reader = session.storage.read(source, &ReadOptions::default(), None).await;
        let mut reader = reader.map_err(&failed)?;
        let mut kept: Vec<u8> = Vec::new();
        while let Some(chunk) = reader.contents.next().await {
            kept.extend_from_slice(&chunk.map_err(&failed)?);
            let start = self.start_in(&kept);
            // Moving what stays costs no more than what goes.
            if start > kept.len() / 2 {
                drop(kept.drain(..start));
            }
        }
        let start = self.start_in(&kept);
        Ok(kept.split_off(start))
    }

    fn start_in(&self, bytes: &[u8]) -> usize {
        if let Some(count) = self.part.bytes {
            return usize::try_from(count).map_or(0, |count| bytes.len().saturating_sub(count));
        }
        let Ok(lines) = usize::try_from(self.part.lines) else { return 0 };
        let Some(before) = lines.checked_sub(1) else { return bytes.len() };
        let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let mut ends = whole.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
        ends.nth(before).map_or(0, |(at, _)| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(lines: u64, bytes: Option<u64>) -> Tail {
        Tail { part: Part { lines, bytes, places: Vec::new() } }
    }

    #[test]
    fn the_first_lines_end_where_a_line_does() {
        for (lines, text, taken) in
            [(2, "a\nb\nc\n", "a\nb\n"), (9, "a\nb", "a\nb"), (1, "\n\n", "\n"), (1, "", "")]
        {
            assert_eq!(Left::Lines(lines).take(text.as_bytes()), taken.as_bytes(), "{text:?}");
        }
        let mut left = Left::Lines(2);
        assert_eq!(
            (left.take(b"a"), left.take(b"b\nc"), left.take(b"d\ne")),
            (&b"a"[..], &b"b\nc"[..], &b"d\n"[..])
        );
        assert!(left.is_none());
        assert_eq!(Left::Bytes(2).take(b"abc"), b"ab");
    }

    #[test]
    fn the_last_lines_begin_where_a_line_does() {
        for (lines, text, last) in [
            (1, "a\nb\n", "b\n"),
            (1, "a\nb", "b"),
            (2, "a\nb\nc", "b\nc"),
            (9, "a\nb", "a\nb"),
            (0, "a", ""),
            (1, "", ""),
        ] {
            let start = tail(lines, None).start_in(text.as_bytes());
            assert_eq!(&text[start..], last, "{text:?}");
        }
        assert_eq!(tail(10, Some(2)).start_in(b"abc"), 1);
    }
}
