//! The engine on simulated stores.
//!
//! A run is made of a seed alone: the stores and what is in them, the options, how long each call takes and which task
//! goes on next, which calls fail before or after they did what they were to do, who else writes meanwhile, when the
//! program is killed, and when the clock jumps. Time is virtual, so a run of minutes takes milliseconds, and the same
//! seed gives the same run to the letter.
//!
//! After each run, what must hold is looked at: no byte is gone that nothing allowed to go, nothing is half written, the
//! report says what happened, a further run without faults converges, and one more costs its listings alone. In the
//! manner of the simulations of FoundationDB and TigerBeetle.
//!
//! ```
//! let run = omnistorage_simulation::run(7).unwrap();
//! assert!(run.steps > 0);
//! ```

mod bisync;
mod move_to;
mod parts;
mod port;
mod ranges;
mod records;
mod store;
mod sync;
mod tee;
mod tree;
mod watch;
mod world;

use std::{fmt, rc::Rc};

use omnistorage_engine::{Engine, Job};
use omnistorage_types::{Location, Path};

use self::{
    port::{Faults, Stores},
    world::{Ended, World},
};

/// What a run was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// Polls of tasks.
    pub steps: u64,
}

/// What did not hold.
#[derive(Debug)]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// What it is.
    pub what: String,
    /// What happened at last.
    pub history: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}\nwhat happened at last:\n{}", self.seed, self.what, self.history)
    }
}

impl std::error::Error for Failure {}

/// What does not hold, in words.
type Check<T = ()> = Result<T, String>;

/// The run of a seed.
///
/// # Errors
/// What did not hold.
pub fn run(seed: u64) -> Result<Run, Box<Failure>> {
    let world = World::new(seed);
    let workload = world.chance(|rng| rng.u32(0..100));
    let held = match workload {
        0..45 => sync::run(&world),
        45..60 => move_to::run(&world),
        60..77 => bisync::run(&world),
        77..85 => tee::run(&world),
        85..91 => ranges::run(&world),
        91..95 => parts::run(&world),
        _ => records::run(&world),
    };
    match held {
        Ok(()) => Ok(Run { steps: world.steps() }),
        Err(what) => Err(Box::new(Failure { seed, what, history: world.history() })),
    }
}

/// An engine on stores.
fn engine(stores: &Stores) -> Engine {
    Engine::new(Rc::new(stores.clone()))
}

/// What goes wrong in a run: nothing, a little or much.
fn faults(world: &World) -> Faults {
    let often = |world: &World| world.one_of(&[0, 0, 10, 50, 200]);
    Faults { before: often(world), lost: often(world), broken: often(world), foreign: 0 }
}

/// A job to its end: what it told, and its outcome.
async fn drive<T: 'static, R: 'static>(
    job: omnistorage_types::Result<Job<T, R>>,
) -> (Vec<T>, omnistorage_types::Result<R>) {
    let mut told = Vec::new();
    let outcome = match job {
        Ok(job) => {
            job.run(async |page| {
                told.extend(page);
                true
            })
            .await
        }
        Err(error) => Err(error),
    };
    (told, outcome)
}

/// What a run gave, if it was not killed.
fn ended<T>(ended: Ended<T>) -> Check<Option<T>> {
    match ended {
        Ended::Done(value) => Ok(Some(value)),
        Ended::Crashed => Ok(None),
        Ended::Stuck => Err("somebody waits for a word that never comes".to_owned()),
        Ended::Endless => Err("it goes on and on".to_owned()),
    }
}

fn at(store: &str, path: &str) -> Location {
    Location { backend: store.to_owned(), path: Path::parse(path).unwrap_or_default() }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(otherwise()) }
}
