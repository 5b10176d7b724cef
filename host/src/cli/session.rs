//! From places to a storage: which backends the component gets, and no more of each than the command needs.

use std::{
    path::{self, PathBuf},
    sync::Arc,
};

use super::{
    Globals,
    configuration::Configuration,
    exit::{Exit, Failure, Subject},
    local,
    output::printable,
    place::{Place, PlaceKind},
    standard::Standard,
};
use crate::{
    Backend, Config, Error, FileBackend, Location, MemoryBackend, Path, Registry,
    backend::file::FileOptions,
    runtime::{Runtime, RuntimeOptions, Storage},
};

/// As many as any command has at once: a listing, and the calls beside it.
const SANDBOXES: u32 = 16;

/// What of a place a command needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// What it contains: of a directory, all below it. Links that lead to it are followed.
    Contents,
    /// Itself, to make or remove it: its directory is granted, and a link is itself.
    Entry,
}

/// A storage with the backends of a command, and the names the user has for what is in them.
pub(crate) struct Session {
    pub(crate) storage: Storage,
    labels: Vec<Label>,
}

/// What the user calls a location.
struct Label {
    location: Location,
    /// The kind of the backend: errors of backends name it instead of the mount.
    kind: String,
    typed: String,
}

/// A place, found.
struct Resolved<'a> {
    place: &'a Place,
    path: Path,
    /// The directory that the path starts from, without links; none if it is not a local one.
    root: Option<PathBuf>,
    /// Whether a backend of our own for that directory is as good as the one that is meant.
    is_plain: bool,
}

impl Resolved<'_> {
    fn full(&self) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.join(self.path.as_str()))
    }
}

impl Session {
    /// Grants one place.
    pub(crate) fn one(globals: &Globals, place: &Place, need: Need) -> Result<(Self, Location), Failure> {
        let mut mounts = Mounts::new(globals);
        let resolved = mounts.resolve(place, need)?;
        let location = mounts.mount(&resolved, "file")?;
        Ok((mounts.finish()?, location))
    }

