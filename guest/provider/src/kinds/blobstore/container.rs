//! A container that the host has given, and what is known about its objects.

use std::{fmt, iter, sync::Arc};

use omnistorage::{Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result, backend::require_object};

use super::{
    bindings::wasi::blobstore::{
        blobstore,
        container::{Container as Resource, StreamObjectNames},
        types::{IncomingValue, ObjectId},
    },
    failure::{failure, missing, sentence},
    names,
};

/// Names asked for at once.
const PAGE: u64 = 1000;

/// A container; clones are the same one.
#[derive(Clone)]
pub(super) struct Container(Arc<Inner>);

struct Inner {
    name: String,
    resource: Resource,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Container").field(&self.0.name).finish()
    }
}

impl Container {
    /// Gets a container, and makes it if it is not there and may be made.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::PermissionDenied`] if the host does not hand it out.
    pub(super) fn open(name: &str, create: bool) -> Result<Self> {
        let quoted = name.escape_debug();
        let refused = |told: String| {
            let message = format!("the host does not give the container `{quoted}`: {}", sentence(&told));
            Error::new(ErrorCode::PermissionDenied, message)
        };
        let is_there = blobstore::container_exists(name).map_err(refused)?;
        if !is_there && !create {
            let message = format!(
                "the host has no container `{quoted}`: make it there, or let it be made by the setting `create=true`"
            );
            return Err(Error::new(ErrorCode::NotFound, message));
        }
        let opened = if is_there {
            blobstore::get_container(name)
        } else {
            // Somebody else may have made it meanwhile.
            blobstore::create_container(name).or_else(|told| blobstore::get_container(name).map_err(|_| told))
        };
        let resource = opened.map_err(refused)?;
        Ok(Self(Arc::new(Inner { name: name.to_owned(), resource })))
    }

    /// The container as the host knows it.
    pub(super) fn resource(&self) -> &Resource {
        &self.0.resource
    }

    /// An object of this container, for calls that name both.
    pub(super) fn id(&self, object: &str) -> ObjectId {
        ObjectId { container: self.0.name.clone(), object: object.to_owned() }
    }

    /// Whether it is the same container.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }

    /// Bytes of an object; `None` if there is none of that name.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn size(&self, name: &str) -> Result<Option<u64>> {
        match self.resource().object_info(name) {
            // Where containers are directories, a directory has a size, too.
            Ok(info) => Ok((!self.is_directory(name)?).then_some(info.size)),
            // The sentence does not tell whether it is missing.
            Err(told) => match self.resource().has_object(name) {
                Ok(false) => Ok(None),
                Ok(true) | Err(_) => Err(failure(&told)),
            },
        }
    }

    /// Whether a name is that of a directory, in a host whose objects are files: there it is found with a slash at its
    /// end as well. Elsewhere that may be an object of its own, so a directory is what cannot be read besides.
    fn is_directory(&self, name: &str) -> Result<bool> {
        if !self.resource().has_object(&format!("{name}/")).map_err(|told| failure(&told))? {
            return Ok(false);
        }
        let first = self.resource().get_data(name, 0, 1).and_then(IncomingValue::incoming_value_consume_sync);
        Ok(first.is_err())
    }

    /// An object, with its size.
    ///
    /// # Errors
    /// [`ErrorCode::IsDirectory`] for the root, [`ErrorCode::NotFound`]; what the host says.
    pub(super) fn object(&self, path: &Path) -> Result<(ObjectInfo, u64)> {
        require_object(path)?;
        names::check(path)?;
        let size = self.size(path.as_str())?.ok_or_else(missing)?;
        Ok((ObjectInfo { size: Some(size), ..ObjectInfo::new(path.clone(), ObjectKind::Object) }, size))
    }

    /// What stands at a path: an object, or a prefix of one.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; what the host says.
    pub(super) fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        if path.is_root() {
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        match self.object(path) {
            Ok((info, _)) => return Ok(info),
            Err(error) if error.code() == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
        let above = format!("{path}/");
        let mut names = self.names()?;
        while let Some(page) = names.next()? {
            let is_below =
                |name: &String| name.strip_prefix(&above).is_some_and(|below| !names::is_temporary(below));
            if page.iter().any(is_below) {
                return Ok(ObjectInfo::new(path.clone(), ObjectKind::Directory));
            }
        }
        Err(missing())
    }

    /// All names in the container.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn names(&self) -> Result<Names> {
        Ok(Names(Some(self.resource().list_objects().map_err(|told| failure(&told))?)))
    }

    /// Deletes an object; fine if there is none.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn delete(&self, name: &str) -> Result<()> {
        match self.resource().delete_object(name) {
            Ok(()) => Ok(()),
            // Some hosts do not take it well that there is nothing.
            Err(told) => match self.size(name)? {
                None => Ok(()),
                Some(_) => Err(failure(&told)),
            },
        }
    }

    /// Why nothing can be written to a path: where containers are directories, because of what stands there.
    pub(super) fn refusal(&self, path: &Path, told: &str) -> Error {
        let is_object = |path: &Path| matches!(self.size(path.as_str()), Ok(Some(_)));
        if matches!(self.is_directory(path.as_str()), Ok(true)) {
            Error::new(ErrorCode::IsDirectory, "a directory is there")
        } else if iter::successors(path.parent(), Path::parent).any(|above| is_object(&above)) {
            Error::new(ErrorCode::NotDirectory, "the path runs through an object")
        } else {
            failure(told)
        }
    }

    /// Puts a whole object of that size, which has a temporary name, in the place of another.
    ///
    /// # Errors
    /// What the host says. [`ErrorCode::Corrupted`] if the object is not of that size: the old one stays.
    pub(super) fn put(&self, temporary: &str, path: &Path, size: u64) -> Result<()> {
        let stored = self.size(temporary)?;
        if stored != Some(size) {
            let stored = stored.map_or("nothing".to_owned(), |stored| format!("{stored} bytes"));
            let message = format!("{size} bytes were written, and the host's blobstore has {stored} of them");
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        blobstore::move_object(&self.id(temporary), &self.id(path.as_str()))
            .map_err(|told| self.refusal(path, &told))?;
        // A word is no evidence: there are hosts that say so whatever happened.
        if self.size(temporary)?.is_some() || self.size(path.as_str())?.is_none() {
            return Err(failure("the object was moved, but it is not where it should be"));
        }
        Ok(())
    }
}

/// Names of objects, in the order of the host.
pub(super) struct Names(Option<StreamObjectNames>);

impl Names {
    /// Further names, perhaps none; `None` at the end.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn next(&mut self) -> Result<Option<Vec<String>>> {
        let Some(stream) = &self.0 else { return Ok(None) };
        let (names, is_end) = stream.read_stream_object_names(PAGE).map_err(|told| failure(&told))?;
        if is_end {
            self.0 = None;
        }
        Ok(Some(names))
    }
}
