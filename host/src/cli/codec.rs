//! Codecs as they are written on the command line, and as its help lists them.

use crate::runtime::{Codec, Compression};

/// A codec by its name or its extension.
pub(super) fn codec(name: &str) -> Result<Codec, String> {
    Codec::from_name(name).ok_or_else(|| format!("there is no codec `{name}`: there are {}", Codec::names()))
}

/// CODEC[:LEVEL].
pub(super) fn compression(text: &str) -> Result<Compression, String> {
    let (name, level) = match text.split_once(':') {
        None => (text, None),
        Some((name, level)) => (name, Some(level.parse().map_err(|_| format!("`{level}` is no level"))?)),
    };
    Ok(Compression { codec: codec(name)?, level, dictionary: None })
}

/// All codecs with their levels: `gzip (LEVEL 0 to 9), ...`.
pub(super) fn with_levels() -> String {
    let described = Codec::ALL.map(|codec| match codec.levels() {
        Some(levels) => format!("{codec} (LEVEL {} to {})", levels.start(), levels.end()),
        None => format!("{codec} (no level)"),
    });
    described.join(", ")
}

/// The levels of the codecs that have some: `gzip: 0 to 9, ...`.
pub(super) fn levels() -> String {
    let described = Codec::ALL.into_iter().filter_map(|codec| {
        codec.levels().map(|levels| format!("{codec}: {} to {}", levels.start(), levels.end()))
    });
    described.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_a_codec_and_a_level() {
        let parsed = compression("gzip:9").unwrap();
        assert_eq!((parsed.codec, parsed.level), (Codec::Gzip, Some(9)));
        assert_eq!(compression("gz").unwrap().level, None);
        for text in ["", "gzip:", "gzip:high", "lzma"] {
            assert!(compression(text).is_err(), "{text}");
        }
    }

    #[test]
    fn help_lists_levels() {
        assert!(
            with_levels().starts_with("gzip (LEVEL 0 to 9), zstd (LEVEL -131072 to 22), snappy (no level)")
        );
        assert_eq!(levels(), "gzip: 0 to 9, zstd: -131072 to 22");
    }
}
