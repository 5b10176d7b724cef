//! Transfers objects from one place to the other.

use std::rc::Rc;

use omnistorage_core::{
    entry::Entry,
    sync::{compare::modify_window, memo::Identity},
};
use omnistorage_types::{CopyRequest, Error, ErrorCode, ObjectInfo, Path, WriteCondition, WriteOptions};

use super::{
    arrived::{Arrived, identity},
    backup::Backup,
    copying::{as_it_is, copy_many, is_unsupported, move_many, through, verify},
    fence::Fences,
    likeness::Likeness,
    place::{Reading, Writing},
    recode::Recoder,
    removal::delete_unchanged,
    retry::retrying_many,
    waiting::Item,
};
use crate::planted::{self, Bug};

/// Transfers objects from the source to the target.
#[derive(Clone)]
pub(super) struct Carrier {
    pub(super) source: Reading,
    pub(super) target: Writing,
    /// For a move: transferred objects are removed from the source.
    pub(super) remover: Option<Writing>,
    pub(super) backup: Option<Rc<Backup>>,
    pub(super) recoder: Option<Recoder>,
    pub(super) ignore_size: bool,
    /// The caller needs to know which version was transferred.
    pub(super) remembers: bool,
    pub(super) fences: Rc<Fences>,
}

/// How an object was transferred.
enum Way {
    /// It is on both sides now.
    Copied(Arrived),
    /// It has left the source.
    Moved,
    /// It did not: its place is not as it was seen.
    Overtaken(Option<Box<Entry>>),
}

/// What a transfer came to that did not fail.
pub(super) enum Arrival {
    /// The object is there.
    There(Arrived),
    /// Somebody else was faster: this is there, if anything is.
    Overtaken(Option<Box<Entry>>),
}

fn copied(results: Vec<Result<Arrived, Error>>) -> Vec<Result<Way, Error>> {
    results.into_iter().map(|result| result.map(Way::Copied)).collect()
}

/// The result for one object.
pub(super) struct Carried {
    pub(super) item: Item,
    pub(super) arrived: Result<Arrival, Error>,
    /// The result of the removal, for a move of an object that was transferred.
    pub(super) removed: Option<Result<(), Error>>,
}

impl Carrier {
    /// Transfers objects, in one call if the host can.
    pub(super) async fn carry(&self, items: Vec<Item>) -> Vec<Carried> {
        let kept = self.keep_replaced(&items).await;
        let ready = items.iter().zip(&kept).filter(|(_, kept)| kept.is_ok());
        let ready: Vec<_> = ready.map(|(item, _)| item).collect();
        let carried = retrying_many(&self.source.attempts, &ready, async |items| {
            if planted::has(Bug::RetryKeepsAgain)
                && let Some(backup) = &self.backup
            {
                let paths: Vec<_> =
                    items.iter().filter(|item| item.replaces()).map(|item| &item.source.path).collect();
                drop(backup.keep(&self.target, &paths).await);
            }
            match &self.recoder {
                Some(recoder) => copied(self.recode(recoder, &items).await),
                None if self.remover.is_some() => self.relocate(&items).await,
                None => copied(self.copy(&items).await),
            }
        });
        let mut carried = self.look_again(&ready, carried.await).await.into_iter();
        let arrived: Vec<_> = kept
            .into_iter()
            .map(|kept| kept.and_then(|()| carried.next().unwrap_or_else(|| self.no_result())))
            .collect();

        let mut removed = match &self.remover {
            Some(remover) => {
                let there =
                    items.iter().zip(&arrived).filter(|(_, arrived)| matches!(arrived, Ok(Way::Copied(_))));
                let there: Vec<_> = there.map(|(item, _)| &item.source).collect();
                delete_unchanged(remover, &there).await
            }
            None => Vec::new(),
        }
        .into_iter();
        let carried = items.into_iter().zip(arrived).map(|(item, arrived)| {
            let removed = match &arrived {
                Ok(Way::Copied(_)) => removed.next(),
                Ok(Way::Moved) => Some(Ok(())),
                Ok(Way::Overtaken(_)) | Err(_) => None,
            };
            let arrived = arrived.map(|way| match way {
                Way::Copied(arrived) => Arrival::There(arrived),
                Way::Moved => Arrival::There(None),
                Way::Overtaken(there) => Arrival::Overtaken(there),
            });
            Carried { item, arrived, removed }
        });
        carried.collect()
    }

