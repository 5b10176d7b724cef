//! What all sandboxes of the process share, and how much of it one of them may take.
//!
//! Each may take as much as it leaves free: one alone takes half of all, two take a third each, and so on. So something
//! is left for a newcomer, however many take what they can.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A pool of the whole process.
#[derive(Debug)]
pub(super) struct Pool {
    size: fn() -> usize,
    /// The size when it was last too small: asking the system each time would cost more than everything else here.
    known: AtomicUsize,
    taken: AtomicUsize,
}

impl Pool {
    const fn new(size: fn() -> usize) -> Self {
        Self { size, known: AtomicUsize::new(0), taken: AtomicUsize::new(0) }
    }

    /// Whether there is room by the known size, or else by the current one.
    fn has(&self, room: impl Fn(usize) -> bool) -> bool {
        room(self.known.load(Ordering::Relaxed)) || {
            let size = (self.size)();
            self.known.store(size, Ordering::Relaxed);
            room(size)
        }
    }
}

/// Open listings, reads and writes. Each may hold some file descriptors.
pub(super) static FILES: Pool = Pool::new(|| (descriptors() / 4).max(LEAST));

/// Calls of backends at work. Each may take a thread, of which tokio has 512 by default, and briefly some file
/// descriptors.
pub(super) static CALLS: Pool = Pool::new(|| (descriptors() / 8).clamp(LEAST, 512));

/// The least size, however few file descriptors there are: most work needs fewer than it might.
const LEAST: usize = 64;

/// The current limit of file descriptors of this process.
#[cfg(unix)]
fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn descriptors() -> usize {
    8192
}

/// What one sandbox took from a pool.
#[derive(Debug)]
pub(super) struct Share {
    pool: &'static Pool,
    own: AtomicUsize,
}

impl Share {
    pub(super) fn of(pool: &'static Pool) -> Self {
        Self { pool, own: AtomicUsize::new(0) }
    }

    /// Takes one, unless that leaves too few for others. A sandbox that has none gets one.
    pub(super) fn take(&self) -> bool {
        let own = self.own.fetch_add(1, Ordering::Relaxed);
        let taken = self.pool.taken.fetch_add(1, Ordering::Relaxed);
        let may_have = own == 0 || self.pool.has(|size| own < size.saturating_sub(taken));
        if !may_have {
            self.give_back();
        }
        may_have
    }

    /// How many it has.
    pub(super) fn taken(&self) -> usize {
        self.own.load(Ordering::Relaxed)
    }

    pub(super) fn give_back(&self) {
        self.own.fetch_sub(1, Ordering::Relaxed);
        self.pool.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(share: &Share) -> usize {
        (0..).take_while(|_| share.take()).count()
    }

    #[test]
    fn one_alone_gets_half_and_something_is_left_for_the_next() {
        static POOL: Pool = Pool::new(|| 100);
        let shares: Vec<_> = (0..10).map(|_| Share::of(&POOL)).collect();
        assert_eq!(take_all(&shares[0]), 50);
        let others: Vec<_> = shares[1..].iter().map(take_all).collect();
        assert!(others.iter().all(|taken| *taken > 0), "{others:?}");
        // What the first one returns is free for the others.
        (0..50).for_each(|_| shares[0].give_back());
        assert!(take_all(&shares[9]) > 0);
    }

    #[test]
    fn those_that_come_at_the_same_time_get_the_same() {
        static POOL: Pool = Pool::new(|| 130);
        let shares: Vec<_> = (0..12).map(|_| Share::of(&POOL)).collect();
        (0..100).for_each(|_| shares.iter().for_each(|share| _ = share.take()));
        let taken: Vec<_> = shares.iter().map(Share::taken).collect();
        assert!(taken.iter().all(|taken| (9..=11).contains(taken)), "{taken:?}");
        let late = Share::of(&POOL);
        assert!(take_all(&late) > 3);
    }

    #[test]
    fn whoever_has_none_gets_one() {
        static POOL: Pool = Pool::new(|| 4);
        let shares: Vec<_> = (0..9).map(|_| Share::of(&POOL)).collect();
        assert!(shares.iter().all(Share::take));
        assert!(shares.iter().all(|share| !share.take()));
    }
}
