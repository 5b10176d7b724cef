//! One body to several targets: as many hold it as were asked for, or each is as it was.

use async_trait::async_trait;
use omnistorage_engine::port::Body;
use omnistorage_types::{Error, ErrorCode, Mode, Outcome, Path, Result, WriteOptions};

use crate::{
    Check, at, ended, engine, ensure, faults,
    port::{Faults, Stores},
    store::Kind,
    tree::{Author, contents},
    world::World,
};

/// One tee.
pub(crate) fn run(world: &World) -> Check {
    let names = ["one", "two", "three", "four"];
    let kinds: Vec<_> = names.map(|name| (name, world.one_of(&Kind::ALL))).to_vec();
    let stores = Stores::new(world.clone(), &kinds);
    let count = world.chance(|rng| rng.usize(1..=names.len()));
    let path = Path::parse("x").unwrap_or_default();
    let mut author = Author::default();
    for name in &names[..count] {
        if world.happens(500) {
            author.write(world, &mut stores.store(name).borrow_mut(), &path);
        }
    }
    let before: Vec<_> = names.map(|name| contents(&stores.store(name).borrow(), &Path::root())).to_vec();
    let mode = world.one_of(&[Mode::All, Mode::Quorum, Mode::BestEffort]);
    let bytes = author.contents(world);
    let breaks = world.happens(200);
    world.tell(|| {
        format!("tee to {count} stores, {mode:?}{}", if breaks { ", of a body that breaks" } else { "" })
    });
    stores.set_faults(faults(world));
    let body = Given { world: world.clone(), rest: bytes.clone(), breaks };
    let targets: Vec<_> = names[..count].iter().map(|name| at(name, "x")).collect();
    let engine = engine(&stores);
    let run = async move { engine.tee(targets, Box::new(body), WriteOptions::default(), None, mode).await };
    let outcome = ended(world.run(run, None))?.ok_or("it was not to be killed")?;
    stores.set_faults(Faults::default());
    let (results, is_ok) = match outcome {
        Ok(results) => (results, true),
        Err(failure) => (failure.targets, false),
    };
    let holds =
        |name: &str| stores.store(name).borrow().object(&path).is_some_and(|object| object.contents == bytes);
    if is_ok {
        let written = results.iter().filter(|result| result.outcome.written().is_some()).count();
        ensure(written >= mode.needed(count), || {
            format!("{written} of {count} targets hold it, and that was well")
        })?;
    }
    ensure(!is_ok || !breaks, || "a body that broke was written".to_owned())?;
    for (index, result) in results.iter().enumerate() {
        let name = names[index];
        let is_as_it_was = contents(&stores.store(name).borrow(), &Path::root()) == before[index];
        match &result.outcome {
            Outcome::Written(_) => {
                ensure(holds(name), || format!("{name} was told to hold it, and does not"))?
            }
            // Its answer may be lost, and then it may be there all the same, whole.
            Outcome::Failed(_) | Outcome::Stranded(_) => {
                ensure(is_as_it_was || holds(name), || {
                    format!("{name} holds neither what it did nor all of the new")
                })?;
            }
            Outcome::Withheld | Outcome::Undone => {
                ensure(is_as_it_was, || format!("{name} was told to be as it was, and is not"))?;
            }
        }
    }
    Ok(())
}

struct Given {
    world: World,
    rest: Vec<u8>,
    breaks: bool,
}

#[async_trait(?Send)]
impl Body for Given {
    async fn next(&mut self, _buffer: Vec<u8>) -> Result<Option<Vec<u8>>> {
        self.world.sleep(std::time::Duration::from_millis(self.world.chance(|rng| rng.u64(0..40)))).await;
        if self.rest.is_empty() || (self.breaks && self.world.happens(500)) {
            return match self.breaks {
                true => Err(Error::new(ErrorCode::Cancelled, "whoever sent it left")),
                false => Ok(None),
            };
        }
        let size = self.world.chance(|rng| rng.usize(1..=self.rest.len()));
        let rest = self.rest.split_off(size);
        Ok(Some(std::mem::replace(&mut self.rest, rest)))
    }
}
