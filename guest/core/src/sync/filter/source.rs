//! Where rules come from, and how their text is read.

use super::{FilterError, FilterErrorKind};

/// Rules as a user wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSource {
    /// How to read the text.
    pub kind: RuleKind,
    /// One rule, to the byte; or the contents of a file, a rule a line.
    pub text: String,
    /// The file that the text is of. Its lines are trimmed, and those that are empty or start with `#` or `;` say
    /// nothing.
    pub file: Option<String>,
}

/// How to read the text of a [`RuleSource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// `+ PATTERN`, `- PATTERN`, or `!`, which forgets all rules before it.
    Filter,
    /// A pattern to include. What no rule matches is then excluded.
    Include,
    /// A pattern to exclude.
    Exclude,
    /// The path of an object: the only ones that are meant. A `/` at either end does not count.
    Files,
    /// The same, of a file whose lines are taken to the byte.
    FilesRaw,
}

impl RuleSource {
    /// The rules in it, each with where it stands.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, Option<Line<'_>>)> {
        let name = self.file.as_deref();
        let lines = name.map(|_| self.text.strip_prefix('\u{feff}').unwrap_or(&self.text).lines());
        let of_file = lines.into_iter().flatten().zip(1..).filter_map(move |(text, number)| {
            let text = if self.kind == RuleKind::FilesRaw { text } else { text.trim() };
            let says_nothing =
                text.is_empty() || (self.kind != RuleKind::FilesRaw && text.starts_with(['#', ';']));
            (!says_nothing).then_some((text, name.map(|file| Line { file, number })))
        });
        let alone = name.is_none().then_some((self.text.as_str(), None));
        alone.into_iter().chain(of_file)
    }
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
        let found: Vec<_> = trimmed.rules().map(|(rule, line)| (rule, line.unwrap().number)).collect();
        assert_eq!(found, [("one", 2), ("two", 5), ("three", 7)]);
        let raw = source(RuleKind::FilesRaw, file);
        let found: Vec<_> = raw.rules().map(|(rule, _)| rule).collect();
        assert_eq!(found, ["; comment", "one", "# another", "  two  ", " # indented", "three"]);
        let alone = source(RuleKind::Filter, None);
        assert_eq!(alone.rules().collect::<Vec<_>>(), [(text, None)]);
    }
}
