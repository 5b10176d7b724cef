//! Both places of a two-way sync, and where its state is.

use std::rc::Rc;

use omnistorage_core::{
    entry::Entry,
    sync::{
        bisync::{Precisions, Record, state::Header},
        compare::{CompareOptions, Comparison, Reason, Verdict, after_hashing, compare, modify_window},
        filter::Filter,
        merge::Side,
    },
};
use omnistorage_types::{BisyncOptions, Error, ErrorCode, Location, ObjectKind};

use super::{
    options::{compare_options, filter_fingerprint},
    state::StateFile,
};
use crate::{
    objects::or_shared,
    place::Place,
    port::Storage,
    sync::{
        contents::hash_both,
        place::{Reading, nanoseconds},
        retry::{Attempts, retrying},
        sides::leaves_out_object,
    },
};

/// Both places. The first is the source of a merge, the second its target.
pub(super) struct Ends {
    pub(super) first: Reading,
    pub(super) second: Reading,
    pub(super) filter: Rc<Filter>,
    pub(super) compare: CompareOptions,
    /// What the state must be about.
    pub(super) header: Header,
    /// How many objects are worked on at once.
    pub(super) transfers: u32,
}

impl Ends {
    /// Opens everything, and refuses what cannot run: a place that is missing, places that overlap.
    pub(super) async fn open(
        port: &Rc<dyn Storage>,
        [first, second]: [Location; 2],
        state: Location,
        options: &BisyncOptions,
        filter: Filter,
    ) -> Result<(Self, StateFile), Error> {
        let attempts = &Attempts::new(port.clone(), options.retries);
        let (first, second, state) = (
            Place::open(port, first).await?,
            Place::open(port, second).await?,
            Place::open(port, state).await?,
        );
        if let Some(overlap) = first.overlap(&second) {
            let message = format!("{overlap} (the first is the source here): nothing was done");
            return Err(first.error(ErrorCode::InvalidArgument, &message));
        }
        for place in [&first, &second] {
            if place.backend.capabilities().await.features.partial_list {
                let message = "its listings may leave out what it has, and what they lack would count as deleted: it cannot \
                               be synced both ways";
                return Err(place.error(ErrorCode::Unsupported, message));
            }
            if place.overlap(&state).is_some() && !leaves_out_object(&filter, place, &state) {
                let message = "the state lies in one of the places, where it would be synced: exclude it by a filter, \
                               or put it elsewhere";
                return Err(state.error(ErrorCode::InvalidArgument, message));
            }
        }
        let is_there = [is_there(&first, attempts).await?, is_there(&second, attempts).await?];
        if is_there == [false, false] {
            return Err(first.error(ErrorCode::NotFound, "neither place exists"));
        }
        for (place, is_there) in [&first, &second].into_iter().zip(is_there) {
            // A prefix that no object shares any more is merely empty; a directory that is gone is an error.
            let has_directories = place.backend.capabilities().await.features.directories;
            if !is_there && has_directories && !options.resync {
                let message = "the place does not exist: nothing was done; with `resync` it is made";
                return Err(place.error(ErrorCode::NotFound, message));
            }
        }
        for place in [&first, &second] {
            place.backend.limit_bandwidth(options.bandwidth).await;
        }
        let header = Header {
            filter: filter_fingerprint(&options.filter),
            ..names(options, &first.location(), &second.location())
        };
        let read = async |place: Place| {
            let prefix = place.path.clone();
            // The time of a write does not tell whether it is the version of the state.
            Reading::new(place, prefix, options.retries, true).await
        };
        let (first, second) = (read(first).await, read(second).await);
        let precisions = [&first, &second].map(Reading::precision_ns);
        // Each side is a target of the other, so both must keep times.
        let window = precisions[0].and(modify_window(
            precisions[0],
            precisions[1],
            options.modify_window.map(nanoseconds),
        ));
        let compare = compare_options(options, window);
        let ends =
            Self { first, second, filter: Rc::new(filter), compare, header, transfers: options.transfers };
        Ok((ends, StateFile::new(state, attempts.clone())))
    }

    pub(super) const fn place(&self, side: Side) -> &Reading {
        match side {
            Side::Source => &self.first,
            Side::Target => &self.second,
        }
    }

    pub(super) fn precisions(&self) -> Precisions {
        Precisions { first: self.first.precision_ns(), second: self.second.precision_ns() }
    }

    /// Whether the contents of two versions are the same, by hash if the listings do not tell. After a change, equal
    /// times prove nothing: a version may have been copied with its time.
    pub(super) async fn are_same(
        &self,
        first: &Entry,
        second: &Entry,
        known: Option<&Record>,
    ) -> Result<bool, Error> {
        let by_size = self.compare.comparison == Comparison::SizeOnly;
        let options = CompareOptions { contents_only: known.is_some() && !by_size, ..self.compare };
        let verdict = match compare(first, second, options) {
            Verdict::NeedHash(if_equal) => {
                let hashed = hash_both(&self.first, &self.second, &[(first, second)]).await;
                let hashed = hashed.into_iter().next().unwrap_or_else(|| {
                    Err(self.first.error(ErrorCode::Other, &first.path, Reason::NoCommonHash.as_str()))
                })?;
                after_hashing(if_equal, hashed.hashes(), options)
            }
            verdict => verdict,
        };
        Ok(matches!(verdict, Verdict::Same(_) | Verdict::SetTime))
    }
}

/// Whether there is a directory, or a prefix that something shares.
async fn is_there(place: &Place, attempts: &Attempts) -> Result<bool, Error> {
    match retrying(attempts, async || or_shared(place, place.stat_to_list().await).await).await {
        Ok(info) if info.kind == ObjectKind::Directory => Ok(true),
        Ok(_) => Err(place.error(ErrorCode::NotDirectory, "it is an object, and not a directory")),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn names(options: &BisyncOptions, first: &Location, second: &Location) -> Header {
    let (first, second) = match &options.names {
        Some((first, second)) => (first.clone(), second.clone()),
        None => (first.to_string(), second.to_string()),
    };
    Header { first, second, filter: String::new() }
}
