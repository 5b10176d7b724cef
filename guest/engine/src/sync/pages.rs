//! Listings of a place, page by page.

use std::rc::Rc;

use futures::{SinkExt, channel::mpsc};
use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::{
        filter::Filter,
        walk::{Walk, WalkStep},
    },
};
use omnistorage_path::Path;
use wit_bindgen::spawn_local;

use super::sides::Reading;
use crate::{
    imports::{
        backend::{Features, ListOptions, Listing},
        types::Error,
    },
    objects::PAGE,
};

/// Pages of a listing as they come; a page or two are asked for ahead.
pub(super) type Pages = mpsc::Receiver<Result<Vec<Entry>, Error>>;

/// Whoever asked has left.
struct Left;

/// Where pages go.
struct Sender(mpsc::Sender<Result<Vec<Entry>, Error>>);

impl Sender {
    async fn send(&mut self, page: Vec<Entry>) -> Result<(), Left> {
        if page.is_empty() { Ok(()) } else { self.0.send(Ok(page)).await.map_err(|_| Left) }
    }

    async fn fail(&mut self, error: Error) -> Result<(), Left> {
        self.0.send(Err(error)).await.map_err(|_| Left)
    }
}

impl Reading {
    /// Everything below this place that a filter may include: level by level if that leaves directories out.
    pub(super) fn pages(&self, filter: Rc<Filter>) -> Pages {
        if !filter.prunes() {
            return self.all_pages();
        }
        let this = self.clone();
        start(async move |sender| this.walk(&filter, sender).await)
    }

    /// Everything below this place.
    pub(super) fn all_pages(&self) -> Pages {
        let this = self.clone();
        start(async move |sender| this.list_all(sender).await)
    }

    async fn list_all(&self, sender: &mut Sender) -> Result<(), Left> {
        let listing = match self.open_listing(self.prefix(), true).await {
            Ok(listing) => listing,
            Err(error) => return sender.fail(error).await,
        };
        loop {
            match self.page(&listing).await {
                Ok(page) if page.is_empty() => return Ok(()),
                Ok(page) => sender.send(page).await?,
                Err(error) => return sender.fail(error).await,
            }
        }
    }

    async fn walk(&self, filter: &Filter, sender: &mut Sender) -> Result<(), Left> {
        let mut walk = Walk::new(Path::root());
        let (mut open, mut found): (Vec<Listing>, Vec<Entry>) = (Vec::new(), Vec::new());
        // Where directories do not exist by themselves, those of a level are only prefixes that objects share.
        let has_directories = self.has(Features::DIRECTORIES);
        loop {
            match walk.next(|directory| filter.ruling_on_directory(directory).is_included()) {
                WalkStep::Enter(directory) => {
                    let full = self.prefix().join(&directory).map_err(Error::from);
                    let listing = match full {
                        Ok(full) => self.open_listing(&full, false).await,
                        Err(error) => Err(error),
                    };
                    match listing {
                        Ok(listing) => open.push(listing),
                        Err(error) => return sender.fail(error).await,
                    }
                }
                WalkStep::Need => match open.last() {
                    Some(listing) => match self.page(listing).await {
                        Ok(page) if page.is_empty() => walk.end(),
                        Ok(page) => walk.push(page),
                        Err(error) => return sender.fail(error).await,
                    },
                    None => walk.end(),
                },
                WalkStep::Leave => drop(open.pop()),
                WalkStep::Entry(entry) if entry.kind == ObjectKind::Directory && !has_directories => {}
                WalkStep::Entry(entry) => found.push(entry),
                WalkStep::End => return sender.send(found).await,
            }
            if found.len() >= PAGE as usize {
                sender.send(std::mem::take(&mut found)).await?;
            }
        }
    }

    async fn open_listing(&self, prefix: &Path, recursive: bool) -> Result<Listing, Error> {
        let options = ListOptions { recursive, start_after: None, full_info: false };
        self.backend().list(prefix.as_str().to_owned(), options).await
    }

    /// The next entries of a listing; none at its end.
    async fn page(&self, listing: &Listing) -> Result<Vec<Entry>, Error> {
        let page = listing.next(PAGE).await?;
        page.into_iter().map(|info| self.entry(info)).collect()
    }
}

/// Lists in the background.
fn start(list: impl AsyncFnOnce(&mut Sender) -> Result<(), Left> + 'static) -> Pages {
    let (sender, pages) = mpsc::channel(0);
    spawn_local(async move {
        // Whoever asked may have left: then there is nobody to tell.
        let _ = list(&mut Sender(sender)).await;
    });
    pages
}
