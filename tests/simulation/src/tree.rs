//! Random trees, and what happens to them between runs.

use std::collections::BTreeMap;

use omnistorage_types::{Path, Timestamp, WriteOptions};

use crate::{store::Store, world::World};

/// What is at each path.
pub(crate) type Contents = BTreeMap<Path, Vec<u8>>;

/// Names of which paths are made: some are prefixes of others, and sort on both sides of `/`.
const NAMES: [&str; 7] = ["a", "b", "a-b", "a.txt", "c", "draft.tmp", "seg"];

/// Makes contents that nothing else has, of sizes that many share.
#[derive(Default)]
pub(crate) struct Author {
    written: u64,
}

impl Author {
    /// New contents.
    pub(crate) fn contents(&mut self, world: &World) -> Vec<u8> {
        self.written += 1;
        let size = world.one_of(&[8, 8, 8, 9, 40, 3000]);
        let mut contents = format!("{:08}", self.written).into_bytes();
        contents.resize(size.max(contents.len()), b'.');
        if world.happens(4) {
            // Beyond what goes in a batch.
            contents.resize(300 * 1024, b'+');
        }
        contents
    }

    /// Writes a new object. Its time is one that no other has.
    pub(crate) fn write(&mut self, world: &World, store: &mut Store, path: &Path) {
        let contents = self.contents(world);
        world.pass(std::time::Duration::from_millis(3));
        let _ = store.put(path, contents, &WriteOptions::default(), world.clock());
    }

    /// A random tree of up to so many objects.
    pub(crate) fn fill(&mut self, world: &World, store: &mut Store, most: usize) {
        for _ in 0..world.chance(|rng| rng.usize(0..=most)) {
            let path = path(world);
            self.write(world, store, &path);
        }
    }

    /// Puts objects beside others that are called so, of the same size and time, and are something else.
    pub(crate) fn imitate(&mut self, world: &World, original: &Store, store: &mut Store) {
        for (path, object) in original.objects() {
            if world.happens(150) {
                let mut contents = self.contents(world);
                contents.resize(object.contents.len(), b'!');
                let options = WriteOptions { modified: Some(object.modified), ..WriteOptions::default() };
                let _ = store.put(path, contents, &options, world.clock());
            }
        }
    }

    /// What users do between two runs: new versions, removals, rotations, swaps.
    pub(crate) fn change(&mut self, world: &World, store: &mut Store) {
        for _ in 0..world.chance(|rng| rng.usize(0..6)) {
            let paths: Vec<Path> = store.objects().map(|(path, _)| path.clone()).collect();
            let Some(some) = pick(world, &paths) else {
                self.fill(world, store, 3);
                continue;
            };
            match world.chance(|rng| rng.u32(0..10)) {
                0..3 => self.write(world, store, &some),
                3..5 => {
                    let path = path(world);
                    self.write(world, store, &path);
                }
                5..7 => drop(store.delete(&some)),
                7..9 => {
                    // A rotation: it keeps its time, and takes the place of what has that name.
                    let to = path(world);
                    relocate(world, store, &some, &to);
                }
                _ => {
                    if let Some(other) = pick(world, &paths) {
                        swap(world, store, &some, &other);
                    }
                }
            }
        }
    }
}

/// A path, up to three levels deep.
pub(crate) fn path(world: &World) -> Path {
    let depth = world.chance(|rng| rng.usize(1..=3));
    let names: Vec<_> = (0..depth).map(|_| world.one_of(&NAMES)).collect();
    Path::parse(names.join("/")).unwrap_or_default()
}

fn pick(world: &World, paths: &[Path]) -> Option<Path> {
    (!paths.is_empty()).then(|| paths[world.chance(|rng| rng.usize(0..paths.len()))].clone())
}

fn relocate(world: &World, store: &mut Store, from: &Path, to: &Path) {
    let Some(object) = store.object(from).cloned() else { return };
    if from == to {
        return;
    }
    let options = WriteOptions { modified: Some(object.modified), ..WriteOptions::default() };
    if store.put(to, object.contents, &options, world.clock()).is_ok() {
        let _ = store.delete(from);
    }
}

fn swap(world: &World, store: &mut Store, one: &Path, other: &Path) {
    let (Some(first), Some(second)) = (store.object(one).cloned(), store.object(other).cloned()) else {
        return;
    };
    let given = |modified: Timestamp| WriteOptions { modified: Some(modified), ..WriteOptions::default() };
    let _ = store.put(one, second.contents, &given(second.modified), world.clock());
    let _ = store.put(other, first.contents, &given(first.modified), world.clock());
}

/// All objects below a prefix.
#[must_use]
pub(crate) fn contents(store: &Store, prefix: &Path) -> Contents {
    let inside = store
        .objects()
        .filter_map(|(path, object)| Some((path.strip_prefix(prefix)?, object.contents.clone())));
    inside.filter(|(path, _)| !path.is_root()).collect()
}
