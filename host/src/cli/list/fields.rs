//! Which fields a listing prints, and in which order its lines come.

use std::cmp::Ordering;

use super::super::{output::kind_name, time::rfc3339, units::Units};
use crate::{HashAlgorithm, ObjectInfo};

/// What is printed of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields(Vec<Field>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Path,
    Size,
    Modified,
    Kind,
    Etag,
    Type,
    Hash(HashAlgorithm),
}

impl Field {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "path" => Self::Path,
            "size" => Self::Size,
            "modified" => Self::Modified,
            "kind" => Self::Kind,
            "etag" => Self::Etag,
            "type" => Self::Type,
            word => Self::Hash(word.parse().ok()?),
        })
    }

    /// By the letter that rclone has for it.
    fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'p' => Self::Path,
            's' => Self::Size,
            't' => Self::Modified,
            'm' => Self::Type,
            _ => return None,
        })
    }

    fn value(self, path: &str, entry: &ObjectInfo, units: &Units) -> String {
        match self {
            Self::Path => path.to_owned(),
            Self::Size => entry.size.map(|size| units.size(size)).unwrap_or_default(),
            Self::Modified => entry.modified.map(rfc3339).unwrap_or_default(),
            Self::Kind => kind_name(entry.kind).to_owned(),
            Self::Etag => entry.etag.clone().unwrap_or_default(),
            Self::Type => entry.content_type.clone().unwrap_or_default(),
            Self::Hash(algorithm) => {
                let known = entry.hashes.iter().find(|hash| hash.algorithm == algorithm);
                known.map(ToString::to_string).unwrap_or_default()
            }
        }
    }
}

impl Fields {
    pub(super) fn line(&self, path: &str, entry: &ObjectInfo, separator: &str, units: &Units) -> String {
        self.0.iter().map(|field| field.value(path, entry, units)).collect::<Vec<_>>().join(separator)
    }
}

pub(super) fn parse_fields(text: &str) -> Result<Fields, String> {
    let words: Option<Vec<_>> = text.split(',').map(|word| Field::of(word.trim())).collect();
    let letters = || text.chars().map(Field::of_letter).collect::<Option<Vec<_>>>();
    words.or_else(letters).filter(|fields| !fields.is_empty()).map(Fields).ok_or_else(|| {
        "give some of path, size, modified, kind, etag, type, md5, sha1, sha256 and crc32c, with commas between them"
            .to_owned()
    })
}

/// In which order lines come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sorting {
    key: Key,
    descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    Size,
    Modified,
}

impl Sorting {
    /// What is unknown counts as least; equals stay in the order of their paths.
    pub(super) fn sort(self, entries: &mut [(String, ObjectInfo)]) {
        entries.sort_by(|(path, entry), (other_path, other)| {
            let order = match self.key {
                Key::Name => path.cmp(other_path),
                Key::Size => entry.size.cmp(&other.size),
                Key::Modified => entry.modified.cmp(&other.modified),
            };
            self.directed(order)
        });
    }

    fn directed(self, order: Ordering) -> Ordering {
        if self.descending { order.reverse() } else { order }
    }
}

pub(super) fn parse_sorting(text: &str) -> Result<Sorting, String> {
    let (key, direction) = text.split_once(',').unwrap_or((text, "asc"));
    let key = match key {
        "name" | "path" => Key::Name,
        "size" => Key::Size,
        "modtime" | "modified" | "time" => Key::Modified,
        _ => return Err(format!("`{key}` is no order: there are name, size and modtime")),
    };
    match direction {
        "asc" => Ok(Sorting { key, descending: false }),
        "desc" => Ok(Sorting { key, descending: true }),
        _ => Err(format!("`{direction}` is no direction: there are asc and desc")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_words_or_rclones_letters() {
        assert_eq!(parse_fields("path,size").unwrap().0, [Field::Path, Field::Size]);
        assert_eq!(parse_fields("pst").unwrap().0, [Field::Path, Field::Size, Field::Modified]);
        assert_eq!(parse_fields("md5").unwrap().0, [Field::Hash(HashAlgorithm::Md5)]);
        for text in ["", "path,", "px", "colour", "path;size"] {
            assert!(parse_fields(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_order_is_a_key_and_a_direction() {
        assert_eq!(parse_sorting("size,desc"), Ok(Sorting { key: Key::Size, descending: true }));
        for text in ["", "colour", "size,", "size,up"] {
            assert!(parse_sorting(text).is_err(), "{text}");
        }
    }
}
