use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use omnistorage_types::{ObjectInfo, ObjectKind, Path};
use tokio::time::{Instant, sleep};

use super::{Directories, Node, Walk};
use crate::{
    Error, ErrorCode, Result,
    backend::{ListOptions, Listed, Listing},
};

/// What an answer takes. In virtual time, which passes only while everybody waits, that costs nothing.
const ANSWER: Duration = Duration::from_millis(100);

/// A directory of so many directories, with so many directories of two objects in each. Those whose number is 3 fail.
#[derive(Clone)]
struct Far {
    fans: [usize; 2],
    /// Directories that are being read, and the most that were at once.
    reading: Arc<[AtomicUsize; 2]>,
    read: Arc<AtomicUsize>,
}

impl Far {
    fn of(fans: [usize; 2]) -> Self {
        Self { fans, reading: Arc::default(), read: Arc::default() }
    }
}

#[async_trait]
impl Directories for Far {
    const AHEAD: usize = 7;

    fn kind(&self) -> &'static str {
        "far"
    }

    fn check_open(&self) -> Result<()> {
        Ok(())
    }

    async fn read(&self, directory: &Path, _: &Path, _: &ListOptions) -> Result<Vec<Node>> {
        let [reading, most] = &*self.reading;
        most.fetch_max(reading.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        sleep(ANSWER).await;
        reading.fetch_sub(1, Ordering::Relaxed);
        self.read.fetch_add(1, Ordering::Relaxed);
        if directory.name() == Some("3") {
            return Err(Error::new(ErrorCode::PermissionDenied, "no"));
        }
        let depth = directory.segments().count();
        let below = |name: usize| directory.join(&Path::parse(name.to_string()).unwrap()).unwrap();
        Ok(match self.fans.get(depth) {
            Some(&count) => (0..count).rev().map(|name| Node::Below(below(name))).collect(),
            None => (0..2)
                .map(|name| Node::Entry(ObjectInfo::new(below(name), ObjectKind::Object).into()))
                .collect(),
        })
    }
}

/// The whole listing, by pages of that size: objects, and directories that failed with a `!`.
async fn listed(far: &Far, page: usize) -> Vec<String> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let mut walk = Walk::new(far.clone(), Path::root(), &options);
    let mut all = Vec::new();
    loop {
        let entries = walk.next(page).await.unwrap();
        if entries.is_empty() {
            return all;
        }
        all.extend(entries.iter().map(|entry| match entry {
            Listed::Entry(entry) => entry.path.to_string(),
            Listed::Failure(failure) => format!("{}!", failure.what.path()),
        }));
    }
}

/// What the listing of such a tree is.
fn expected([outer, inner]: [usize; 2]) -> Vec<String> {
    let sorted = |count: usize| {
        let mut names: Vec<_> = (0..count).map(|name| format!("{name}/")).collect();
        names.sort();
        names
    };
    let mut all = Vec::new();
    for one in sorted(outer) {
        match &*one {
            "3/" => all.push("3!".to_owned()),
            one => {
                for two in sorted(inner) {
                    match &*two {
                        "3/" => all.push(format!("{one}3!")),
                        two => all.extend([format!("{one}{two}0"), format!("{one}{two}1")]),
                    }
                }
            }
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn what_comes_next_is_read_ahead_and_the_order_stays() {
    for fans in [[1, 64], [12, 12], [30, 5]] {
        for page in [1, 5, 1_000] {
            let far = Far::of(fans);
            let begun = Instant::now();
            assert_eq!(listed(&far, page).await, expected(fans), "{fans:?}, pages of {page}");
            let answers = begun.elapsed().as_millis() / ANSWER.as_millis();
            let read = far.read.load(Ordering::Relaxed);
            assert!(answers * 3 < read as u128, "{fans:?}: {read} answers took the time of {answers}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn few_are_read_at_once_and_each_once() {
    let far = Far::of([20, 20]);
    listed(&far, 7).await;
    // All but those of the one that fails.
    assert_eq!(far.read.load(Ordering::Relaxed), 1 + 20 + 19 * 20);
    let [_, most] = &*far.reading;
    // Beside the one that is needed, seven on each level.
    assert!(most.load(Ordering::Relaxed) <= 1 + 2 * Far::AHEAD, "{most:?}");
}

#[tokio::test(start_paused = true)]
async fn who_wants_the_first_entry_alone_has_hardly_more_read() {
    let far = Far::of([50, 50]);
    let mut walk =
        Walk::new(far.clone(), Path::root(), &ListOptions { recursive: true, ..Default::default() });
    assert_eq!(walk.next(1).await.unwrap().len(), 1);
    drop(walk);
    sleep(10 * ANSWER).await;
    // The root, the first directory in it, the first in that, and one ahead.
    assert_eq!(far.read.load(Ordering::Relaxed), 4);
}
