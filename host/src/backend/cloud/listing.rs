//! A listing that arrives in pages, one of which is fetched ahead.
//!
//! Stores sort by keys, in which a directory ends with a slash; we sort by paths, in which it does not. So in a listing
//! of one level, `a-b` must wait until it is certain that there is no directory `a`, whose key `a/` comes later.
//! Nothing else is held back. A store that lists in another order is passed on as it is, for others to sort.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use async_trait::async_trait;
use omnistorage_types::Path;

use super::pages::{Order, Page, Pages, Trail};
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Result,
    backend::{ListOptions, Listed, Listing, ListingFailure, task::Tasks},
};

/// A cursor over the pages.
pub(super) struct PagedListing<P> {
    pages: Arc<P>,
    kind: &'static str,
    /// What all keys of the backend begin with.
    root: String,
    /// What all keys of this listing begin with.
    prefix: String,
    options: ListOptions,
    /// No key from this one on is wanted.
    end: Option<String>,
    /// How many entries are still wanted.
    left: Option<u64>,
    order: Order,
    progress: Progress,
    /// At most one page, in flight.
    ahead: Tasks<Result<Page>>,
    trail: Trail,
    last_key: String,
    held: BTreeMap<(Path, bool), Held>,
    ready: VecDeque<Listed>,
    /// Somebody has seen entries.
    is_begun: bool,
    found_unsorted: bool,
}

enum Progress {
    /// The page with this token is to be fetched.
    At(Option<String>),
    Ended,
    Failed(Error),
}

/// An entry that may have to wait.
struct Held {
    info: ObjectInfo,
    /// The key after which it may go out.
    until: Option<String>,
}

impl<P: Pages> PagedListing<P> {
    /// Below `prefix`, in a backend whose keys begin with `root`.
    pub(super) fn new(
        pages: Arc<P>,
        kind: &'static str,
        root: String,
        prefix: String,
        options: &ListOptions,
        order: Order,
    ) -> Self {
        let place = prefix.strip_prefix(&root).unwrap_or_default().trim_end_matches('/');
        let end = Path::parse(place).ok().and_then(|place| super::end(&root, &place, options));
        Self {
            pages,
            kind,
            root,
            end: end.filter(|_| order == Order::Keys),
            left: options.limit.filter(|_| order == Order::Keys),
            trail: Trail::new(&prefix),
            prefix,
            options: options.clone(),
            order,
            progress: if options.is_empty() { Progress::Ended } else { Progress::At(None) },
            ahead: Tasks::new(),
            last_key: String::new(),
            held: BTreeMap::new(),
            ready: VecDeque::new(),
            is_begun: false,
            found_unsorted: false,
        }
    }

    /// Whether it ended because the store lists in another order, before any entry was seen.
    pub(super) fn may_begin_again(&self) -> bool {
        self.found_unsorted && !self.is_begun
    }

    fn fetch(&mut self) {
        if let Progress::At(token) = &self.progress {
            let (pages, token) = (Arc::clone(&self.pages), token.clone());
            let order = self.order;
            self.ahead.spawn(async move { pages.page(token.as_deref(), order).await });
        }
    }

    async fn advance(&mut self) -> Result<()> {
        if self.ahead.is_empty() {
            self.fetch();
        }
        let page = match self.ahead.next().await {
            Some(Ok(page)) => page?,
            _ => return Err(Error::new(ErrorCode::Cancelled, "the listing was stopped")),
        };
        self.trail.accept(&page)?;
        let Page { objects, directories, failures, next } = page;
        let last = objects.last().map(|(key, _)| key).max(directories.last());
        let is_last = last.is_some_and(|last| self.is_at_end(last));
        self.progress = match next.filter(|_| !is_last) {
            Some(next) => Progress::At(Some(next)),
            None => Progress::Ended,
        };
        self.ready.extend(failures.into_iter().map(Listed::from));
        self.take(objects, directories)?;
        if self.left.is_none_or(|left| (self.ready.len() as u64) < left) {
            self.fetch();
        }
        Ok(())
    }

    /// Whether nothing that is wanted comes after a key.
    fn is_at_end(&self, key: &str) -> bool {
        let is_bound = || {
            let until = self.options.until.as_ref().filter(|_| self.options.recursive);
            until.is_some_and(|until| self.below(key) >= until.as_str())
        };
        self.end.as_ref().is_some_and(|end| key >= end.as_str() || is_bound())
    }

