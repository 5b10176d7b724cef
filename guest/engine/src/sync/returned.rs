//! A second look at the source before extra objects of the target go: has it got them by now?
//!
//! Between the listings and the deletes lie all the transfers. A look costs little: a page of a listing answers for all
//! objects that it spans. Where they lie far apart, the source is near, or its listings may leave names out, each is looked
//! at by itself.

use futures::{StreamExt, stream};
use omnistorage_core::{
    entry::{Entry, Listed, ObjectKind, Unlisted},
    sync::filter::Filter,
};
use omnistorage_types::{Error, ListOptions, Path};

use super::{place::Reading, recode::Recoder, removal::Doomed, retry::retrying, seen::just_before};
use crate::{
    place::PAGE,
    planted::{self, Bug},
};

/// Objects looked at by themselves, at a time.
const LOOKS: usize = 8;

/// Entries of the source that one look lists.
const LISTED: u64 = 1000;

/// Where a listing answers for fewer objects than go at a time, so many are looked at by themselves before it is tried
/// again.
const APART: usize = 64;

/// The source, as it is asked about what it lacked.
#[derive(Clone)]
pub(super) struct SecondLook {
    pub(super) source: Reading,
    pub(super) filter: std::rc::Rc<Filter>,
    pub(super) recoder: Option<Recoder>,
}

impl SecondLook {
    /// Whether the source has an object by now that would have kept one of the target: one result each, in their order.
    pub(super) async fn returned(&self, doomed: &[Doomed]) -> Vec<Result<bool, Error>> {
        if planted::has(Bug::LooksOnce) {
            return doomed.iter().map(|_| Ok(false)).collect();
        }
        let mut order: Vec<usize> = (0..doomed.len()).collect();
        order.sort_unstable_by(|one, other| doomed[*one].path.cmp(&doomed[*other].path));
        let sorted: Vec<&Path> = order.iter().map(|&position| &doomed[position].path).collect();
        let mut found = Vec::with_capacity(sorted.len());
        while found.len() < sorted.len() {
            let rest = &sorted[found.len()..];
            let listed = self.by_listing(rest).await;
            let is_sparse = listed.len() < LOOKS;
            found.extend(listed);
            if is_sparse {
                let apart = sorted[found.len()..].iter().take(APART);
                let looks = stream::iter(apart).map(|path| self.look(path));
                found.extend(looks.buffered(LOOKS).collect::<Vec<_>>().await);
            }
        }
        let mut results: Vec<_> = doomed.iter().map(|_| Ok(true)).collect();
        for (position, result) in order.into_iter().zip(found) {
            results[position] = result;
        }
        results
    }

    /// What a page of a listing tells of the first of these paths, which come in byte order: one result each, for as many
    /// as it spans. None if looking is cheaper, or a listing would not tell.
    async fn by_listing(&self, paths: &[&Path]) -> Vec<Result<bool, Error>> {
        let features = self.source.features();
        let ([first, _, ..], true) = (
            paths,
            features.sorted_list && !features.batches && self.recoder.is_none() && !self.source.hides_names(),
        ) else {
            return Vec::new();
        };
        let Ok(Some(page)) = self.page(first, paths[paths.len() - 1]).await else { return Vec::new() };
        let is_whole = (page.len() as u64) < LISTED;
        let spanned =
            paths.iter().take_while(|path| is_whole || page.last().is_some_and(|last| ***path <= last.path));
        spanned
            .map(|path| {
                let at = page.binary_search_by(|entry| entry.path.cmp(path));
                Ok(at.is_ok_and(|at| page.get(at).is_some_and(|entry| self.keeps(entry))))
            })
            .collect()
    }

    /// A page of what the source has from one path to another; `None` if it is not complete.
    async fn page(&self, first: &Path, last: &Path) -> Result<Option<Vec<Entry>>, Error> {
        let source = &self.source;
        let Some(start_after) = just_before(source.full(first)?.as_str()) else { return Ok(None) };
        let options = ListOptions {
            recursive: true,
            start_after: Some(start_after),
            until: Some(source.full(last)?),
            limit: Some(LISTED),
            full_info: source.full_info,
        };
        retrying(&source.attempts, async || {
            let listing = source.backend().list(source.prefix().clone(), options.clone()).await?;
            let mut page: Vec<Entry> = Vec::new();
            loop {
                let next = listing.next(PAGE).await?;
                if next.is_empty() {
                    return Ok(Some(page));
                }
                for listed in next {
                    match source.listed(listed)? {
                        Listed::Entry(entry) if page.last().is_none_or(|last| last.path < entry.path) => {
                            page.push(entry);
                        }
                        Listed::Failure(failure) if matches!(failure.what, Unlisted::Name { .. }) => {}
                        Listed::Entry(_) | Listed::Failure(_) => return Ok(None),
                    }
                }
            }
        })
        .await
    }

    async fn look(&self, path: &Path) -> Result<bool, Error> {
        let names = match &self.recoder {
            Some(recoder) => recoder.recoding.source_paths(path),
            None => vec![path.clone()],
        };
        for name in names {
            if self.source.stat_named(&name).await?.is_some_and(|there| self.keeps(&there)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what the source has keeps what the target has. A directory keeps no object.
    fn keeps(&self, there: &Entry) -> bool {
        there.kind != ObjectKind::Directory && self.filter.ruling(there).is_included()
    }
}
