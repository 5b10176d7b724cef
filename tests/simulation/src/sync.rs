//! Sync and copy: what may change on the target, what must be told, and what must be the same in the end.

use std::collections::{BTreeMap, BTreeSet};

use omnistorage_core::sync::filter::Filter as Ready;
use omnistorage_engine::Operation;
use omnistorage_types::{
    Action, Backup, Comparison, Deletion, Event, Filter, Order, OrderKey, Path, RenameStrategy, Report,
    SyncOptions, WriteOptions,
};

use crate::{
    Check, at, drive, ended, engine, ensure, faults,
    port::{Faults, Stores},
    store::Kind,
    tree::{Author, Contents, contents},
    watch::{FOREIGN, Promise, Watch},
    world::World,
};

/// Calls beside the listings that a run over what is unchanged may make.
const BESIDE: u64 = 8;

/// Calls that change what is there, but for those of the memo, which is written anew by each run.
const WRITES: [&str; 7] = ["set-modified", "mkdir", "rmdir", "delete", "purge", "copy", "move"];

/// Rounds of a few runs, each after changes on the source.
pub(crate) fn run(world: &World) -> Check {
    let kinds = (world.one_of(&Kind::ALL), world.one_of(&Kind::ALL));
    let stores = Stores::new(
        world.clone(),
        &[("from", kinds.0), ("to", kinds.1), ("memo", Kind::Files), ("backup", world.one_of(&Kind::ALL))],
    );
    world.tell(|| format!("sync from {:?} to {:?}", kinds.0, kinds.1));
    let mut author = Author::default();
    author.fill(world, &mut stores.store("from").borrow_mut(), 30);
    author.fill(world, &mut stores.store("to").borrow_mut(), 12);
    let options = options(world);
    world.tell(|| format!("{options:?}"));
    for (name, often) in [("from", 200), ("to", 50)] {
        hide(world, &stores, name, often);
    }
    for _ in 0..world.chance(|rng| rng.u32(1..4)) {
        author.change(world, &mut stores.store("from").borrow_mut());
        world.pass(std::time::Duration::from_secs(3));
        if world.happens(50) {
            world.jump(world.chance(|rng| rng.i64(-7200..7200)));
        }
        one_run(world, &stores, &options)?;
    }
    converge(world, &stores, options)
}

fn options(world: &World) -> SyncOptions {
    let yes = |often| world.happens(often);
    let deletion =
        world.one_of(&[Deletion::None, Deletion::Before, Deletion::During, Deletion::After, Deletion::After]);
    SyncOptions {
        dry_run: yes(50),
        comparison: world.one_of(&[
            Comparison::Automatic,
            Comparison::Automatic,
            Comparison::ExactTimes,
            Comparison::Checksum,
        ]),
        deletion,
        ignore_errors: yes(50),
        max_delete: yes(150).then(|| world.chance(|rng| rng.u64(0..6))),
        allow_empty_source: yes(300),
        backup: yes(200).then(|| match yes(500) {
            true => {
                Backup { place: Some(at("backup", "kept")), suffix: String::new(), keep_extension: false }
            }
            false => Backup { place: None, suffix: ".old".to_owned(), keep_extension: false },
        }),
        track_renames: match deletion {
            Deletion::During | Deletion::After if yes(250) => {
                RenameStrategy { hash: true, modified: yes(300), name: false }
            }
            _ => RenameStrategy::default(),
        },
        empty_directories: yes(200),
        order: yes(200).then(|| Order {
            key: world.one_of(&[OrderKey::Name, OrderKey::Size, OrderKey::Modified]),
            descending: yes(500),
        }),
        transfers: world.chance(|rng| rng.u32(1..8)),
        checkers: world.chance(|rng| rng.u32(1..8)),
        retries: world.chance(|rng| rng.u32(1..5)),
        max_errors: yes(60).then(|| world.chance(|rng| rng.u64(1..4))),
        max_transfer: yes(60).then(|| world.chance(|rng| rng.u64(1..5000))),
        memo: yes(600).then(|| at("memo", "of-this-pair")),
        filter: if yes(200) { Filter::default().rule("- *.tmp") } else { Filter::default() },
        ..SyncOptions::default()
    }
}

