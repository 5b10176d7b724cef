//! `--compress` and `--decompress` of the commands on two places.

use clap::Args;

use super::{
    codec,
    threads::Threads,
    window::{self, parse_window},
};
use crate::runtime::{Codec, Compression, Recoding};

/// How objects change on their way. A name is that of a compressed object if it ends in the extension of a
/// codec.
#[derive(Args)]
pub(crate) struct RecodingOptions {
    #[arg(
        long,
        value_name = "CODEC[:LEVEL]",
        value_parser = codec::compression,
        group = "recoded",
        help = format!(
            "TARGET holds what is in SOURCE compressed, under names with the extension of CODEC ({}): {}, with a level if \
             you like; an object whose name says that it is compressed is copied as it is",
            Codec::extensions(),
            Codec::names()
        )
    )]
    compress: Option<Compression>,
    #[arg(
        long,
        group = "recoded",
        help = format!(
            "TARGET holds what is in SOURCE decompressed, under names without {}; the rest is copied as it is",
            Codec::extensions()
        )
    )]
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
