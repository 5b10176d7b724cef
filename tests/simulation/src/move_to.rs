//! Moves: each byte of the source is on one side or the other, whatever happens.

use std::collections::BTreeSet;

use omnistorage_engine::Operation;
use omnistorage_types::{Action, Comparison, Path, SyncOptions};

use crate::{
    Check, at, drive, ended, engine, ensure, faults,
    port::{Faults, Stores},
    store::Kind,
    tree::{Author, contents},
    world::World,
};

/// A few runs over one source, some of them killed, and one without faults.
pub(crate) fn run(world: &World) -> Check {
    let kinds = (world.one_of(&Kind::ALL), world.one_of(&Kind::ALL));
    // Two directories of one store, now and then: then objects move in one step.
    let same = world.happens(300);
    let stores = Stores::new(world.clone(), &[("from", kinds.0), ("to", kinds.1)]);
    let target = if same { at("from", "target") } else { at("to", "") };
    world.tell(|| {
        format!("move from {:?} to {:?}, {}", kinds.0, kinds.1, if same { "one store" } else { "two" })
    });
    let mut author = Author::default();
    author.fill(world, &mut stores.store("from").borrow_mut(), 20);
    if !same {
        author.fill(world, &mut stores.store("to").borrow_mut(), 8);
        author.imitate(world, &stores.store("from").borrow(), &mut stores.store("to").borrow_mut());
    }
    // What has this name lies below the target.
    let clashes =
        same && stores.store("from").borrow().objects().any(|(path, _)| path.as_str().starts_with("target"));
    let is_single = same && stores.store("from").borrow().objects().any(|(path, _)| path.as_str() == "a");
    if clashes || is_single {
        return Ok(());
    }
    let source = if same { at("from", "a") } else { at("from", "") };
    let options = SyncOptions {
        comparison: world.one_of(&[Comparison::Automatic, Comparison::ExactTimes, Comparison::Checksum]),
        update_only: world.happens(100),
        immutable: world.happens(100),
        transfers: world.chance(|rng| rng.u32(1..8)),
        checkers: world.chance(|rng| rng.u32(1..8)),
        retries: world.chance(|rng| rng.u32(1..4)),
        delete_empty_source_directories: world.happens(300),
        ..SyncOptions::default()
    };
    for round in 0..world.chance(|rng| rng.u32(1..4)) {
        let sources = contents(&stores.store("from").borrow(), &source.path);
        stores.set_faults(faults(world));
        let killed_after = world.happens(250).then(|| world.chance(|rng| rng.u64(1..2000)));
        let (engine, options) = (engine(&stores), options.clone());
        let (from, to) = (source.clone(), target.clone());
        let outcome = world
            .run(async move { drive(engine.sync(Operation::Move, from, to, options)).await }, killed_after);
        stores.set_faults(Faults::default());
        let there: BTreeSet<Vec<u8>> = ["from", "to"]
            .into_iter()
            .flat_map(|name| contents(&stores.store(name).borrow(), &Path::root()).into_values())
            .collect();
        for (path, contents) in &sources {
            ensure(there.contains(contents), || {
                format!("what was at {path} is on neither side, in round {round}")
            })?;
        }
        let Some((events, _)) = ended(outcome)? else { continue };
        let (left, arrived) = (
            contents(&stores.store("from").borrow(), &source.path),
            contents(&stores.store(&target.backend).borrow(), &target.path),
        );
        for event in events.iter().filter(|event| event.action == Action::SourceRemoved) {
            let path = Path::parse(event.path.as_str()).map_err(|why| why.to_string())?;
            ensure(!left.contains_key(&path), || {
                format!("{path} was told to have left the source, and is there")
            })?;
            ensure(arrived.get(&path) == sources.get(&path), || {
                format!("{path} left the source, and the target has something else")
            })?;
        }
        world.pass(std::time::Duration::from_secs(5));
    }
    let before = contents(&stores.store("from").borrow(), &source.path);
    let (engine, options) =
        (engine(&stores), SyncOptions { immutable: false, update_only: false, ..options });
    let (from, to) = (source.clone(), target.clone());
    let run = async move { drive(engine.sync(Operation::Move, from, to, options)).await };
    let (events, outcome) = ended(world.run(run, None))?.ok_or("it was not to be killed")?;
    let Ok(report) = outcome else {
        // There is nothing left to move.
        return ensure(before.is_empty(), || format!("a move without faults fails: {outcome:?}"));
    };
    // An object where a directory should be, or the other way round, is an error of a move.
    if report.errors == 0 {
        let left = contents(&stores.store("from").borrow(), &source.path);
        ensure(left.is_empty(), || {
            format!("a move without faults left {:?}: {events:?}", left.keys().next())
        })?;
    }
    let arrived = contents(&stores.store(&target.backend).borrow(), &target.path);
    let left = contents(&stores.store("from").borrow(), &source.path);
    for (path, contents) in &before {
        ensure(arrived.get(path) == Some(contents) || left.get(path) == Some(contents), || {
            format!("what was at {path} is on neither side after a move without faults")
        })?;
    }
    Ok(())
}