    /// Looks again at objects that failed: did they change since they were listed?
    async fn look_again(
        &self,
        items: &[&Item],
        mut carried: Vec<Result<Way, Error>>,
    ) -> Vec<Result<Way, Error>> {
        for (item, result) in items.iter().zip(&mut carried) {
            match result {
                Err(error) if error.code() == ErrorCode::Corrupted => {
                    if let Ok(Some(now)) = self.source.stat(&item.source.path).await
                        && has_changed(&item.source, &now)
                    {
                        let message = "it is being changed, and not what was listed any more: run it again when that is over";
                        *result = Err(self.source.error(ErrorCode::Unavailable, &item.source.path, message));
                    }
                }
                Err(error)
                    if error.code() == ErrorCode::PreconditionFailed
                        && self.condition(item) != WriteCondition::Always =>
                {
                    *result = self.overtaken(item).await;
                }
                _ => {}
            }
        }
        carried
    }

    /// The place of an object is not as it was seen. It may be this run that changed it, by a request whose answer was
    /// lost, or another that brought the same.
    async fn overtaken(&self, item: &Item) -> Result<Way, Error> {
        let there = self.target.0.stat(&self.target_path(&item.source)).await?;
        match there {
            Some(there) if self.is_there(&item.source, &there).await? => Ok(Way::Copied(None)),
            there => Ok(Way::Overtaken(there.map(Box::new))),
        }
    }

    async fn is_there(&self, entry: &Entry, there: &Entry) -> Result<bool, Error> {
        if planted::has(Bug::ClaimsForeign) {
            return Ok(true);
        }
        let likeness = Likeness {
            source: &self.source,
            target: &self.target.0,
            recoder: self.recoder.clone(),
            ignore_size: self.ignore_size,
            contents_only: self.remover.is_some(),
        };
        likeness.holds(entry, there).await
    }

    fn condition(&self, item: &Item) -> WriteCondition {
        self.fences.condition(item.seen.get())
    }

    fn no_result<T>(&self) -> Result<T, Error> {
        Err(self.source.error(
            ErrorCode::Other,
            &Path::root(),
            "the backend gave fewer results than it was asked for",
        ))
    }

    /// Keeps a copy of what is about to be replaced, if that was asked for.
    async fn keep_replaced(&self, items: &[Item]) -> Vec<Result<(), Error>> {
        let mut results: Vec<_> = items.iter().map(|_| Ok(())).collect();
        let Some(backup) = &self.backup else { return results };
        let replaced = || items.iter().enumerate().filter(|(_, item)| item.replaces());
        let paths: Vec<_> = replaced().map(|(_, item)| self.target_path(&item.source)).collect();
        let paths: Vec<_> = paths.iter().collect();
        let kept = retrying_many(&self.source.attempts, &paths, async |paths| {
            backup.keep(&self.target, &paths).await
        });
        for ((position, _), kept) in replaced().zip(kept.await) {
            if let Some(result) = results.get_mut(position) {
                *result = kept;
            }
        }
        results
    }

    /// Moves objects in one step where possible, and copies the others.
    async fn relocate(&self, items: &[&Item]) -> Vec<Result<Way, Error>> {
        let request = |item: &&Item| {
            let request = self.request(item)?;
            // Whatever version it is by now, it is moved as a whole.
            let options = WriteOptions { expected_size: None, expected_hash: None, ..request.options };
            Ok(CopyRequest { options, ..request })
        };
        let requests: Result<Vec<_>, Error> = items.iter().map(request).collect();
        let moved = match requests {
            Ok(requests) => move_many(&self.source, &self.target.0, requests).await,
            Err(error) => return items.iter().map(|_| Err(error.clone())).collect(),
        };
        let rest = items.iter().zip(&moved).filter(|(_, moved)| is_unsupported(moved));
        let rest: Vec<_> = rest.map(|(item, _)| *item).collect();
        let mut rest = self.copy(&rest).await.into_iter();
        let moved = moved.into_iter().map(|moved| match is_unsupported(&moved) {
            true => rest.next().unwrap_or_else(|| self.no_result()).map(Way::Copied),
            false => moved.map(|()| Way::Moved),
        });
        moved.collect()
    }

