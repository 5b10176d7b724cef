//! Paths as a host of WASI knows them: they lead from the directories that it grants, and no link is followed.

use std::path::{self, Component, PathBuf};

use wasip3::filesystem::preopens;

use super::{Need, local_path};
use crate::{
    Path,
    cli::{exit::Failure, output::printable},
};

/// The granted directory that holds a path, the innermost of several, and the path in it. A path that does not begin with
/// `/` means the same as one that does. The host has no links to follow here, so `..` is what stands before it.
pub(in crate::cli) fn resolve(
    typed: &str,
    path: &path::Path,
    _directory: bool,
    _need: Need,
) -> Result<(PathBuf, Path), Failure> {
    let wanted = plain(path).ok_or_else(|| {
        let message = format!("`{}`: it leads out of what the host grants", printable(typed));
        Failure::usage(message)
    })?;
    let root = roots()
        .filter(|root| wanted.starts_with(root))
        .max_by_key(|root| root.components().count())
        .ok_or_else(|| not_granted(typed))?;
    let below = wanted.strip_prefix(&root).unwrap_or(&wanted);
    let path = local_path(typed, below.iter())?;
    Ok((root, path))
}

/// Whether no granted directory lies in this one or around it, by their names. What is in two of them is two things to the
/// host, and only by chance one.
pub(in crate::cli) fn is_apart(root: &path::Path) -> bool {
    roots().filter(|other| other != root).all(|other| !other.starts_with(root) && !root.starts_with(&other))
}

/// The directories that the host grants.
fn roots() -> impl Iterator<Item = PathBuf> {
    preopens::get_directories().into_iter().filter_map(|(_, path)| plain(path::Path::new(&path)))
}

/// A path from `/` on, without `.` and `..`; `None` if it leads above that.
fn plain(path: &path::Path) -> Option<PathBuf> {
    let mut plain = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => drop(plain.pop().then_some(())?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(plain)
}

fn not_granted(typed: &str) -> Failure {
    let mut names: Vec<_> = roots().map(|root| format!("`{}`", root.display())).collect();
    names.sort();
    let granted =
        if names.is_empty() { "none at all".to_owned() } else { format!("only {}", names.join(", ")) };
    let typed = printable(typed);
    let how = "grant it by `--dir` of wasmtime, in front of the name of this file";
    Failure::usage(format!("`{typed}`: the host grants no directory that holds it, {granted}: {how}"))
}
