//! The pairs of both listings, in order.

use std::rc::Rc;

use futures::StreamExt;
use omnistorage_core::sync::{
    filter::Filter,
    merge::{Merge, Side, Step},
};

use super::{pages::Pages, sides::Sides};
use crate::{
    error::error,
    imports::types::{Error, ErrorCode},
};

/// Both listings, merged while they stream.
pub(super) struct Pairs {
    merge: Merge,
    /// Absent where there is nothing to list.
    source: Option<Pages>,
    target: Option<Pages>,
    filter: Rc<Filter>,
}

impl Pairs {
    /// Of two trees, or of a single object and what stands at its place.
    pub(super) async fn new(sides: &Sides) -> Result<Self, Error> {
        let mut merge = Merge::new();
        let Some(name) = &sides.single else {
            return Ok(Self {
                merge,
                source: Some(sides.source.pages(sides.filter.clone())),
                target: Some(sides.target.pages(sides.filter.for_target().into())),
                filter: sides.filter.clone(),
            });
        };
        for side in [Side::Source, Side::Target] {
            merge.push(side, sides.side(side).stat(name).await?.into_iter().collect());
            merge.end(side);
        }
        Ok(Self { merge, source: None, target: None, filter: sides.filter.clone() })
    }

    /// The next pair that the filter leaves. May be dropped half way, and called again.
    pub(super) async fn next(&mut self) -> Result<Step, Error> {
        loop {
            let side = match self.merge.next() {
                Ok(Step::Need(side)) => side,
                Ok(step) => match self.filter.screen(step) {
                    Some(step) => return Ok(step),
                    None => continue,
                },
                Err(why) => return Err(error(ErrorCode::Other, why.to_string())),
            };
            let pages = match side {
                Side::Source => &mut self.source,
                Side::Target => &mut self.target,
            };
            let page = match pages {
                Some(pages) => pages.next().await,
                None => None,
            };
            match page {
                Some(page) => self.merge.push(side, page?),
                None => self.merge.end(side),
            }
        }
    }
}