    /// Merges the two sorted halves of a page.
    fn take(&mut self, objects: Vec<(String, ObjectInfo)>, directories: Vec<String>) -> Result<()> {
        let (mut objects, mut directories) =
            (objects.into_iter().peekable(), directories.into_iter().peekable());
        loop {
            let object_first = match (objects.peek(), directories.peek()) {
                (Some((key, _)), Some(directory)) => key < directory,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            if object_first {
                let Some((key, info)) = objects.next() else { break };
                if self.comes_after(&key)? {
                    self.object(&key, info);
                }
            } else {
                let Some(key) = directories.next() else { break };
                if self.comes_after(&key)? {
                    self.directory(&key);
                }
            }
            self.release();
        }
        if matches!(self.progress, Progress::Ended) {
            let left = std::mem::take(&mut self.held);
            self.ready.extend(left.into_values().map(|held| Listed::Entry(held.info)));
        }
        Ok(())
    }

    /// Whether the key is a new one; a directory may stand on two pages.
    fn comes_after(&mut self, key: &str) -> Result<bool> {
        if self.order == Order::Keys && key < self.last_key.as_str() {
            self.found_unsorted = true;
            self.pages.is_unsorted();
            let message = "the store does not list in byte order: run it again with `sorted_list = false`, to sort here";
            return Err(Error::new(ErrorCode::Unsupported, message));
        }
        let is_new = key != self.last_key;
        key.clone_into(&mut self.last_key);
        Ok(is_new)
    }

    fn object(&mut self, key: &str, mut info: ObjectInfo) {
        // An empty object whose key ends with a slash stands for a directory; here directories are what keys share.
        if key == self.prefix || (key.ends_with('/') && info.size == Some(0)) {
            return;
        }
        match self.path(key) {
            Some(path) => {
                info.path = path;
                self.hold(key.len(), info);
            }
            None => self.refuse(key),
        }
    }

    fn directory(&mut self, key: &str) {
        let shared = key.strip_suffix('/').unwrap_or(key);
        match self.path(shared) {
            Some(path) => self.hold(shared.len(), ObjectInfo::new(path, ObjectKind::Directory)),
            None => self.refuse(key),
        }
    }

    /// The path of a key, if it can be one.
    fn path(&self, key: &str) -> Option<Path> {
        Path::parse(self.below(key)).ok().filter(|path| !path.is_root())
    }

    fn below<'k>(&self, key: &'k str) -> &'k str {
        key.strip_prefix(&self.root).unwrap_or(key)
    }

    /// Reports a key that cannot be a path.
    fn refuse(&mut self, key: &str) {
        let name = self.below(key);
        if self.options.spans(name) {
            self.ready.push_back(ListingFailure::of_name(self.kind, name.as_bytes()).into());
        }
    }

    /// Keeps an entry until its place is certain.
    fn hold(&mut self, key_len: usize, info: ObjectInfo) {
        if !self.options.spans(info.path.as_str()) {
            return;
        }
        if self.options.recursive || self.order == Order::Other {
            self.ready.push_back(Listed::Entry(info));
            return;
        }
        let name_at = self.prefix.len().min(key_len);
        let name = &self.last_key[name_at..key_len];
        let until = name
            .bytes()
            .position(|byte| byte < b'/')
            .filter(|at| *at > 0)
            .map(|at| format!("{}/", &self.last_key[..name_at + at]));
        // An object and a directory may have the same path: the object first.
        let place = (info.path.clone(), info.kind == ObjectKind::Directory);
        self.held.insert(place, Held { info, until });
    }

    fn release(&mut self) {
        while let Some(first) = self.held.first_entry()
            && first.get().until.as_ref().is_none_or(|until| *until <= self.last_key)
        {
            self.ready.push_back(Listed::Entry(first.remove().info));
        }
    }
}

