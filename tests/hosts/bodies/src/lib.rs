//! A command over the library: bodies on every way from the library back into it, and between its backends.
//!
//! `wasmtime run COMPOSED.wasm ONE TWO` takes two backends, which may be the same, and says what went wrong. Where a
//! completion came home it traps instead; `unrelayed` as a third argument leaves the relays of the application out, to
//! show that it is them that prevent it.

#![cfg(target_family = "wasm")]

mod engine;
mod relayed;

use omnistorage_application::{
    Body, Error, ErrorCode, Location, ReadOptions, WriteOptions,
    compression::{Codec, DecompressOptions},
    objects::{self, CompressionOptions},
};
use wasip3::cli::{command, environment};

/// More than one chunk of every stream on the way.
const SIZE: usize = 700_000;

struct Command;

command::export!(Command);

impl wasip3::exports::cli::run::Guest for Command {
    async fn run() -> Result<(), ()> {
        match run().await {
            Ok(ways) => report(format!("{ways} ways, all whole\n")).await,
            Err(why) => {
                let _ = report(format!("{why}\n")).await;
                Err(())
            }
        }
    }
}

async fn run() -> Result<usize, String> {
    let arguments = environment::get_arguments();
    let [_, one, two, rest @ ..] = arguments.as_slice() else {
        return Err("needs the names of two backends".to_owned());
    };
    let is_relayed = rest.is_empty();
    Ok(relayed::ways(one, two, is_relayed).await? + engine::ways(one, two).await?)
}

async fn report(text: String) -> Result<(), ()> {
    let (mut writer, reader) = wasip3::wit_stream::new();
    let written = wasip3::cli::stdout::write_via_stream(reader);
    let left = writer.write_all(text.into_bytes()).await;
    drop(writer);
    if left.is_empty() && written.await.is_ok() { Ok(()) } else { Err(()) }
}

/// Bytes that are all different and do not compress to nothing.
fn sample() -> Vec<u8> {
    (0..SIZE as u64 / 8).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect()
}

fn zstd(is_coded: bool) -> Option<CompressionOptions> {
    is_coded.then_some(CompressionOptions { codec: Codec::Zstd, level: None, dictionary: None })
}

fn unzstd(is_coded: bool) -> Option<DecompressOptions> {
    is_coded.then(|| DecompressOptions { codec: Some(Codec::Zstd), ..DecompressOptions::default() })
}

async fn put(at: &Location, is_coded: bool) -> Result<(), Error> {
    objects::write(at.clone(), Body::from(sample()), WriteOptions::default(), zstd(is_coded)).await?;
    Ok(())
}

async fn opened(at: &Location, is_coded: bool) -> Result<Body, Error> {
    Ok(objects::read(at.clone(), ReadOptions::default(), unzstd(is_coded)).await?.contents)
}

/// Whether it holds the sample.
async fn holds(at: &Location, is_coded: bool) -> Result<(), Error> {
    if opened(at, is_coded).await?.read_to_end(2 * SIZE).await? == sample() {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Corrupted, "the contents differ"))
}

/// What went wrong on which way.
fn on(way: &str, outcome: Result<(), Error>) -> Result<(), String> {
    outcome.map_err(|error| format!("{way}: {:?}: {}", error.code, error.message))
}
