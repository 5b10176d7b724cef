//! Compressed forms, and how to ask for them.

use std::{fmt, ops::RangeInclusive, sync::Arc};

/// Makes the enum, and all that can be derived from a table, so that a codec is one row here.
macro_rules! codecs {
    ($dollar:tt $($(#[$doc:meta])* $case:ident: $magic:pat => $name:literal, $extension:literal, $levels:expr;)*) => {
        /// A compressed form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Codec {
            $($(#[$doc])* $case,)*
        }

        impl Codec {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$case),*];

            /// Its name, as in `--compress`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $name,)* }
            }

            /// Its extension, without the dot.
            #[must_use]
            pub const fn extension(self) -> &'static str {
                match self { $(Self::$case => $extension,)* }
            }

            /// The levels it has, if it has any.
            #[must_use]
            pub const fn levels(self) -> Option<RangeInclusive<i32>> {
                match self { $(Self::$case => $levels,)* }
            }

            /// The codec that the first bytes of a stream show; [`HEAD`](Self::HEAD) bytes are enough.
            #[must_use]
            pub const fn from_magic(head: &[u8]) -> Option<Self> {
                match head { $($magic => Some(Self::$case),)* _ => None }
            }
        }

        /// The codecs of a module of bindings.
        #[macro_export]
        macro_rules! mirror_codec {
            ($dollar wit:ident) => { $crate::mirror! { enum $crate::Codec = $dollar wit::Codec { $($case),* } } };
        }
    };
}

codecs! { $
    /// RFC 1952.
    Gzip: [0x1f, 0x8b, ..] => "gzip", "gz", Some(0..=9);
    /// RFC 8878. A stream may begin with a skippable frame (sections 3.1.1 and 3.1.2).
    Zstd: [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => "zstd", "zst", Some(-131_072..=22);
    /// The framing format of Snappy, which begins with a stream identifier (section 4.1).
    Snappy: [0xff, 0x06, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => "snappy", "sz", None;
    /// The frame format of LZ4. A stream that begins with a skippable frame, which may be either's, is taken for zstd.
    Lz4: [0x04, 0x22, 0x4d, 0x18, ..] => "lz4", "lz4", None;
}

impl Codec {
    /// Bytes of a stream that are enough to know each codec by.
    pub const HEAD: usize = 10;

    /// The codec that the last extension of a path names, in either letter case. A name that is nothing but an
    /// extension (`.gz`) names none.
    ///
    /// ```
    /// use omnistorage_types::Codec;
    ///
    /// assert_eq!(Codec::from_extension("logs/a.ndjson.GZ"), Some(Codec::Gzip));
    /// assert_eq!(Codec::from_extension("logs/.gz"), None);
    /// ```
    #[must_use]
    pub fn from_extension(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let (_, extension) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
        Self::ALL.into_iter().find(|codec| codec.extension().eq_ignore_ascii_case(extension))
    }

    /// The codec of a name, or of an extension without its dot.
    ///
    /// ```
    /// use omnistorage_types::Codec;
    ///
    /// assert_eq!(Codec::from_name("zstd"), Some(Codec::Zstd));
    /// assert_eq!(Codec::from_name("zst"), Some(Codec::Zstd));
    /// assert_eq!(Codec::from_name("z"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| [codec.as_str(), codec.extension()].contains(&name))
    }

    /// The names of all, for a message: `gzip, zstd, ...`.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// The extensions of all, for a message: `.gz, .zst, ...`.
    #[must_use]
    pub fn extensions() -> String {
        Self::ALL.map(|codec| format!(".{}", codec.extension())).join(", ")
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A dictionary of zstd as its file holds it: one of `zstd --train`, or any bytes that contents are like. Clones share the
/// bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary(Arc<[u8]>);

impl Dictionary {
    /// The most bytes that one may have: with it and a window, any history is short enough for every match finder.
    pub const MAX_LENGTH: usize = 4 << 20;

    /// The file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Dictionary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({} bytes)", self.0.len())
    }
}

/// A codec, its level, and for zstd a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compression {
    /// How to compress.
    pub codec: Codec,
    /// The codec's own scale: gzip 0 (stored) to 9, by default 6; zstd -131,072 to 22, by default 3; snappy and lz4
    /// none.
    /// `None` is its default.
    pub level: Option<i32>,
    /// Of zstd: small contents become a fraction with it, and who decompresses them needs it.
    pub dictionary: Option<Dictionary>,
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
    /// Of zstd: what each frame begins with.
    pub dictionary: Option<Dictionary>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_codec() {
        for (head, codec) in [
            (&b"\x1f\x8b"[..], Some(Codec::Gzip)),
            (b"\x1f\x8b\x08\0", Some(Codec::Gzip)),
            (b"\x1f", None),
            (b"\x28\xb5\x2f\xfd", Some(Codec::Zstd)),
            (b"\x50\x2a\x4d\x18", Some(Codec::Zstd)),
            (b"\x5f\x2a\x4d\x18\0", Some(Codec::Zstd)),
            (b"\x60\x2a\x4d\x18", None),
            (b"\xff\x06\0\0sNaPpY", Some(Codec::Snappy)),
            (b"\xff\x06\0\0sNaPp", None),
            (b"\x04\x22\x4d\x18", Some(Codec::Lz4)),
            (b"\x04\x22\x4d", None),
            (b"", None),
            (b"{}", None),
        ] {
            assert_eq!(Codec::from_magic(head), codec, "{head:02x?}");
        }
    }
}
