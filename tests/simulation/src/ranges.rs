//! Ranges: several at once, and several runs of which each has one, give the same target and the same counts as one run.

use omnistorage_engine::Operation;
use omnistorage_types::{Comparison, Deletion, Error, ErrorCode, Event, Filter, Path, Report, SyncOptions};

use crate::{
    Check, at, drive, ended, engine, ensure,
    port::Stores,
    store::Kind,
    tree::{Author, Contents, contents, path},
    world::World,
};

/// The same sync by one run, by ranges at once, and by a run for each range.
pub(crate) fn run(world: &World) -> Check {
    let kinds = (world.one_of(&Kind::ALL), world.one_of(&Kind::ALL));
    let stores = Stores::new(
        world.clone(),
        &[("from", kinds.0), ("whole", kinds.1), ("lanes", kinds.1), ("parts", kinds.1)],
    );
    world.tell(|| format!("ranges from {:?} to {:?}", kinds.0, kinds.1));
    let mut author = Author::default();
    author.fill(world, &mut stores.store("from").borrow_mut(), 120);
    author.fill(world, &mut stores.store("whole").borrow_mut(), 60);
    author.imitate(world, &stores.store("from").borrow(), &mut stores.store("whole").borrow_mut());
    // Some of it is there already.
    for (path, _) in contents(&stores.store("from").borrow(), &Path::root()) {
        if world.happens(400) {
            let from = stores.store("from");
            let Some(object) = from.borrow().object(&path).cloned() else { continue };
            let options =
                omnistorage_types::WriteOptions { modified: Some(object.modified), ..Default::default() };
            let _ = stores.store("whole").borrow_mut().put(&path, object.contents, &options, world.clock());
        }
    }
    world.pass(std::time::Duration::from_secs(24 * 3600));
    for copy in ["lanes", "parts"] {
        let whole = stores.store("whole").borrow().clone();
        *stores.store(copy).borrow_mut() = whole;
    }
    let options = options(world);
    world.tell(|| format!("{options:?}"));
    let (events, whole) = sync(world, &stores, "whole", &options)?;
    let ranges = world.chance(|rng| rng.u32(2..9));
    let (lane_events, lanes) = sync(world, &stores, "lanes", &SyncOptions { ranges, ..options.clone() })?;
    // Objects that are deleted as they are found go before the first error, and errors come in another order.
    if options.deletion == Deletion::During && has_clashes(&stores) {
        return Ok(());
    }
    // Of objects above others, which a file system cannot have, the first one gets there.
    if kinds.1 == Kind::Files && have_clashes(all(&stores, "from").keys()) {
        return Ok(());
    }
    ensure(code(&whole) == code(&lanes), || format!("{ranges} at once: {lanes:?} instead of {whole:?}"))?;
    ensure(whole.is_err() || done(&events) == done(&lane_events), || {
        format!("{ranges} at once tell {:?} instead of {:?}", done(&lane_events), done(&events))
    })?;
    if let (Ok(whole), Ok(lanes)) = (&whole, &lanes) {
        ensure(whole == lanes, || format!("{ranges} at once: {lanes:?} instead of {whole:?}"))?;
        same(&stores, "lanes")?;
    }
    if whole.is_err() || has_clashes(&stores) {
        return Ok(());
    }
    parts(world, &stores, &options, &whole)
}

/// A run for each range: where no guard over the whole speaks, it comes to the same.
fn parts(world: &World, stores: &Stores, options: &SyncOptions, whole: &Result<Report, Error>) -> Check {
    let mut borders: Vec<_> = (0..world.chance(|rng| rng.usize(0..5))).map(|_| path(world)).collect();
    borders.sort_unstable();
    borders.dedup();
    let begins = std::iter::once(None).chain(borders.iter().cloned().map(Some));
    let ends = borders.iter().cloned().map(Some).chain([None]);
    let mut sum = Report::default();
    for (start_after, stop_at) in begins.zip(ends) {
        // What is empty in a range need not be empty in all.
        let options = SyncOptions { start_after, stop_at, allow_empty_source: true, ..options.clone() };
        let (events, report) = sync(world, stores, "parts", &options)?;
        let report = report.map_err(|error| format!("a range fails: {error}"))?;
        let range = options.range();
        let astray = events.iter().find(|event| !range.spans(&event.path));
        ensure(astray.is_none(), || format!("{astray:?} is none of {range:?}"))?;
        sum = Report {
            checked: sum.checked + report.checked,
            transferred: sum.transferred + report.transferred,
            bytes: sum.bytes + report.bytes,
            updated_times: sum.updated_times + report.updated_times,
            deleted: sum.deleted + report.deleted,
            skipped: sum.skipped + report.skipped,
            errors: sum.errors + report.errors,
            ..sum
        };
    }
    ensure(*whole == Ok(sum), || format!("the ranges of {borders:?} come to {sum:?} instead of {whole:?}"))?;
    same(stores, "parts")
}

fn options(world: &World) -> SyncOptions {
    let deletion = world.one_of(&[Deletion::None, Deletion::Before, Deletion::During, Deletion::After]);
    SyncOptions {
        comparison: world.one_of(&[Comparison::Automatic, Comparison::Checksum, Comparison::SizeOnly]),
        deletion,
        // While objects are deleted as they are found, it depends on their order which are not.
        max_delete: (deletion != Deletion::During && world.happens(200))
            .then(|| world.chance(|rng| rng.u64(0..30))),
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

type Ran = (Vec<Event>, Result<Report, Error>);

fn sync(world: &World, stores: &Stores, to: &str, options: &SyncOptions) -> Check<Ran> {
    let (engine, options) = (engine(stores), options.clone());
    let operation = if options.deletion == Deletion::None { Operation::Copy } else { Operation::Sync };
    let (from, to) = (at("from", ""), at(to, ""));
    let run = async move { drive(engine.sync(operation, from, to, options)).await };
    ended(world.run(run, None))?.ok_or_else(|| "it was not to be killed".to_owned())
}

fn code<T>(outcome: &Result<T, Error>) -> Option<ErrorCode> {
    outcome.as_ref().err().map(Error::code)
}

fn done(events: &[Event]) -> Vec<(&'static str, &str)> {
    let told = |event: &Event| event.action.as_str();
    let mut done: Vec<_> = events.iter().map(|event| (told(event), event.path.as_str())).collect();
    done.sort_unstable();
    done
}

fn same(stores: &Stores, name: &str) -> Check {
    let (whole, other) = (all(stores, "whole"), all(stores, name));
    let differing = whole.keys().chain(other.keys()).find(|path| whole.get(*path) != other.get(*path));
    ensure(differing.is_none(), || {
        format!("{name} has something else at {}", differing.map_or("", |path| path.as_str()))
    })
}

/// Whether objects are in the way of others: ranges of their own cannot make room in another.
fn has_clashes(stores: &Stores) -> bool {
    let sides = ["from", "whole", "parts"].map(|name| all(stores, name));
    have_clashes(sides.iter().flat_map(|side| side.keys()))
}

fn have_clashes<'a>(paths: impl Iterator<Item = &'a Path>) -> bool {
    let paths: Vec<_> = paths.collect();
    paths.iter().any(|path| paths.iter().any(|other| other != path && other.starts_with(path)))
}

fn all(stores: &Stores, name: &str) -> Contents {
    contents(&stores.store(name).borrow(), &Path::root())
}
