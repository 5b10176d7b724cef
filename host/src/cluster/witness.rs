//! Witnesses: what the client saw in the two places. A worker must see most of it, too: on a machine where a disk is not
//! mounted, a source looks empty, and all that the target has looks extra.

use futures::{
    StreamExt,
    future::{try_join, try_join_all},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorCode, Location, ObjectKind, Path, Result,
    backend::ListOptions,
    ranges::{Operation, Transfer},
    runtime::{Storage, SyncOptions},
};

/// Objects of a side that are kept in mind.
const MOST: usize = 5;

/// Objects that are looked for at a time.
const AT_ONCE: usize = 8;

/// Objects that are looked for on both sides.
const CANDIDATES: usize = 40;

/// What the client saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Witnesses {
    source: Vec<Witness>,
    /// The run may change their sizes.
    target: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Witness {
    path: String,
    size: Option<u64>,
}

impl Witnesses {
    /// Looks at some of the borders, which are paths of the source, and at its first object; and at what the target has
    /// of them.
    pub(super) async fn of(
        storage: &Storage,
        sides: [&Location; 2],
        options: &SyncOptions,
        borders: &[Path],
    ) -> Result<Self> {
        let [source, target] = sides;
        let every = borders.len().div_ceil(CANDIDATES).max(1);
        let mut candidates: Vec<Path> = borders.iter().step_by(every).cloned().collect();
        if candidates.is_empty() {
            candidates.extend(first(storage, source).await?);
        }
        let mut witnesses = Self::default();
        for some in candidates.chunks(AT_ONCE) {
            let looks =
                some.iter().map(|path| try_join(look(storage, source, path), look(storage, target, path)));
            for (path, (on_source, on_target)) in some.iter().zip(try_join_all(looks).await?) {
                let Seen::Object { size } = on_source else { continue };
                if matches!(on_target, Seen::Object { .. }) && stays(storage, sides, options, path).await {
                    witnesses.target.push(path.to_string());
                }
                witnesses.source.push(Witness { path: path.to_string(), size });
            }
        }
        thin(&mut witnesses.source);
        thin(&mut witnesses.target);
        Ok(witnesses)
    }

    /// Whether most of them are seen from here; otherwise a sentence on the first that is not. They may change while a run
    /// goes on, so not all need be; and what a move took from the source is on the target.
    ///
    /// # Errors
    /// Those of the two places, but for what is not there.
    pub(super) async fn confirm(
        &self,
        storage: &Storage,
        operation: Operation,
        sides: [&Location; 2],
    ) -> Result<Option<String>> {
        let [source, target] = sides;
        let may_move = operation == Operation::Transfer(Transfer::Move);
        // One after the other on each side: looks at the same time would take a sandbox each.
        let on_source = async {
            let mut unseen = Vec::with_capacity(self.source.len());
            for Witness { path, size } in &self.source {
                let (at, expected) = (Path::parse(path.as_str())?, Seen::Object { size: *size });
                let is_there = look(storage, source, &at).await? == expected
                    || may_move && look(storage, target, &at).await? == expected;
                unseen.push((!is_there).then_some(path.as_str()));
            }
            Ok::<_, Error>(unseen)
        };
        let on_target = async {
            let mut unseen = Vec::with_capacity(self.target.len());
            for path in &self.target {
                let is_there = look(storage, target, &Path::parse(path.as_str())?).await? != Seen::Nothing;
                unseen.push((!is_there).then_some(path.as_str()));
            }
            Ok::<_, Error>(unseen)
        };
        let (on_source, on_target) = try_join(on_source, on_target).await?;
        if let Some(path) = lacking(&on_source) {
            return Ok(Some(format!(
                "the source seen from here is another one: it lacks `{path}`, or has something else there"
            )));
        }
        if let Some(path) = lacking(&on_target) {
            return Ok(Some(format!("the target seen from here is another one: it lacks `{path}`")));
        }
        Ok(None)
    }
}

/// Whether an object that both sides have stays on the target: one that the filter excludes may be deleted there.
async fn stays(
    storage: &Storage,
    [source, target]: [&Location; 2],
    options: &SyncOptions,
    path: &Path,
) -> bool {
    if !options.filter.delete_excluded {
        return true;
    }
    let explanation = storage.explain(source, target, path, options).await;
    explanation.is_ok_and(|explanation| explanation.included)
}

/// The first witness that is not seen, unless most of them are.
fn lacking<'a>(unseen: &[Option<&'a str>]) -> Option<&'a str> {
    let count = unseen.iter().flatten().count();
    if 2 * count < unseen.len() { None } else { unseen.iter().flatten().next().copied() }
}

/// Leaves some that are spread over all.
fn thin<T>(all: &mut Vec<T>) {
    let every = all.len().div_ceil(MOST).max(1);
    let mut at = 0;
    all.retain(|_| {
        at += 1;
        (at - 1) % every == 0
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Object { size: Option<u64> },
    Other,
}

async fn look(storage: &Storage, at: &Location, path: &Path) -> Result<Seen> {
    let at = Location { backend: at.backend.clone(), path: at.path.join(path)? };
    match storage.stat(&at).await {
        Ok(info) if info.kind == ObjectKind::Object => Ok(Seen::Object { size: info.size }),
        Ok(_) => Ok(Seen::Other),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::NotDirectory) => {
            Ok(Seen::Nothing)
        }
        Err(error) => Err(error),
    }
}

/// The first object below a place.
async fn first(storage: &Storage, at: &Location) -> Result<Option<Path>> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let mut entries = storage.list(at, &options).await?;
    while let Some(listed) = entries.next().await {
        // A name that is no path is told by the run itself.
        if let Ok(entry) = listed?.into_entry()
            && entry.kind == ObjectKind::Object
        {
            return Ok(entry.path.strip_prefix(&at.path));
        }
    }
    Ok(None)
}
