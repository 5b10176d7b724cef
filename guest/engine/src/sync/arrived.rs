//! What is known about an object that was transferred.

use omnistorage_core::{
    entry::{Entry, ObjectKind},
    sync::memo::Identity,
};
use omnistorage_types::{ObjectInfo, Path};

/// What the target has now, where it is known to be of the version of the source that was listed.
pub(super) type Arrived = Option<Identity>;

/// What distinguishes this version of an object from others.
pub(super) fn identity(written: &ObjectInfo) -> Option<Identity> {
    let mut entry = Entry::new(Path::root(), ObjectKind::Object);
    entry.size = written.size;
    entry.etag.clone_from(&written.etag);
    Identity::of_target(&entry)
}
