//! The interface `compression`.

use async_trait::async_trait;
use omnistorage_core::codec::{self, Coder, DecoderLimits};
use omnistorage_types::{Codec, Compression, DecompressOptions, Error, ErrorCode, Result};

use crate::{
    body::{Coded, Source},
    dictionary,
    port::{Body, Contents},
};

/// Compresses a body.
///
/// # Errors
/// A level that the codec does not have, and a dictionary that is damaged or of another codec.
pub fn compressed(input: Contents, compression: Compression) -> Result<Contents> {
    Ok(Box::new(Coded::new(Source::new(input), Some(encoder(&compression)?))))
}

/// Decompresses a body; its first bytes tell the codec.
#[must_use]
pub fn decompressed(input: Contents, options: DecompressOptions) -> Contents {
    decompressed_source(Source::new(input), options)
}

/// A dictionary of what the samples have in common.
///
/// # Errors
/// A size that no dictionary has, and samples that give none.
pub fn trained(samples: &[Vec<u8>], size: u32) -> Result<Vec<u8>> {
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    Ok(codec::zstd::train(&samples, size as usize)?)
}

/// The codec of a body, by its first bytes, or else by its path.
#[must_use]
pub fn detect(path: Option<&str>, head: &[u8]) -> Option<Codec> {
    Codec::from_magic(head).or_else(|| path.and_then(Codec::from_extension))
}

pub(crate) fn encoder(compression: &Compression) -> Result<Box<dyn Coder>> {
    let Compression { codec, level, dictionary } = compression;
    Ok(codec::encoder_with(*codec, *level, dictionary::read(dictionary.as_ref())?.as_ref())?)
}

pub(crate) fn decompressed_source(source: Source, options: DecompressOptions) -> Contents {
    Box::new(Decompressed::Waiting(Some((source, options))))
}

/// The codec that its first bytes tell.
pub(crate) async fn detect_source(source: &mut Source) -> Result<Option<Codec>> {
    Ok(Codec::from_magic(source.head(Codec::HEAD).await?))
}

/// A body to be decompressed.
enum Decompressed {
    /// Not begun: nothing was read yet.
    Waiting(Option<(Source, DecompressOptions)>),
    Begun(Coded),
}

#[async_trait(?Send)]
impl Body for Decompressed {
    async fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        if let Self::Waiting(waiting) = self {
            let Some((mut source, options)) = waiting.take() else { return Err(crate::pipe::cancelled()) };
            let decoder = decoder(&mut source, &options).await?;
            *self = Self::Begun(Coded::new(source, Some(decoder)));
        }
        match self {
            Self::Begun(coded) => coded.next(buffer).await,
            Self::Waiting(_) => Err(crate::pipe::cancelled()),
        }
    }
}

async fn decoder(source: &mut Source, options: &DecompressOptions) -> Result<Box<dyn Coder>> {
    let codec = match options.codec {
        Some(codec) => codec,
        None => detect_source(source).await?.ok_or_else(|| {
            let message = format!("the first bytes are of no known compression ({})", Codec::names());
            source.locate(Error::new(ErrorCode::Corrupted, message))
        })?,
    };
    let limits = DecoderLimits {
        max_output: options.max_output,
        max_ratio: options.max_ratio,
        max_window: options.max_window,
    };
    let dictionary = dictionary::read(options.dictionary.as_ref())?;
    Ok(codec::decoder_with(codec, limits, dictionary.as_ref())?)
}
