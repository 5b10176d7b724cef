//! Moves: one rename, within a root or between two roots on one file system. The object stays the same file, so what a
//! writer appends meanwhile is in it.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
use rustix::{
    fs::{Access, AtFlags, Stat},
    io::Errno,
};

use super::{
    attributes::Attributes,
    chain::Identity,
    error::{absent_below_objects, failure, special_in_place},
    info::{kind, modification_time},
    no_replace::rename_to_free,
    object::Object,
    parents::{Like, Parents},
    permissions::Permissions,
    placement::{Placement, already_there},
    read::hash_of,
    root::{Interrupt, Root, check_name},
    tree::{split, split_object},
    upload::{check_hash, check_size},
};
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Result,
    backend::{CopyRequest, WriteCondition, WriteOptions},
};

/// Moves an object in one step. `Unsupported` from one file system to another.
pub(super) fn rename(
    from: &Arc<Root>,
    to: &Arc<Root>,
    request: &CopyRequest,
    interrupt: &Interrupt,
) -> Result<ObjectInfo> {
    let CopyRequest { source, target, options } = request;
    let given = check_target(to, target, options).map_err(Error::on_target)?;
    if from.link_name(source.as_str()).is_some() || to.link_name(target.as_str()).is_some() {
        return Err(Error::unsupported(super::KIND, "move of a link").at(super::KIND, source));
    }
    if from.follows() {
        return Err(Error::unsupported(super::KIND, "moves where links are followed").at(super::KIND, source));
    }
    let object = Object::open(from, source)?;
    check_size(options.expected_size, object.size(), source)?;
    if let Some(expected) = &options.expected_hash {
        check_hash(expected, &hash_of(&object, expected.algorithm, &mut Vec::new(), interrupt)?, source)?;
    }
    let is_one_root = Arc::ptr_eq(from, to);
    if is_one_root && source == target {
        return match options.condition {
            WriteCondition::IfAbsent => Err(itself(target)),
            _ => object.info(from),
        };
    }
    if !is_one_root && device_of(to, target) != Some(object.stat.st_dev) {
        return Err(other_file_system(source));
    }

    let (parent, name) = split_object(source).map_err(|errno| failure(errno, source))?;
    let directory = from.tree.directory(parent).map_err(|errno| absent_below_objects(errno, source))?;
    let like = Like { root: from.clone(), parent: parent.to_owned() };
    let mut renaming = Renaming { from: directory, name, object, to, target, options };
    renaming.rename(source, like, &given)
}

/// Refuses what the target cannot store; returns what is to be kept beside the bytes.
fn check_target(to: &Root, target: &Path, options: &WriteOptions) -> Result<Attributes> {
    to.check_options(options, target)?;
    if matches!(options.condition, WriteCondition::IfMatch(_)) {
        return Err(Error::unsupported(super::KIND, "moves if an etag matches").at(super::KIND, target));
    }
    check_name(target)?;
    if let Some(modified) = options.modified {
        modification_time(modified, target)?;
    }
    Attributes::of(options, target)
}

fn other_file_system(source: &Path) -> Error {
    let message = "source and target are on different file systems, between which nothing moves in one step";
    super::error::error(ErrorCode::Unsupported, message, source)
}

/// The device on which an object at that path would be: that of the innermost existing directory above it.
fn device_of(root: &Root, target: &Path) -> Option<u64> {
    let mut path = split(target.as_str()).0;
    loop {
        match root.tree.directory(path) {
            Ok(directory) => return rustix::fs::fstat(&directory).ok().map(|stat| stat.st_dev),
            Err(_) if path.is_empty() => return None,
            Err(_) => path = split(path).0,
        }
    }
}

struct Renaming<'a> {
    from: Arc<OwnedFd>,
    name: &'a str,
    object: Object,
    to: &'a Arc<Root>,
    target: &'a Path,
    options: &'a WriteOptions,
}

impl Renaming<'_> {
    fn rename(&mut self, source: &Path, like: Like, given: &Attributes) -> Result<ObjectInfo> {
        let Self { to, target, .. } = *self;
        let refused = |errno| failure(errno, target).on_target();
        let (parent, name) = split_object(target).map_err(refused)?;
        let parents = Parents::make(to, parent, Some(like)).map_err(refused)?;
        let place = Placement::new(Permissions::Usual, &self.options.condition);
        parents.check_names(target, &place).map_err(Error::on_target)?;
        if name == self.name && is_same(&self.from, &parents.directory) {
            return match self.options.condition {
                WriteCondition::IfAbsent => Err(itself(target)),
                _ => self.object.info(to),
            };
        }
        let old = rustix::fs::statat(&parents.directory, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        match old.as_ref().map(kind) {
            Some(ObjectKind::Directory) => return Err(refused(Errno::ISDIR)),
            Some(ObjectKind::Special) if self.options.condition == WriteCondition::Always => {
                return Err(special_in_place(target).on_target());
            }
            _ => {}
        }
        given.replace(&self.object.file, target).map_err(Error::on_target)?;
        if let Some(modified) = self.options.modified {
            let times = modification_time(modified, target)?;
            rustix::fs::futimens(&self.object.file, &times).map_err(refused)?;
        }
        self.put_in_place(&parents.directory, name, old.as_ref()).map_err(|errno| match errno {
            Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP => other_file_system(source),
            Errno::EXIST => already_there(&parents.directory, target).on_target(),
            Errno::NOENT => failure(errno, source),
            Errno::ACCESS | Errno::PERM if !may_change(&self.from) => failure(errno, source),
            _ => refused(errno),
        })?;
        let stat = || {
            parents.keep()?;
            if to.fsync {
                rustix::fs::fsync(&self.from)?;
            }
            rustix::fs::fstat(&self.object.file)
        };
        let mut info = to.info(target.clone(), &stat().map_err(refused)?);
        if to.keeps_metadata() {
            to.attributes(&self.object.file, &self.object.stat).map_err(refused)?.add_to(&mut info);
        }
        Ok(info)
    }

    fn put_in_place(&self, to: &OwnedFd, name: &str, old: Option<&Stat>) -> Result<(), Errno> {
        let is_same_file = old.is_some_and(|old| Identity::from(old) == Identity::from(&self.object.stat));
        let is_second_name = is_same_file && self.object.stat.st_nlink > 1;
        match self.options.condition {
            // The only name of a file can be found at the new name only where the file system takes both for one: then
            // its spelling may change.
            WriteCondition::IfAbsent if !is_same_file || is_second_name => {
                rename_to_free(&self.from, self.name, to, name)
            }
            // Between two names of one file a rename does nothing: see rename(2).
            _ if is_second_name => rustix::fs::unlinkat(&self.from, self.name, AtFlags::empty()),
            _ => rustix::fs::renameat(&self.from, self.name, to, name),
        }
    }
}

fn itself(target: &Path) -> Error {
    super::error::error(ErrorCode::PreconditionFailed, "it is the object itself", target).on_target()
}

/// Whether two roots lead to one directory.
fn is_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    let identity = |directory| rustix::fs::fstat(directory).ok().map(|stat| Identity::from(&stat));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Whether the names in a directory are ours to change.
fn may_change(directory: &OwnedFd) -> bool {
    rustix::fs::accessat(directory, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}
