//! What ours is held against.
//!
//! zlib-ng, zstd and lz4 stream, as ours do, in chunks of 256 KiB. libdeflate and libsnappy have all of the input and all of the
//! output in memory, and the latter neither frames nor checks: they show how far one could go.

use std::{
    hint::black_box,
    io::{self, Read, Write},
};

use anyhow::Result;
use omnistorage::runtime::Codec;

use super::CHUNK;

/// Another implementation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Yardstick {
    #[cfg(feature = "c")]
    ZlibNg,
    #[cfg(feature = "c")]
    Libdeflate,
    #[cfg(feature = "c")]
    Zstd,
    #[cfg(feature = "c")]
    Lz4,
    /// The crate, framing and all.
    Snap,
    /// Raw blocks.
    #[cfg(feature = "c")]
    Libsnappy,
}

impl Yardstick {
    /// Those of a codec.
    pub(super) fn of(codec: Codec) -> impl Iterator<Item = Self> {
        const ALL: &[(Codec, Yardstick)] = &[
            #[cfg(feature = "c")]
            (Codec::Gzip, Yardstick::ZlibNg),
            #[cfg(feature = "c")]
            (Codec::Gzip, Yardstick::Libdeflate),
            #[cfg(feature = "c")]
            (Codec::Zstd, Yardstick::Zstd),
            #[cfg(feature = "c")]
            (Codec::Lz4, Yardstick::Lz4),
            (Codec::Snappy, Yardstick::Snap),
            #[cfg(feature = "c")]
            (Codec::Snappy, Yardstick::Libsnappy),
        ];
        ALL.iter().filter(move |(of, _)| *of == codec).map(|(_, yardstick)| *yardstick)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "c")]
            Self::ZlibNg => "zlib-ng, C",
            #[cfg(feature = "c")]
            Self::Libdeflate => "libdeflate, C, one-shot",
            #[cfg(feature = "c")]
            Self::Zstd => "zstd, C",
            #[cfg(feature = "c")]
            Self::Lz4 => "lz4, C",
            Self::Snap => "snap, native",
            #[cfg(feature = "c")]
            Self::Libsnappy => "libsnappy, C++, raw",
        }
    }

    /// It wants what [`blocks`](Self::blocks) gives, not what the component wrote.
    pub(super) fn takes_blocks(self) -> bool {
        self.name().ends_with("raw")
    }

    /// A raw block of snappy.
    pub(super) fn blocks(contents: &[u8]) -> Result<Vec<u8>> {
        Ok(snap::raw::Encoder::new().compress_vec(contents)?)
    }

    /// Tells how many bytes came out.
    #[cfg_attr(not(feature = "c"), allow(unused_variables, reason = "it has no levels"))]
    pub(super) fn compress(self, level: Option<i32>, contents: &[u8]) -> Result<usize> {
        #[cfg(feature = "c")]
        let level = level.unwrap_or_default();
        match self {
            #[cfg(feature = "c")]
            Self::ZlibNg => {
                let level = flate2::Compression::new(level.unsigned_abs());
                let mut encoder = flate2::write::GzEncoder::new(Count(0), level);
                write(&mut encoder, contents)?;
                Ok(encoder.finish()?.0)
            }
            #[cfg(feature = "c")]
            Self::Libdeflate => {
                let level = libdeflater::CompressionLvl::new(level)
                    .map_err(|_| anyhow::anyhow!("libdeflate lacks the level"))?;
                let mut compressor = libdeflater::Compressor::new(level);
                let mut packed = vec![0; compressor.gzip_compress_bound(contents.len())];
                Ok(compressor.gzip_compress(contents, &mut packed)?)
            }
            #[cfg(feature = "c")]
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(Count(0), level)?;
                encoder.include_checksum(true)?;
                write(&mut encoder, contents)?;
                Ok(encoder.finish()?.0)
            }
            #[cfg(feature = "c")]
            Self::Lz4 => {
                let mut encoder = lz4::EncoderBuilder::new().build(Count(0))?;
                write(&mut encoder, contents)?;
                let (packed, finished) = encoder.finish();
                finished?;
                Ok(packed.0)
            }
            Self::Snap => {
                let mut encoder = snap::write::FrameEncoder::new(Count(0));
                write(&mut encoder, contents)?;
                Ok(encoder.into_inner()?.0)
            }
            #[cfg(feature = "c")]
            Self::Libsnappy => libsnappy::compress(contents),
        }
    }

    /// Tells how many bytes came out of those that were `size` before.
    #[cfg_attr(not(feature = "c"), allow(unused_variables, reason = "streams need not know it"))]
    pub(super) fn decompress(self, packed: &[u8], size: usize) -> Result<usize> {
        match self {
            #[cfg(feature = "c")]
            Self::ZlibNg => count(flate2::bufread::MultiGzDecoder::new(packed)),
            #[cfg(feature = "c")]
            Self::Libdeflate => {
                let mut contents = vec![0; size];
                Ok(libdeflater::Decompressor::new().gzip_decompress(packed, &mut contents)?)
            }
            #[cfg(feature = "c")]
            Self::Zstd => count(zstd::Decoder::new(packed)?),
            #[cfg(feature = "c")]
            Self::Lz4 => count(lz4::Decoder::new(packed)?),
            Self::Snap => count(snap::read::FrameDecoder::new(packed)),
            #[cfg(feature = "c")]
            Self::Libsnappy => libsnappy::decompress(packed, size),
        }
    }
}

fn write(encoder: &mut impl Write, contents: &[u8]) -> io::Result<()> {
    contents.chunks(CHUNK).try_for_each(|chunk| encoder.write_all(chunk))
}

/// Where compressed bytes go: nowhere, but they are counted.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

/// The C interface of libsnappy.
#[cfg(feature = "c")]
#[allow(unsafe_code, reason = "there is no other interface")]
mod libsnappy {
    use anyhow::{Result, ensure};
    use snappy_src::{
        snappy_compress, snappy_max_compressed_length, snappy_status_SNAPPY_OK as SNAPPY_OK,
        snappy_uncompress,
    };

    pub(super) fn compress(contents: &[u8]) -> Result<usize> {
        // SAFETY: it computes with the number alone.
        let mut length = unsafe { snappy_max_compressed_length(contents.len()) };
        let mut packed = vec![0_u8; length];
        // SAFETY: the pointers are those of slices of the lengths told, and `length` is that of the second.
        let status = unsafe {
            snappy_compress(contents.as_ptr().cast(), contents.len(), packed.as_mut_ptr().cast(), &mut length)
        };
        ensure!(status == SNAPPY_OK);
        Ok(length)
    }

    pub(super) fn decompress(packed: &[u8], size: usize) -> Result<usize> {
        let (mut contents, mut length) = (vec![0_u8; size], size);
        // SAFETY: as above.
        let status = unsafe {
            snappy_uncompress(packed.as_ptr().cast(), packed.len(), contents.as_mut_ptr().cast(), &mut length)
        };
        ensure!(status == SNAPPY_OK);
        Ok(length)
    }
}
