//! Reading a memo while the listings are merged.

use futures::{SinkExt, StreamExt, channel::mpsc};
use omnistorage_core::sync::memo::{Fact, Header, Lookup, MemoError, Reader, Sought};
use omnistorage_types::{Error, ErrorCode, MemoTrouble, Path, ReadOptions};

use super::Names;
use crate::{
    body::Source,
    place::Place,
    port::Body,
    sync::pairs::{Pairs, Step},
};

/// A memo while it is read.
pub(in crate::sync) struct Recall {
    pages: mpsc::Receiver<Result<Vec<Fact>, MemoTrouble>>,
    lookup: Lookup,
    names: Names,
    passed: Vec<Fact>,
    trouble: Option<MemoTrouble>,
}

/// A step of the merge, with what the memo says about it.
pub(in crate::sync) struct Met {
    pub(in crate::sync) step: Step,
    /// What earlier runs found about the pair, if anything.
    pub(in crate::sync) fact: Option<Fact>,
    /// Records for earlier paths that no listing contains.
    pub(in crate::sync) passed: Vec<Fact>,
    pub(in crate::sync) trouble: Option<MemoTrouble>,
}

impl Recall {
    /// Reads in the background, a page ahead.
    pub(super) fn begin(place: Place, header: Header, names: Names) -> Self {
        let (mut sender, pages) = mpsc::channel(0);
        let port = place.port.clone();
        port.spawn(Box::pin(async move {
            if let Err(trouble) = read(&place, header, &mut sender).await {
                // The receiver may be gone.
                let _ = sender.send(Err(trouble)).await;
            }
        }));
        Self { pages, lookup: Lookup::default(), names, passed: Vec::new(), trouble: None }
    }

    /// Reads more of it. Cancel-safe: it may be dropped and called again.
    async fn read_on(&mut self) {
        match self.pages.next().await {
            Some(Ok(facts)) => self.lookup.push(facts),
            Some(Err(trouble)) => {
                self.trouble = Some(trouble);
                self.lookup.end();
            }
            None => self.lookup.end(),
        }
    }

    /// What it says about one object of the source.
    pub(super) async fn find(mut self, source: &Path) -> Option<Fact> {
        let path = self.names.of(source);
        loop {
            match self.lookup.seek(&path, &mut self.passed) {
                Sought::Need => self.read_on().await,
                Sought::Fact(fact) => return Some(fact),
                Sought::Nothing => return None,
            }
            self.passed.clear();
        }
    }

    /// What it says about a step; `None` if more must be read first.
    fn seek(&mut self, step: &Step) -> Option<Option<Fact>> {
        let sought = match step {
            Step::Both { source, .. } => {
                let path = self.names.of(&source.path);
                self.lookup.seek(&path, &mut self.passed)
            }
            Step::End if !self.lookup.has_ended() => Sought::Need,
            Step::End => {
                self.passed.extend(self.lookup.rest());
                Sought::Nothing
            }
            _ => Sought::Nothing,
        };
        match sought {
            Sought::Need => None,
            Sought::Fact(fact) => Some(Some(fact)),
            Sought::Nothing => Some(None),
        }
    }
}

async fn read(
    place: &Place,
    header: Header,
    sender: &mut mpsc::Sender<Result<Vec<Fact>, MemoTrouble>>,
) -> Result<(), MemoTrouble> {
    let reader = match place.read(ReadOptions::default()).await {
        Ok(reader) => reader,
        // There was no earlier run, or somebody removed the memo.
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
        Err(_) => return Err(MemoTrouble::Unreadable),
    };
    let mut source = Source::of(place, reader.contents);
    let (mut memo, mut buffer) = (Reader::new(header), Vec::new());
    while let Some(bytes) = source.next(buffer).await.map_err(|_| MemoTrouble::Unreadable)? {
        let mut facts = Vec::new();
        let pushed = memo.push(&bytes, &mut facts);
        if sender.send(Ok(facts)).await.is_err() {
            return Ok(());
        }
        pushed.map_err(trouble)?;
        buffer = bytes;
    }
    memo.finish().map_err(trouble)
}

const fn trouble(why: MemoError) -> MemoTrouble {
    match why {
        MemoError::Foreign | MemoError::Version(_) | MemoError::Elsewhere => MemoTrouble::Foreign,
        MemoError::Damaged { .. } | MemoError::Truncated => MemoTrouble::Damaged,
    }
}

/// The merged listings, and what is remembered of each pair.
pub(in crate::sync) struct Recalling {
    pairs: Pairs,
    recall: Option<Recall>,
    /// A step that waits for the memo.
    held: Option<Step>,
}

impl Recalling {
    pub(in crate::sync) const fn new(pairs: Pairs, recall: Option<Recall>) -> Self {
        Self { pairs, recall, held: None }
    }

    /// The next step. Cancel-safe: it may be dropped and called again.
    pub(in crate::sync) async fn next(&mut self) -> Result<Met, Error> {
        let Self { pairs, recall, held } = self;
        loop {
            let step = match held.take() {
                Some(step) => step,
                None => pairs.next().await?,
            };
            let Some(recall) = recall else {
                return Ok(Met { step, fact: None, passed: Vec::new(), trouble: None });
            };
            if let Some(fact) = recall.seek(&step) {
                let passed = std::mem::take(&mut recall.passed);
                return Ok(Met { step, fact, passed, trouble: recall.trouble });
            }
            *held = Some(step);
            recall.read_on().await;
        }
    }
}
