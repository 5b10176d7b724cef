//! The options of a shared run, as they go to the workers; and those that cannot be shared, by their names.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Path, Timestamp,
    ranges::{Among, Unsplittable},
    runtime::{Backup, Comparison, Deletion, Filter, RuleKind, RuleSource, SyncOptions},
};

/// The first option of a run that cannot be shared among machines.
#[must_use]
pub fn unsplittable(options: &SyncOptions) -> Option<Unsplittable> {
    SharedOptions::new(options).err()
}

/// The options, but for the place of the backup, which each worker opens by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedOptions {
    dry_run: bool,
    #[serde(with = "ComparisonWord")]
    comparison: Comparison,
    ignore_size: bool,
    update_only: bool,
    modify_window: Option<Duration>,
    immutable: bool,
    /// Deletes follow when all ranges are done; otherwise what is extra stays.
    deletes: bool,
    ignore_errors: bool,
    hold_deletes: bool,
    max_delete: Option<u64>,
    allow_empty_source: bool,
    backup: Option<SharedBackup>,
    /// Of all machines together.
    bandwidth: Option<u64>,
    /// Of all machines together.
    max_transfer: Option<u64>,
    empty_directories: bool,
    delete_empty_source_directories: bool,
    transfers: u32,
    checkers: u32,
    retries: u32,
    one_way: bool,
    start_after: Option<String>,
    stop_at: Option<String>,
    filter: SharedFilter,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedBackup {
    suffix: String,
    keep_extension: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedFilter {
    rules: Vec<Rule>,
    min_size: Option<u64>,
    max_size: Option<u64>,
    /// Seconds and nanoseconds.
    modified_from: Option<(i64, u32)>,
    modified_until: Option<(i64, u32)>,
    max_depth: Option<u32>,
    ignore_case: bool,
    delete_excluded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(with = "RuleKindWord")]
    kind: RuleKind,
    text: String,
    file: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Comparison", rename_all = "kebab-case")]
enum ComparisonWord {
    Automatic,
    ExactTimes,
    WriteTimes,
    Checksum,
    SizeOnly,
    Always,
    IgnoreExisting,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RuleKind", rename_all = "kebab-case")]
enum RuleKindWord {
    Filter,
    Include,
    Exclude,
    Files,
    FilesRaw,
}

impl SharedOptions {
    /// The options of a run, if it can be shared.
    ///
    /// # Errors
    /// The first option that cannot be.
    pub(super) fn new(options: &SyncOptions) -> Result<Self, Unsplittable> {
        let SyncOptions {
            dry_run,
            comparison,
            ignore_size,
            update_only,
            modify_window,
            immutable,
            deletion,
            ignore_errors,
            hold_deletes,
            max_delete,
            allow_empty_source,
            backup,
            empty_directories,
            delete_empty_source_directories,
            transfers,
            checkers,
            retries,
            one_way,
            start_after,
            stop_at,
            filter,
            deadline,
            bandwidth,
            max_transfer,
            // Of no meaning without `recoding`.
            max_window: _,
            // Refused by what no ranges can share.
            track_renames: _,
            order: _,
            max_errors: _,
            target_name: _,
            recoding: _,
            memo: _,
        } = options;
        if let Some(refused) = Unsplittable::among(options, Among::Machines) {
            return Err(refused);
        }
        if deadline.is_some() {
            let why = "the clocks of machines differ; `cluster cancel` ends a run";
            return Err(Unsplittable { option: "max-duration", why, among: Among::Machines });
        }
        if max_transfer.is_some() && *comparison == Comparison::Always {
            let why = "with --ignore-times, what was transferred already is transferred again";
            return Err(Unsplittable { option: "max-transfer", why, among: Among::Machines });
        }
        Ok(Self {
            dry_run: *dry_run,
            comparison: *comparison,
            ignore_size: *ignore_size,
            update_only: *update_only,
            modify_window: *modify_window,
            immutable: *immutable,
            deletes: *deletion == Deletion::After,
            ignore_errors: *ignore_errors,
            hold_deletes: *hold_deletes,
            max_delete: *max_delete,
            allow_empty_source: *allow_empty_source,
            backup: backup.as_ref().map(|backup| SharedBackup {
                suffix: backup.suffix.clone(),
                keep_extension: backup.keep_extension,
            }),
            bandwidth: *bandwidth,
            max_transfer: *max_transfer,
            empty_directories: *empty_directories,
            delete_empty_source_directories: *delete_empty_source_directories,
            transfers: *transfers,
            checkers: *checkers,
            retries: *retries,
            one_way: *one_way,
            start_after: start_after.as_ref().map(ToString::to_string),
            stop_at: stop_at.as_ref().map(ToString::to_string),
            filter: SharedFilter::new(filter),
        })
    }

    /// The bytes a second that all machines may move together.
    pub(super) const fn bandwidth(&self) -> Option<u64> {
        self.bandwidth
    }

    /// The bytes that all machines may transfer together.
    pub(super) const fn max_transfer(&self) -> Option<u64> {
        self.max_transfer
    }

    /// The options as the client had them; the backup is in `place`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`] for an end of the range that is no path.
    pub(super) fn options(&self, place: Option<crate::Location>) -> Result<SyncOptions, Error> {
        let path = |text: &Option<String>| text.as_deref().map(Path::parse).transpose();
        Ok(SyncOptions {
            dry_run: self.dry_run,
            comparison: self.comparison,
            ignore_size: self.ignore_size,
            update_only: self.update_only,
            modify_window: self.modify_window,
            immutable: self.immutable,
            deletion: if self.deletes { Deletion::After } else { Deletion::None },
            ignore_errors: self.ignore_errors,
            hold_deletes: self.hold_deletes,
            max_delete: self.max_delete,
            allow_empty_source: self.allow_empty_source,
            backup: self.backup.as_ref().map(|backup| Backup {
                place,
                suffix: backup.suffix.clone(),
                keep_extension: backup.keep_extension,
            }),
            bandwidth: self.bandwidth,
            max_transfer: self.max_transfer,
            empty_directories: self.empty_directories,
            delete_empty_source_directories: self.delete_empty_source_directories,
            transfers: self.transfers,
            checkers: self.checkers,
            retries: self.retries,
            one_way: self.one_way,
            start_after: path(&self.start_after)?,
            stop_at: path(&self.stop_at)?,
            filter: self.filter.filter(),
            ..SyncOptions::default()
        })
    }

    /// The same without times of day, which differ from one call of a command to the next.
    pub(super) fn without_times(mut self) -> Self {
        (self.filter.modified_from, self.filter.modified_until) = (None, None);
        self
    }
}

impl SharedFilter {
    fn new(filter: &Filter) -> Self {
        let Filter {
            rules,
            min_size,
            max_size,
            modified_from,
            modified_until,
            max_depth,
            ignore_case,
            delete_excluded,
        } = filter;
        let time = |time: &Option<Timestamp>| time.map(|time| (time.seconds, time.nanoseconds));
        let rule =
            |rule: &RuleSource| Rule { kind: rule.kind, text: rule.text.clone(), file: rule.file.clone() };
        Self {
            rules: rules.iter().map(rule).collect(),
            min_size: *min_size,
            max_size: *max_size,
            modified_from: time(modified_from),
            modified_until: time(modified_until),
            max_depth: *max_depth,
            ignore_case: *ignore_case,
            delete_excluded: *delete_excluded,
        }
    }

    fn filter(&self) -> Filter {
        let time =
            |time: Option<(i64, u32)>| time.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds });
        let rule =
            |rule: &Rule| RuleSource { kind: rule.kind, text: rule.text.clone(), file: rule.file.clone() };
        Filter {
            rules: self.rules.iter().map(rule).collect(),
            min_size: self.min_size,
            max_size: self.max_size,
            modified_from: time(self.modified_from),
            modified_until: time(self.modified_until),
            max_depth: self.max_depth,
            ignore_case: self.ignore_case,
            delete_excluded: self.delete_excluded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_as_they_went() {
        let filter = Filter {
            min_size: Some(1),
            modified_from: Some(Timestamp { seconds: -5, nanoseconds: 7 }),
            max_depth: Some(3),
            delete_excluded: true,
            ..Filter::default().rule("- *.part")
        };
        let options = SyncOptions {
            comparison: Comparison::Checksum,
            modify_window: Some(Duration::from_millis(1500)),
            max_delete: Some(9),
            backup: Some(Backup { place: None, suffix: ".old".into(), keep_extension: true }),
            start_after: Some(Path::parse("a/b").unwrap()),
            transfers: 16,
            bandwidth: Some(1 << 20),
            max_transfer: Some(1 << 30),
            filter,
            ..SyncOptions::default()
        };
        let text = serde_json::to_string(&SharedOptions::new(&options).unwrap()).unwrap();
        let back: SharedOptions = serde_json::from_str(&text).unwrap();
        assert_eq!(back.options(None).unwrap(), options);
        let more = text.replacen('{', "{\"more\":1,", 1);
        assert!(serde_json::from_str::<SharedOptions>(&more).is_err());
    }

    #[test]
    fn what_cannot_be_shared_is_refused_by_its_name() {
        let refused = |options: SyncOptions| SharedOptions::new(&options).unwrap_err().to_string();
        let options = SyncOptions::default;
        for (options, option) in [
            (SyncOptions { deletion: Deletion::Before, ..options() }, "--delete-before"),
            (
                SyncOptions { max_transfer: Some(1), comparison: Comparison::Always, ..options() },
                "--max-transfer",
            ),
            (SyncOptions { deadline: Some(Timestamp::now()), ..options() }, "--max-duration"),
        ] {
            let refused = refused(options);
            assert!(refused.contains(option) && refused.contains("shared among machines"), "{refused}");
        }
    }
}
