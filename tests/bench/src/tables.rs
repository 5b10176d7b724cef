//! Records of one form to another, as whole processes, beside what people use for that in Python: polars and DuckDB, each
//! streaming from file to file, on as many threads as they like. Their start is part of their time, as it is of ours.
//!
//! Ours is there twice: on all cores, and on one.
//!
//! The records are NDJSON of eleven fields, some 340 bytes each ([`Text::Logs`]). Every output is counted: a row or a line
//! for each record.

use std::{fs, io::Write, num::NonZero, path::PathBuf, process::Command, thread};

use anyhow::{Context, Result, ensure};
use memchr::memchr_iter;

use crate::{
    Options,
    measure::{self, Cost, median_cost},
    text::Text,
};

/// Bytes of the source.
const SIZE: usize = 288 << 20;

/// One conversion, and how the others are told to make it. `IN` and `OUT` are paths.
struct Work {
    source: &'static str,
    target: &'static str,
    polars: Option<&'static str>,
    duckdb: Option<&'static str>,
}

const WORKS: [Work; 3] = [
    Work {
        source: "logs.ndjson",
        target: "rows.csv",
        polars: Some("polars.scan_ndjson(IN).sink_csv(OUT)"),
        duckdb: Some("duckdb.sql(f\"copy (select * from read_ndjson('{IN}')) to '{OUT}' (format csv)\")"),
    },
    Work {
        source: "logs.ndjson.gz",
        target: "rows.csv.zst",
        polars: None,
        duckdb: Some(
            "duckdb.sql(f\"copy (select * from read_ndjson('{IN}')) to '{OUT}' (format csv, compression zstd)\")",
        ),
    },
    Work {
        source: "logs.csv",
        target: "lines.ndjson",
        polars: Some("polars.scan_csv(IN, infer_schema=False).sink_ndjson(OUT)"),
        duckdb: Some(
            "duckdb.sql(f\"copy (select * from read_csv('{IN}', all_varchar=true)) to '{OUT}' (format json)\")",
        ),
    },
];

/// A table of all conversions, and of counting records beside `wc -l`.
///
/// # Errors
/// The first process that fails, and an output that lacks records.
pub(crate) fn write_table(output: &mut impl Write, options: &Options) -> Result<()> {
    let folder = options.data.join("tables");
    fs::create_dir_all(&folder)?;
    let bench = Bench { options, folder };
    let size = if options.quick { SIZE / 16 } else { SIZE };
    let records = bench.prepare(size)?;

    writeln!(
        output,
        "\n| {} MiB of records | by | wall s | ours of it | user s | system s | RSS MiB |",
        size >> 20
    )?;
    writeln!(output, "|---|---|--:|--:|--:|--:|--:|")?;
    for work in &WORKS {
        let cores = thread::available_parallelism()?;
        let mut contenders = vec![
            ("omnistorage", bench.ours(work, cores)),
            ("omnistorage --cores 1", bench.ours(work, NonZero::<usize>::MIN)),
        ];
        for (module, statement) in [("polars", work.polars), ("duckdb", work.duckdb)] {
            contenders.extend(statement.map(|statement| (module, bench.python(module, statement, work))));
        }
        let costs = bench.measure(contenders, |bench| bench.check(work, records))?;
        write_rows(output, &format!("{} to {}", work.source, work.target), &costs)?;
    }
    let source = bench.folder.join("logs.ndjson");
    let mut count = Command::new(&options.omnistorage);
    count.args(["records", "count"]).arg(&source);
    let mut lines = Command::new("wc");
    lines.arg("-l").arg(&source);
    let costs = bench.measure(vec![("omnistorage", count), ("wc -l", lines)], |_| Ok(()))?;
    write_rows(output, "count logs.ndjson", &costs)
}

struct Bench<'a> {
    options: &'a Options,
    folder: PathBuf,
}

impl Bench<'_> {
    /// Makes the sources; returns the number of records.
    fn prepare(&self, size: usize) -> Result<usize> {
        let text = Text::Logs.generate(size);
        let records = memchr_iter(b'\n', &text).count();
        fs::write(self.folder.join("logs.ndjson"), text)?;
        for target in ["logs.ndjson.gz", "logs.csv"] {
            measure::run(&mut self.convert("logs.ndjson", target), &self.log())?;
        }
        Ok(records)
    }

    fn ours(&self, work: &Work, cores: NonZero<usize>) -> Command {
        let mut command = self.convert(work.source, work.target);
        command.arg("--cores").arg(cores.to_string());
        command
    }

    fn convert(&self, source: &str, target: &str) -> Command {
        let mut command = Command::new(&self.options.omnistorage);
        command.args(["--quiet", "records", "convert"]);
        command.arg(self.folder.join(source)).arg(self.folder.join(target));
        command
    }

    fn python(&self, module: &str, statement: &str, work: &Work) -> Command {
        let mut command = Command::new(&self.options.python);
        command.arg("-c").arg(format!("import sys, {module}; IN, OUT = sys.argv[1:]; {statement}"));
        command.arg(self.folder.join(work.source)).arg(self.folder.join(work.target));
        command
    }

    /// Lets all run in turns, and looks at what each has made.
    fn measure(
        &self,
        mut contenders: Vec<(&'static str, Command)>,
        check: impl Fn(&Self) -> Result<()>,
    ) -> Result<Vec<(&'static str, Vec<Cost>)>> {
        let mut costs: Vec<_> = contenders.iter().map(|(name, _)| (*name, Vec::new())).collect();
        for _ in 0..self.options.rounds {
            for ((name, command), (_, costs)) in contenders.iter_mut().zip(&mut costs) {
                costs.push(measure::run(command, &self.log())?);
                check(self).with_context(|| format!("what {name} made"))?;
            }
        }
        Ok(costs)
    }

    /// Counts the records of an output, and removes it.
    fn check(&self, work: &Work, records: usize) -> Result<()> {
        let made = self.folder.join(work.target);
        let mut count = Command::new(&self.options.omnistorage);
        count.args(["records", "count"]).arg(&made);
        measure::run(&mut count, &self.log())?;
        let counted = fs::read_to_string(self.log())?;
        ensure!(counted.trim() == records.to_string(), "{} records of {records}", counted.trim());
        fs::remove_file(made)?;
        Ok(())
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

fn write_rows(output: &mut impl Write, work: &str, costs: &[(&str, Vec<Cost>)]) -> Result<()> {
    let ours = costs.first().and_then(|(_, costs)| median_cost(costs)).context("ours ran")?;
    for (name, costs) in costs {
        let cost = median_cost(costs).context("each ran")?;
        writeln!(
            output,
            "| {work} | {name} | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
            cost.wall.as_secs_f64(),
            ours.wall.as_secs_f64() / cost.wall.as_secs_f64(),
            cost.user.as_secs_f64(),
            cost.system.as_secs_f64(),
            cost.memory >> 20
        )?;
    }
    Ok(())
}
