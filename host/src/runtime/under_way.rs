//! What a job is moving at the moment.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Path, backend::Meter};

/// Smaller objects are gone before anybody has read their names, and there may be thousands a second.
const WORTH_SHOWING: u64 = 1024 * 1024;

/// An object that a job is moving: see [`Activity::under_way`](super::Activity::under_way).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnderWay {
    /// Its path on the target.
    pub path: String,
    /// The bytes that have moved so far.
    pub bytes: u64,
    /// How many there will be, if that is known.
    pub size: Option<u64>,
    /// How long ago it was begun.
    pub elapsed: Duration,
}

/// All of a job, in the order in which they were begun. Clones are the same table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    begun: u64,
    rows: BTreeMap<u64, Row>,
}

#[derive(Debug)]
struct Row {
    path: Path,
    size: Option<u64>,
    meter: Meter,
    since: Instant,
}

impl Table {
    /// Lists an object until what it returns is dropped, if it is large or nobody knows.
    pub(super) fn add(&self, path: &Path, size: Option<u64>, meter: &Meter) -> Moving {
        if size.is_some_and(|size| size < WORTH_SHOWING) {
            return Moving(None);
        }
        let row = Row { path: path.clone(), size, meter: meter.clone(), since: Instant::now() };
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = table.begun;
        table.begun += 1;
        table.rows.insert(number, row);
        Moving(Some((self.clone(), number)))
    }

    /// Those of which at least a byte has moved: the others wait.
    pub(super) fn list(&self) -> Vec<UnderWay> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let moving = table.rows.values().filter(|row| row.meter.bytes() > 0);
        moving
            .map(|Row { path, size, meter, since }| UnderWay {
                path: path.as_str().to_owned(),
                bytes: meter.bytes(),
                size: *size,
                elapsed: since.elapsed(),
            })
            .collect()
    }
}

/// See [`Table::add`].
#[must_use]
pub(super) struct Moving(Option<(Table, u64)>);

impl Drop for Moving {
    fn drop(&mut self) {
        if let Some((Table(table), number)) = &self.0 {
            table.lock().unwrap_or_else(PoisonError::into_inner).rows.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_listed_while_its_bytes_move() {
        let (table, path) = (Table::default(), Path::parse("a/b").unwrap());
        let (large, small) = (Meter::new(), Meter::new());
        let listed = table.add(&path, Some(2 * WORTH_SHOWING), &large);
        let _small = table.add(&path, Some(WORTH_SHOWING - 1), &small);
        small.moved(1);
        assert_eq!(table.list(), [], "nothing large has moved");

        large.moved(5);
        let [under_way] = table.list().try_into().unwrap();
        let UnderWay { path, bytes, size, .. } = under_way;
        assert_eq!((path.as_str(), bytes, size), ("a/b", 5, Some(2 * WORTH_SHOWING)));

        drop(listed);
        assert_eq!(table.list(), [], "it is done");
    }
}
