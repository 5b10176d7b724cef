//! Records from one object to another: the target is whole, or as it was.

use omnistorage_types::{Encoding, Path, WriteOptions};

use crate::{
    Check, at, ended, engine, ensure, faults,
    port::{Faults, Stores},
    store::Kind,
    world::World,
};

/// One conversion with faults, perhaps killed, and one without: both give the same, or the first gives nothing.
pub(crate) fn run(world: &World) -> Check {
    let stores =
        Stores::new(world.clone(), &[("from", world.one_of(&Kind::ALL)), ("to", world.one_of(&Kind::ALL))]);
    let count = world.chance(|rng| rng.u32(0..200));
    let lines: String = (0..count)
        .map(|line| match world.happens(100) {
            true => format!("{{\"id\":{line},\"more\":\"x\"}}\n"),
            false => format!("{{\"id\":{line}}}\n"),
        })
        .collect();
    let from = Path::parse("records.ndjson").unwrap_or_default();
    let put = stores.store("from").borrow_mut().put(
        &from,
        lines.into_bytes(),
        &WriteOptions::default(),
        world.clock(),
    );
    put.map_err(|error| error.to_string())?;
    let name = world.one_of(&["out.csv", "out.csv.gz", "out.lp.zst", "out.ndjson.sz"]);
    let to = Path::parse(name).unwrap_or_default();
    world.tell(|| format!("{count} records to {name}"));
    let convert = |name: &'static str, killed_after: Option<u64>| {
        let engine = engine(&stores);
        let run = async move {
            let encoding = Encoding::default;
            engine.convert(at("from", "records.ndjson"), encoding(), at("to", name), encoding()).await
        };
        ended(world.run(run, killed_after))
    };
    stores.set_faults(faults(world));
    let killed_after = world.happens(300).then(|| world.chance(|rng| rng.u64(1..500)));
    let first = convert(name, killed_after)?;
    stores.set_faults(Faults::default());
    let given = stores.store("to").borrow().object(&to).map(|object| object.contents.clone());
    if matches!(first, Some(Ok(_))) {
        ensure(given.is_some(), || "a conversion that went well left nothing".to_owned())?;
    }
    let second = convert(name, None)?.ok_or("it was not to be killed")?;
    let report = second.map_err(|error| format!("a conversion without faults fails: {error}"))?;
    ensure(report.records == u64::from(count), || {
        format!("{} records of {count} were converted", report.records)
    })?;
    let whole = stores.store("to").borrow().object(&to).map(|object| object.contents.clone());
    ensure(given.is_none() || given == whole, || "what was left is not what a conversion gives".to_owned())
}
