//! `--dictionary`: what small objects that zstd compresses have in common, in a file.

#![allow(clippy::disallowed_methods, reason = "a dictionary is read from a file that the user names")]

use std::{fs::File, io::Read as _, path::Path};

use super::{exit::Failure, output::printable};
use crate::runtime::{Codec, Compression, Dictionary};

/// Reads the file, if one is named.
pub(crate) fn read(file: Option<&Path>) -> Result<Option<Dictionary>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let refused = |what: &str| {
        let name = printable(&file.to_string_lossy()).to_string();
        Err(Failure::usage(format!("cannot read the dictionary `{name}`: {what}")))
    };
    let (most, mut bytes) = (Dictionary::MAX_LENGTH, Vec::new());
    match File::open(file).and_then(|opened| opened.take(most as u64 + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() > most => refused(&format!("it has more than {} MiB", most >> 20)),
        Ok(_) => Ok(Some(bytes.into())),
        Err(error) => refused(&error.to_string()),
    }
}

/// Adds the dictionary to what is to be compressed.
pub(crate) fn add_to(compression: Compression, file: Option<&Path>) -> Result<Compression, Failure> {
    refuse_for(compression.codec, file)?;
    Ok(Compression { dictionary: read(file)?, ..compression })
}

/// Refuses a dictionary for a codec that has none.
pub(crate) fn refuse_for(codec: Codec, file: Option<&Path>) -> Result<(), Failure> {
    match file {
        Some(_) if codec != Codec::Zstd => {
            Err(Failure::usage(format!("--dictionary is for zstd, and {codec} has none: leave it out")))
        }
        _ => Ok(()),
    }
}