    /// Grants a source and a target. If one contains the other, both are locations of one backend, so that the
    /// component sees it.
    pub(crate) fn two(
        globals: &Globals,
        source: &Place,
        target: &Place,
    ) -> Result<(Self, Location, Location), Failure> {
        let mut mounts = Mounts::new(globals);
        let mut source = mounts.resolve(source, Need::Contents)?;
        let mut target = mounts.resolve(target, Need::Contents)?;

        // Two places of one configured backend are seen for what they are.
        let are_of_one_backend = matches!(
            (&source.place.kind, &target.place.kind),
            (PlaceKind::Configured { name: one, .. }, PlaceKind::Configured { name: other, .. }) if one == other
        );
        if !are_of_one_backend
            && let (Some(from), Some(to)) = (source.full(), target.full())
            && (from.starts_with(&to) || to.starts_with(&from))
            && let (Some(one), Some(other)) = (&source.root, &target.root)
        {
            if !(source.is_plain && target.is_plain) {
                let (source, target) = (&source.place.typed, &target.place.typed);
                let message = format!("`{}` and `{}` overlap", printable(source), printable(target));
                return Err(Failure::new(Exit::Fatal, message));
            }
            // Both roots are above the inner place, so that one of them is above the other.
            let outer = if one.starts_with(other) { other } else { one }.clone();
            let locate = |resolved: &Resolved<'_>, full: PathBuf| {
                let rest = full.strip_prefix(&outer).unwrap_or(&full);
                local::local_path(&resolved.place.typed, rest.iter())
            };
            (source.path, target.path) = (locate(&source, from)?, locate(&target, to)?);
            let source = mounts.mount_directory(&source, "file", &outer)?;
            let target = mounts.mount_directory(&target, "file", &outer)?;
            return Ok((mounts.finish()?, source, target));
        }
        let source = mounts.mount(&source, "source")?;
        let target = mounts.mount(&target, "target")?;
        Ok((mounts.finish()?, source, target))
    }

    /// Grants objects of which no two may be the same. Those in one directory are locations of one backend.
    pub(crate) fn many(globals: &Globals, places: &[Place]) -> Result<(Self, Vec<Location>), Failure> {
        let mut mounts = Mounts::new(globals);
        let resolved = places.iter().map(|place| mounts.resolve(place, Need::Contents));
        let resolved = resolved.collect::<Result<Vec<_>, _>>()?;
        let mut locations = Vec::with_capacity(places.len());
        for (index, this) in resolved.iter().enumerate() {
            let before = &resolved[..index];
            if let Some(full) = this.full()
                && let Some(same) = before.iter().find(|other| other.full().as_ref() == Some(&full))
            {
                let [one, other] = [same, this].map(|resolved| printable(&resolved.place.typed));
                return Err(Failure::usage(format!("`{one}` and `{other}` are the same place")));
            }
            let first = before.iter().position(|other| other.root == this.root).unwrap_or(index);
            locations.push(mounts.mount(this, &format!("place {}", first + 1))?);
        }
        Ok((mounts.finish()?, locations))
    }

    /// What the user calls a path of a backend.
    pub(crate) fn name(&self, backend: &str, path: &str) -> Option<String> {
        let path = Path::parse(path).ok()?;
        let by_kind = || {
            let mut of_kind = self.labels.iter().filter(|label| label.kind == backend);
            of_kind
                .next()
                .filter(|first| of_kind.all(|label| label.location.backend == first.location.backend))
        };
        let backend = match self.labels.iter().find(|label| label.location.backend == backend) {
            Some(label) => &label.location.backend,
            None => &by_kind()?.location.backend,
        };
        let labels = self.labels.iter().filter(|label| label.location.backend == *backend);
        let (label, rest) = labels
            .filter_map(|label| Some((label, path.strip_prefix(&label.location.path)?)))
            .max_by_key(|(label, _)| label.location.path.as_str().len())?;
        Some(join(&label.typed, rest.as_str()))
    }

    /// The error as a sentence in the user's words.
    pub(crate) fn describe(&self, error: &Error) -> String {
        let name = match (error.location(), self.labels.as_slice()) {
            (Some((backend, path)), _) => self.name(backend, path),
            (None, [only]) => Some(only.typed.clone()),
            (None, _) => None,
        };
        match name {
            Some(name) => format!("`{}`: {}", printable(&name), error.message()),
            None => error.to_string(),
        }
    }

    /// The error of a command about `subject`, as its end.
    pub(crate) fn failure(&self, subject: Subject) -> impl Fn(Error) -> Failure {
        move |error| Failure::new(Exit::of(error.code(), subject), self.describe(&error))
    }
}

/// A place with something below it.
pub(crate) fn join(place: &str, below: &str) -> String {
    match (place, below) {
        (_, "") => place.to_owned(),
        (_, below) if place.ends_with(['/', ':']) => format!("{place}{below}"),
        (_, below) => format!("{place}/{below}"),
    }
}

/// The backends of a session as they are collected.
struct Mounts<'a> {
    globals: &'a Globals,
    configuration: Option<Configuration>,
    backends: Vec<(String, Arc<dyn Backend>)>,
    labels: Vec<Label>,
}

impl<'a> Mounts<'a> {
    fn new(globals: &'a Globals) -> Self {
        Self { globals, configuration: None, backends: Vec::new(), labels: Vec::new() }
    }