    fn target_path(&self, entry: &Entry) -> Path {
        self.recoder.as_ref().map_or_else(|| entry.path.clone(), |recoder| recoder.target_path(&entry.path))
    }

    /// Compresses or decompresses what has to be, one after another: the component computes on one thread.
    async fn recode(&self, recoder: &Recoder, items: &[&Item]) -> Vec<Result<Arrived, Error>> {
        let mut carried = Vec::with_capacity(items.len());
        for item in items {
            let entry = &item.source;
            carried.push(if recoder.changes(entry) {
                let size = entry.size.filter(|_| !self.ignore_size);
                let (source, target) = (&self.source, &self.target.0);
                let carry = async |condition| recoder.carry(source, target, entry, size, condition).await;
                let sent = self.fences.conditionally(self.condition(item), carry).await;
                sent.and_then(|sent| {
                    item.seen.wrote(&sent.written);
                    sent.verify(target, &recoder.target_path(&entry.path))
                })
            } else {
                let message = "the backend gave no result for it";
                let missing = || Err(self.source.error(ErrorCode::Other, &entry.path, message));
                self.copy(&[*item]).await.pop().unwrap_or_else(missing)
            });
        }
        carried
    }

    /// Copies as they are. What a listing tells may only look like a hash: bytes that are not its are looked at once
    /// more before they count as damaged.
    async fn copy(&self, items: &[&Item]) -> Vec<Result<Arrived, Error>> {
        let mut copied = self.copy_as_listed(items).await;
        for (item, result) in items.iter().zip(&mut copied) {
            let entry = &item.source;
            let is_doubtful = self.source.lists_writes && !entry.hashes.is_empty();
            if is_doubtful
                && matches!(result, Err(error) if error.code() == ErrorCode::Corrupted)
                && let Ok(Some(seen)) = self.source.stat(&entry.path).await
                && !entry.hashes.iter().any(|hash| seen.hashes.contains(hash))
                && let item = (Item {
                    source: Entry { hashes: seen.hashes, ..entry.clone() },
                    reason: item.reason,
                    seen: item.seen.clone(),
                })
                && let Some(again) = self.copy_as_listed(&[&item]).await.pop()
            {
                // The bytes are not those of a hash that was listed: of which version they are is not known.
                *result = again.map(|_| None);
            }
        }
        copied
    }

