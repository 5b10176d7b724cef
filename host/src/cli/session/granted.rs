//! The places of a command in a component: its backends are there already, and are called by their names.

use std::{borrow::Cow, marker::PhantomData, path};

use super::{FileSettings, Label, Resolved, Session};
use crate::{
    Location, Path,
    backend::file::Links,
    cli::{
        Globals,
        exit::{Exit, Failure},
        local::{self, Need},
        output::printable,
        pair,
        place::{Place, PlaceKind, bucket_key},
    },
    runtime::{Storage, name},
};

/// The kind of directories.
const FILE: &str = "file";

/// The places of a session as they are collected.
pub(super) struct Mounts<'a> {
    pub(super) files: FileSettings,
    labels: Vec<Label>,
    /// A native session borrows the configuration.
    globals: PhantomData<&'a Globals>,
}

impl<'a> Mounts<'a> {
    pub(super) fn new(_: &'a Globals, files: FileSettings) -> Self {
        Self { files, labels: Vec::new(), globals: PhantomData }
    }

    /// There are no sandboxes in a component.
    pub(super) fn with_sandboxes_beside(self, _: u32) -> Self {
        self
    }

    pub(super) fn resolve<'p>(&mut self, place: &'p Place, need: Need) -> Result<Resolved<'p>, Failure> {
        match &place.kind {
            PlaceKind::Local { path, directory } => {
                let (root, path) = local::resolve(&place.typed, path, *directory, need)?;
                let is_plain = local::is_apart(&root);
                Ok(Resolved {
                    place,
                    kind: Cow::Borrowed(&place.kind),
                    path,
                    root: Some(root),
                    is_plain,
                    need,
                })
            }
            PlaceKind::Memory(path) | PlaceKind::Configured { path, .. } => {
                let (kind, path) = (Cow::Borrowed(&place.kind), path.clone());
                Ok(Resolved { place, kind, path, root: None, is_plain: true, need })
            }
            PlaceKind::Standard(_) => {
                let message = "standard input and output are no places of a component: `put` writes an object from its standard \
                               input, and `cat` reads one to its standard output";
                Err(Failure::usage(message))
            }
            PlaceKind::Buckets { .. } => Err(Failure::usage(
                "a component does not list buckets: its backends are described by its environment",
            )),
            PlaceKind::Bucket { kind, bucket, .. } => {
                let typed = printable(&place.typed);
                Err(Failure::usage(format!(
                    "`{typed}`: the backends of a component are described by its environment, as by \
                     `OMNISTORAGE_NAME_KIND={kind}` and `OMNISTORAGE_NAME_{}={}`, and written `NAME:path`",
                    bucket_key(kind).to_uppercase(),
                    printable(bucket)
                )))
            }
            PlaceKind::Server { kind, endpoint, .. } => {
                let typed = printable(&place.typed);
                Err(Failure::usage(format!(
                    "`{typed}`: the backends of a component are described by its environment, as by \
                     `OMNISTORAGE_NAME_KIND={kind}` and `OMNISTORAGE_NAME_ENDPOINT={}`, and written `NAME:path`",
                    printable(endpoint)
                )))
            }
        }
    }

    pub(super) fn mount(&mut self, resolved: &Resolved<'_>, _: &str) -> Result<Location, Failure> {
        match (&resolved.place.kind, &resolved.root) {
            (_, Some(root)) => self.mount_directory(resolved, FILE, root),
            (PlaceKind::Configured { name, .. }, _) => self.insert(name, name, resolved),
            _ => self.insert("memory", "memory", resolved),
        }
    }

    /// A granted directory, whose backend has its name.
    pub(super) fn mount_directory(
        &mut self,
        resolved: &Resolved<'_>,
        _: &str,
        root: &path::Path,
    ) -> Result<Location, Failure> {
        if self.files.metadata || self.files.links != Links::Skip {
            let message = format!(
                "`{}`: a host tells a component neither the links nor the mode and the owner of its files: leave out \
                 --links, --copy-links and --metadata",
                printable(&resolved.place.typed)
            );
            return Err(Failure::usage(message));
        }
        self.insert(name(&root.to_string_lossy()), FILE, resolved)
    }

    fn insert(&mut self, name: &str, kind: &str, resolved: &Resolved<'_>) -> Result<Location, Failure> {
        // Whether an object has the name of the directory that is meant is known to the kind of the backend.
        if resolved.root.is_none() && resolved.means_directory() {
            let message = format!("`{}`: write it without `/` at its end", printable(&resolved.place.typed));
            return Err(Failure::usage(message));
        }
        let location = Location { backend: name.to_owned(), path: resolved.path.clone() };
        let typed = resolved.place.typed.clone();
        self.labels.push(Label { location: location.clone(), kind: kind.to_owned(), typed });
        Ok(location)
    }

    /// The location of the memo of two places in its directory, as in a native host. `None` if it lies in one of them, or
    /// one of them in it.
    pub(super) fn memo(
        &mut self,
        directory: &Place,
        sides: [(&Resolved<'_>, &Location); 2],
    ) -> Result<Option<Location>, Failure> {
        let resolved = self.resolve(directory, Need::Contents)?;
        if let Some(full) = resolved.full() {
            let mut others = sides.iter().filter_map(|(side, _)| side.full());
            if others.any(|other| full.starts_with(&other) || other.starts_with(&full)) {
                return Ok(None);
            }
        }
        let [first, second] = sides.map(|(_, at)| at.to_string());
        let at = self.mount(&resolved, "memo")?;
        let refused = |error| Failure::new(Exit::Usage, format!("the path of the memo is refused: {error}"));
        let name = Path::parse(format!("{}.memo", pair::name(&first, &second))).map_err(refused)?;
        let path = at.path.join(&name).map_err(refused)?;
        Ok(Some(Location { path, ..at }))
    }

    /// No backend of a component is sure to hold nothing.
    pub(super) fn nothing(&mut self) -> Option<Location> {
        None
    }

    pub(super) fn finish(self) -> Result<Session, Failure> {
        Ok(Session { storage: Storage, labels: self.labels })
    }
}
