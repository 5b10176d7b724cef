//! Ranges that end before their borders.
//!
//! A range that has been at work for some time ends where it is, and what is left of it waits for whoever is free: so a worker
//! that is killed takes little work with it. A worker that finds nothing waiting asks the others what they have before them, and asks the one
//! that has most to give away about half. What is given away waits in the queue like any other range.
//!
//! All of this is a matter of speed. If a part gets lost on its way, nobody reports on it, and the client gives it out again.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::Message;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};

use super::{Inner, Opened, PAUSE};
use crate::{
    KeyRange, Result,
    cluster::{
        connection::{Cluster, unavailable},
        entry::{read, written},
        queue::Work,
    },
    ranges::{Given, Reach, Shares},
};

/// How long a worker waits for a range that waits for it, before it asks others.
const SHORTLY: Duration = Duration::from_millis(100);
/// How long others have to answer.
const ANSWERS: Duration = Duration::from_millis(200);
/// How long the one that is asked to give something away has for it, before others are asked again.
const SEARCH: Duration = Duration::from_secs(2);
/// Borders that are looked for at a time.
const BORDERS: u32 = 16;
/// How often it is tried to let a part wait.
const ATTEMPTS: u32 = 20;

/// What a worker could give away.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    /// The worker, by its id.
    id: String,
    /// About how many pages are left of its longest range.
    pages: f64,
}

/// The ranges of a worker that may end before their borders.
pub(super) struct Moving {
    shares: Mutex<Shares>,
    given: Mutex<Vec<Given>>,
    is_given: Notify,
}

impl Default for Moving {
    fn default() -> Self {
        Self { shares: Mutex::new(Shares::new([])), given: Mutex::default(), is_given: Notify::new() }
    }
}

/// A range that is at work.
pub(super) struct Begun<'a> {
    moving: &'a Moving,
    number: usize,
    reach: Reach,
}

impl Begun<'_> {
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Ends the range where it is after some time, as soon as that can be.
    pub(super) async fn end_after(&self, budget: Duration) -> Infallible {
        sleep(budget).await;
        while !self.moving.end_early(self.number) {
            sleep(PAUSE).await;
        }
        std::future::pending().await
    }

    /// The range, as it is in the end: nothing more of it is given away.
    pub(super) fn end(self) -> KeyRange {
        let reach = self.reach.clone();
        drop(self);
        reach.range()
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.moving.shares().done(self.number);
    }
}

impl Moving {
    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A range is at work from now on.
    pub(super) fn begin(&self, range: &KeyRange, weight: f64) -> Begun<'_> {
        let (number, reach) = self.shares().begin(range.clone(), weight);
        Begun { moving: self, number, reach }
    }

    fn end_early(&self, number: usize) -> bool {
        let given = self.shares().end_early(number);
        let is_over = given.is_some();
        self.given.lock().unwrap_or_else(PoisonError::into_inner).extend(given);
        self.is_given.notify_one();
        is_over
    }

    fn next_given(&self) -> Option<Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Answers those who ask, gives away what they ask for, and lets wait what is given away.
    pub(super) async fn serve(&self, worker: &Inner, run: &str, opened: &Opened) -> Infallible {
        let Inner { id, cluster, .. } = worker;
        loop {
            let wanted = cluster.client.subscribe(Cluster::wanted_subject(run)).await;
            let asked = cluster.client.subscribe(Cluster::give_subject(run, id)).await;
            let (Ok(mut wanted), Ok(mut asked)) = (wanted, asked) else {
                sleep(PAUSE).await;
                continue;
            };
            loop {
                while let Some(given) = self.next_given() {
                    self.let_wait(worker, run, given).await;
                }
                tokio::select! {
                    () = self.is_given.notified() => {}
                    message = wanted.next() => match message {
                        Some(message) => self.answer(cluster, id, message).await,
                        None => break,
                    },
                    message = asked.next() => match message {
                        Some(_) => {
                            if let Some(given) = self.part(opened).await {
                                self.let_wait(worker, run, given).await;
                            }
                        }
                        None => break,
                    },
                }
            }
        }
    }

    /// Says what could be given away, if anything.
    async fn answer(&self, cluster: &Cluster, id: &str, asked: Message) {
        let pages = self.shares().most_pages();
        if let (Some(pages), Some(reply)) = (pages, asked.reply)
            && let Ok(offer) = written(&Offer { id: id.to_owned(), pages })
        {
            // Who does not hear it asks again.
            let _ = cluster.client.publish(reply, offer).await;
        }
    }

    /// A part to be given away. If no border is known, some are looked for.
    async fn part(&self, opened: &Opened) -> Option<Given> {
        if let Some(given) = self.shares().give() {
            return Some(given);
        }
        let (number, rest) = self.shares().next_search(true)?;
        let borders = opened.storage.cut(&opened.source, &rest, BORDERS).await;
        // Whatever is wrong, the job that is at work there tells.
        self.shares().found(number, borders.unwrap_or_default());
        self.shares().give()
    }

    /// Lets a part wait for whoever is free; first it is written down where the range ends from now on.
    async fn let_wait(&self, worker: &Inner, run: &str, given: Given) {
        for _ in 0..ATTEMPTS {
            match let_wait(&worker.cluster, run, &given).await {
                Ok(()) => return,
                Err(error) if error.may_pass() => sleep(PAUSE).await,
                Err(error) => {
                    (worker.say)(format!("run {run}: {}", error.message()));
                    return;
                }
            }
        }
    }
}

async fn let_wait(cluster: &Cluster, run: &str, given: &Given) -> Result<()> {
    let Given { kept, rest, weight } = given;
    cluster.write_end(run, &kept.into()).await?;
    cluster.publish(run, &[Work::merge(rest, *weight)], 0).await
}

/// Asks, as long as this is awaited, the one that has most before it to give away a part.
pub(super) async fn want(cluster: &Cluster, run: &str) -> Infallible {
    sleep(SHORTLY).await;
    loop {
        // Others have nothing to give away, or nobody is heard.
        let is_asked = ask(cluster, run).await.unwrap_or(false);
        sleep(if is_asked { SEARCH } else { PAUSE }).await;
    }
}

/// Asks once; whether anybody was asked.
async fn ask(cluster: &Cluster, run: &str) -> Result<bool> {
    let client = &cluster.client;
    let inbox = client.new_inbox();
    let failed = |error: &dyn std::fmt::Display| unavailable("pass a question on", error);
    let mut answers = client.subscribe(inbox.clone()).await.map_err(|error| failed(&error))?;
    let question = client.publish_with_reply(Cluster::wanted_subject(run), inbox, "".into());
    question.await.map_err(|error| failed(&error))?;
    let end = Instant::now() + ANSWERS;
    let mut most: Option<Offer> = None;
    while let Ok(Some(answer)) = timeout_at(end, answers.next()).await {
        let offer: Offer = read("what a worker offers", &answer.payload)?;
        if most.as_ref().is_none_or(|most| offer.pages > most.pages) {
            most = Some(offer);
        }
    }
    let Some(Offer { id, .. }) = most else { return Ok(false) };
    client.publish(Cluster::give_subject(run, &id), "".into()).await.map_err(|error| failed(&error))?;
    Ok(true)
}
