//! The codecs, on one thread: in the component, where every byte goes into its memory and comes out again, and beside it
//! without a sandbox. Rates are of uncompressed bytes.
//!
//! The yardstick of gzip is this project's own framing over the deflate that the build has: with the feature `c` that is
//! zlib-ng. That of zstd is the reference with the feature `c`, else our engine; that of snappy the crate `snap`, framing
//! and all. Decompression is of what the component wrote.

use std::{
    fs,
    hint::black_box,
    io::{self, Read, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    Backend, Location, MemoryBackend, Path,
    backend::{ReadOptions, WriteOptions},
    runtime::{Codec, Compression, DecompressOptions, Runtime, RuntimeOptions, Storage},
};
use omnistorage_core::codec::{self, CodecKind, DecoderLimits};

use crate::{Options, measure::median, text::Text};

/// Bytes handed to the component at once.
const CHUNK: usize = 256 << 10;

const WORK: [Compression; 7] = [
    Compression { codec: Codec::Gzip, level: Some(1) },
    Compression { codec: Codec::Gzip, level: Some(6) },
    Compression { codec: Codec::Gzip, level: Some(9) },
    Compression { codec: Codec::Zstd, level: Some(1) },
    Compression { codec: Codec::Zstd, level: Some(3) },
    Compression { codec: Codec::Zstd, level: Some(9) },
    Compression { codec: Codec::Snappy, level: None },
];

/// One codec at one level on one text.
pub(crate) struct Row {
    text: &'static str,
    work: String,
    compress: Pair,
    decompress: Pair,
    /// Uncompressed to compressed bytes: ours and the yardstick's.
    ratio: (f64, f64),
}

/// In MB/s.
struct Pair {
    ours: f64,
    yardstick: f64,
}

/// Measures every codec on every text.
///
/// # Errors
/// The first work that fails.
pub(crate) async fn measure(options: &Options) -> Result<Vec<Row>> {
    let (size, rounds) = if options.quick { (1 << 20, 1) } else { (8 << 20, options.rounds) };
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let mut rows = Vec::new();
    for text in Text::ALL {
        let contents = Bytes::from(text.generate(size));
        for compression in WORK {
            rows.push(row(&runtime, text, &contents, compression, rounds).await?);
        }
    }
    Ok(rows)
}

async fn row(
    runtime: &Runtime,
    text: Text,
    contents: &Bytes,
    compression: Compression,
    rounds: u32,
) -> Result<Row> {
    let memory = Arc::new(MemoryBackend::new());
    let storage = Storage::builder(runtime).mount("memory", memory.clone()).build();
    let (at, path) = (Location::new("memory", "packed")?, Path::parse("packed")?);
    let yardstick = Yardstick::new(compression);

    let mut packed_there = Vec::new();
    let compress = Pair::measure(
        contents.len(),
        rounds,
        async || {
            let chunks: Vec<_> = (0..contents.len())
                .step_by(CHUNK)
                .map(|at| contents.slice(at..contents.len().min(at + CHUNK)))
                .collect();
            let chunks = stream::iter(chunks.into_iter().map(Ok)).boxed();
            storage.write(&at, chunks, &WriteOptions::default(), Some(compression)).await?;
            Ok(())
        },
        || {
            packed_there = yardstick.compress(contents)?;
            Ok(())
        },
    )
    .await?;

    let packed = memory.read_all(&path, &ReadOptions::default(), usize::MAX).await?;
    let decompress = Pair::measure(
        contents.len(),
        rounds,
        async || {
            let options = Some(DecompressOptions::default());
            let chunks = storage.read(&at, &ReadOptions::default(), options).await?.contents;
            let size = chunks.try_fold(0, async |size, chunk| Ok(size + black_box(chunk).len())).await?;
            ensure!(size == contents.len());
            Ok(())
        },
        || {
            ensure!(yardstick.decompress(&packed)? == contents.len());
            Ok(())
        },
    )
    .await?;
    let ratio = |packed: usize| contents.len() as f64 / packed as f64;
    let level = compression.level.map_or(String::new(), |level| format!(" -{level}"));
    Ok(Row {
        text: text.name(),
        work: format!("{}{level}", yardstick.kind),
        compress,
        decompress,
        ratio: (ratio(packed.len()), ratio(packed_there.len())),
    })
}

impl Pair {
    /// The medians of both, done in turns.
    async fn measure(
        bytes: usize,
        rounds: u32,
        mut ours: impl AsyncFnMut() -> Result<()>,
        mut yardstick: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let (mut of_ours, mut of_yardstick) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let started = Clock::start();
            ours().await?;
            of_ours.push(started.elapsed());
            let started = Clock::start();
            yardstick()?;
            of_yardstick.push(started.elapsed());
        }
        let rate = |times| {
            let time: Duration = median(times).context("nothing was measured")?;
            Ok::<_, anyhow::Error>(bytes as f64 / 1e6 / time.as_secs_f64())
        };
        Ok(Self { ours: rate(of_ours)?, yardstick: rate(of_yardstick)? })
    }

    fn ratio(&self) -> f64 {
        self.ours / self.yardstick
    }
}

