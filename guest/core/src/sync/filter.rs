//! Which objects a run is about: rclone's filters.
//!
//! Rules are ordered, and the first whose pattern matches a path decides; what none matches is included, unless there
//! are includes. A rule about directories decides whether they are looked into at all. Then there are bounds of size,
//! of time and of depth; a list of files takes the place of all rules. What a filter excludes is neither transferred
//! nor deleted, on either side.
//!
//! What differs from rclone, and why:
//!
//! - includes and excludes together are refused: their order would be a surprise;
//! - a malformed pattern is an error that says where; `\` before a letter or a digit, which rclone hands on to its
//!   regular expressions, is one too;
//! - `**` matches a line feed as well, and `//` counts as `/`;
//! - a size or a time that is not known passes every bound;
//! - an object of both sides is judged by the source: one that a bound of size or time excludes there stays as it is on
//!   the target, and one that passes is compared with whatever the target has;
//! - what lies deeper than a depth stays on the target, also when what is excluded is deleted, where rclone deletes it
//!   in directories that the source does not have;
//! - a source that is one object is filtered too, where rclone refuses filters;
//! - regular expressions and `ignore_case` know the cases of ASCII; single characters of a pattern those of Unicode.
//!
//! ```
//! use omnistorage_core::{Path, entry::{Entry, ObjectKind}};
//! use omnistorage_core::sync::filter::{Filter, FilterOptions, RuleKind, RuleSource};
//!
//! let rules = RuleSource {
//!     kind: RuleKind::Filter,
//!     text: "# photos, but no drafts\n- draft-*\n+ *.{jpg,png}\n- *".to_owned(),
//!     file: Some("photos.txt".to_owned()),
//! };
//! let filter = Filter::new(FilterOptions { rules: vec![rules], ..FilterOptions::default() })?;
//! let object = |path| Ok::<_, omnistorage_core::PathError>(Entry::new(Path::parse(path)?, ObjectKind::Object));
//! assert!(filter.ruling(&object("2026/sea.jpg")?).is_included());
//! let drafts = object("2026/draft-sea.jpg")?;
//! assert_eq!(filter.ruling(&drafts).to_string(), "excluded by `- draft-*` (`photos.txt`, line 2)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod directories;
mod error;
mod files;
mod glob;
mod pattern;
mod rules;
mod ruling;
mod source;

pub use error::{FilterError, FilterErrorKind};
pub use glob::{PatternError, PatternErrorKind};
pub use omnistorage_types::{Filter as FilterOptions, RuleKind, RuleSource};
pub use rules::RuleText;
pub use ruling::Ruling;

use self::{files::Files, rules::Rules};
use super::merge::Step;
use crate::{
    Path,
    entry::{Entry, ObjectKind, Unlisted},
};

/// A filter, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    rules: Rules,
    files: Option<Files>,
    /// Without sources: they are understood.
    bounds: FilterOptions,
}

impl Filter {
    /// Understands the options.
    ///
    /// # Errors
    /// A rule or a pattern that is malformed, with its place; options that contradict each other.
    pub fn new(mut options: FilterOptions) -> Result<Self, FilterError> {
        let sources = std::mem::take(&mut options.rules);
        let mut filter = Self { rules: Rules::default(), files: None, bounds: options };
        filter.check_bounds()?;
        filter.add_rules(&sources)?;
        filter.add_files(&sources)?;
        Ok(filter)
    }

    fn check_bounds(&self) -> Result<(), FilterError> {
        let bounds = &self.bounds;
        if bounds.min_size.zip(bounds.max_size).is_some_and(|(min, max)| min > max) {
            return Err(FilterErrorKind::SizeBounds.into());
        }
        if bounds.modified_from.zip(bounds.modified_until).is_some_and(|(from, until)| from > until) {
            return Err(FilterErrorKind::TimeBounds.into());
        }
        if bounds.max_depth == Some(0) {
            return Err(FilterErrorKind::Depth.into());
        }
        Ok(())
    }

