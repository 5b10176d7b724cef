//! Where rules come from, and how their text is read.

use omnistorage_types::{RuleKind, RuleSource};

use super::{FilterError, FilterErrorKind};

/// The rules of a source, each with where it stands.
pub(super) fn rules(source: &RuleSource) -> impl Iterator<Item = (&str, Option<Line<'_>>)> {
    let name = source.file.as_deref();
    let lines = name.map(|_| source.text.strip_prefix('\u{feff}').unwrap_or(&source.text).lines());
    let of_file = lines.into_iter().flatten().zip(1..).filter_map(move |(text, number)| {
        let text = if source.kind == RuleKind::FilesRaw { text } else { text.trim() };
        let says_nothing =
            text.is_empty() || (source.kind != RuleKind::FilesRaw && text.starts_with(['#', ';']));
        (!says_nothing).then_some((text, name.map(|file| Line { file, number })))
    });
    let alone = name.is_none().then_some((source.text.as_str(), None));
    alone.into_iter().chain(of_file)
}

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'s> {
    pub(super) file: &'s str,
    /// From 1.
    pub(super) number: usize,
}

/// An error there.
pub(super) fn error_at(line: Option<Line<'_>>, kind: FilterErrorKind) -> FilterError {
    FilterError { line: line.map(|line| (line.file.to_owned(), line.number)), kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_comments_say_nothing() {
        let text = "\u{feff}; comment\none\r\n# another\n\n  two  \n # indented\nthree";
        let source = |kind, file| RuleSource { kind, text: text.to_owned(), file };
        let file = Some("f".to_owned());
        let trimmed = source(RuleKind::Filter, file.clone());
        let found: Vec<_> = rules(&trimmed).map(|(rule, line)| (rule, line.unwrap().number)).collect();
        assert_eq!(found, [("one", 2), ("two", 5), ("three", 7)]);
        let raw = source(RuleKind::FilesRaw, file);
        let found: Vec<_> = rules(&raw).map(|(rule, _)| rule).collect();
        assert_eq!(found, ["; comment", "one", "# another", "  two  ", " # indented", "three"]);
        let alone = source(RuleKind::Filter, None);
        assert_eq!(rules(&alone).collect::<Vec<_>>(), [(text, None)]);
    }
}