#[async_trait]
impl<P: Pages> Listing for PagedListing<P> {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let place = || Path::parse(self.prefix.trim_end_matches('/')).unwrap_or_default();
        self.pages.check_open().map_err(|error| error.at(self.kind, &place()))?;
        while self.ready.is_empty() {
            match &self.progress {
                Progress::At(_) => {
                    if let Err(error) = self.advance().await {
                        self.progress = Progress::Failed(error.at(self.kind, &Path::default()));
                        if self.may_begin_again() {
                            self.ready.clear();
                        }
                    }
                }
                Progress::Ended => break,
                Progress::Failed(error) => return Err(error.clone()),
            }
        }
        self.is_begun |= !self.ready.is_empty();
        let batch: Vec<_> = self.ready.drain(..max.min(self.ready.len())).collect();
        self.left = self.left.map(|left| left.saturating_sub(batch.len() as u64));
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Pages of keys; those that end with `/` are directories.
    struct Given(Vec<Vec<&'static str>>, AtomicUsize);

    #[async_trait]
    impl Pages for Given {
        fn check_open(&self) -> Result<()> {
            Ok(())
        }

        async fn page(&self, token: Option<&str>, _: Order) -> Result<Page> {
            let at: usize = token.map_or(0, |token| token.parse().unwrap());
            self.1.fetch_add(1, Ordering::Relaxed);
            let (directories, objects): (Vec<_>, Vec<_>) =
                self.0[at].iter().map(|key| (*key).to_owned()).partition(|key| key.ends_with('/'));
            let info = |key| (key, ObjectInfo::new(Path::root(), ObjectKind::Object));
            let next = (at + 1 < self.0.len()).then(|| (at + 1).to_string());
            let objects = objects.into_iter().map(info).collect();
            Ok(Page { objects, directories, next, ..Page::default() })
        }
    }

    async fn list(pages: Vec<Vec<&'static str>>) -> Result<Vec<String>> {
        list_with(pages, &ListOptions::default()).await.map(|(all, _)| all)
    }

    /// What is listed, and how many pages were asked for.
    async fn list_with(pages: Vec<Vec<&'static str>>, options: &ListOptions) -> Result<(Vec<String>, usize)> {
        let (pages, none) = (Arc::new(Given(pages, AtomicUsize::new(0))), String::new);
        let mut listing = PagedListing::new(pages.clone(), "test", none(), none(), options, Order::Keys);
        let mut all = Vec::new();
        loop {
            let batch = listing.next(2).await?;
            if batch.is_empty() {
                // What was begun ahead is counted too.
                tokio::task::yield_now().await;
                return Ok((all, pages.1.load(Ordering::Relaxed)));
            }
            all.extend(batch.into_iter().map(|listed| match listed {
                Listed::Entry(entry) => entry.path.to_string(),
                Listed::Failure(failure) => format!("! {}", failure.what.name()),
            }));
        }
    }

    #[tokio::test]
    async fn a_directory_comes_before_what_its_slash_is_behind() {
        let pages = vec![vec!["a!", "a!b", "a-b.c"], vec!["a-b/", "a.txt"], vec!["a/", "a0", "b"]];
        assert_eq!(list(pages).await.unwrap(), ["a", "a!", "a!b", "a-b", "a-b.c", "a.txt", "a0", "b"]);
    }

    #[tokio::test]
    async fn no_page_is_asked_for_beyond_the_end() {
        let pages = || vec![vec!["a", "b"], vec!["c-/", "c/"], vec!["d", "e"], vec!["f"]];
        for (until, recursive, listed, asked) in [
            ("b", true, &["a", "b"][..], 1),
            ("b", false, &["a", "b"], 2),
            ("bb", true, &["a", "b"], 2),
            ("c", false, &["a", "b", "c"], 3),
            ("d", true, &["a", "b", "c", "c-", "d"], 3),
            ("zz", true, &["a", "b", "c", "c-", "d", "e", "f"], 4),
        ] {
            let until = Some(Path::parse(until).unwrap());
            let options = ListOptions { recursive, until, ..ListOptions::default() };
            let (mut all, pages) = list_with(pages(), &options).await.unwrap();
            all.sort();
            assert_eq!(
                (&all[..], pages),
                (&listed.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..], asked),
                "{options:?}"
            );
        }
    }

    #[tokio::test]
    async fn disorder_is_an_error() {
        let error = list(vec![vec!["b"], vec!["a"]]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unsupported);
    }

    #[tokio::test]
    async fn a_key_that_is_no_path_is_told_among_the_others() {
        let pages = vec![vec!["/", "a", "b/../c", "b//"], vec!["c\0", "c/", "d//", "e"]];
        let told = ["! /", "a", "! b/../c", "! b//", "! c\0", "c", "! d//", "e"];
        assert_eq!(list(pages).await.unwrap(), told);
    }
}
