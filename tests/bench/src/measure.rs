//! What a process cost, as the kernel counted it; and medians.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use wait4::Wait4;

/// The cost of one run of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall: Duration,
    /// Time of all its threads in its own code.
    pub(crate) user: Duration,
    /// Time of all its threads in the kernel.
    pub(crate) system: Duration,
    /// Peak of its resident memory, in bytes.
    pub(crate) memory: u64,
}

/// Runs a command to its end; what it says goes to the file `log`.
///
/// # Errors
/// If it cannot be started or does not exit with 0: then the error holds what it said.
pub(crate) fn run(command: &mut Command, log: &Path) -> Result<Cost> {
    let output = File::create(log)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let started = Instant::now();
    let used = command.spawn().with_context(|| format!("cannot start {command:?}"))?.wait4()?;
    let wall = started.elapsed();
    ensure!(
        used.status.success(),
        "{command:?} failed ({}):\n{}",
        used.status,
        String::from_utf8_lossy(&fs::read(log)?)
    );
    let rusage = used.rusage;
    Ok(Cost { wall, user: rusage.utime, system: rusage.stime, memory: rusage.maxrss })
}

/// The middle value; for an even number of them, the lower one of the two. `None` of none.
pub(crate) fn median<T: Ord + Copy>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// The median of each cost by itself. `None` without a run.
pub(crate) fn median_cost(costs: &[Cost]) -> Option<Cost> {
    Some(Cost {
        wall: median(costs.iter().map(|cost| cost.wall))?,
        user: median(costs.iter().map(|cost| cost.user))?,
        system: median(costs.iter().map(|cost| cost.system))?,
        memory: median(costs.iter().map(|cost| cost.memory))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_a_process_used() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let cost = run(Command::new("sleep").arg("0.05"), &log)?;
        assert!(cost.wall >= Duration::from_millis(50) && cost.user + cost.system < cost.wall);
        assert!(cost.memory > 100_000);
        let error =
            run(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]), &log).unwrap_err().to_string();
        assert!(error.contains("reason"), "{error}");
        Ok(())
    }

    #[test]
    fn takes_the_median_of_each_cost() {
        let cost = |n| Cost {
            wall: Duration::from_secs(n),
            user: Duration::from_secs(10 - n),
            system: Duration::ZERO,
            memory: n,
        };
        assert!(median_cost(&[]).is_none());
        let middle = median_cost(&[cost(9), cost(1), cost(3)]).unwrap();
        assert_eq!((middle.wall.as_secs(), middle.user.as_secs(), middle.memory), (3, 7, 3));
        assert_eq!(median_cost(&[cost(2), cost(1)]).unwrap().memory, 1);
    }
}
