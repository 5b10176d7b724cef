//! Ranges: several runs, of which each has one, give the same target and the same counts as one run; and held deletes are
//! judged by the sum as that run judges itself.

use omnistorage_engine::Operation;
use omnistorage_types::{
    Comparison, Deletion, Error, ErrorCode, Event, Filter, KeyRange, Path, Report, SyncOptions,
};

use crate::{
    Check, at, drive, ended, engine, ensure,
    port::Stores,
    store::Kind,
    tree::{Author, Contents, contents, path},
    world::World,
};

/// The same sync by one run, and by a run for each range.
pub(crate) fn run(world: &World) -> Check {
    let kinds = (world.one_of(&Kind::ALL), world.one_of(&Kind::ALL));
    let stores = Stores::new(world.clone(), &[("from", kinds.0), ("whole", kinds.1), ("parts", kinds.1)]);
    world.tell(|| format!("ranges from {:?} to {:?}", kinds.0, kinds.1));
    let mut author = Author::default();
    author.fill(world, &mut stores.store("from").borrow_mut(), 60);
    author.fill(world, &mut stores.store("whole").borrow_mut(), 30);
    // Some of it is there already.
    for (path, _) in all(&stores, "from") {
        if world.happens(400) {
            let from = stores.store("from");
            let Some(object) = from.borrow().object(&path).cloned() else { continue };
            let options =
                omnistorage_types::WriteOptions { modified: Some(object.modified), ..Default::default() };
            let _ = stores.store("whole").borrow_mut().put(&path, object.contents, &options, world.clock());
        }
    }
    world.pass(std::time::Duration::from_secs(24 * 3600));
    without_clashes(&stores);
    let copy = stores.store("whole").borrow().clone();
    *stores.store("parts").borrow_mut() = copy;
    let options = options(world);
    let ranges = ranges(world);
    world.tell(|| format!("{options:?} in {ranges:?}"));
    let whole = sync(world, &stores, "whole", &options)?;
    if options.deletion == Deletion::After && world.happens(700) {
        held(world, &stores, &options, &ranges, &whole)?;
    } else if let Ok(whole) = whole {
        let sum = each(world, &stores, &ranges, |_| options.clone())?.iter().fold(Report::default(), add);
        ensure(whole == sum, || format!("the ranges come to {sum:?} instead of {whole:?}"))?;
    } else {
        return Ok(());
    }
    let (whole, parts) = (all(&stores, "whole"), all(&stores, "parts"));
    let differing = whole.keys().chain(parts.keys()).find(|path| whole.get(*path) != parts.get(*path));
    ensure(differing.is_none(), || {
        format!("the ranges have something else at {}", differing.map_or("", |path| path.as_str()))
    })
}

/// Runs that hold their deletes, a verdict on their sum, and as many runs that delete.
fn held(
    world: &World,
    stores: &Stores,
    options: &SyncOptions,
    ranges: &[KeyRange],
    whole: &Result<Report, Error>,
) -> Check {
    let before = all(stores, "parts");
    let reports = each(world, stores, ranges, |_| SyncOptions {
        hold_deletes: true,
        max_delete: None,
        ..options.clone()
    })?;
    let after = all(stores, "parts");
    let gone = before.keys().find(|path| !after.contains_key(*path));
    ensure(gone.is_none(), || format!("{gone:?} is gone, and deletes were held"))?;
    let sum = reports.iter().fold(Report::default(), add);
    let verdict = engine(stores).judge(&sum, options);
    let code = |outcome: Option<&Error>| outcome.map(Error::code);
    let codes: (Option<ErrorCode>, _) = (code(verdict.as_ref().err()), code(whole.as_ref().err()));
    ensure(codes.0 == codes.1, || format!("the verdict is {verdict:?}, and one run comes to {whole:?}"))?;
    let Ok(whole) = whole else { return Ok(()) };
    let expected = Report { deleted: whole.extras, deletes_withheld: 0, ..sum };
    ensure(*whole == expected, || format!("the ranges come to {sum:?} instead of {whole:?}"))?;
    let deleted = each(world, stores, ranges, |at| SyncOptions {
        max_delete: reports.get(at).map(|report| report.extras),
        ..options.clone()
    })?;
    let count: u64 = deleted.iter().map(|report| report.deleted).sum();
    ensure(count == whole.deleted, || format!("{count} were deleted of {}", whole.deleted))
}

