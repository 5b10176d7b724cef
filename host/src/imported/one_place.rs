//! Whether two names of directories stand for one: a host may grant it twice.

use wasip3::filesystem::{
    preopens,
    types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags},
};

use crate::{Location, Path};

/// Whether the source and the target of a move are one directory, or the source is an object in the target. Each is known by
/// what the host opens under its name; that one lies deeper in the other is not seen.
pub(super) async fn is_one_place(source: &Location, target: &Location) -> bool {
    let Some(to) = open(&target.backend, &target.path).await else { return false };
    let parent = source.path.parent().unwrap_or_default();
    for path in [&source.path, &parent] {
        if let Some(from) = open(&source.backend, path).await {
            return from.is_same_object(&to).await;
        }
    }
    false
}

/// The name of the backend of a directory that the host grants under a path: without `/` at its ends and `./` in front.
pub(crate) fn name(granted: &str) -> &str {
    let name = granted.trim_matches('/');
    match name.strip_prefix("./").unwrap_or(name) {
        "" | "." => "files",
        name => name,
    }
}

/// A directory that the host grants, or one in it; `None` if there is none.
async fn open(backend: &str, path: &Path) -> Option<Descriptor> {
    let (root, _) = preopens::get_directories().into_iter().find(|(_, granted)| name(granted) == backend)?;
    if path.is_root() {
        return Some(root);
    }
    let path = path.as_str().to_owned();
    root.open_at(PathFlags::empty(), path, OpenFlags::DIRECTORY, DescriptorFlags::READ).await.ok()
}
