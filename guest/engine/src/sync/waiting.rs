//! The queue of transfers: in the requested order, small objects together.

use std::{cmp::Ordering, collections::BinaryHeap};

use omnistorage_core::{
    entry::Entry,
    sync::{
        compare::Reason,
        order::{Order, first},
    },
};

use super::{batch::Batch, fence::LastSeen};

/// How many objects are held at a time to choose the next one from.
const BACKLOG: usize = 10_000;

/// An object to transfer, and why.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) source: Entry,
    pub(super) reason: Reason,
    /// What it takes the place of.
    pub(super) seen: LastSeen,
}

impl Item {
    /// Whether an object of the target is removed to make room for it.
    pub(super) fn replaces(&self) -> bool {
        !matches!(self.reason, Reason::MissingOnTarget | Reason::SymbolicLink)
    }
}

/// The queue.
pub(super) struct Waiting {
    order: Option<Order>,
    backlog: BinaryHeap<Ranked>,
    batch: Batch<Item>,
}

/// The next object compares as the greatest.
struct Ranked(Order, Item);

impl Waiting {
    pub(super) fn new(order: Option<Order>, batch: Batch<Item>) -> Self {
        Self { order, backlog: BinaryHeap::new(), batch }
    }

    /// Adds an object, and returns what should be transferred now.
    pub(super) fn add(&mut self, item: Item) -> Option<Vec<Item>> {
        let Some(order) = self.order else { return self.put(item) };
        self.backlog.push(Ranked(order, item));
        if self.backlog.len() > BACKLOG { self.pop() } else { None }
    }

    /// The next objects, even if the batch is not full.
    pub(super) fn take(&mut self) -> Option<Vec<Item>> {
        while !self.backlog.is_empty() {
            if let Some(items) = self.pop() {
                return Some(items);
            }
        }
        self.batch.take()
    }

    fn pop(&mut self) -> Option<Vec<Item>> {
        let Ranked(_, item) = self.backlog.pop()?;
        self.put(item)
    }

    fn put(&mut self, item: Item) -> Option<Vec<Item>> {
        let size = item.source.size;
        if self.order.is_some() && size.is_none_or(|size| size > super::batch::SMALL) {
            // Objects queued before it go first.
            let mut items = self.batch.take().unwrap_or_default();
            items.push(item);
            return Some(items);
        }
        self.batch.add(item, size)
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        first(self.0, &other.1.source, &self.1.source)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}
