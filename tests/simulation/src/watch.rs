//! What an engine was told of the stores, and what it changed: nothing that somebody else wrote may be replaced or deleted
//! by an engine that has not seen it, where the store can tell.

use std::collections::BTreeSet;

use omnistorage_types::{ListOptions, ObjectInfo, Path};

use crate::store::Object;

/// Contents of a foreign writer begin so.
pub(crate) const FOREIGN: &[u8] = b"foreign";

/// What is to be held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// What is replaced on the target was seen.
    pub(crate) replaces_seen: bool,
    /// What is deleted there was seen.
    pub(crate) deletes_seen: bool,
    /// Nothing is deleted there of which the source was not asked twice.
    pub(crate) looks_twice: bool,
}

/// What was seen and done since a run began, from the store `from` to the store `to`.
pub(crate) struct Watch {
    promise: Promise,
    /// Etags of the target that the engine was told.
    told: BTreeSet<String>,
    /// What the source was asked for.
    looks: Vec<Look>,
    /// What the engine wrote to the target.
    brought: BTreeSet<(Path, Vec<u8>)>,
    broken: Option<String>,
}

/// What an answer of the source is about.
enum Look {
    At(Path),
    Below { prefix: Path, options: ListOptions },
}

impl Look {
    fn covers(&self, path: &Path) -> bool {
        match self {
            Self::At(at) => at == path,
            Self::Below { prefix, options } => {
                let inside = path.strip_prefix(prefix).filter(|inside| !inside.is_root());
                let is_near = |inside: Path| inside.parent().is_none_or(|above| above.is_root());
                options.spans(path.as_str())
                    && inside.is_some_and(|inside| options.recursive || is_near(inside))
            }
        }
    }
}

impl Watch {
    /// Of a run that begins.
    pub(crate) fn new(promise: Promise) -> Self {
        let (told, looks, brought) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        Self { promise, told, looks, brought, broken: None }
    }

    /// An answer about one object.
    pub(crate) fn told(&mut self, store: &str, path: &Path, info: Option<&ObjectInfo>) {
        match store {
            "from" => self.looks.push(Look::At(path.clone())),
            "to" => self.told.extend(info.and_then(|info| info.etag.clone())),
            _ => {}
        }
    }

    /// A page of a listing, which proves that there is nothing else between two bounds, or does not.
    pub(crate) fn listed(
        &mut self,
        store: &str,
        prefix: &Path,
        options: ListOptions,
        is_proof: bool,
        infos: impl Iterator<Item = ObjectInfo>,
    ) {
        match store {
            "from" if is_proof => self.looks.push(Look::Below { prefix: prefix.clone(), options }),
            "from" => self.looks.extend(infos.map(|info| Look::At(info.path))),
            "to" => self.told.extend(infos.filter_map(|info| info.etag)),
            _ => {}
        }
    }

    /// The engine wrote an object, in the place of another perhaps.
    pub(crate) fn wrote(&mut self, store: &str, path: &Path, old: Option<(Object, String)>, contents: &[u8]) {
        if store != "to" {
            return;
        }
        self.brought.insert((path.clone(), contents.to_vec()));
        self.hold(self.promise.replaces_seen, path, old, "replaced");
    }

    /// The engine deleted an object.
    pub(crate) fn deleted(&mut self, store: &str, path: &Path, old: Option<(Object, String)>) {
        if store != "to" || old.is_none() {
            return;
        }
        self.hold(self.promise.deletes_seen, path, old, "deleted");
        let looks = self.looks.iter().filter(|look| look.covers(path)).count();
        if self.promise.looks_twice && looks < 2 {
            self.break_it(format!(
                "{path} is deleted, and the source was asked {looks} times whether it has it"
            ));
        }
    }

    fn hold(&mut self, is_promised: bool, path: &Path, old: Option<(Object, String)>, what: &str) {
        let Some((object, etag)) = old.filter(|_| is_promised) else { return };
        if object.contents.starts_with(FOREIGN) && !self.told.contains(&etag) {
            self.break_it(format!("{path} was written by somebody else, and is {what} unseen"));
        }
    }

    fn break_it(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    /// Whether the engine wrote these bytes there.
    pub(crate) fn has_brought(&self, path: &Path, contents: &[u8]) -> bool {
        self.brought.contains(&(path.clone(), contents.to_vec()))
    }

    /// What did not hold.
    pub(crate) fn outcome(&self) -> Result<(), String> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}
