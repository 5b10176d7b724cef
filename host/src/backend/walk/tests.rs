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

/// A directory of so many directories, with so many directories in each, and at last two objects in each. Those whose
/// number is 3 fail.
#[derive(Clone)]
struct Far {
    fans: &'static [usize],
    /// Directories that are being read, and the most that were at once.
    reading: Arc<[AtomicUsize; 2]>,
    read: Arc<AtomicUsize>,
}

impl Far {
    fn of(fans: &'static [usize]) -> Self {
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

/// What the listing of such a tree is, below a prefix.
fn expected(fans: &[usize], above: &str) -> Vec<String> {
    let Some((&count, fans)) = fans.split_first() else {
        return vec![format!("{above}0"), format!("{above}1")];
    };
    let mut names: Vec<_> = (0..count).map(|name| format!("{name}/")).collect();
    names.sort();
    let below = |name: &String| match name.as_str() {
        "3/" => vec![format!("{above}3!")],
        name => expected(fans, &format!("{above}{name}")),
    };
    names.iter().flat_map(below).collect()
}

#[tokio::test(start_paused = true)]
async fn what_comes_next_is_read_ahead_and_the_order_stays() {
    let fans: [&[usize]; 8] =
        [&[1, 64], &[12, 12], &[30, 5], &[64, 1], &[1, 64, 1], &[64, 1, 1], &[20, 2, 2], &[5, 5, 5, 5]];
    for fans in fans {
        for page in [1, 5, 1_000] {
            let far = Far::of(fans);
            let begun = Instant::now();
            assert_eq!(listed(&far, page).await, expected(fans, ""), "{fans:?}, pages of {page}");
            let answers = begun.elapsed().as_millis() / ANSWER.as_millis();
            let read = far.read.load(Ordering::Relaxed);
            assert!(answers * 5 < read as u128, "{fans:?}: {read} answers took the time of {answers}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn few_are_read_at_once_and_each_once() {
    let far = Far::of(&[20, 20, 2]);
    listed(&far, 7).await;
    // All but those of the ones that fail.
    assert_eq!(far.read.load(Ordering::Relaxed), 1 + 20 + 19 * 20 + 19 * 19 * 2);
    let [_, most] = &*far.reading;
    // Beside the one that is needed.
    assert!(most.load(Ordering::Relaxed) <= 1 + Far::AHEAD, "{most:?}");
}

#[tokio::test(start_paused = true)]
async fn who_wants_the_first_entry_alone_has_hardly_more_read() {
    let far = Far::of(&[50, 50]);
    let mut walk =
        Walk::new(far.clone(), Path::root(), &ListOptions { recursive: true, ..Default::default() });
    assert_eq!(walk.next(1).await.unwrap().len(), 1);
    drop(walk);
    sleep(10 * ANSWER).await;
    // The root, the first directory in it, the first in that, and one ahead.
    assert_eq!(far.read.load(Ordering::Relaxed), 4);
}

/// Whatever is read ahead ends with the listing, also what was found in what was read ahead.
#[tokio::test(start_paused = true)]
async fn who_gives_up_has_no_more_read() {
    let far = Far::of(&[50, 1, 1]);
    let mut walk =
        Walk::new(far.clone(), Path::root(), &ListOptions { recursive: true, ..Default::default() });
    for _ in 0..20 {
        assert_eq!(walk.next(1).await.unwrap().len(), 1);
    }
    drop(walk);
    let read = far.read.load(Ordering::Relaxed);
    sleep(10 * ANSWER).await;
    assert_eq!(far.read.load(Ordering::Relaxed), read);
    // No more of each depth than are read ahead, beside those that were needed.
    assert!(read <= 1 + 3 * 10 + 3 * Far::AHEAD, "{read}");
}
