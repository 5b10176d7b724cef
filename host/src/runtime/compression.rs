//! Compression in the words of this crate.

mod cores;
mod worker;

use super::{
    bindings::exports::omnistorage::storage::{compression as wit, objects},
    stream::Body,
};

/// A compressed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The framing format of Snappy.
    Snappy,
}

/// A codec and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// How to compress.
    pub codec: Codec,
    /// The codec's own scale: gzip 0 (stored) to 9, by default 6; zstd -131,072 to 22, by default 3; snappy none.
    /// `None` is its default.
    pub level: Option<i32>,
}

/// How to decompress, and how far to trust the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecompressOptions {
    /// `None`: told from the first bytes.
    pub codec: Option<Codec>,
    /// Decompressed bytes; [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded) beyond. `None`: no limit.
    pub max_output: Option<u64>,
    /// Decompressed bytes for each compressed one; [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded)
    /// beyond, from the first MiB of output on. `None`: no limit, since honest data reaches any ratio.
    pub max_ratio: Option<u32>,
    /// Bytes of the window that a zstd frame may ask for, at most 128 MiB;
    /// [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded) beyond. `None`: 8 MiB.
    pub max_window: Option<u64>,
}

impl From<Codec> for wit::Codec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Gzip => Self::Gzip,
            Codec::Zstd => Self::Zstd,
            Codec::Snappy => Self::Snappy,
        }
    }
}

impl From<Compression> for objects::CompressionOptions {
    fn from(compression: Compression) -> Self {
        Self { codec: compression.codec.into(), level: compression.level }
    }
}

impl From<DecompressOptions> for wit::DecompressOptions {
    fn from(options: DecompressOptions) -> Self {
        Self {
            codec: options.codec.map(Into::into),
            max_output: options.max_output,
            max_ratio: options.max_ratio,
            max_window: options.max_window,
        }
    }
}

impl From<Body> for wit::Body {
    fn from(Body { contents, completion }: Body) -> Self {
        Self { contents, completion }
    }
}
