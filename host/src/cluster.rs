//! One run shared among machines, by way of NATS JetStream.
//!
//! A client cuts the paths of a run into ranges, and workers on any number of machines take them: each runs the component
//! over its range, with held deletes, and writes its report to the ledger. The client adds the reports up once they cover
//! everything, has the component judge the sum, and only then gives the ranges out again in which something is to be
//! deleted. Nothing here decides about objects; it moves facts.
//!
//! Where there are no directories, a range ends after two leases of work, and what is left of it waits for whoever is free; and
//! a worker that has nothing to do is given a part of what another one has before it. Its entry tells where a range ended.
//!
//! Safety does not rest on the server. The ledger holds facts that never become false, each beginning has one entry (the first
//! one wins), and whatever is lost there is done again. Nothing is deleted unless entries were seen that follow one another
//! from the beginning to the end, without a gap.
//!
//! | in NATS | what |
//! |---|---|
//! | bucket `omnistorage-runs` | the record of each run: places by name, options, borders, how far it is |
//! | bucket `omnistorage-ledger` | an entry for each range that was done: `RUN.PHASE.NAME` |
//! | there, `RUN.granted` | the bytes that ranges may transfer so far, if the run has a limit |
//! | stream `omnistorage-work` | the ranges that wait: a work queue, of which a worker holds a lease |
//! | subject `omnistorage.alive.RUN` | what workers say each second |
//! | subject `omnistorage.wanted.RUN` | a worker has nothing to do; others answer what they could give away |
//! | subject `omnistorage.give.RUN.WORKER` | that worker is asked to give something away |

mod bounds;
mod client;
mod connection;
mod cover;
mod entry;
mod grant;
mod ledger;
mod log;
mod options;
mod queue;
mod range;
mod record;
mod status;
mod told;
mod trial;
mod witness;
mod worker;

pub use crate::ranges::{Operation, Transfer, Unsplittable};

pub use self::{
    client::{Plan, share},
    connection::Cluster,
    log::{Happened, Log, Logs},
    options::unsplittable,
    record::Task,
    status::{RunStatus, cancel, runs},
    told::Told,
    worker::{Opened, Places, Worker},
};
