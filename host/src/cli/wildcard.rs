//! Wildcards in a place: from the first segment that holds a `*` on, it is a pattern as the filters have it.
//!
//! Whatever else patterns have, `?`, `[a-z]`, `{a,b}`, counts behind a `*` alone: names hold it more often than anybody
//! means it. A file that has the very name is that file, and `[*]` is the character. `*` stays within a segment, and `**`
//! does not.

#![allow(clippy::disallowed_methods, reason = "a file may have the name of a pattern")]

use std::fs;

use super::{
    exit::Failure,
    output::printable,
    place::{Place, PlaceKind},
};

/// Which objects below a place are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    /// What is below a directory that it names is meant, too.
    is_deep: bool,
}

impl Pattern {
    /// The same, and all that is below what it matches.
    pub(crate) fn deep(self) -> Self {
        Self { is_deep: true, ..self }
    }

    /// The rules of a filter that it comes to; whatever they do not match is excluded.
    pub(crate) fn rules(&self) -> Vec<String> {
        let stem = self.text.trim_end_matches('/');
        let mut rules = Vec::new();
        if stem == self.text {
            rules.push(format!("+ /{stem}"));
            // Listings show directories that match.
            rules.push(format!("+ /{stem}/"));
        }
        if self.is_deep || stem != self.text {
            rules.push(format!("+ /{stem}/**"));
        }
        rules.push("- /**".to_owned());
        rules
    }

    /// How many levels it reaches down; `None` if there is no end to it.
    pub(crate) fn depth(&self) -> Option<u32> {
        let is_endless =
            self.is_deep || self.text.contains("**") || self.text.contains("{{") || self.text.ends_with('/');
        if is_endless { None } else { u32::try_from(self.text.split('/').count()).ok() }
    }
}

/// The place without its pattern, and the pattern.
///
/// # Errors
/// A wildcard in the name of a bucket or of a backend.
pub(crate) fn split(place: &Place) -> Result<(Place, Option<Pattern>), Failure> {
    let plain = || Ok((place.clone(), None));
    let typed = place.typed.as_str();
    let Some(star) = typed.find('*') else { return plain() };
    let before = typed.get(..star).unwrap_or_default();
    let at = match &place.kind {
        PlaceKind::Standard(_) | PlaceKind::Buckets { .. } => return plain(),
        PlaceKind::Local { path, .. } if fs::symlink_metadata(path).is_ok() => return plain(),
        PlaceKind::Local { .. } => before.rfind('/'),
        PlaceKind::Memory(_) | PlaceKind::Configured { .. } => before.rfind(['/', ':']),
        PlaceKind::Bucket { .. } | PlaceKind::Server { .. } => {
            before.rfind('/').filter(|slash| !typed.get(..=*slash).is_some_and(|head| head.ends_with("://")))
        }
    };
    let refused = |why: &str| Failure::usage(format!("`{}`: {why}", printable(typed)));
    let (head, text) = match at {
        Some(at) => typed.split_at(at + 1),
        None if matches!(place.kind, PlaceKind::Local { .. }) => (".", typed),
        None => {
            return Err(refused("a wildcard stands in what is below a bucket or a backend, not in its name"));
        }
    };
    let place = Place::parse(head.as_ref()).map_err(|why| refused(&why))?;
    Ok((place, Some(Pattern { text: text.to_owned(), is_deep: false })))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules and the depth of a pattern.
    type Meant = (Vec<String>, Option<u32>);

    fn parted(typed: &str) -> (String, Option<Meant>) {
        let (place, pattern) = split(&Place::parse(typed.as_ref()).unwrap()).unwrap();
        (place.typed, pattern.map(|pattern| (pattern.rules(), pattern.depth())))
    }

    #[test]
    fn a_place_ends_where_the_wildcard_begins() {
        for (typed, place, rule, depth) in [
            ("s3://b/logs/*.gz", "s3://b/logs/", "+ /*.gz", Some(1)),
            ("s3://b/*/2026-?/x*", "s3://b/", "+ /*/2026-?/x*", Some(3)),
            ("s3://b/**/x", "s3://b/", "+ /**/x", None),
            ("nas:*.gz", "nas:", "+ /*.gz", Some(1)),
            ("nas:a/b*", "nas:a/", "+ /b*", Some(1)),
            ("no-such/*", "no-such/", "+ /*", Some(1)),
            ("*.no-such", ".", "+ /*.no-such", Some(1)),
            ("/no-such*/x", "/", "+ /no-such*/x", Some(2)),
        ] {
            let (found, pattern) = parted(typed);
            let (rules, levels) = pattern.unwrap();
            assert_eq!((found.as_str(), rules[0].as_str(), levels), (place, rule, depth), "{typed}");
            assert_eq!(rules.last().unwrap(), "- /**");
        }
        for typed in ["s3://b/a?b", "s3://b/[x]", "nas:", "no-such"] {
            assert_eq!(parted(typed), (typed.to_owned(), None));
        }
        assert_eq!(parted("nas:d*/").1.unwrap(), (vec!["+ /d*/**".to_owned(), "- /**".to_owned()], None));
    }

    #[test]
    fn a_bucket_has_no_wildcard() {
        let place = Place::parse("s3://b*/x".as_ref()).unwrap();
        assert_eq!(split(&place).unwrap_err().exit, super::super::exit::Exit::Usage);
    }
}
