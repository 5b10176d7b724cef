//! The codecs, on one thread: in the component, where every byte goes into its memory and comes out again; the same code
//! without a sandbox; and beside them what there is in C, with the feature `c`, and the crate `snap`. Rates are of
//! uncompressed bytes and of processor time. Everybody decompresses what the component wrote.
//!
//! A second table has the shares of the yardstick's throughput: how far the component's is below the native one is what the
//! sandbox costs, and how far the native one is below 1 is what the code does.

mod native;
mod yardstick;

use std::{hint::black_box, io::Write, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use bytes::Bytes;
use cpu_time::ThreadTime;
use futures::{StreamExt, TryStreamExt, stream};
use omnistorage::{
    Backend, Location, MemoryBackend, Path,
    backend::{ReadOptions, WriteOptions},
    runtime::{Codec, Compression, DecompressOptions, Runtime, RuntimeOptions, Storage},
};
use yardstick::Yardstick;

use crate::{Options, measure::median, text::Text};

/// Bytes handed on at once.
const CHUNK: usize = 256 << 10;

const WORK: [Compression; 8] = [
    Compression { codec: Codec::Gzip, level: Some(1), dictionary: None },
    Compression { codec: Codec::Gzip, level: Some(6), dictionary: None },
    Compression { codec: Codec::Gzip, level: Some(9), dictionary: None },
    Compression { codec: Codec::Zstd, level: Some(1), dictionary: None },
    Compression { codec: Codec::Zstd, level: Some(3), dictionary: None },
    Compression { codec: Codec::Zstd, level: Some(9), dictionary: None },
    Compression { codec: Codec::Snappy, level: None, dictionary: None },
    Compression { codec: Codec::Lz4, level: None, dictionary: None },
];

/// One codec at one level on one text.
pub(crate) struct Row {
    text: &'static str,
    work: Compression,
    component: Figures,
    native: Figures,
    yardsticks: Vec<(Yardstick, Figures)>,
}

impl Row {
    /// What is done, for people.
    fn work(&self) -> String {
        let level = self.work.level.map_or(String::new(), |level| format!(" -{level}"));
        format!("{}, {}{level}", self.text, self.work.codec)
    }
}

/// What one contender makes of a text.
#[derive(Default)]
struct Figures {
    /// How long each run took.
    compress: Vec<Duration>,
    decompress: Vec<Duration>,
    /// Bytes that were compressed, and what they became.
    contents: usize,
    packed: usize,
}

impl Figures {
    /// MB/s of the median run.
    fn rate(&self, times: &[Duration]) -> f64 {
        let seconds = median(times.iter().copied()).unwrap_or_default().as_secs_f64();
        self.contents as f64 / 1e6 / seconds
    }

    fn ratio(&self) -> f64 {
        self.contents as f64 / self.packed as f64
    }

    fn rates(&self) -> Rates {
        Rates { compress: self.rate(&self.compress), decompress: self.rate(&self.decompress) }
    }
}

/// MB/s, each way.
struct Rates {
    compress: f64,
    decompress: f64,
}

/// Measures every codec on every text.
///
/// # Errors
/// The first work that fails.
pub(crate) async fn measure(options: &Options) -> Result<Vec<Row>> {
    let (size, rounds) = if options.quick { (1 << 20, 1) } else { (16 << 20, options.rounds) };
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let mut rows = Vec::new();
    for text in Text::ALL {
        let contents = Bytes::from(text.generate(size));
        for work in WORK {
            rows.push(row(&runtime, text, &contents, work, rounds).await?);
        }
    }
    Ok(rows)
}

/// Lets all contenders compress, then decompress, in turns.
async fn row(runtime: &Runtime, text: Text, contents: &Bytes, work: Compression, rounds: u32) -> Result<Row> {
    let memory = Arc::new(MemoryBackend::new());
    let storage = Storage::builder(runtime).mount("memory", memory.clone()).build();
    let (at, path) = (Location::new("memory", "packed")?, Path::parse("packed")?);
    let figures = || Figures { contents: contents.len(), ..Figures::default() };
    let mut row = Row {
        text: text.name(),
        work: work.clone(),
        component: figures(),
        native: figures(),
        yardsticks: Yardstick::of(work.codec).map(|yardstick| (yardstick, figures())).collect(),
    };
    for _ in 0..rounds {
        let chunks = stream::iter(chunks(contents).into_iter().map(Ok)).boxed();
        let started = ThreadTime::now();
        storage.write(&at, chunks, &WriteOptions::default(), Some(work.clone())).await?;
        row.component.compress.push(started.elapsed());

        let started = ThreadTime::now();
        row.native.packed = native::compress(&work, contents)?;
        row.native.compress.push(started.elapsed());

        for (yardstick, figures) in &mut row.yardsticks {
            let started = ThreadTime::now();
            figures.packed = yardstick.compress(work.level, contents)?;
            figures.compress.push(started.elapsed());
        }
    }
    let packed = memory.read_all(&path, &ReadOptions::default(), usize::MAX).await?;
    row.component.packed = packed.len();
    let blocks = Yardstick::blocks(contents)?;
    for _ in 0..rounds {
        let started = ThreadTime::now();
        let options = Some(DecompressOptions::default());
        let unpacked = storage.read(&at, &ReadOptions::default(), options).await?.contents;
        let size = unpacked.try_fold(0, async |size, chunk| Ok(size + black_box(chunk).len())).await?;
        row.component.decompress.push(started.elapsed());
        ensure!(size == contents.len());

        let started = ThreadTime::now();
        ensure!(native::decompress(work.codec, &packed)? == contents.len());
        row.native.decompress.push(started.elapsed());

        for (yardstick, figures) in &mut row.yardsticks {
            let input = if yardstick.takes_blocks() { &blocks } else { &packed[..] };
            let started = ThreadTime::now();
            ensure!(yardstick.decompress(input, contents.len())? == contents.len());
            figures.decompress.push(started.elapsed());
        }
    }
    Ok(row)
}

fn chunks(contents: &Bytes) -> Vec<Bytes> {
    let starts = (0..contents.len()).step_by(CHUNK);
    starts.map(|at| contents.slice(at..contents.len().min(at + CHUNK))).collect()
}

/// One line a contender, then one line a work.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_tables(output: &mut impl Write, rows: &[Row]) -> Result<()> {
    writeln!(output, "\n| codecs, MB/s of one thread | by | compress | decompress | ratio |")?;
    writeln!(output, "|---|---|--:|--:|--:|")?;
    for row in rows {
        let ours = [("component", &row.component), ("native", &row.native)];
        let others = row.yardsticks.iter().map(|(yardstick, figures)| (yardstick.name(), figures));
        for (name, figures) in ours.into_iter().chain(others) {
            let Rates { compress, decompress } = figures.rates();
            let (work, ratio) = (row.work(), figures.ratio());
            writeln!(output, "| {work} | {name} | {compress:.0} | {decompress:.0} | {ratio:.2} |")?;
        }
    }
    write_shares(output, rows)
}

