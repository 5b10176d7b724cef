//! How far the job of a range goes. While it is at work, what it has not come to yet may be given to another job.
//!
//! Its listings end where it ends, and that border moves towards the beginning as long as none of them has told anything
//! behind it. Names are flat here: for the job it is as if nothing came behind the border.
//!
//! A page of a target that has little reaches far ahead of the source. So of the target no more is told than the source has
//! come to, and the next name: otherwise such a page would fix the border at its end.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{
    KeyRange, Location, Path, Result,
    backend::{
        Listed, Listing, Unlisted,
        layer::{Call, Layer, Layered},
    },
    runtime::Storage,
};

/// Where the job of a range ends, and how far it is. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    state: Arc<Mutex<State>>,
    /// Told of each page.
    progress: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    range: KeyRange,
    /// The last name that was listed, relative to its side.
    listed: Option<String>,
    source: Source,
    pages: u64,
}

/// How far the source is.
#[derive(Debug, Default)]
struct Source {
    last: Option<String>,
    is_over: bool,
}

impl Reach {
    pub(super) fn new(range: KeyRange, progress: &Arc<Notify>) -> Self {
        let state = State { range, listed: None, source: Source::default(), pages: 0 };
        Self { state: Arc::new(Mutex::new(state)), progress: Arc::clone(progress) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The range, as it is by now.
    pub(crate) fn range(&self) -> KeyRange {
        self.state().range.clone()
    }

    /// What of the range was not listed yet.
    pub(super) fn rest(&self) -> KeyRange {
        let State { range, listed, .. } = &*self.state();
        let listed = listed.as_deref().and_then(|listed| Path::parse(listed).ok());
        KeyRange { after: listed.or_else(|| range.after.clone()), until: range.until.clone() }
    }

    /// How many pages were listed so far, of both sides.
    pub(super) fn pages(&self) -> u64 {
        self.state().pages
    }

    /// Ends the range at a border, and gives what comes behind it; `None` if it was listed already, or if there is nothing.
    pub(super) fn end_at(&self, border: &Path) -> Option<KeyRange> {
        let State { range, listed, .. } = &mut *self.state();
        let is_listed = listed.as_deref().is_some_and(|listed| listed > border.as_str());
        if is_listed || !range.spans(border.as_str()) || range.until.as_ref() == Some(border) {
            return None;
        }
        let until = range.until.replace(border.clone());
        Some(KeyRange { after: Some(border.clone()), until })
    }

    /// Ends the range behind what was listed, and gives the rest; `None`: nothing was listed, or all.
    #[cfg(feature = "cluster")]
    pub(super) fn end_here(&self) -> Option<KeyRange> {
        let listed = self.state().listed.as_deref().and_then(|listed| Path::parse(listed).ok())?;
        // If more was listed meanwhile, it is none.
        self.end_at(&listed)
    }

    /// A storage whose listings of these places end where this does.
    pub(crate) fn around(&self, storage: &Storage, sides: [&Location; 2]) -> Storage {
        let mut places: BTreeMap<&str, Vec<(usize, Path)>> = BTreeMap::new();
        for (side, at) in sides.into_iter().enumerate() {
            places.entry(&at.backend).or_default().push((side, at.path.clone()));
        }
        let end = |storage: Storage, (name, places): (&str, Vec<(usize, Path)>)| match storage.mount(name) {
            Some(backend) => {
                let ends = Ends { reach: self.clone(), places };
                storage.with_mount(name, Arc::new(Layered::new(backend, ends)))
            }
            // The job says that there is none.
            None => storage,
        };
        places.into_iter().fold(storage.clone(), end)
    }

    /// A page was listed.
    fn listed_page(&self) {
        self.state().pages += 1;
        self.progress.notify_one();
    }

    /// What may be told next of what was listed of a side, `max` at most; `None`: nothing more lies in the range. Without
    /// anything that was listed, there is no more.
    fn tell(
        &self,
        side: usize,
        place: &Path,
        waiting: &mut VecDeque<Listed>,
        max: usize,
    ) -> Option<Vec<Listed>> {
        let State { range, listed, source, .. } = &mut *self.state();
        let is_source = side == 0;
        let mut told: Vec<Listed> = Vec::new();
        while told.len() < max
            && let Some(item) = waiting.front()
        {
            if let Some(name) = relative(place, item) {
                // Where a name could not be written as it is, who lists next tells of it, too.
                let is_exact =
                    matches!(item, Listed::Entry(_)) || !name.contains(char::REPLACEMENT_CHARACTER);
                if is_exact && range.until.as_ref().is_some_and(|until| name > until.as_str()) {
                    waiting.clear();
                    break;
                }
                let is_ahead = !source.is_over && source.last.as_deref().is_none_or(|last| name > last);
                if !is_source && is_ahead && !told.is_empty() {
                    break;
                }
                if listed.as_deref().is_none_or(|listed| listed < name) {
                    *listed = Some(name.to_owned());
                }
                if is_source {
                    source.last = Some(name.to_owned());
                }
            }
            told.extend(waiting.pop_front());
        }
        if is_source {
            source.is_over = told.is_empty();
        }
        (!told.is_empty()).then_some(told)
    }
}

/// The name of something that is listed, relative to its place.
fn relative<'a>(place: &Path, item: &'a Listed) -> Option<&'a str> {
    let full = match item {
        Listed::Entry(info) => info.path.as_str(),
        Listed::Failure(failure) => match &failure.what {
            Unlisted::Name { name, .. } => name,
            what => what.path().as_str(),
        },
    };
    if place.is_root() { Some(full) } else { full.strip_prefix(place.as_str())?.strip_prefix('/') }
}