/// The time that this thread had a processor, where the system tells it; else what the wall shows.
struct Clock {
    wall: Instant,
    processor: Option<Duration>,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), processor: processor_time() }
    }

    fn elapsed(&self) -> Duration {
        match (self.processor, processor_time()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.wall.elapsed(),
        }
    }
}

fn processor_time() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// The same without a sandbox.
struct Yardstick {
    kind: CodecKind,
    level: Option<i32>,
}

impl Yardstick {
    fn new(Compression { codec, level }: Compression) -> Self {
        let kind = match codec {
            Codec::Gzip => CodecKind::Gzip,
            Codec::Zstd => CodecKind::Zstd,
            Codec::Snappy => CodecKind::Snappy,
        };
        Self { kind, level }
    }

    fn compress(&self, contents: &[u8]) -> Result<Vec<u8>> {
        match self.kind {
            CodecKind::Snappy => {
                let mut encoder = snap::write::FrameEncoder::new(Vec::new());
                encoder.write_all(contents)?;
                Ok(encoder.into_inner()?)
            }
            #[cfg(feature = "c")]
            CodecKind::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), self.level.unwrap_or_default())?;
                encoder.include_checksum(true)?;
                encoder.write_all(contents)?;
                Ok(encoder.finish()?)
            }
            kind => {
                let mut packed = Vec::new();
                drive(&mut *codec::encoder(kind, self.level)?, contents, |part| {
                    packed.extend_from_slice(part)
                })?;
                Ok(packed)
            }
        }
    }

    /// Tells how many bytes came out.
    fn decompress(&self, packed: &[u8]) -> Result<usize> {
        match self.kind {
            CodecKind::Snappy => count(snap::read::FrameDecoder::new(packed)),
            #[cfg(feature = "c")]
            CodecKind::Zstd => count(zstd::Decoder::new(packed)?),
            kind => {
                let mut size = 0;
                drive(&mut *codec::decoder(kind, DecoderLimits::default()), packed, |part| {
                    size += part.len()
                })?;
                Ok(size)
            }
        }
    }
}

fn count(mut reader: impl Read) -> Result<usize> {
    let (mut buffer, mut size) = (vec![0; CHUNK], 0);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => size += black_box(&buffer[..count]).len(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sends the input through a codec of the core.
fn drive(codec: &mut dyn codec::Codec, mut input: &[u8], mut sink: impl FnMut(&[u8])) -> Result<()> {
    let mut output = Vec::with_capacity(CHUNK);
    loop {
        input = &input[codec.push(input, &mut output)?..];
        let is_full = output.len() == output.capacity();
        sink(black_box(&output));
        output.clear();
        if !is_full {
            break;
        }
    }
    while !codec.finish(&mut output)? {
        sink(black_box(&output));
        output.clear();
    }
    sink(&output);
    Ok(())
}

/// One line a row.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, rows: &[Row]) -> Result<()> {
    let yardstick = if cfg!(feature = "c") { "C, snappy in Rust" } else { "native Rust" };
    writeln!(
        output,
        "\n| codecs, MB/s of one thread | compress | {yardstick} | of it | decompress | {yardstick} | of it | ratio, ours / its |"
    )?;
    writeln!(output, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for Row { text, work, compress, decompress, ratio } in rows {
        writeln!(
            output,
            "| {text}, {work} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {:.2} | {:.2} / {:.2} |",
            compress.ours,
            compress.yardstick,
            compress.ratio(),
            decompress.ours,
            decompress.yardstick,
            decompress.ratio(),
            ratio.0,
            ratio.1
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yardsticks_do_the_same_work() -> Result<()> {
        for text in Text::ALL {
            let contents = text.generate(200_000);
            for yardstick in WORK.map(Yardstick::new) {
                let packed = yardstick.compress(&contents)?;
                let ratio = contents.len() / packed.len();
                assert!((1..20).contains(&ratio), "{} of {}: {ratio}", yardstick.kind, text.name());
                assert_eq!(yardstick.decompress(&packed)?, contents.len());
            }
        }
        Ok(())
    }
}
