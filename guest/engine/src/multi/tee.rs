//! One body to several targets: all take it at the pace of the slowest, then they commit.

use std::{pin::pin, rc::Rc};

use futures::{
    StreamExt,
    future::{Either, join_all, select},
    join,
    stream::FuturesUnordered,
};

use omnistorage_types::{Error, ErrorCode, Location, Outcome, TargetResult, TeeError, WriteOptions};

use super::target::{Writing, Written};
use crate::{
    body::Coded,
    port::{Body, Storage},
};

/// Why a tee fails.
enum Stop {
    /// The body failed.
    Body(Error),
    /// Too few targets are left; their outcomes say why.
    TooFew,
}

/// Writes a body to all targets, of which a given number must succeed.
pub(super) async fn tee(
    port: &Rc<dyn Storage>,
    targets: Vec<Location>,
    mut body: Coded,
    options: &WriteOptions,
    needed: usize,
) -> Result<Vec<TargetResult>, TeeError> {
    let mut tee = Tee::open(port, &targets, options, needed).await;
    let done = match tee.deliver(&mut body).await {
        Ok(bytes) => tee.commit(bytes).await,
        Err(stop) => Err(stop),
    };
    match done {
        Ok(()) => Ok(tee.results(targets)),
        Err(stop) => {
            tee.give_up().await;
            let error = match stop {
                Stop::Body(error) => error,
                Stop::TooFew => tee.first_error(),
            };
            Err(TeeError { error, targets: tee.results(targets) })
        }
    }
}

/// The targets of a tee, by their progress.
struct Tee {
    /// How many must hold the object in the end.
    needed: usize,
    /// Those that take bytes.
    writing: Vec<Writing>,
    /// Those that committed.
    written: Vec<Written>,
    /// Those that are done: position and outcome, in the order in which they ended.
    outcomes: Vec<(usize, Outcome)>,
}

impl Tee {
    async fn open(
        port: &Rc<dyn Storage>,
        targets: &[Location],
        options: &WriteOptions,
        needed: usize,
    ) -> Self {
        let open = async |(index, at): (usize, &Location)| {
            let opened = Writing::open(port, index, at.clone(), options.clone()).await;
            opened.map_err(|error| (index, Outcome::Failed(error)))
        };
        let (mut writing, mut outcomes) = (Vec::new(), Vec::new());
        for opened in join_all(targets.iter().enumerate().map(open)).await {
            match opened {
                Ok(target) => writing.push(target),
                Err(outcome) => outcomes.push(outcome),
            }
        }
        Self { needed, writing, written: Vec::new(), outcomes }
    }

    /// Sends the body to every target, to its true end; returns its length in bytes.
    async fn deliver(&mut self, body: &mut Coded) -> Result<u64, Stop> {
        let (mut bytes, mut buffer) = (0, Vec::new());
        loop {
            let Some(chunk) = self.next(body, buffer).await? else { return Ok(bytes) };
            self.each(async |target| target.push(&chunk).await).await?;
            bytes += chunk.len() as u64;
            buffer = chunk;
        }
    }

    /// The next bytes of the body. While it waits for them, it notices when too few targets are left.
    async fn next(&mut self, body: &mut Coded, buffer: Vec<u8>) -> Result<Option<Vec<u8>>, Stop> {
        let next = pin!(body.next(buffer));
        let failures = pin!(self.each(async |target| Err(target.failure().await)));
        match select(next, failures).await {
            Either::Left((chunk, _)) => chunk.map_err(Stop::Body),
            Either::Right(_) => Err(Stop::TooFew),
        }
    }

    /// Runs a step on every target that takes bytes, and drops those that fail. Ends as soon as too few are left.
    async fn each(&mut self, act: impl AsyncFn(&mut Writing) -> Result<(), Error>) -> Result<(), Stop> {
        let spare = self.writing.len().checked_sub(self.needed).ok_or(Stop::TooFew)?;
        let act = async |target: &mut Writing| (target.index, act(target).await);
        let mut acts: FuturesUnordered<_> = self.writing.iter_mut().map(act).collect();
        let mut failed = Vec::new();
        while failed.len() <= spare
            && let Some((index, done)) = acts.next().await
        {
            failed.extend(done.err().map(|error| (index, Outcome::Failed(error))));
        }
        drop(acts);
        self.writing.retain(|target| failed.iter().all(|(index, _)| *index != target.index));
        self.outcomes.extend(failed);
        if self.writing.len() < self.needed { Err(Stop::TooFew) } else { Ok(()) }
    }

    /// Commits one target after another until enough of them hold the object, and then the rest at once. Until then a
    /// failure means that commits are undone, and this way there are fewer of them.
    async fn commit(&mut self, bytes: u64) -> Result<(), Stop> {
        if self.needed > 1 {
            join_all(self.writing.iter_mut().map(Writing::look)).await;
            // Commits that cannot be undone come last, when nothing else can fail any more.
            self.writing.sort_by_key(|target| !target.can_be_undone());
        }
        while self.written.len() < self.needed {
            if self.written.len() + self.writing.len() < self.needed {
                return Err(Stop::TooFew);
            }
            let committed = self.writing.remove(0).commit(bytes).await;
            self.settle(committed);
        }
        let rest = self.writing.drain(..).map(|target| target.commit(bytes));
        for committed in join_all(rest).await {
            self.settle(committed);
        }
        Ok(())
    }

    fn settle(&mut self, committed: Result<Written, (usize, Outcome)>) {
        match committed {
            Ok(target) => self.written.push(target),
            Err(outcome) => self.outcomes.push(outcome),
        }
    }

    /// Puts every target back as it was, where possible.
    async fn give_up(&mut self) {
        let withhold = self.writing.drain(..).map(async |target| (target.give_up().await, Outcome::Withheld));
        let undo = self.written.drain(..).map(async |target| (target.index, target.undo().await));
        let (withheld, undone) = join!(join_all(withhold), join_all(undo));
        self.outcomes.extend(withheld);
        self.outcomes.extend(undone);
    }

    /// The error of the first target that failed.
    fn first_error(&self) -> Error {
        let first = self.outcomes.iter().find_map(|(_, outcome)| outcome.error().cloned());
        first.unwrap_or_else(|| Error::new(ErrorCode::Other, "too few targets hold the object"))
    }

    /// What became of each target, in their order.
    fn results(self, targets: Vec<Location>) -> Vec<TargetResult> {
        let written = self.written.into_iter().map(|target| (target.index, Outcome::Written(target.info)));
        let mut outcomes: Vec<_> = self.outcomes.into_iter().chain(written).collect();
        outcomes.sort_by_key(|(index, _)| *index);
        let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome);
        targets.into_iter().zip(outcomes).map(|(target, outcome)| TargetResult { target, outcome }).collect()
    }
}
