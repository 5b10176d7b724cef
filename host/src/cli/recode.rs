//! `--compress` and `--decompress` of the commands on two places.

use clap::Args;

use super::{
    input::parse_compression,
    threads::Threads,
    window::{self, parse_window},
};
use crate::runtime::{Compression, Recoding};

/// How objects change on their way. A name is that of a compressed object if it ends in .gz, .zst or .sz.
#[derive(Args)]
pub(crate) struct RecodingOptions {
    /// TARGET holds what is in SOURCE compressed, under names with .gz, .zst or .sz: gzip, zstd or snappy, with a level
    /// if you like; an object whose name says that it is compressed is copied as it is
    #[arg(long, value_name = "CODEC[:LEVEL]", value_parser = parse_compression, group = "recoded")]
    compress: Option<Compression>,
    /// TARGET holds what is in SOURCE decompressed, under names without .gz, .zst or .sz; the rest is copied as it is
    #[arg(long, group = "recoded")]
    decompress: bool,
    /// Refuse zstd data whose window is more than SIZE
    #[arg(
        long,
        value_name = "SIZE",
        default_value = window::DEFAULT,
        value_parser = parse_window,
        requires = "recoded"
    )]
    max_window: u64,
}

impl RecodingOptions {
    pub(crate) fn recoding(&self) -> Option<Recoding> {
        let decompress = self.decompress.then_some(Recoding::Decompress);
        self.compress.map(Recoding::Compress).or(decompress)
    }

    /// The largest window of zstd.
    pub(crate) fn max_window(&self) -> Option<u64> {
        Some(self.max_window)
    }

    /// What the command runs on.
    pub(crate) fn threads(&self) -> Threads {
        if self.recoding().is_some() { Threads::Several } else { Threads::One }
    }
}
