//! Which objects a sync, a copy or a check is about.

use crate::Timestamp;

/// What to filter by, with the semantics of rclone's filters; all of it must hold. What is excluded is neither
/// transferred nor deleted. The component understands it: a malformed rule is an error of the call that it is given to.
///
/// ```
/// use omnistorage_types::{Filter, SyncOptions};
///
/// let photos = Filter::default().rule("- draft-*").rule("+ *.{jpg,png}").rule("- *");
/// let options = SyncOptions { filter: Filter { max_size: Some(10 << 20), ..photos }, ..SyncOptions::default() };
/// # assert_eq!(options.filter.rules.len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Ordered rules: the first whose pattern matches decides. Includes and excludes go before filters, whatever their
    /// place here.
    pub rules: Vec<RuleSource>,
    /// The smallest size, in bytes, inclusive.
    pub min_size: Option<u64>,
    /// The largest size, in bytes, inclusive.
    pub max_size: Option<u64>,
    /// The earliest modification time, inclusive.
    pub modified_from: Option<Timestamp>,
    /// The latest modification time, inclusive.
    pub modified_until: Option<Timestamp>,
    /// Levels below the place, at least 1: the objects of the place itself alone.
    pub max_depth: Option<u32>,
    /// Patterns match in either case.
    pub ignore_case: bool,
    /// Objects of the target that are excluded count as extra, and a sync deletes them.
    pub delete_excluded: bool,
}

/// Rules as a user wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSource {
    /// How to read the text.
    pub kind: RuleKind,
    /// One rule, to the byte, or the contents of a file with a rule a line.
    pub text: String,
    /// The name of the file that the text is of, for errors. Its lines are trimmed; those that are empty or start with
    /// `#` or `;` say nothing.
    pub file: Option<String>,
}

/// How to read the text of a [`RuleSource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// `+ PATTERN` includes, `- PATTERN` excludes, `!` forgets all rules before it.
    Filter,
    /// A pattern to include; what no rule matches is then excluded. Not together with [`RuleKind::Exclude`].
    Include,
    /// A pattern to exclude.
    Exclude,
    /// The path of an object: only those listed are meant. A `/` at either end does not count, and an object that does
    /// not exist is no error. Not together with any other rule or bound, but for the depth.
    Files,
    /// The same, where the lines of a file are taken to the byte.
    FilesRaw,
}

impl Filter {
    /// With one more rule at the end: `+ PATTERN`, `- PATTERN` or `!`.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rules.push(RuleSource { kind: RuleKind::Filter, text: rule.into(), file: None });
        self
    }
}