/// A run for each range: where no guard over the whole speaks.
fn each(
    world: &World,
    stores: &Stores,
    ranges: &[KeyRange],
    options: impl Fn(usize) -> SyncOptions,
) -> Check<Vec<Report>> {
    let run = |(at, range): (usize, &KeyRange)| {
        // What is empty in a range need not be empty in all.
        let options = SyncOptions {
            start_after: range.after.clone(),
            stop_at: range.until.clone(),
            allow_empty_source: true,
            ..options(at)
        };
        let (events, report) = told(world, stores, "parts", &options)?;
        let astray = events.iter().find(|event| !range.spans(&event.path));
        ensure(astray.is_none(), || format!("{astray:?} is none of {range:?}"))?;
        report.map_err(|error| format!("a range fails: {error}"))
    };
    ranges.iter().enumerate().map(run).collect()
}

fn add(sum: Report, report: &Report) -> Report {
    Report {
        checked: sum.checked + report.checked,
        transferred: sum.transferred + report.transferred,
        bytes: sum.bytes + report.bytes,
        updated_times: sum.updated_times + report.updated_times,
        deleted: sum.deleted + report.deleted,
        skipped: sum.skipped + report.skipped,
        errors: sum.errors + report.errors,
        deletes_withheld: sum.deletes_withheld + report.deletes_withheld,
        source_objects: sum.source_objects + report.source_objects,
        extras: sum.extras + report.extras,
        ..sum
    }
}

fn ranges(world: &World) -> Vec<KeyRange> {
    let mut borders: Vec<_> = (0..world.chance(|rng| rng.usize(0..5))).map(|_| path(world)).collect();
    borders.sort_unstable();
    borders.dedup();
    let begins = std::iter::once(None).chain(borders.iter().cloned().map(Some));
    let ends = borders.iter().cloned().map(Some).chain([None]);
    begins.zip(ends).map(|(after, until)| KeyRange { after, until }).collect()
}

fn options(world: &World) -> SyncOptions {
    let deletion =
        world.one_of(&[Deletion::None, Deletion::Before, Deletion::During, Deletion::After, Deletion::After]);
    SyncOptions {
        comparison: world.one_of(&[Comparison::Automatic, Comparison::Checksum, Comparison::SizeOnly]),
        deletion,
        max_delete: (deletion == Deletion::After && world.happens(300))
            .then(|| world.chance(|rng| rng.u64(0..12))),
        allow_empty_source: world.happens(800),
        update_only: world.happens(100),
        transfers: world.chance(|rng| rng.u32(1..8)),
        checkers: world.chance(|rng| rng.u32(1..8)),
        filter: match world.chance(|rng| rng.u32(0..10)) {
            0..2 => Filter::default().rule("- *.tmp"),
            2..4 => Filter::default().rule("- /a/**"),
            4..6 => Filter::default().rule("+ /*/b/**").rule("- *"),
            _ => Filter::default(),
        },
        ..SyncOptions::default()
    }
}

fn told(
    world: &World,
    stores: &Stores,
    to: &str,
    options: &SyncOptions,
) -> Check<(Vec<Event>, Result<Report, Error>)> {
    let (engine, options) = (engine(stores), options.clone());
    let operation = if options.deletion == Deletion::None { Operation::Copy } else { Operation::Sync };
    let (from, to) = (at("from", ""), at(to, ""));
    let run = async move { drive(engine.sync(operation, from, to, options)).await };
    ended(world.run(run, None))?.ok_or_else(|| "it was not to be killed".to_owned())
}

fn sync(world: &World, stores: &Stores, to: &str, options: &SyncOptions) -> Check<Result<Report, Error>> {
    told(world, stores, to, options).map(|(_, outcome)| outcome)
}

/// Objects above others go: a range of its own cannot make room in another.
fn without_clashes(stores: &Stores) {
    let paths: Vec<Path> =
        ["from", "whole"].into_iter().flat_map(|name| all(stores, name).into_keys()).collect();
    let above =
        paths.iter().filter(|path| paths.iter().any(|other| other != *path && other.starts_with(path)));
    for path in above {
        for name in ["from", "whole"] {
            // Where it is a directory, it stays one.
            let _ = stores.store(name).borrow_mut().delete(path);
        }
    }
}

fn all(stores: &Stores, name: &str) -> Contents {
    contents(&stores.store(name).borrow(), &Path::root())
}
