//! The formats by name.

use std::fmt;

use super::{csv::Dialect, length_prefixed::LengthPrefix};
use crate::encoding::extension;

/// How records lie in a byte stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON text a line: see [`ndjson`](super::ndjson).
    Ndjson,
    /// A length, then as many bytes: see [`length_prefixed`](super::length_prefixed).
    LengthPrefixed(LengthPrefix),
    /// RFC 4180: see [`csv`](super::csv).
    Csv(Dialect),
}

impl Format {
    /// The format that the last extension of a path names: `.ndjson`, `.jsonl`, `.lp`, `.csv` or `.tsv` (CSV with tabs
    /// for commas), in either letter case. For a path with the extension of a codec behind it, see
    /// [`encoding_from_path`](crate::encoding::encoding_from_path).
    #[must_use]
    pub fn from_extension(path: &str) -> Option<Self> {
        let (_, extension) = extension(path)?;
        Self::from_name(&extension.to_ascii_lowercase())
    }

    /// The format of a name: an extension without its dot, or what [`name`](Self::name) gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ndjson" | "jsonl" => Self::Ndjson,
            "lp" | "length-prefixed" => Self::LengthPrefixed(LengthPrefix::default()),
            "csv" => Self::Csv(Dialect::default()),
            "tsv" => Self::Csv(Dialect::tabs()),
            _ => return None,
        })
    }

    /// Its name: `ndjson`, `length-prefixed` or `csv`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::LengthPrefixed(_) => "length-prefixed",
            Self::Csv(_) => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
