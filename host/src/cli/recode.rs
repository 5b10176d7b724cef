//! `--compress` and `--decompress` of the commands on two places.

use std::path::PathBuf;

use clap::Args;

use super::{
    codec, dictionary,
    exit::Failure,
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
    /// Compress or decompress with the zstd dictionary in FILE; what is compressed otherwise is then an error
    #[arg(long, value_name = "FILE", requires = "recoded")]
    dictionary: Option<PathBuf>,
}

impl RecodingOptions {
    /// In the words of the library.
    pub(crate) fn recoding(&self) -> Result<Option<Recoding>, Failure> {
        let file = self.dictionary.as_deref();
        Ok(match &self.compress {
            Some(compression) => Some(Recoding::Compress(dictionary::add_to(compression.clone(), file)?)),
            None if self.decompress => Some(Recoding::Decompress(dictionary::read(file)?)),
            None => None,
        })
    }

    /// The largest window of zstd.
    pub(crate) fn max_window(&self) -> Option<u64> {
        Some(self.max_window)
    }

    /// What the command runs on.
    pub(crate) fn threads(&self) -> Threads {
        if self.compress.is_some() || self.decompress { Threads::Several } else { Threads::One }
    }
}