    async fn copy_as_listed(&self, items: &[&Item]) -> Vec<Result<Arrived, Error>> {
        if let [item] = items
            && let Some(etag) = self.version(&item.source)
        {
            match self.copy_version(item, etag).await {
                // Not of the source, or the target has something now: whatever it is, is told as ever.
                Err(error) if error.code() == ErrorCode::PreconditionFailed => {}
                copied => return vec![copied],
            }
        }
        let requests: Result<Vec<_>, Error> = items.iter().map(|item| self.request(item)).collect();
        let copied = match requests {
            Ok(requests) => self.copy_conditionally(requests).await,
            Err(error) => items.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut verified = Vec::with_capacity(copied.len());
        for (item, copied) in items.iter().zip(copied) {
            verified.push(match copied {
                Ok(written) => {
                    item.seen.wrote(&written);
                    self.verify(&item.source, written).await
                }
                Err(error) => Err(error),
            });
        }
        verified
    }

    async fn copy_conditionally(&self, requests: Vec<CopyRequest>) -> Vec<Result<ObjectInfo, Error>> {
        let mut copied = copy_many(&self.source, &self.target.0, requests.clone()).await;
        for (request, result) in requests.into_iter().zip(&mut copied) {
            if is_unsupported(result) && self.fences.may_do_without(&request.options.condition) {
                let condition = request.options.condition.clone();
                let options = WriteOptions { condition: WriteCondition::Always, ..request.options };
                let request = CopyRequest { options, ..request };
                let again = copy_many(&self.source, &self.target.0, vec![request]).await.pop();
                *result = again.unwrap_or_else(|| self.no_result());
                if result.is_ok() {
                    self.fences.refused(&condition);
                }
            }
        }
        copied
    }

    /// The version that was listed, if an object is to be copied as that one. Nothing else would tell of which version
    /// the bytes were, where the target keeps no times and the source lists no hashes: the next run would have to read
    /// both sides. Only of what is near, since what is far is read in other ways that are faster.
    fn version<'a>(&self, entry: &'a Entry) -> Option<&'a str> {
        let (source, target) = (&self.source, &self.target.0);
        let is_told = target.capabilities.modified_precision.is_some() || !entry.hashes.is_empty();
        let is_near = source.features().batches && !source.shares_backend(target);
        let is_wanted = self.remembers && is_near && !is_told && Identity::of_source(entry).is_some();
        entry.etag.as_deref().filter(|_| is_wanted)
    }

    /// Copies an object, provided that it is still this version.
    async fn copy_version(&self, item: &Item, etag: &str) -> Result<Arrived, Error> {
        let (source, target, request) = (&self.source, &self.target.0, self.request(item)?);
        let written = through(source, target, request, Some(etag.to_owned())).await?;
        item.seen.wrote(&written);
        let arrived = identity(&written).filter(|arrived| Some(arrived.size) == item.source.size);
        self.hold(&item.source, written).await.map(|()| arrived)
    }

    /// Holds what was written to what was listed. What a store tells of it may only look like a hash, too.
    async fn verify(&self, entry: &Entry, written: ObjectInfo) -> Result<Arrived, Error> {
        let arrived = if self.is_listed(entry, &written) { identity(&written) } else { None };
        self.hold(entry, written).await.map(|()| arrived)
    }

    /// Whether what was written is of the version of the source that was listed: its time came along, or its hash was
    /// demanded of the bytes.
    fn is_listed(&self, entry: &Entry, written: &ObjectInfo) -> bool {
        let (source, target) = (&self.source, &self.target.0);
        let precisions = (source.precision_ns(), target.precision_ns());
        let by_time = match (precisions, entry.modified, written.modified) {
            ((Some(from), Some(to)), Some(listed), Some(written)) if !source.lists_writes => {
                let window = modify_window(Some(from), Some(to), None).map_or(0, u128::from);
                written.nanoseconds_since(listed).unsigned_abs() <= window
            }
            _ => false,
        };
        // See `request`.
        let by_hash = !entry.hashes.is_empty() && !source.shares_backend(target);
        (by_time || by_hash) && entry.size == written.size
    }

    async fn hold(&self, entry: &Entry, written: ObjectInfo) -> Result<(), Error> {
        let target = &self.target.0;
        let verified = verify(target, entry, &written, self.ignore_size);
        if verified.is_ok() || !target.lists_writes || written.hashes.is_empty() {
            return verified;
        }
        match target.stat(&entry.path).await? {
            Some(seen) => {
                let hashes = seen.hashes.into_iter().collect();
                verify(target, entry, &ObjectInfo { size: seen.size, hashes, ..written }, self.ignore_size)
            }
            None => verified,
        }
    }

    /// What the bytes must satisfy. Everything else is taken from the source.
    fn request(&self, item: &Item) -> Result<CopyRequest, Error> {
        let entry = &item.source;
        let options = WriteOptions {
            condition: self.condition(item),
            expected_size: entry.size.filter(|_| !self.ignore_size),
            // A store vouches for its own copies.
            expected_hash: (!self.source.shares_backend(&self.target.0))
                .then(|| entry.hashes.first().cloned())
                .flatten(),
            ..as_it_is()
        };
        let (source, target) = (self.source.full(&entry.path)?, self.target.0.full(&entry.path)?);
        Ok(CopyRequest { source, target, options })
    }
}

/// Whether an object has changed since it was listed, by the details that both times were known.
fn has_changed(listed: &Entry, now: &Entry) -> bool {
    fn differ<T: PartialEq>(listed: &Option<T>, now: &Option<T>) -> Option<bool> {
        Some(listed.as_ref()? != now.as_ref()?)
    }
    differ(&listed.etag, &now.etag).unwrap_or_else(|| {
        differ(&listed.size, &now.size) == Some(true) || differ(&listed.modified, &now.modified) == Some(true)
    })
}