    fn add_rules(&mut self, sources: &[RuleSource]) -> Result<(), FilterError> {
        let any = |kind| sources.iter().any(|source| source.kind == kind);
        if any(RuleKind::Include) && any(RuleKind::Exclude) {
            return Err(FilterErrorKind::Mixed.into());
        }
        let ignore_case = self.bounds.ignore_case;
        let of_kind =
            |wanted: &'static [RuleKind]| sources.iter().filter(|source| wanted.contains(&source.kind));
        for source in of_kind(&[RuleKind::Include, RuleKind::Exclude]) {
            for (pattern, line) in source::rules(source) {
                self.rules.add(source.kind == RuleKind::Include, pattern, line, ignore_case)?;
            }
        }
        for source in of_kind(&[RuleKind::Filter]) {
            for (rule, line) in source::rules(source) {
                self.rules.add_filter(rule, line, ignore_case)?;
            }
        }
        if any(RuleKind::Include) {
            self.rules.exclude_the_rest()?;
        }
        Ok(())
    }

    fn add_files(&mut self, sources: &[RuleSource]) -> Result<(), FilterError> {
        for source in
            sources.iter().filter(|source| matches!(source.kind, RuleKind::Files | RuleKind::FilesRaw))
        {
            if self.has_conditions() {
                return Err(FilterErrorKind::FilesAndMore.into());
            }
            let files = self.files.get_or_insert_default();
            for (file, line) in source::rules(source) {
                files.add(file, line)?;
            }
        }
        Ok(())
    }

    /// Whether anything but a list of files and a depth decides.
    fn has_conditions(&self) -> bool {
        let FilterOptions { min_size, max_size, modified_from, modified_until, ignore_case, .. } =
            self.bounds;
        !self.rules.is_empty()
            || min_size.or(max_size).is_some()
            || modified_from.or(modified_until).is_some()
            || ignore_case
    }

    /// Whether some directories need not be looked into; otherwise all of a listing must be.
    #[must_use]
    pub fn prunes(&self) -> bool {
        self.files.is_some() || self.bounds.max_depth.is_some() || self.rules.prune()
    }

    /// Whether times decide.
    #[must_use]
    pub const fn asks_for_times(&self) -> bool {
        self.bounds.modified_from.is_some() || self.bounds.modified_until.is_some()
    }

    /// Levels below the place that are included.
    #[must_use]
    pub const fn max_depth(&self) -> Option<u32> {
        self.bounds.max_depth
    }

    /// The filter for the target: the depth alone, if what is excluded there is to be deleted.
    #[must_use]
    pub fn for_target(&self) -> Self {
        if !self.bounds.delete_excluded {
            return self.clone();
        }
        let bounds = FilterOptions { max_depth: self.bounds.max_depth, ..FilterOptions::default() };
        Self { bounds, ..Self::default() }
    }

