//! The options of the commands that compare two places, with rclone's names and meaning.

use clap::{Args, value_parser};

use super::{
    exit::Failure,
    place::Place,
    wildcard::{self, Pattern},
};
use crate::runtime::{Comparison, SyncOptions};

/// The two places.
#[derive(Args)]
pub(crate) struct Places {
    /// The directory whose contents are meant, or one object; a `*` in it is a wildcard: s3://bucket/logs/*.gz
    #[arg(value_name = "SOURCE", value_parser = Place::parser())]
    pub(crate) source: Place,
    /// The directory
    #[arg(value_name = "TARGET", value_parser = Place::parser())]
    pub(crate) target: Place,
}

impl Places {
    /// The same, with the source as the directory that its wildcard is about.
    ///
    /// # Errors
    /// A wildcard where there is none.
    pub(crate) fn without_wildcard(self) -> Result<(Self, Option<Pattern>), Failure> {
        let (source, pattern) = wildcard::split(&self.source)?;
        Ok((Self { source, ..self }, pattern))
    }

    /// Whether the target is written like the name of an object of the same kind as the source.
    pub(crate) fn seem_to_rename(&self) -> bool {
        let extension = |place: &Place| {
            let name = place.typed.rsplit(['/', ':']).next()?;
            let (stem, extension) = name.rsplit_once('.')?;
            (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_ascii_lowercase())
        };
        let of_source = extension(&self.source);
        of_source.is_some() && of_source == extension(&self.target)
    }
}

/// An object, and the name that it is to have.
#[derive(Args)]
pub(crate) struct Names {
    /// The object
    #[arg(value_name = "SOURCE", value_parser = Place::parser())]
    source: Place,
    /// Its new name, in a directory that is made if it is not there
    #[arg(value_name = "TARGET", value_parser = Place::parser())]
    target: Place,
}

impl Names {
    /// The object and the directory that it goes to, and its name there.
    pub(crate) fn places(self) -> Result<(Places, String), Failure> {
        let (target, name) = self.target.parted().map_err(Failure::usage)?;
        Ok((Places { source: self.source, target }, name))
    }
}

/// When an object on both sides needs no transfer. Without any option: if size and modification time are equal. If
/// several are given, the first one decides, in the order of [`ComparisonOptions::given`], which is rclone's.
#[derive(Args, Default)]
pub(crate) struct ComparisonOptions {
    /// Compare size and checksum, not the modification time. If several options of this kind are given, the first of
    /// these decides: --ignore-existing, --ignore-times, --size-only, --checksum
    #[arg(long, short)]
    checksum: bool,
    /// Compare the size alone
    #[arg(long)]
    size_only: bool,
    /// Leave alone whatever is on the target
    #[arg(long)]
    ignore_existing: bool,
    /// Transfer all
    #[arg(long, short = 'I')]
    ignore_times: bool,
    /// Compare size and modification time; where a side keeps no times, size and checksum
    #[arg(long)]
    exact_times: bool,
}

impl ComparisonOptions {
    /// The options that are given, as they are typed; the first decides.
    fn given(&self) -> impl Iterator<Item = (&'static str, Comparison)> {
        [
            (self.ignore_existing, "--ignore-existing", Comparison::IgnoreExisting),
            (self.ignore_times, "--ignore-times", Comparison::Always),
            (self.size_only, "--size-only", Comparison::SizeOnly),
            (self.checksum, "--checksum", Comparison::Checksum),
            (self.exact_times, "--exact-times", Comparison::ExactTimes),
        ]
        .into_iter()
        .filter_map(|(is_given, option, comparison)| is_given.then_some((option, comparison)))
    }

    pub(crate) fn comparison(&self) -> Comparison {
        self.given().next().map_or(Comparison::Automatic, |(_, comparison)| comparison)
    }

    /// Which of several decides.
    pub(crate) fn decision(&self) -> Option<String> {
        decision(self.given().map(|(option, _)| option))
    }
}

/// For -v: a sentence saying which of several options decides; none if there are not several.
pub(crate) fn decision(mut given: impl Iterator<Item = &'static str>) -> Option<String> {
    let decides = given.next()?;
    let others: Vec<_> = given.collect();
    (!others.is_empty()).then(|| format!("{decides} decides what is the same, before {}", others.join(", ")))
}

/// How many calls of the backends may be in flight, and how often each is tried.
#[derive(Args)]
pub(crate) struct Concurrency {
    /// Transfers in flight
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=256))]
    transfers: u32,
    /// Comparisons in flight
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u32).range(1..=256))]
    checkers: u32,
    /// How often an object is tried in all, if its error may pass
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    retries: u32,
}

impl Concurrency {
    pub(crate) fn options(&self) -> SyncOptions {
        SyncOptions {
            transfers: self.transfers,
            checkers: self.checkers,
            retries: self.retries,
            ..SyncOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_comparisons_the_first_in_rclones_order_decides() {
        let checksum = || ComparisonOptions { checksum: true, ..ComparisonOptions::default() };
        assert_eq!((checksum().comparison(), checksum().decision()), (Comparison::Checksum, None));
        let both = ComparisonOptions { size_only: true, ..checksum() };
        assert_eq!(both.comparison(), Comparison::SizeOnly);
        assert_eq!(both.decision().unwrap(), "--size-only decides what is the same, before --checksum");
        let all = ComparisonOptions {
            checksum: true,
            size_only: true,
            ignore_existing: true,
            ignore_times: true,
            exact_times: true,
        };
        assert_eq!(all.comparison(), Comparison::IgnoreExisting);
        assert_eq!(ComparisonOptions { ignore_existing: false, ..all }.comparison(), Comparison::Always);
        assert_eq!(ComparisonOptions::default().comparison(), Comparison::Automatic);
    }
}
