//! Two-way sync: both sides agree in the end, and no version is gone that nobody replaced or deleted.

use std::collections::BTreeSet;

use omnistorage_types::{BisyncOptions, Comparison, DeleteLimit, Path, Winner};

use crate::{
    Check, at, drive, ended, engine, ensure, faults,
    port::{Faults, Stores},
    store::Kind,
    tree::{Author, Contents, contents},
    world::World,
};

/// A first run, then rounds of changes on both sides.
pub(crate) fn run(world: &World) -> Check {
    let kinds = (world.one_of(&Kind::ALL), world.one_of(&Kind::ALL));
    let stores = Stores::new(world.clone(), &[("one", kinds.0), ("two", kinds.1), ("state", Kind::Files)]);
    world.tell(|| format!("bisync of {:?} and {:?}", kinds.0, kinds.1));
    let mut author = Author::default();
    author.fill(world, &mut stores.store("one").borrow_mut(), 12);
    author.fill(world, &mut stores.store("two").borrow_mut(), 12);
    let options = BisyncOptions {
        comparison: world.one_of(&[Comparison::Automatic, Comparison::Checksum]),
        winner: world.one_of(&[Winner::Newer, Winner::Older, Winner::Larger, Winner::First, Winner::Second]),
        max_delete: DeleteLimit::Percent(100),
        allow_empty: true,
        transfers: world.chance(|rng| rng.u32(1..6)),
        retries: world.chance(|rng| rng.u32(1..4)),
        ..BisyncOptions::default()
    };
    if !agree(world, &stores, &BisyncOptions { resync: true, ..options.clone() })? {
        return Ok(());
    }
    let mut agreed = both(&stores).0;
    for _ in 0..world.chance(|rng| rng.u32(1..4)) {
        author.change(world, &mut stores.store("one").borrow_mut());
        world.pass(std::time::Duration::from_secs(2));
        author.change(world, &mut stores.store("two").borrow_mut());
        world.pass(std::time::Duration::from_secs(2));
        let new = new_versions(&agreed, &stores);
        for _ in 0..world.chance(|rng| rng.u32(0..3)) {
            stores.set_faults(faults(world));
            let killed_after = world.happens(250).then(|| world.chance(|rng| rng.u64(1..3000)));
            let (engine, options) = (engine(&stores), options.clone());
            let run = async move {
                drive(engine.bisync([at("one", ""), at("two", "")], at("state", "s"), options)).await
            };
            let outcome = world.run(run, killed_after);
            stores.set_faults(Faults::default());
            drop(ended(outcome)?);
            nothing_lost(&new, &stores)?;
            world.pass(std::time::Duration::from_secs(2));
        }
        if !agree(world, &stores, &options)? {
            return Ok(());
        }
        nothing_lost(&new, &stores)?;
        agreed = both(&stores).0;
    }
    Ok(())
}

/// Runs without faults make both sides alike, and the last of them does nothing. Unless there is an object where the other
/// side has a directory: that is for people to solve, and nothing is known of the sides then.
fn agree(world: &World, stores: &Stores, options: &BisyncOptions) -> Check<bool> {
    let mut told = Vec::new();
    let mut has_clash = false;
    for round in 0..4 {
        let (engine, options) =
            (engine(stores), BisyncOptions { resync: options.resync && round == 0, ..options.clone() });
        let run = async move {
            drive(engine.bisync([at("one", ""), at("two", "")], at("state", "s"), options)).await
        };
        let (events, outcome) = ended(world.run(run, None))?.ok_or("it was not to be killed")?;
        let report = outcome.map_err(|error| format!("a run without faults fails: {error}"))?;
        has_clash = report.errors > 0;
        if events.is_empty() {
            break;
        }
        told = events;
        world.pass(std::time::Duration::from_secs(2));
    }
    if has_clash {
        return Ok(false);
    }
    let (one, two) = both(stores);
    ensure(one == two, || {
        let differing = one.keys().chain(two.keys()).find(|path| one.get(*path) != two.get(*path));
        format!(
            "both sides differ after runs without faults, at {}: {told:?}",
            differing.map_or("", |path| path.as_str())
        )
    })?;
    Ok(true)
}

fn both(stores: &Stores) -> (Contents, Contents) {
    let of = |name| contents(&stores.store(name).borrow(), &Path::root());
    (of("one"), of("two"))
}

/// Versions that came since both agreed.
fn new_versions(agreed: &Contents, stores: &Stores) -> BTreeSet<Vec<u8>> {
    let old: BTreeSet<&Vec<u8>> = agreed.values().collect();
    let (one, two) = both(stores);
    one.into_values().chain(two.into_values()).filter(|contents| !old.contains(contents)).collect()
}

/// Each new version is still somewhere: it won, or is kept under another name.
fn nothing_lost(new: &BTreeSet<Vec<u8>>, stores: &Stores) -> Check {
    let (one, two) = both(stores);
    let there: BTreeSet<&Vec<u8>> = one.values().chain(two.values()).collect();
    let lost = new.iter().find(|contents| !there.contains(contents));
    ensure(lost.is_none(), || {
        let lost = lost.map_or_else(String::new, |contents| {
            String::from_utf8_lossy(&contents[..contents.len().min(8)]).into_owned()
        });
        format!("the version {lost} is on neither side")
    })
}