/// What the component and the same code without a sandbox reach of the first yardstick, which does the same work.
fn write_shares(output: &mut impl Write, rows: &[Row]) -> Result<()> {
    writeln!(
        output,
        "\n| codecs, of the rate of | | compress: component | native | decompress: component | native | size |"
    )?;
    writeln!(output, "|---|---|--:|--:|--:|--:|--:|")?;
    for row in rows {
        let Some((yardstick, theirs)) = row.yardsticks.first() else { continue };
        let (component, native, of) = (row.component.rates(), row.native.rates(), theirs.rates());
        writeln!(
            output,
            "| {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.3} |",
            row.work(),
            yardstick.name(),
            component.compress / of.compress,
            native.compress / of.compress,
            component.decompress / of.decompress,
            native.decompress / of.decompress,
            theirs.ratio() / row.component.ratio(),
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
            let contents = Bytes::from(text.generate(200_000));
            for work in WORK {
                let packed = native::compressed(&work, &contents)?;
                assert_eq!(native::decompress(work.codec, &packed)?, contents.len());
                for yardstick in Yardstick::of(work.codec) {
                    let ratio = contents.len() / yardstick.compress(work.level, &contents)?;
                    assert!((1..20).contains(&ratio), "{} of {}: {ratio}", yardstick.name(), text.name());
                    let blocks = Yardstick::blocks(&contents)?;
                    let input = if yardstick.takes_blocks() { &blocks } else { &packed };
                    assert_eq!(yardstick.decompress(input, contents.len())?, contents.len());
                }
            }
        }
        Ok(())
    }
}
