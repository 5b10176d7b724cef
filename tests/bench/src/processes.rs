//! The first table: whole processes on the same trees.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    Options, Row,
    contender::{Contender, Work},
    data::DataSet,
    measure,
};

/// Runs every work of a data set, so often.
///
/// # Errors
/// If a contender fails, or its copy is wrong.
pub(crate) fn measure(set: DataSet, rounds: u32, options: &Options) -> Result<Vec<Row>> {
    let source = set.prepare(&options.data)?;
    let destinations = options.data.join("destinations");
    let log = options.data.join("log");
    let mut rows: Vec<Row> = Vec::new();
    let mut contenders = options.contenders.clone();

    remove(&destinations)?;
    fs::create_dir(&destinations)?;
    for round in 0..rounds {
        for &contender in &contenders {
            let destination = destinations.join(format!("{contender}-{round}"));
            // What earlier runs left to write back must not fall on this one.
            rustix::fs::sync();
            for work in [Work::Sync, Work::Again, Work::Check] {
                let Some(mut command) = contender.command(work, &source, &destination, options) else {
                    continue;
                };
                let cost = measure::run(&mut command, &log)?;
                if work == Work::Sync
                    && let Some(mut check) =
                        Contender::Floor.command(Work::Check, &source, &destination, options)
                {
                    // In a process of its own too: the kernel counts our memory to that of the processes we start.
                    measure::run(&mut check, &log)
                        .with_context(|| format!("the copy of {contender} is wrong"))?;
                }
                let work = format!("{work}: {}", set.describe());
                match rows.iter_mut().find(|row| row.work == work && row.contender == contender) {
                    Some(row) => row.costs.push(cost),
                    None => rows.push(Row { work, contender, costs: vec![cost] }),
                }
            }
            // ext4 passes over inodes that were deleted in the last minutes one by one, and creating files after
            // thousands were deleted costs ten times as much. So many files go at the end, large ones at once, and a
            // million too: there is no room for all of them.
            if !(1000..1_000_000).contains(&set.count()) {
                remove(&destination)?;
            }
        }
        // No contender always runs after the same one.
        contenders.rotate_left(1);
    }
    remove(&destinations)?;
    Ok(rows)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Works in the order in which they were first run, and their contenders likewise.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, rows: &[Row]) -> Result<()> {
    writeln!(
        output,
        "\n| work | contender | wall s | min to max | of rclone | of floor | user s | system s | RSS MiB |"
    )?;
    writeln!(output, "|---|---|--:|--:|--:|--:|--:|--:|--:|")?;
    let mut works: Vec<&str> = Vec::new();
    for row in rows {
        if !works.contains(&row.work.as_str()) {
            works.push(&row.work);
        }
    }
    for work in works {
        let wall_of = |contender| {
            rows.iter()
                .find(|row| row.work == work && row.contender == contender)
                .and_then(|row| measure::median_cost(&row.costs))
                .map(|cost| cost.wall)
        };
        let (rclone, floor) = (wall_of(Contender::Rclone), wall_of(Contender::Floor));
        for row in rows.iter().filter(|row| row.work == work) {
            let Some(cost) = measure::median_cost(&row.costs) else { continue };
            let ratio = |other: Option<Duration>| {
                other.map_or(String::new(), |other| {
                    format!("{:.2}", cost.wall.as_secs_f64() / other.as_secs_f64())
                })
            };
            let walls = row.costs.iter().map(|cost| cost.wall);
            writeln!(
                output,
                "| {work} | {} | {:.3} | {:.3} to {:.3} | {} | {} | {:.3} | {:.3} | {} |",
                row.contender,
                cost.wall.as_secs_f64(),
                walls.clone().min().unwrap_or_default().as_secs_f64(),
                walls.max().unwrap_or_default().as_secs_f64(),
                ratio(rclone),
                ratio(floor),
                cost.user.as_secs_f64(),
                cost.system.as_secs_f64(),
                cost.memory >> 20,
            )?;
        }
    }
    Ok(())
}
