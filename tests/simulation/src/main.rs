//! Runs seeds for so many seconds, or one of them again:
//!
//! ```text
//! omnistorage-simulation SECONDS [FIRST SEED]
//! omnistorage-simulation seed SEED
//! ```

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let mut stderr = io::stderr();
    let (seconds, first, only) = match arguments[..] {
        ["seed", seed] => (None, number(seed), true),
        [seconds] => (number(seconds), Some(0), false),
        [seconds, first] => (number(seconds), number(first), false),
        _ => (None, None, false),
    };
    let (Some(first), true) = (first, only || seconds.is_some()) else {
        writeln!(
            stderr,
            "usage: omnistorage-simulation SECONDS [FIRST SEED] | omnistorage-simulation seed SEED"
        )?;
        return Ok(ExitCode::from(2));
    };
    let (begun, time) = (Instant::now(), Duration::from_secs(seconds.unwrap_or(0)));
    let (mut seed, mut steps) = (first, 0);
    while begun.elapsed() < time || (only && seed == first) {
        match omnistorage_simulation::run(seed) {
            Ok(run) => steps += run.steps,
            Err(failure) => {
                writeln!(stderr, "{failure}")?;
                return Ok(ExitCode::FAILURE);
            }
        }
        seed += 1;
    }
    writeln!(io::stdout(), "{} seeds from {first} on, {steps} steps, no failure", seed - first)?;
    Ok(ExitCode::SUCCESS)
}