    fn resolve<'p>(&mut self, place: &'p Place, need: Need) -> Result<Resolved<'p>, Failure> {
        Ok(match &place.kind {
            PlaceKind::Local { path, directory } => {
                let (root, path) = local::resolve(&place.typed, path, *directory, need)?;
                Resolved { place, path, root: Some(root), is_plain: true }
            }
            PlaceKind::Memory(path) | PlaceKind::Standard(path) | PlaceKind::Bucket { path, .. } => {
                Resolved { place, path: path.clone(), root: None, is_plain: true }
            }
            PlaceKind::Configured { name, path } => {
                let configuration = self.configuration()?;
                configuration.require(name)?;
                let (root, is_plain) = configuration.directory(name).unzip();
                Resolved { place, path: path.clone(), root, is_plain: is_plain.unwrap_or(true) }
            }
        })
    }

    fn configuration(&mut self) -> Result<&Configuration, Failure> {
        let loaded = match self.configuration.take() {
            Some(loaded) => loaded,
            None => self.globals.configuration()?,
        };
        Ok(self.configuration.insert(loaded))
    }

    /// Mounts the backend of a place; a local directory as `local_name`.
    fn mount(&mut self, resolved: &Resolved<'_>, local_name: &str) -> Result<Location, Failure> {
        match &resolved.place.kind {
            PlaceKind::Local { .. } => {
                let root = resolved.root.clone().unwrap_or_default();
                self.mount_directory(resolved, local_name, &root)
            }
            PlaceKind::Memory(_) => self.insert("memory", resolved, |_| Ok(Arc::new(MemoryBackend::new()))),
            PlaceKind::Standard(_) => {
                self.insert(Standard::NAME, resolved, |_| Ok(Arc::new(Standard::default())))
            }
            PlaceKind::Bucket { kind, bucket, .. } => {
                self.insert(&format!("{kind}://{bucket}"), resolved, |_| {
                    let config = Config::from([("bucket", bucket)]);
                    Registry::with_builtin().open(kind, config).map_err(|error| {
                        Failure::usage(format!("`{}`: {}", printable(&resolved.place.typed), error.message()))
                    })
                })
            }
            PlaceKind::Configured { name, .. } => self.insert(name, resolved, |mounts| {
                mounts.configuration()?.open(name, &Registry::with_builtin())
            }),
        }
    }

    fn mount_directory(
        &mut self,
        resolved: &Resolved<'_>,
        name: &str,
        root: &path::Path,
    ) -> Result<Location, Failure> {
        // A configured backend may be called `source` or `target`.
        let is_configured = |name: &str| {
            let configuration = self.configuration.as_ref();
            configuration
                .is_some_and(|configuration| configuration.backends().any(|(known, _)| known == name))
        };
        let name = if is_configured(name) { format!("local {name}") } else { name.to_owned() };
        self.insert(&name, resolved, |_| {
            let backend = FileBackend::open(root, FileOptions::default()).map_err(|error| {
                let message = format!("`{}`: {}", printable(&resolved.place.typed), error.message());
                Failure::new(Exit::of(error.code(), Subject::Tree), message)
            })?;
            Ok(Arc::new(backend))
        })
    }

    fn insert(
        &mut self,
        name: &str,
        resolved: &Resolved<'_>,
        open: impl FnOnce(&mut Self) -> Result<Arc<dyn Backend>, Failure>,
    ) -> Result<Location, Failure> {
        let mounted = self.backends.iter().find(|(mounted, _)| mounted == name);
        let kind = if let Some((_, backend)) = mounted {
            backend.kind().to_owned()
        } else {
            let backend = open(self)?;
            let kind = backend.kind().to_owned();
            self.backends.push((name.to_owned(), backend));
            kind
        };
        let location = Location { backend: name.to_owned(), path: resolved.path.clone() };
        self.labels.push(Label { location: location.clone(), kind, typed: resolved.place.typed.clone() });
        Ok(location)
    }

    fn finish(self) -> Result<Session, Failure> {
        let failed = |error: Error| Failure::new(Exit::Other, format!("cannot start the component: {error}"));
        // A command holds few sandboxes at once, and should start at once.
        let options = RuntimeOptions { sandboxes: SANDBOXES, ..RuntimeOptions::default() };
        let runtime = Runtime::new(&options).map_err(failed)?;
        let mut builder = Storage::builder(&runtime);
        for (name, backend) in self.backends {
            builder = builder.mount(name, backend);
        }
        Ok(Session { storage: builder.build(), labels: self.labels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_places_read_as_typed() {
        assert_eq!(join("a", "b"), "a/b");
        assert_eq!(join("a/", "b"), "a/b");
        assert_eq!(join("memory:", "b"), "memory:b");
        assert_eq!(join("a", ""), "a");
    }
}
