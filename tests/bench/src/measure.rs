//! What a process cost, as the kernel counted it.

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
    /// User and system time of all its threads.
    pub(crate) processor: Duration,
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
    Ok(Cost { wall, processor: used.rusage.utime + used.rusage.stime, memory: used.rusage.maxrss })
}

/// The middle value of each cost; for an even number of runs, the lower one of the two. `None` without a run.
pub(crate) fn median(costs: &[Cost]) -> Option<Cost> {
    fn middle<T: Ord + Copy>(costs: &[Cost], of: impl Fn(&Cost) -> T) -> Option<T> {
        let mut values: Vec<T> = costs.iter().map(of).collect();
        values.sort_unstable();
        values.get(values.len().checked_sub(1)? / 2).copied()
    }
    Some(Cost {
        wall: middle(costs, |cost| cost.wall)?,
        processor: middle(costs, |cost| cost.processor)?,
        memory: middle(costs, |cost| cost.memory)?,
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
        assert!(
            cost.wall >= Duration::from_millis(50) && cost.processor < cost.wall && cost.memory > 100_000
        );
        let error =
            run(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]), &log).unwrap_err().to_string();
        assert!(error.contains("reason"), "{error}");
        Ok(())
    }

    #[test]
    fn takes_the_median_of_each_cost() {
        let cost =
            |n| Cost { wall: Duration::from_secs(n), processor: Duration::from_secs(10 - n), memory: n };
        assert!(median(&[]).is_none());
        let middle = median(&[cost(9), cost(1), cost(3)]).unwrap();
        assert_eq!((middle.wall.as_secs(), middle.processor.as_secs(), middle.memory), (3, 7, 3));
        assert_eq!(median(&[cost(2), cost(1)]).unwrap().memory, 1);
    }
}
