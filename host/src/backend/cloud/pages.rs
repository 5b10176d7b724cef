//! Answers that come in pages, and what is checked in all of them, whatever a store sends: all keys are below the
//! requested prefix, and each page leads further.

use async_trait::async_trait;

use crate::{Error, ErrorCode, ObjectInfo, Result, backend::ListingFailure};

/// How many pages in a row may be empty. Stores skip deleted keys one page at a time.
const EMPTY: u32 = 10_000;

/// One answer of the store.
#[derive(Debug, Default)]
pub(in crate::backend) struct Page {
    /// The keys with what is known about them; the paths in there are ignored.
    pub(in crate::backend) objects: Vec<(String, ObjectInfo)>,
    /// What deeper keys begin with, up to the slash.
    pub(in crate::backend) directories: Vec<String>,
    /// Keys about which nothing else is known.
    pub(in crate::backend) failures: Vec<ListingFailure>,
    /// What gives the next page.
    pub(in crate::backend) next: Option<String>,
}

/// In which order the store lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend) enum Order {
    /// Of the bytes of the keys.
    Keys,
    /// Any: a listing is sorted here.
    Other,
}

/// Who fetches the pages.
#[async_trait]
pub(in crate::backend) trait Pages: Send + Sync + 'static {
    /// Whether the backend is still open.
    fn check_open(&self) -> Result<()>;

    /// The page with this token; `None` is the first one. Only a listing in the order of keys can begin after a key.
    async fn page(&self, token: Option<&str>, order: Order) -> Result<Page>;

    /// The store was found to list in another order than that of keys.
    fn is_unsorted(&self) {}
}

/// The way through the pages of one listing, which must not lead astray or in a circle.
pub(in crate::backend) struct Trail {
    prefix: String,
    pages: u64,
    /// Empty ones in a row.
    empty: u32,
    last: Option<String>,
    /// A page that was seen. It is replaced by a later one each time the number of pages has doubled, so a circle of
    /// any length is found by remembering one page.
    mark: Option<Mark>,
}

struct Mark {
    number: u64,
    token: String,
    /// No key is listed twice.
    first_key: Option<String>,
}

impl Trail {
    /// For a listing of what is below a prefix.
    pub(in crate::backend) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), pages: 0, empty: 0, last: None, mark: None }
    }

    /// Checks the next page of objects against what was asked for.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] for keys that are not below the prefix, and as [`Trail::step`].
    pub(in crate::backend) fn accept(&mut self, page: &Page) -> Result<()> {
        let mut keys = page.objects.iter().map(|(key, _)| key).chain(&page.directories);
        if let Some(astray) = keys.find(|key| !key.starts_with(&self.prefix)) {
            let message = format!(
                "the store lists `{}` among what is below `{}`: it is not what was asked for",
                astray.escape_debug(),
                self.prefix.escape_debug()
            );
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        let is_empty = page.objects.is_empty() && page.directories.is_empty() && page.failures.is_empty();
        self.step(page.next.as_deref(), page.objects.first().map(|(key, _)| key.as_str()), is_empty)
    }

    /// Records a page that begins with this key and leads on with this token.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] if the way leads back.
    pub(in crate::backend) fn step(
        &mut self,
        next: Option<&str>,
        first_key: Option<&str>,
        is_empty: bool,
    ) -> Result<()> {
        self.pages += 1;
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        let is_seen = |mark: &Mark| first_key.is_some() && mark.first_key.as_deref() == first_key;
        let leads_back = |mark: &Mark| next == Some(mark.token.as_str()) || is_seen(mark);
        let stands = next.is_some() && next == self.last.as_deref();
        if stands || self.mark.as_ref().is_some_and(leads_back) {
            let message = "the store gave the same page of the listing twice";
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        if self.empty > EMPTY {
            let message = format!("the store gave {EMPTY} pages of the listing with nothing in them");
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        self.last = next.map(str::to_owned);
        if let Some(token) = next
            && self.mark.as_ref().is_none_or(|mark| self.pages >= mark.number * 2)
        {
            let (token, first_key) = (token.to_owned(), first_key.map(str::to_owned));
            self.mark = Some(Mark { number: self.pages, token, first_key });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ObjectKind, Path};

    fn page(keys: &[&str], next: &str) -> Page {
        let info = || ObjectInfo::new(Path::root(), ObjectKind::Object);
        Page {
            objects: keys.iter().map(|key| ((*key).to_owned(), info())).collect(),
            next: Some(next.to_owned()),
            ..Page::default()
        }
    }

    #[test]
    fn keys_outside_are_refused() {
        let mut trail = Trail::new("p/");
        trail.accept(&page(&["p/a"], "1")).unwrap();
        for outside in ["p", "pp/a", "other/x", "zzz"] {
            assert!(trail.accept(&page(&["p/b", outside], "2")).is_err(), "{outside}");
        }
        let directories = Page { directories: vec!["o/".to_owned()], ..Page::default() };
        assert!(trail.accept(&directories).is_err());
    }

    #[test]
    fn a_circle_of_any_length_is_found() {
        for length in 1..40 {
            for way_there in 0..20 {
                let mut trail = Trail::new("");
                let mut pages = (0..way_there).chain((0..length).map(|at| 100 + at).cycle().take(2_000));
                let found = pages.any(|at| trail.accept(&page(&[], &at.to_string())).is_err());
                assert!(found, "{length} after {way_there}");
            }
        }
        let mut trail = Trail::new("");
        assert!((0..5_000).all(|at| trail.accept(&page(&[], &at.to_string())).is_ok()));
    }

    #[test]
    fn the_same_keys_by_other_tokens_are_a_circle_too() {
        let mut trail = Trail::new("");
        assert!((0..100).any(|at| trail.accept(&page(&["a", "b"], &at.to_string())).is_err()));
        let mut trail = Trail::new("");
        let never_full = (0..=EMPTY).any(|at| trail.accept(&page(&[], &at.to_string())).is_err());
        assert!(never_full);
    }
}
