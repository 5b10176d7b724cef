//! Ordered rules: the first that matches decides.

use std::fmt;

use super::{
    FilterError, FilterErrorKind, PatternError,
    glob::{self, Glob, Token},
    pattern::Pattern,
    source::{Line, error_at},
};

/// A rule as it was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Whether it includes what it matches, or excludes it.
    pub include: bool,
    /// Its pattern.
    pub pattern: String,
    /// The file and the line of it, from 1, if it is of a file.
    pub line: Option<(String, usize)>,
}

impl fmt::Display for RuleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} {}`", if self.include { '+' } else { '-' }, self.pattern)?;
        match &self.line {
            Some((file, line)) => write!(f, " (`{file}`, line {line})"),
            None => Ok(()),
        }
    }
}

/// Rules for objects, and what they come to for directories.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    texts: Vec<RuleText>,
    objects: Vec<Rule>,
    directories: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    matches_everything: bool,
    /// Index of its text.
    text: usize,
}

impl Rules {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether some directory may be left out as a whole.
    pub(super) fn prune(&self) -> bool {
        let includes = |rule: &Rule| self.texts.get(rule.text).is_some_and(|text| text.include);
        let reached = self.directories.iter().take_while(|rule| !(includes(rule) && rule.matches_everything));
        reached.into_iter().any(|rule| !includes(rule))
    }

    /// Adds what a line of a filter says: `+ PATTERN`, `- PATTERN`, or `!`.
    pub(super) fn add_filter(
        &mut self,
        rule: &str,
        line: Option<Line<'_>>,
        ignore_case: bool,
    ) -> Result<(), FilterError> {
        if rule == "!" {
            *self = Self::default();
            Ok(())
        } else if let Some(pattern) = rule.strip_prefix("+ ") {
            self.add(true, pattern, line, ignore_case)
        } else if let Some(pattern) = rule.strip_prefix("- ") {
            self.add(false, pattern, line, ignore_case)
        } else {
            Err(error_at(line, FilterErrorKind::Malformed { rule: rule.to_owned() }))
        }
    }

    /// Adds a rule after those that are there.
    pub(super) fn add(
        &mut self,
        include: bool,
        pattern: &str,
        line: Option<Line<'_>>,
        ignore_case: bool,
    ) -> Result<(), FilterError> {
        let index = self.texts.len();
        let text = RuleText {
            include,
            pattern: pattern.to_owned(),
            line: line.map(|line| (line.file.to_owned(), line.number)),
        };
        let added = glob::parse(pattern).and_then(|glob| self.compile(include, glob, index, ignore_case));
        added.map_err(|error| {
            error_at(line, FilterErrorKind::Pattern { pattern: pattern.to_owned(), error })
        })?;
        self.texts.push(text);
        Ok(())
    }

    /// Excludes what no rule has matched.
    pub(super) fn exclude_the_rest(&mut self) -> Result<(), FilterError> {
        self.add(false, "/**", None, false)
    }

    /// What a rule says of objects and of directories, as in rclone: to exclude a directory is to exclude all below
    /// it; to include an object is to look into the directories that may hold it; `**` speaks of both.
    fn compile(
        &mut self,
        include: bool,
        mut glob: Glob,
        text: usize,
        ignore_case: bool,
    ) -> Result<(), PatternError> {
        let rule = |glob: &Glob| {
            let matches_everything = glob.tokens == [Token::DoubleStar];
            Pattern::new(glob, ignore_case).map(|pattern| Rule { pattern, matches_everything, text })
        };
        let names_directory = glob.names_directory();
        if names_directory && !include {
            glob.tokens.push(Token::DoubleStar);
        }
        let speaks_of_both = glob.has_double_star();
        if !names_directory || speaks_of_both {
            self.objects.push(rule(&glob)?);
            if glob.is_star() {
                self.directories.push(rule(&Glob::everything())?);
            } else if include {
                for directory in glob.directories() {
                    self.directories.push(rule(&directory)?);
                }
            }
        }
        if names_directory || speaks_of_both {
            self.directories.push(rule(&glob)?);
        }
        Ok(())
    }

    /// The rule that decides on an object.
    pub(super) fn for_object(&self, path: &str) -> Option<&RuleText> {
        self.first(&self.objects, path)
    }

    /// The rule that decides whether a directory is looked into.
    pub(super) fn for_directory(&self, path: &str) -> Option<&RuleText> {
        if self.directories.is_empty() {
            return None;
        }
        self.first(&self.directories, &format!("{path}/"))
    }

    fn first(&self, rules: &[Rule], path: &str) -> Option<&RuleText> {
        let rule = rules.iter().find(|rule| rule.matches_everything || rule.pattern.matches(path))?;
        self.texts.get(rule.text)
    }
}
