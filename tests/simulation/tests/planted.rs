//! The simulation finds bugs: of kinds that were found once, each is planted again, and shows within some thousand seeds.

#![allow(clippy::panic, reason = "a test fails loudly")]

use omnistorage_engine::planted::{Bug, plant};

/// Seeds until it is to be found. They take a few seconds.
const SEEDS: u64 = 20_000;

#[test]
fn every_bug_that_is_planted_is_found() {
    for bug in Bug::ALL {
        plant(Some(bug));
        let found = (0..SEEDS).find_map(|seed| omnistorage_simulation::run(seed).err());
        plant(None);
        match found {
            Some(failure) => println!("{bug:?}: seed {}, {}", failure.seed, failure.what),
            None => panic!("{bug:?} was not found by {SEEDS} seeds"),
        }
    }
}
