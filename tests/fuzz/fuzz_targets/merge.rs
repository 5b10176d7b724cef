//! Listings in order give their union in order, others an error.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use omnistorage_core::{
    Path,
    entry::{Entry, Listed, ObjectKind},
    sync::merge::{Merge, Side, Step},
};

/// The paths of the merge; `None` if it refused a listing.
fn merge(source: &[Path], target: &[Path], batch: usize) -> Option<Vec<Path>> {
    let mut batches = [source.chunks(batch), target.chunks(batch)];
    let (mut merge, mut paths) = (Merge::new(), Vec::new());
    let entry = |path: &Path| Listed::Entry(Entry::new(path.clone(), ObjectKind::Object));
    loop {
        match merge.next().ok()? {
            Step::Need(side) => {
                let index = match side {
                    Side::Source => 0,
                    Side::Target => 1,
                };
                match batches[index].next() {
                    Some(batch) => merge.push(side, batch.iter().map(entry).collect()),
                    None => merge.end(side),
                }
            }
            Step::SourceOnly(entry) | Step::TargetOnly(entry) => paths.push(entry.path),
            Step::Both { source, target } => {
                assert_eq!(source.path, target.path);
                paths.push(source.path);
            }
            Step::Failed { .. } | Step::Unknown { .. } => return None,
            Step::End => return Some(paths),
        }
    }
}

fuzz_target!(|input: (u8, Vec<&str>, Vec<&str>)| {
    let parse =
        |paths: Vec<&str>| paths.into_iter().filter_map(|path| Path::parse(path).ok()).collect::<Vec<_>>();
    let (batch, source, target) = (usize::from(input.0) + 1, parse(input.1), parse(input.2));
    let ascending = |paths: &[Path]| paths.is_sorted_by(|one, two| one < two);
    let sorted = ascending(&source) && ascending(&target);
    assert_eq!(merge(&source, &target, batch).is_some(), sorted);

    let sets = [source, target].map(BTreeSet::from_iter);
    let [source, target] = sets.clone().map(Vec::from_iter);
    assert_eq!(merge(&source, &target, batch), Some(sets[0].union(&sets[1]).cloned().collect()));
});