/// Ends the listings of some places.
#[derive(Debug)]
struct Ends {
    reach: Reach,
    /// Of the source (0) and the target (1).
    places: Vec<(usize, Path)>,
}

impl Layer for Ends {
    async fn around<T: Send>(&self, _: Call<'_>, run: impl Future<Output = Result<T>> + Send) -> Result<T> {
        run.await
    }

    fn listing(&self, prefix: &Path, listing: Box<dyn Listing>) -> Box<dyn Listing> {
        match self.places.iter().find(|(_, place)| prefix.starts_with(place)) {
            Some((side, place)) => Box::new(Ending {
                listing,
                side: *side,
                place: place.clone(),
                reach: self.reach.clone(),
                waiting: VecDeque::new(),
                is_over: false,
            }),
            None => listing,
        }
    }
}

/// A listing, as far as the range goes.
struct Ending {
    listing: Box<dyn Listing>,
    side: usize,
    place: Path,
    reach: Reach,
    /// What was listed, and not told yet.
    waiting: VecDeque<Listed>,
    is_over: bool,
}

#[async_trait]
impl Listing for Ending {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        if self.is_over {
            return Ok(Vec::new());
        }
        if self.waiting.is_empty() {
            self.waiting = self.listing.next(max).await?.into();
            self.reach.listed_page();
        }
        let told = self.reach.tell(self.side, &self.place, &mut self.waiting, max);
        self.is_over = told.is_none();
        Ok(told.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, MemoryBackend, backend::ListOptions};

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    async fn numbers(at: &str) -> Arc<dyn Backend> {
        let memory = MemoryBackend::new();
        for number in 0..6 {
            let options = Default::default();
            memory.write_all(&path(&format!("{at}{number}")), "".into(), &options).await.unwrap();
        }
        Arc::new(memory)
    }

    async fn rest(listing: &mut Box<dyn Listing>) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            let page = listing.next_entries(2).await.unwrap();
            if page.is_empty() {
                return names;
            }
            names.extend(page.into_iter().map(|info| info.path.to_string()));
        }
    }

    #[tokio::test]
    async fn a_range_ends_behind_what_was_listed_and_the_rest_is_another_one() {
        let whole = KeyRange { after: None, until: Some(path("4")) };
        let reach = Reach::new(whole, &Arc::default());
        let ends = Ends { reach: reach.clone(), places: vec![(0, path("here")), (1, path("there"))] };
        let backend = Layered::new(numbers("here/").await, ends);
        let mut listing = backend.list(&path("here"), &ListOptions::default()).await.unwrap();
        assert_eq!(listing.next_entries(2).await.unwrap().len(), 2);
        assert_eq!((reach.pages(), reach.rest().after), (1, Some(path("1"))));
        // Something behind it is out, it is the end, or it is beyond that.
        for refused in ["0", "4", "5"] {
            assert_eq!(reach.end_at(&path(refused)), None, "{refused}");
        }
        let rest_of_it = KeyRange { after: Some(path("3")), until: Some(path("4")) };
        assert_eq!(reach.end_at(&path("3")), Some(rest_of_it));
        let rest_of_it = KeyRange { after: Some(path("1")), until: Some(path("3")) };
        assert_eq!(reach.end_at(&path("1")), Some(rest_of_it));
        assert_eq!(rest(&mut listing).await, Vec::<String>::new());
        assert_eq!(reach.range(), KeyRange { after: None, until: Some(path("1")) });
        // From the beginning, and what is no side.
        let mut listing = backend.list(&path("here"), &ListOptions::default()).await.unwrap();
        assert_eq!(rest(&mut listing).await, ["here/0", "here/1"]);
        let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        assert_eq!(rest(&mut listing).await, ["here"]);
    }
}
