//! Two-way sync beside a model of it: random edits of both sides, in several rounds.

use std::collections::{BTreeMap, BTreeSet};

use omnistorage::{
    Backend, Path,
    runtime::{BisyncOptions, DeleteLimit},
};
use proptest::prelude::*;

use super::{bisync, delete, memories, write};

/// Contents, and the time at which they were written.
type Version = (String, i64);

type Tree = BTreeMap<String, Version>;

/// What both sides are, and what each was when they agreed last.
#[derive(Debug, Default)]
struct Model {
    sides: [Tree; 2],
    agreed: BTreeMap<String, [Version; 2]>,
}

impl Model {
    fn edit(&mut self, edit: &Edit, time: i64) {
        let side = &mut self.sides[usize::from(edit.on_second)];
        match &edit.contents {
            Some(contents) => _ = side.insert(edit.path.clone(), (contents.clone(), time)),
            None => _ = side.remove(&edit.path),
        }
    }

    fn bisync(&mut self) {
        let paths: BTreeSet<String> =
            self.sides.iter().flat_map(Tree::keys).chain(self.agreed.keys()).cloned().collect();
        for path in paths {
            let now = [0, 1].map(|side| self.sides[side].get(&path).cloned());
            let then = self.agreed.get(&path).cloned();
            let was = |side: usize| then.as_ref().map(|then| then[side].clone());
            let changed = [0, 1].map(|side| now[side] != was(side));
            match now {
                [Some(one), Some(other)] if one.0 == other.0 => self.settle(&path, one, other),
                [Some(one), _] if changed[0] && !changed[1] => self.settle(&path, one.clone(), one),
                [_, Some(other)] if changed[1] && !changed[0] => self.settle(&path, other.clone(), other),
                [Some(one), Some(other)] if changed == [true, true] => {
                    let (won, lost) = if one.1 > other.1 { (one, other) } else { (other, one) };
                    self.settle(&path, won.clone(), won);
                    let is_free = |name: &String| self.sides.iter().all(|side| !side.contains_key(name));
                    let name = (1..).map(|n| format!("{path}.conflict{n}")).find(is_free).unwrap();
                    self.settle(&name, lost.clone(), lost);
                }
                // Changed here, deleted there.
                [Some(one), None] if changed[0] => self.settle(&path, one.clone(), one),
                [None, Some(other)] if changed[1] => self.settle(&path, other.clone(), other),
                [Some(_), Some(_)] => {}
                _ => {
                    self.sides.iter_mut().for_each(|side| _ = side.remove(&path));
                    self.agreed.remove(&path);
                }
            }
        }
    }

    fn settle(&mut self, path: &str, one: Version, other: Version) {
        self.agreed.insert(path.to_owned(), [one.clone(), other.clone()]);
        let [first, second] = &mut self.sides;
        first.insert(path.to_owned(), one);
        second.insert(path.to_owned(), other);
    }
}

#[derive(Clone, Debug)]
struct Edit {
    on_second: bool,
    path: String,
    /// None: it is deleted.
    contents: Option<String>,
}

fn edits() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    let path = prop::sample::select(vec!["a", "a-b", "a.conflict1", "b/c", "b/d", "b.e"]);
    let contents = prop::option::weighted(0.7, prop::sample::select(vec!["", "1", "2", "longer"]));
    let edit = (any::<bool>(), path, contents).prop_map(|(on_second, path, contents)| Edit {
        on_second,
        path: path.to_owned(),
        contents: contents.map(str::to_owned),
    });
    prop::collection::vec(prop::collection::vec(edit, 0..8), 1..4)
}

async fn read(backend: &dyn Backend) -> Tree {
    let mut tree = Tree::new();
    for (path, contents) in crate::setup::tree(backend).await {
        let info = backend.stat(&Path::parse(path.clone()).unwrap()).await.unwrap();
        tree.insert(path, (contents, info.modified.unwrap().seconds));
    }
    tree
}

async fn both_do_the_same(rounds: Vec<Vec<Edit>>) {
    let (both, mut model) = (memories(), Model::default());
    // Something that is there always: an empty place is a case of its own.
    let anchor = Edit { on_second: false, path: "z".to_owned(), contents: Some(String::new()) };
    let (mut time, mut resync) = (0, true);
    for round in std::iter::once(vec![anchor]).chain(rounds) {
        for edit in &round {
            time += 1;
            let side = if edit.on_second { &both.second } else { &both.first };
            match &edit.contents {
                Some(contents) => write(&**side, &edit.path, contents, time).await,
                None => delete(&**side, &edit.path).await,
            }
            model.edit(edit, time);
        }
        let options =
            BisyncOptions { resync, max_delete: DeleteLimit::Percent(100), ..BisyncOptions::default() };
        let dry_run = BisyncOptions { dry_run: true, ..options.clone() };
        let told = bisync(&both.storage, &dry_run).await.unwrap();
        let done = bisync(&both.storage, &options).await.unwrap();
        assert_eq!(told, done);
        assert_eq!(done.1.errors, 0, "{done:?}");
        model.bisync();
        let found = [read(&*both.first).await, read(&*both.second).await];
        assert_eq!(found, model.sides, "{done:?}");
        resync = false;
        let again = bisync(&both.storage, &BisyncOptions::default()).await.unwrap();
        assert_eq!(again.0, [""; 0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_run_does_what_the_model_does(rounds in edits()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(both_do_the_same(rounds));
    }
}
