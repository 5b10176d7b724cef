//! What the extensions of a path say of its format and codec.

use crate::{Codec, Format, Path};

/// The format and the codec that the extensions name: a codec's comes last, the format's before it. Letter case does
/// not matter, and a name that is nothing but an extension (`.gz`) has none.
///
/// ```
/// use omnistorage_types::{Codec, Format, Path, encoding_from_path};
///
/// let path = Path::parse("logs/2026.jsonl.gz")?;
/// assert_eq!(encoding_from_path(&path), (Some(Format::Ndjson), Some(Codec::Gzip)));
/// # Ok::<(), omnistorage_types::PathError>(())
/// ```
#[must_use]
pub fn encoding_from_path(path: &Path) -> (Option<Format>, Option<Codec>) {
    let codec = Codec::from_extension(path.as_str());
    let stem = match (codec, extension(path.as_str())) {
        (Some(_), Some((stem, _))) => stem,
        _ => path.as_str(),
    };
    let format =
        extension(stem).and_then(|(_, extension)| Format::from_name(&extension.to_ascii_lowercase()));
    (format, codec)
}

/// The last segment's stem (with the segments before it) and extension.
#[must_use]
pub fn extension(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once('.').filter(|(stem, extension)| {
        !stem.is_empty() && !stem.ends_with('/') && !extension.is_empty() && !extension.contains('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CsvDialect as Dialect, LengthPrefix};

    #[test]
    fn extensions_name_the_format_and_the_codec() {
        use {Codec::*, Format::*};
        for (path, expected) in [
            ("a.ndjson", (Some(Ndjson), None)),
            ("a.JSONL", (Some(Ndjson), None)),
            ("d/a.b.csv.gz", (Some(Csv(Dialect::default())), Some(Gzip))),
            ("a.lp.zst", (Some(LengthPrefixed(LengthPrefix::BigEndian)), Some(Zstd))),
            ("a.tsv", (Some(Csv(Dialect::tabs())), None)),
            ("a.ndjson.sz", (Some(Ndjson), Some(Snappy))),
            ("a.json.gz", (Some(JsonArray), Some(Gzip))),
            ("a.csv.lz4", (Some(Csv(Dialect::default())), Some(Lz4))),
            ("a.gz", (None, Some(Gzip))),
            ("a.gz.gz", (None, Some(Gzip))),
            ("a.gz.ndjson", (Some(Ndjson), None)),
            (".gz", (None, None)),
            (".ndjson", (None, None)),
            ("d/.ndjson.gz", (None, Some(Gzip))),
            ("d.gz/a", (None, None)),
            ("d.csv/a.gz", (None, Some(Gzip))),
            ("a.", (None, None)),
            ("gz", (None, None)),
            ("", (None, None)),
        ] {
            assert_eq!(encoding_from_path(&Path::parse(path).unwrap()), expected, "{path:?}");
        }
    }
}