fn one_run(world: &World, stores: &Stores, options: &SyncOptions) -> Check {
    let before = (all(stores, "from"), all(stores, "to"), all(stores, "backup"));
    let is_shared = world.happens(150);
    if is_shared {
        stores.share(world.one_of(&["from", "to"]));
    }
    stores.set_faults(Faults { foreign: if is_shared { 30 } else { 0 }, ..faults(world) });
    let locked = (world.happens(150) && stores.store("from").borrow().kind == Kind::Files)
        .then(|| lock(stores))
        .flatten();
    stores.watch(promise(stores, options));
    let killed_after = world.happens(200).then(|| world.chance(|rng| rng.u64(1..3000)));
    let operation = if options.deletion == Deletion::None { Operation::Copy } else { Operation::Sync };
    let (engine, options_of_run) = (engine(stores), options.clone());
    let outcome = world.run(
        async move { drive(engine.sync(operation, at("from", ""), at("to", ""), options_of_run)).await },
        killed_after,
    );
    stores.set_faults(Faults::default());
    let watch = stores.take_watch().ok_or("nobody watched")?;
    watch.outcome()?;
    if locked.is_some() {
        stores.store("from").borrow_mut().locked.clear();
    }
    let after = (all(stores, "from"), all(stores, "to"), all(stores, "backup"));
    if is_shared {
        nothing_half_written(&before, &after)?;
        return match ended(outcome)? {
            Some((events, _)) if before.0 == after.0 && !options.dry_run => {
                nothing_claimed(&watch, &events, &before)
            }
            _ => Ok(()),
        };
    }
    ensure(before.0 == after.0, || "the source changed".to_owned())?;
    nothing_lost(options, &before, &after, locked.as_ref())?;
    let Some((events, outcome)) = ended(outcome)? else { return Ok(()) };
    told_what_happened(options, &events, &before, &after)?;
    if let Ok(report) = &outcome {
        counted(&events, report)?;
        if !options.ignore_errors && options.deletion == Deletion::After {
            nothing_deleted_after_errors(&events, &before.0)?;
        }
    }
    Ok(())
}

/// What a run with these options between these stores promises.
fn promise(stores: &Stores, options: &SyncOptions) -> Promise {
    let [from, to] = ["from", "to"].map(|name| stores.store(name).borrow().kind.capabilities().features);
    // Backups beside the objects replace older ones, and what is renamed was compared by its hash.
    let is_plain = options.backup.as_ref().is_none_or(|backup| backup.place.is_some())
        && options.track_renames == RenameStrategy::default();
    Promise {
        replaces_seen: is_plain && to.if_match && (to.conditional_copy || from.conditional_copy),
        deletes_seen: is_plain && to.conditional_delete,
        looks_twice: is_plain,
    }
}

/// What was told to be transferred beside other writers was written, or was there already.
fn nothing_claimed(watch: &Watch, events: &[Event], before: &Sides) -> Check {
    for event in events.iter().filter(|event| event.action == Action::Transferred) {
        let path = Path::parse(event.path.as_str()).map_err(|why| why.to_string())?;
        let Some(contents) = before.0.get(&path) else { continue };
        let is_there = before.1.get(&path) == Some(contents) || watch.has_brought(&path, contents);
        ensure(is_there, || format!("{path} was told to be transferred, and nobody brought it"))?;
    }
    Ok(())
}

/// Now and then a store does not show some of what both have, or one of them.
fn hide(world: &World, stores: &Stores, name: &str, often: u32) {
    if !world.happens(often) {
        return;
    }
    let both: BTreeSet<Path> = all(stores, "from").into_keys().chain(all(stores, "to").into_keys()).collect();
    let unshown: BTreeSet<Path> = both.into_iter().filter(|_| world.happens(300)).collect();
    world.tell(|| format!("{name} does not show {unshown:?}"));
    stores.store(name).borrow_mut().unshown = unshown;
}

/// One directory of the source cannot be read. It is shown: nobody lists one that is not, but asks for what may be in it.
fn lock(stores: &Stores) -> Option<Path> {
    let store = stores.store("from");
    let mut store = store.borrow_mut();
    let is_shown = |path: &Path| !store.unshown.iter().any(|unshown| path.starts_with(unshown));
    let mut shown = store.objects().map(|(path, _)| path).filter(|path| is_shown(path));
    let directory = shown.find_map(|path| path.parent().filter(|parent| !parent.is_root()))?;
    drop(shown);
    store.locked.insert(directory.clone());
    Some(directory)
}

/// Deletes that fail are no reason not to go on with the others.
fn nothing_deleted_after_errors(events: &[Event], source: &Contents) -> Check {
    let is_transfer =
        |event: &&Event| Path::parse(event.path.as_str()).is_ok_and(|path| source.contains_key(&path));
    let failed = events.iter().position(|event| event.action == Action::Failed && is_transfer(&event));
    let deleted =
        failed.and_then(|first| events[first..].iter().find(|event| event.action == Action::Deleted));
    ensure(deleted.is_none(), || {
        format!("{} was deleted after an error", deleted.map_or("", |event| &event.path))
    })
}

type Sides = (Contents, Contents, Contents);

