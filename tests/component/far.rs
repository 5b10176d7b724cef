//! A store that is far away: each answer takes a while, and a page of a listing is small. In virtual time, which passes only
//! while everybody waits, that costs nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use omnistorage::{
    Path, Result,
    backend::{
        Listed, Listing,
        layer::{Call, Layer, Operation},
    },
};

/// What each answer takes.
pub(crate) const ANSWER: Duration = Duration::from_millis(100);

/// Answers late, and counts what it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Far {
    /// Entries of a page.
    page: usize,
    answer: Duration,
    asked: Arc<AtomicU64>,
}

impl Far {
    pub(crate) fn new(page: usize) -> Self {
        Self::answering(page, ANSWER)
    }

    /// What each answer takes is `answer`.
    pub(crate) fn answering(page: usize, answer: Duration) -> Self {
        Self { page, answer, asked: Arc::default() }
    }

    /// How many answers were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn answer(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.answer).await;
    }
}

impl Layer for Far {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        // What is asked for a listing are its pages.
        if !matches!(call.operation, Operation::List | Operation::ListNext) {
            self.answer().await;
        }
        run.await
    }

    fn listing(&self, _: &Path, listing: Box<dyn Listing>) -> Box<dyn Listing> {
        Box::new(Pages { far: self.clone(), listing, is_over: false })
    }
}

struct Pages {
    far: Far,
    listing: Box<dyn Listing>,
    is_over: bool,
}

#[async_trait]
impl Listing for Pages {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        if self.is_over {
            return Ok(Vec::new());
        }
        self.far.answer().await;
        let max = max.min(self.far.page);
        let page = self.listing.next(max).await?;
        self.is_over = page.len() < max;
        Ok(page)
    }
}
