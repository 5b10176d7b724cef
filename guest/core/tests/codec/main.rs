//! Codecs against every split of their input, against damage, against each other's engines, and against other programs.
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "fast")]
mod compressor;
mod damage;
mod drive;
mod every;
mod gzip;
mod limits;
mod lz4;
mod properties;
mod snappy;
#[cfg(feature = "fast")]
#[path = "../../../../tests/bench/src/text.rs"]
mod text;
mod zstd;
mod zstd_blocks;
#[cfg(feature = "fast")]
mod zstd_dictionary;
#[cfg(feature = "fast")]
mod zstd_training;
