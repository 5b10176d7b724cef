//! Some thousand runs. More, as long as you like: `make simulate SECONDS=3600`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

/// How many seeds.
const SEEDS: u64 = 20_000;

#[test]
fn what_must_hold_holds_whatever_happens() {
    for seed in 0..SEEDS {
        if let Err(failure) = omnistorage_simulation::run(seed) {
            panic!("{failure}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in [3, 17, 4000] {
        let run = || omnistorage_simulation::run(seed).unwrap().steps;
        assert_eq!(run(), run());
    }
}
