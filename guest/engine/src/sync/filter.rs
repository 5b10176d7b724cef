//! Filters of the interface in the words of the core.

use omnistorage_core::sync::filter::{self, FilterOptions};

use crate::imports::filters::{Filter, RuleKind, RuleSource};

impl From<&Filter> for FilterOptions {
    fn from(filter: &Filter) -> Self {
        Self {
            sources: filter.rules.iter().map(Into::into).collect(),
            min_size: filter.min_size,
            max_size: filter.max_size,
            modified_from: filter.modified_from.map(Into::into),
            modified_until: filter.modified_until.map(Into::into),
            max_depth: filter.max_depth,
            ignore_case: filter.ignore_case,
            delete_excluded: filter.delete_excluded,
        }
    }
}

impl From<&RuleSource> for filter::RuleSource {
    fn from(source: &RuleSource) -> Self {
        Self {
            kind: match source.kind {
                RuleKind::Filter => filter::RuleKind::Filter,
                RuleKind::Include => filter::RuleKind::Include,
                RuleKind::Exclude => filter::RuleKind::Exclude,
                RuleKind::Files => filter::RuleKind::Files,
                RuleKind::FilesRaw => filter::RuleKind::FilesRaw,
            },
            text: source.text.clone(),
            file: source.file.clone(),
        }
    }
}
