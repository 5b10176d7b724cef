//! One thread, one clock, one source of chance: which task goes on, how long a call takes, and what fails are decided by a
//! seed, so that a run happens again to the letter.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use fastrand::Rng;
use futures::future::LocalBoxFuture;
use omnistorage_types::Timestamp;

/// Polls of a run, at most: more are a run that never ends.
const MOST_STEPS: u64 = 2_000_000;

/// Where the clock begins: 2026-01-01T00:00:00Z.
const EPOCH: i64 = 1_767_225_600;

/// Lines of the end of the history that a failure shows.
const HISTORY: usize = 60;

/// Lines of its beginning that are always shown: they say what the run is.
const BEGINNING: usize = 2;

/// The world of a run. Clones are the same world.
#[derive(Clone)]
pub(crate) struct World(Rc<Inner>);

struct Inner {
    rng: RefCell<Rng>,
    /// Nanoseconds since it began. Time passes when nobody can go on.
    now: Cell<u64>,
    /// What the clock on the wall is ahead, in seconds.
    skew: Cell<i64>,
    tasks: RefCell<BTreeMap<usize, LocalBoxFuture<'static, ()>>>,
    next_task: Cell<usize>,
    ready: Arc<Mutex<Vec<usize>>>,
    timers: RefCell<BinaryHeap<Reverse<(u64, usize)>>>,
    sleeping: RefCell<BTreeMap<usize, Waker>>,
    next_timer: Cell<usize>,
    steps: Cell<u64>,
    history: RefCell<Vec<String>>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended<T> {
    /// It came to its end.
    Done(T),
    /// It was killed, with all that it had begun.
    Crashed,
    /// Nobody can go on, and no time that passes changes that: somebody waits for a word that never comes.
    Stuck,
    /// It goes on and on.
    Endless,
}

/// Wakes a task.
struct Task {
    id: usize,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(Inner {
            rng: RefCell::new(Rng::with_seed(seed)),
            now: Cell::new(0),
            skew: Cell::new(0),
            tasks: RefCell::default(),
            next_task: Cell::new(0),
            ready: Arc::default(),
            timers: RefCell::default(),
            sleeping: RefCell::default(),
            next_timer: Cell::new(0),
            steps: Cell::new(0),
            history: RefCell::default(),
        }))
    }

    /// Chance decides.
    pub(crate) fn chance<R>(&self, decide: impl FnOnce(&mut Rng) -> R) -> R {
        decide(&mut self.0.rng.borrow_mut())
    }

    /// Whether something happens that does so many times in a thousand.
    #[must_use]
    pub(crate) fn happens(&self, in_a_thousand: u32) -> bool {
        self.chance(|rng| rng.u32(0..1000) < in_a_thousand)
    }

    /// One of several.
    ///
    /// # Panics
    /// Without any.
    #[must_use]
    pub(crate) fn one_of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.chance(|rng| rng.usize(0..choices.len()))]
    }

    /// The clock on the wall.
    #[must_use]
    pub(crate) fn clock(&self) -> Timestamp {
        let now = self.0.now.get();
        let seconds = i64::try_from(now / 1_000_000_000).unwrap_or(0);
        let nanoseconds = u32::try_from(now % 1_000_000_000).unwrap_or(0);
        Timestamp { seconds: EPOCH + self.0.skew.get() + seconds, nanoseconds }
    }

    /// The clock jumps.
    pub(crate) fn jump(&self, seconds: i64) {
        self.0.skew.set(self.0.skew.get() + seconds);
        self.tell(|| format!("the clock jumps by {seconds} s"));
    }

    /// Lets time pass while nothing runs.
    pub(crate) fn pass(&self, time: Duration) {
        self.0.now.set(self.0.now.get() + u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2));
    }

    /// Waits.
    pub(crate) async fn sleep(&self, time: Duration) {
        let at = self.0.now.get() + u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2);
        Sleep { world: self.clone(), at, timer: None }.await;
    }

    /// Writes a line of the history.
    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        let mut history = self.0.history.borrow_mut();
        // Its beginning says what the run is, and its end is what is looked at.
        if history.len() >= 4 * HISTORY {
            history.drain(BEGINNING..2 * HISTORY);
        }
        history.push(format!("{:>12.6} s  {}", self.0.now.get() as f64 / 1e9, line()));
    }

    /// The beginning and the end of the history.
    #[must_use]
    pub(crate) fn history(&self) -> String {
        let history = self.0.history.borrow();
        let beginning = history.len().min(BEGINNING);
        let end = history.len().saturating_sub(HISTORY).max(beginning);
        [&history[..beginning], &history[end..]].concat().join("\n")
    }

    /// Polls so far.
    #[must_use]
    pub(crate) fn steps(&self) -> u64 {
        self.0.steps.get()
    }

    /// Begins a task beside the others.
    pub(crate) fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        let id = self.0.next_task.replace(self.0.next_task.get() + 1);
        self.0.tasks.borrow_mut().insert(id, task);
        self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    /// Runs something to its end, with all that it spawns meanwhile; or kills it after so many steps.
    pub(crate) fn run<T: 'static>(
        &self,
        main: impl Future<Output = T> + 'static,
        killed_after: Option<u64>,
    ) -> Ended<T> {
        let done = Rc::new(RefCell::new(None));
        let result = Rc::clone(&done);
        self.spawn(Box::pin(async move {
            let value = main.await;
            result.replace(Some(value));
        }));
        let begun = self.steps();
        let ended = loop {
            if done.borrow().is_some() && self.0.tasks.borrow().is_empty() {
                break done.borrow_mut().take().map_or(Ended::Stuck, Ended::Done);
            }
            let steps = self.steps() - begun;
            if killed_after.is_some_and(|most| steps >= most) {
                self.tell(|| "killed".to_owned());
                break Ended::Crashed;
            }
            if steps >= MOST_STEPS {
                break Ended::Endless;
            }
            if !self.step() && !self.let_time_pass() {
                // What was left in the background and waits for nobody is over.
                break done.borrow_mut().take().map_or(Ended::Stuck, Ended::Done);
            }
        };
        // Tasks hold the world, and what they hold may wake others: none is left.
        let left = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(left);
        self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.0.timers.borrow_mut().clear();
        self.0.sleeping.borrow_mut().clear();
        ended
    }

    /// Lets one of those that can go on do so; says whether there was one.
    fn step(&self) -> bool {
        let id = {
            let mut ready = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
            if ready.is_empty() {
                return false;
            }
            let chosen = self.chance(|rng| rng.usize(0..ready.len()));
            let id = ready.swap_remove(chosen);
            ready.retain(|other| *other != id);
            id
        };
        let Some(mut task) = self.0.tasks.borrow_mut().remove(&id) else { return true };
        self.0.steps.set(self.0.steps.get() + 1);
        let waker = Waker::from(Arc::new(Task { id, ready: Arc::clone(&self.0.ready) }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.tasks.borrow_mut().insert(id, task);
        }
        true
    }

    /// Goes on to the next time that somebody waits for; says whether there was one.
    fn let_time_pass(&self) -> bool {
        loop {
            let Some(Reverse((at, timer))) = self.0.timers.borrow_mut().pop() else { return false };
            // Whoever waited may have been dropped.
            if let Some(waker) = self.0.sleeping.borrow_mut().remove(&timer) {
                self.0.now.set(self.0.now.get().max(at));
                waker.wake();
                return true;
            }
        }
    }
}

struct Sleep {
    world: World,
    at: u64,
    timer: Option<usize>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let inner = Rc::clone(&self.world.0);
        if inner.now.get() >= self.at {
            return Poll::Ready(());
        }
        let at = self.at;
        let timer = *self.timer.get_or_insert_with(|| {
            let timer = inner.next_timer.replace(inner.next_timer.get() + 1);
            inner.timers.borrow_mut().push(Reverse((at, timer)));
            timer
        });
        inner.sleeping.borrow_mut().insert(timer, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.world.0.sleeping.borrow_mut().remove(&timer);
        }
    }
}