/// Who else wrote is not known, but that each object is one that somebody wrote, as a whole.
fn nothing_half_written(before: &Sides, after: &Sides) -> Check {
    let known: BTreeSet<&Vec<u8>> =
        [&before.0, &before.1, &before.2].into_iter().flat_map(BTreeMap::values).collect();
    let odd =
        after.1.iter().find(|(_, contents)| !known.contains(contents) && !contents.starts_with(FOREIGN));
    ensure(odd.is_none(), || {
        format!("{} on the target is nothing that anybody wrote", odd.map_or("", |(path, _)| path.as_str()))
    })
}

/// What was on the target is there, or is what the source has, or was allowed to go.
fn nothing_lost(options: &SyncOptions, before: &Sides, after: &Sides, locked: Option<&Path>) -> Check {
    let filter = Ready::new(options.filter.clone()).map_err(|why| why.to_string())?;
    let is_included = |path: &Path| {
        let entry = omnistorage_core::entry::Entry::new(path.clone(), omnistorage_types::ObjectKind::Object);
        filter.ruling(&entry).is_included()
    };
    let kept: BTreeSet<&[u8]> = after.1.values().chain(after.2.values()).map(Vec::as_slice).collect();
    let keeps_beside = options.backup.as_ref().is_some_and(|backup| backup.place.is_none());
    for (path, old) in &before.1 {
        // What an earlier run kept there is replaced.
        if keeps_beside && path.as_str().ends_with(".old") {
            continue;
        }
        let now = after.1.get(path);
        if now == Some(old) {
            continue;
        }
        ensure(!options.dry_run, || format!("{path} changed in a dry run"))?;
        ensure(is_included(path), || format!("{path} is excluded, and changed"))?;
        ensure(locked.is_none_or(|locked| path == locked || !path.starts_with(locked)), || {
            format!("{path} lies where the source could not be looked at, and changed")
        })?;
        if options.backup.is_some() {
            ensure(kept.contains(old.as_slice()), || format!("{path} changed, and no backup has it"))?;
        }
        match (now, before.0.get(path)) {
            (Some(now), Some(new)) if now == new => {}
            (Some(_), _) => {
                return Err(format!("{path} on the target is neither what it was nor what the source has"));
            }
            (None, None) if options.deletion != Deletion::None => {}
            // It made room for a directory, or for an object.
            (None, _) if options.deletion != Deletion::None && is_in_the_way(path, &before.0) => {}
            (None, _) => return Err(format!("{path} is gone from the target, and nothing allowed that")),
        }
    }
    for (path, new) in &after.1 {
        let is_backup = options.backup.as_ref().is_some_and(|backup| backup.place.is_none())
            && path.as_str().ends_with(".old");
        if before.1.contains_key(path) || is_backup {
            continue;
        }
        ensure(before.0.get(path) == Some(new), || {
            format!("{path} came to the target, and is not what the source has")
        })?;
        ensure(is_included(path) && !options.dry_run, || {
            format!("{path} came to the target, and should not have")
        })?;
    }
    Ok(())
}

fn is_in_the_way(path: &Path, source: &Contents) -> bool {
    source.keys().any(|other| other != path && (other.starts_with(path) || path.starts_with(other)))
}

/// What was told is so, and what changed was told.
fn told_what_happened(options: &SyncOptions, events: &[Event], before: &Sides, after: &Sides) -> Check {
    if options.dry_run {
        return Ok(());
    }
    let path_of =
        |event: &Event| Path::parse(event.path.as_str()).map_err(|why| format!("{}: {why}", event.path));
    let mut told = BTreeSet::new();
    for event in events {
        let path = path_of(event)?;
        match event.action {
            Action::Transferred | Action::Renamed => {
                ensure(after.1.get(&path) == before.0.get(&path), || {
                    format!("{path} was told to be transferred, and is not on the target as on the source")
                })?
            }
            Action::Deleted => ensure(!after.1.contains_key(&path) || before.0.contains_key(&path), || {
                format!("{path} was told to be deleted, and is there")
            })?,
            _ => {}
        }
        if event.action == Action::Renamed
            && let Some(from) = &event.reason
        {
            told.insert(Path::parse(from.as_str()).map_err(|why| why.to_string())?);
        }
        told.insert(path);
    }
    // What failed may have been done, its answer being lost: it is told as well.
    for path in before.1.keys().chain(after.1.keys()) {
        let is_backup = path.as_str().ends_with(".old");
        let changed = before.1.get(path) != after.1.get(path) && !is_backup;
        ensure(!changed || told.contains(path), || {
            format!("{path} changed on the target, and nothing tells of it")
        })?;
    }
    Ok(())
}

/// The counters are those of the events.
fn counted(events: &[Event], report: &Report) -> Check {
    let count = |action| events.iter().filter(|event| event.action == action).count() as u64;
    for (name, counter, action) in [
        ("transferred", report.transferred, Action::Transferred),
        ("deleted", report.deleted, Action::Deleted),
        ("renamed", report.renamed, Action::Renamed),
        ("errors", report.errors, Action::Failed),
        ("skipped", report.skipped, Action::Skipped),
    ] {
        ensure(counter == count(action), || {
            format!("the report counts {counter} {name}, and {} were told", count(action))
        })?;
    }
    Ok(())
}

