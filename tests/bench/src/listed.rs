//! The table of listings over HTTP: a dry copy between two computed buckets, by the command line, from a server with a set latency.

use std::{io::Write, process::Command, time::Duration};

use anyhow::Result as Outcome;
use omnistorage_test_servers::Numbered;

use crate::{Options, measure};

/// Runs the table.
///
/// # Errors
/// If a run fails, or it cannot be written.
pub(crate) fn write_table(output: &mut impl Write, options: &Options, objects: u64) -> Outcome<()> {
    writeln!(
        output,
        "\n| objects of each bucket | a page takes | ranges | wall s | of one range's speed, a range | CPU us a pair | RSS MiB |"
    )?;
    writeln!(output, "|--:|--:|--:|--:|--:|--:|--:|")?;
    for latency in [0, 100] {
        let server = Numbered::start(objects, Duration::from_millis(latency));
        let mut one: Option<f64> = None;
        for ranges in [1, 4, 8] {
            let mut command = Command::new(&options.omnistorage);
            command.args([
                "copy",
                "--dry-run",
                "--quiet",
                "--ranges",
                &ranges.to_string(),
                "s3://most",
                "s3://all",
            ]);
            command.args(["--config", "/dev/null"]).envs([
                ("AWS_ENDPOINT_URL", server.endpoint.as_str()),
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ]);
            let cost = measure::run(&mut command, &options.data.join("log"))?;
            let wall = cost.wall.as_secs_f64();
            let one = *one.get_or_insert(wall);
            writeln!(
                output,
                "| {objects} | {latency} ms | {ranges} | {wall:.2} | {:.2} | {:.2} | {:.1} |",
                one / wall / f64::from(ranges),
                (cost.user + cost.system).as_secs_f64() * 1e6 / objects as f64,
                cost.memory as f64 / f64::from(1 << 20),
            )?;
        }
    }
    Ok(())
}