    /// What it says of an entry whose directory is included. Symbolic links and special files are judged as objects.
    #[must_use]
    pub fn ruling(&self, entry: &Entry) -> Ruling<'_> {
        if entry.kind == ObjectKind::Directory {
            return self.ruling_on_directory(&entry.path);
        }
        let bounds = &self.bounds;
        if let Some(depth) = bounds.max_depth.filter(|&depth| levels(&entry.path) > depth) {
            return Ruling::TooDeep(depth);
        }
        if let Some(files) = &self.files {
            return if files.lists(&entry.path) { Ruling::Listed } else { Ruling::NotListed };
        }
        match (entry.size, entry.modified) {
            (Some(size), _) if bounds.min_size.is_some_and(|min| size < min) => return Ruling::TooSmall,
            (Some(size), _) if bounds.max_size.is_some_and(|max| size > max) => return Ruling::TooLarge,
            (_, Some(time)) if bounds.modified_from.is_some_and(|from| time < from) => return Ruling::TooOld,
            (_, Some(time)) if bounds.modified_until.is_some_and(|until| time > until) => {
                return Ruling::TooNew;
            }
            _ => {}
        }
        self.rules.for_object(entry.path.as_str()).map_or(Ruling::NoRule, Ruling::Rule)
    }

    /// Whether a directory is looked into.
    #[must_use]
    pub fn ruling_on_directory(&self, path: &Path) -> Ruling<'_> {
        if let Some(depth) = self.bounds.max_depth.filter(|&depth| levels(path) >= depth) {
            return Ruling::TooDeep(depth);
        }
        self.rule_on_directory(path)
    }

    /// The same, however deep it lies.
    fn rule_on_directory(&self, path: &Path) -> Ruling<'_> {
        match &self.files {
            Some(files) if files.lists_below(path) => Ruling::Listed,
            Some(_) => Ruling::NotListed,
            None => self.rules.for_directory(path.as_str()).map_or(Ruling::NoRule, Ruling::Rule),
        }
    }

    /// Whether a directory is meant by itself: it would be looked into, or only lies too deep for that.
    #[must_use]
    pub fn includes_directory(&self, path: &Path) -> bool {
        self.bounds.max_depth.is_none_or(|depth| levels(path) <= depth)
            && self.rule_on_directory(path).is_included()
    }

    /// The first of the directories above a path, from the root, that is not looked into, and why.
    #[must_use]
    pub fn excluded_above(&self, path: &Path) -> Option<(Path, Ruling<'_>)> {
        let parents = std::iter::successors(path.parent(), Path::parent);
        let mut above: Vec<_> = parents.filter(|parent| !parent.is_root()).collect();
        above.reverse();
        above.into_iter().find_map(|directory| {
            let ruling = self.ruling_on_directory(&directory);
            (!ruling.is_included()).then_some((directory, ruling))
        })
    }

    /// What is left of a step of the merge of two listings in which no directory was looked into that need not be.
    #[must_use]
    pub fn screen(&self, step: Step) -> Option<Step> {
        let included = |entry: &Entry| self.ruling(entry).is_included();
        let counts_on_target = |target: &Entry| {
            let within = self.bounds.max_depth.is_none_or(|depth| levels(&target.path) <= depth);
            if self.bounds.delete_excluded { within } else { included(target) }
        };
        match step {
            Step::SourceOnly(source) => included(&source).then_some(Step::SourceOnly(source)),
            Step::TargetOnly(target) => counts_on_target(&target).then_some(Step::TargetOnly(target)),
            // Where only one is a directory, they are no pair: each is judged by itself.
            Step::Both { source, target } if is_directory(&source) != is_directory(&target) => {
                match (included(&source), counts_on_target(&target) || is_directory(&target)) {
                    (true, true) => Some(Step::Both { source, target }),
                    (true, false) => Some(Step::SourceOnly(source)),
                    (false, true) => counts_on_target(&target).then_some(Step::TargetOnly(target)),
                    (false, false) => None,
                }
            }
            Step::Both { source, target } if included(&source) => Some(Step::Both { source, target }),
            Step::Both { target, .. } => {
                (self.bounds.delete_excluded && counts_on_target(&target)).then_some(Step::TargetOnly(target))
            }
            Step::Unknown { side, entry } => included(&entry).then_some(Step::Unknown { side, entry }),
            Step::Failed { ref failure, .. } => self.asks_for(&failure.what).then_some(step),
            Step::Need(_) | Step::End => Some(step),
        }
    }

    /// Whether anything that a listing left out is meant. A name that is no path is judged as the object that it would
    /// be without empty segments, of which patterns know none; then as it is; then as a directory.
    #[must_use]
    pub fn asks_for(&self, what: &Unlisted) -> bool {
        let looked_into = |directory: &Path| {
            self.excluded_above(directory).is_none()
                && (directory.is_root() || self.ruling_on_directory(directory).is_included())
        };
        match what {
            Unlisted::Directory(directory) => looked_into(directory),
            Unlisted::Entry(path) => {
                let unknown = Entry::new(path.clone(), ObjectKind::Object);
                self.excluded_above(path).is_none() && self.ruling(&unknown).is_included()
            }
            Unlisted::Name { directory, name } => {
                let segments: Vec<_> = name.split('/').filter(|segment| !segment.is_empty()).collect();
                let plain = segments.join("/");
                let depth = u32::try_from(segments.len()).unwrap_or(u32::MAX);
                let rule = self.rules.for_object(&plain).or_else(|| self.rules.for_object(name));
                let rule = rule.or_else(|| self.rules.for_directory(&plain));
                looked_into(directory)
                    && self.files.is_none()
                    && self.bounds.max_depth.is_none_or(|most| depth <= most)
                    && rule.is_none_or(|rule| rule.include)
            }
        }
    }
}

fn is_directory(entry: &Entry) -> bool {
    entry.kind == ObjectKind::Directory
}

fn levels(path: &Path) -> u32 {
    u32::try_from(path.segments().count()).unwrap_or(u32::MAX)
}