/// Without faults a run makes the target what the source is; one more does nothing, and asks nothing but the listings.
fn converge(world: &World, stores: &Stores, options: SyncOptions) -> Check {
    for name in ["from", "to"] {
        stores.store(name).borrow_mut().unshown.clear();
    }
    // Whatever the clock did, it is later than anything was written.
    world.pass(std::time::Duration::from_secs(24 * 3600));
    let options = SyncOptions {
        dry_run: false,
        deletion: Deletion::After,
        max_delete: None,
        allow_empty_source: true,
        max_errors: None,
        max_transfer: None,
        backup: None,
        filter: Filter::default(),
        ..options
    };
    let again = |options: &SyncOptions| {
        let (engine, options) = (engine(stores), options.clone());
        let run =
            async move { drive(engine.sync(Operation::Sync, at("from", ""), at("to", ""), options)).await };
        let (events, outcome) = ended(world.run(run, None))?.ok_or("it was not to be killed")?;
        let report = outcome.map_err(|error| format!("a run without faults fails: {error}"))?;
        ensure(report.errors == 0, || format!("a run without faults has errors: {events:?}"))?;
        Ok::<_, String>((events, report))
    };
    if stores.store("to").borrow().kind == Kind::Files {
        without_clashes(stores);
    }
    again(&options)?;
    let (from, to) = (all(stores, "from"), all(stores, "to"));
    if from != to {
        let differing = from.keys().chain(to.keys()).find(|path| from.get(*path) != to.get(*path));
        return Err(format!(
            "after a run without faults both sides differ, at {}",
            differing.map_or("", |path| path.as_str())
        ));
    }
    check(world, stores)?;
    // What was written just now may still change and look the same.
    world.pass(std::time::Duration::from_secs(10));
    again(&options)?;
    world.pass(std::time::Duration::from_secs(10));
    drop(stores.take_calls());
    let (events, _) = again(&options)?;
    ensure(events.is_empty(), || format!("a run over what is unchanged does something: {events:?}"))?;
    let calls = stores.take_calls();
    let written = WRITES.iter().find(|call| calls.contains_key(*call));
    ensure(written.is_none(), || format!("a run over what is unchanged writes: {calls:?}"))?;
    let beside: u64 =
        calls.iter().filter(|(call, _)| **call != "page" && **call != "list").map(|(_, count)| count).sum();
    let both = [stores.store("from").borrow().kind, stores.store("to").borrow().kind];
    // What has neither a time nor a hash may change and look the same: nothing of it is remembered.
    let is_cheap = options.comparison == Comparison::Automatic
        && (both == [Kind::Files; 2] || (options.memo.is_some() && both[0] != Kind::Plain));
    ensure(!is_cheap || beside <= BESIDE, || {
        format!("a run over what is unchanged makes {beside} calls: {calls:?}")
    })
}

/// A check of what a run made equal finds nothing, and of what differs it finds that.
fn check(world: &World, stores: &Stores) -> Check {
    let compare = || {
        let (engine, options) = (engine(stores), SyncOptions::default());
        let run = async move { drive(engine.check(at("from", ""), at("to", ""), options)).await };
        let (_, outcome) = ended(world.run(run, None))?.ok_or("it was not to be killed")?;
        outcome.map_err(|error| format!("a check without faults fails: {error}"))
    };
    let objects = all(stores, "to").len() as u64;
    let report = compare()?;
    ensure(report.same == objects && report.checked == objects, || {
        format!("a check of {objects} objects that are the same says {report:?}")
    })?;
    let Some((path, mut contents)) = all(stores, "to").into_iter().next() else { return Ok(()) };
    let before = stores.store("to").borrow().clone();
    contents[0] ^= 1;
    let written =
        stores.store("to").borrow_mut().put(&path, contents, &WriteOptions::default(), world.clock());
    written.map_err(|error| error.to_string())?;
    let report = compare()?;
    ensure(report.differ == 1, || format!("a check of one object that differs says {report:?}"))?;
    *stores.store("to").borrow_mut() = before;
    Ok(())
}

/// Objects above others, which a store may have and a file system cannot, leave the source.
fn without_clashes(stores: &Stores) {
    let paths: Vec<Path> = all(stores, "from").into_keys().collect();
    let above =
        paths.iter().filter(|path| paths.iter().any(|other| other != *path && other.starts_with(path)));
    let store = stores.store("from");
    above.for_each(|path| drop(store.borrow_mut().delete(path)));
}

fn all(stores: &Stores, name: &str) -> Contents {
    contents(&stores.store(name).borrow(), &Path::root())
}
