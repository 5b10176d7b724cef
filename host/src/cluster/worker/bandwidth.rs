//! The part of one worker of the bandwidth of a run.
//!
//! Each worker says each second whether it moves bytes, and hears what the others say. All that move some have equal parts, and
//! nobody gives them out. A worker has none before the others have heard of it for some time, and none any more when it does
//! not hear itself: then the others may not hear it either, and they take over its part only later. So all together never have
//! more than the limit.

use std::{collections::BTreeMap, num::NonZeroU64, sync::Arc, time::Duration};

use futures::StreamExt;
use tokio::time::{Instant, sleep};

use super::{Alive, PAUSE};
use crate::{
    backend::limit::Limit,
    cluster::{connection::Cluster, entry::read},
};

/// For how long a worker must have said that it moves bytes before it does: by then the others have made room.
const MADE_ROOM: Duration = Duration::from_secs(2);
/// How long a worker goes on that does not hear itself.
const UNHEARD: Duration = Duration::from_secs(3);
/// How long one that is not heard counts: longer than it goes on, and than what waits at its rate takes to pass.
const REMEMBERED: Duration = Duration::from_secs(5);

/// What was heard of workers.
#[derive(Default)]
struct Heard {
    /// When each that moves bytes was heard first and last, by its id.
    movers: BTreeMap<String, (Instant, Instant)>,
}

impl Heard {
    fn hear(&mut self, alive: Alive, now: Instant) {
        if alive.moves {
            let (_, last) = self.movers.entry(alive.id).or_insert((now, now));
            *last = now;
        } else {
            self.movers.remove(&alive.id);
        }
    }

    /// The part of a worker: nothing, as long as the others may not know of it.
    fn part(&mut self, worker: &str, all: u64, now: Instant) -> Option<NonZeroU64> {
        self.movers.retain(|name, (_, last)| {
            now.duration_since(*last) < if name == worker { UNHEARD } else { REMEMBERED }
        });
        let (first, _) = self.movers.get(worker)?;
        if now.duration_since(*first) < MADE_ROOM {
            return None;
        }
        NonZeroU64::new(all / self.movers.len() as u64)
    }
}

/// Holds a limit to the part of a worker, as long as this is awaited.
pub(super) async fn follow(
    cluster: &Cluster,
    run: &str,
    worker: &str,
    all: u64,
    limit: &Arc<Limit>,
) -> std::convert::Infallible {
    let mut heard = Heard::default();
    loop {
        limit.set_bytes_per_second(None);
        let Ok(mut alive) = cluster.client.subscribe(Cluster::alive_subject(run)).await else {
            sleep(PAUSE).await;
            continue;
        };
        loop {
            tokio::select! {
                message = alive.next() => match message {
                    Some(message) => {
                        // Who says something else is no worker of this version, and works on nothing.
                        if let Ok(alive) = read::<Alive>("what a worker says", &message.payload) {
                            heard.hear(alive, Instant::now());
                        }
                    }
                    None => break,
                },
                () = sleep(PAUSE) => {}
            }
            limit.set_bytes_per_second(heard.part(worker, all, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = 1_200;

    fn says(worker: &str, moves: bool) -> Alive {
        Alive { worker: "alike".to_owned(), id: worker.to_owned(), ranges: 1, moves, refused: None }
    }

    /// Workers that hear each other late, stop hearing, come and go: at no moment they have more than all.
    #[test]
    fn all_together_never_have_more_than_there_is() {
        let begun = Instant::now();
        let second = |number: u64| begun + Duration::from_secs(number);
        // When each moves bytes, and when nothing comes to or from it.
        let workers = [
            ("one", 0..60, 100..100),
            ("two", 3..60, 20..30),
            ("three", 10..25, 100..100),
            ("four", 12..60, 40..48),
        ];
        let mut heard = [(); 4].map(|()| Heard::default());
        let mut most = 0;
        for now in 0..70 {
            for (name, moves, cut) in &workers {
                for (at, (_, _, cut_off)) in workers.iter().enumerate() {
                    if !cut.contains(&now) && !cut_off.contains(&now) {
                        heard[at].hear(says(name, moves.contains(&now)), second(now));
                    }
                }
            }
            let parts = workers
                .iter()
                .zip(&mut heard)
                .map(|((name, ..), heard)| heard.part(name, ALL, second(now)).map_or(0, NonZeroU64::get));
            let sum: u64 = parts.sum();
            assert!(sum <= ALL, "{sum} at {now}");
            most = most.max(sum);
        }
        assert_eq!(most, ALL);
    }

    #[test]
    fn nobody_begins_before_the_others_know() {
        let begun = Instant::now();
        let mut heard = Heard::default();
        assert_eq!(heard.part("one", ALL, begun), None);
        heard.hear(says("one", true), begun);
        heard.hear(says("two", true), begun);
        assert_eq!(heard.part("one", ALL, begun + Duration::from_secs(1)), None);
        let later = begun + MADE_ROOM;
        assert_eq!(heard.part("one", ALL, later), NonZeroU64::new(ALL / 2));
        heard.hear(says("two", false), later);
        assert_eq!(heard.part("one", ALL, later), NonZeroU64::new(ALL));
        assert_eq!(heard.part("one", ALL, begun + UNHEARD), None);
        assert_eq!(heard.part("one", 0, later), None);
    }
}
