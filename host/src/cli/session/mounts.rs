//! The backends of a session, opened by the places of a command and the configuration.

use std::{borrow::Cow, path, sync::Arc};

use super::{FileSettings, Label, Resolved, Session};
use crate::{
    Backend, Config, Error, FileBackend, Location, MemoryBackend, Path, Registry, SftpBackend,
    backend::{file::FileOptions, gcs::GcsBuckets, layer::Layered, s3::S3Buckets},
    cli::{
        Globals,
        configuration::Configuration,
        directory::Directory,
        exit::{Exit, Failure, Subject},
        local::{self, Need},
        output::printable,
        pair,
        place::{GCS, Place, PlaceKind, SFTP, bucket_key, sftp_config},
        precompile,
        remotes::Remotes,
        standard::Standard,
        trace::Calls,
    },
    runtime::{Runtime, RuntimeOptions, Storage},
};

/// As many sandboxes as any command has at once: a listing, and the calls beside it.
const SANDBOXES: u32 = 16;

/// The backends of a session as they are collected.
pub(super) struct Mounts<'a> {
    globals: &'a Globals,
    pub(super) files: FileSettings,
    configuration: Option<Configuration>,
    backends: Vec<(String, Arc<dyn Backend>)>,
    labels: Vec<Label>,
    standard: Option<Arc<Standard>>,
    sandboxes: u32,
}

impl<'a> Mounts<'a> {
    pub(super) fn new(globals: &'a Globals, files: FileSettings) -> Self {
        Self {
            globals,
            files,
            configuration: None,
            backends: Vec::new(),
            labels: Vec::new(),
            standard: None,
            sandboxes: SANDBOXES,
        }
    }

    /// With sandboxes for as many jobs at once.
    pub(super) fn with_sandboxes_beside(self, jobs: u32) -> Self {
        Self { sandboxes: SANDBOXES + jobs, ..self }
    }

    pub(super) fn resolve<'p>(&mut self, place: &'p Place, need: Need) -> Result<Resolved<'p>, Failure> {
        let kind = match &place.kind {
            PlaceKind::Configured { name, path } if !self.configuration()?.has(name) => {
                match Remotes::find(self.globals, name)? {
                    Some(remote) => Cow::Owned(remote.place(path).map_err(Failure::usage)?),
                    None => Cow::Borrowed(&place.kind),
                }
            }
            kind => Cow::Borrowed(kind),
        };
        let (path, root, is_plain) = match &*kind {
            PlaceKind::Local { path, directory } => {
                let (root, path) = local::resolve(&place.typed, path, *directory, need)?;
                (path, Some(root), true)
            }
            PlaceKind::Memory(path)
            | PlaceKind::Standard(path)
            | PlaceKind::Bucket { path, .. }
            | PlaceKind::Server { path, .. }
            | PlaceKind::Buckets { path, .. } => (path.clone(), None, true),
            PlaceKind::Configured { name, path } => {
                let configuration = self.configuration()?;
                configuration.require(name)?;
                let (root, is_plain) = configuration.directory(name).unzip();
                (path.clone(), root, is_plain.unwrap_or(true))
            }
        };
        Ok(Resolved { place, kind, path, root, is_plain, need })
    }

    fn configuration(&mut self) -> Result<&Configuration, Failure> {
        let loaded = match self.configuration.take() {
            Some(loaded) => loaded,
            None => self.globals.configuration()?,
        };
        Ok(self.configuration.insert(loaded))
    }

    /// Mounts the backend of a place; a local directory as `local_name`.
    pub(super) fn mount(&mut self, resolved: &Resolved<'_>, local_name: &str) -> Result<Location, Failure> {
        match &*resolved.kind {
            PlaceKind::Local { .. } => {
                let root = resolved.root.clone().unwrap_or_default();
                self.mount_directory(resolved, local_name, &root)
            }
            PlaceKind::Memory(_) => self.insert("memory", resolved, |_| Ok(Arc::new(MemoryBackend::new()))),
            PlaceKind::Standard(_) => self.insert(Standard::NAME, resolved, |mounts| {
                Ok(mounts.standard.get_or_insert_default().clone())
            }),
            PlaceKind::Buckets { kind, settings, .. } => {
                self.insert(&resolved.name(&format!("{kind}://{settings:?}")), resolved, |_| {
                    let buckets: Result<Arc<dyn Backend>, Error> = match *kind {
                        GCS => GcsBuckets::from_config(settings.config()).map(|all| Arc::new(all) as _),
                        _ => S3Buckets::from_config(settings.config()).map(|all| Arc::new(all) as _),
                    };
                    buckets.map_err(|error| unopened(resolved, &error))
                })
            }
            PlaceKind::Bucket { kind, bucket, settings, .. } => {
                self.insert(&resolved.name(&format!("{kind}://{bucket}{settings:?}")), resolved, |_| {
                    let config = settings.config().with(bucket_key(kind), bucket.as_str());
                    Registry::with_builtin().open(kind, config).map_err(|error| unopened(resolved, &error))
                })
            }
            PlaceKind::Server { kind: SFTP, endpoint, settings, path } => {
                let name = resolved.name(&format!("{endpoint}{settings:?}"));
                let location = self.insert(&name, resolved, |_| {
                    let config = settings.added_to(sftp_config(endpoint));
                    Registry::with_builtin().open(SFTP, config).map_err(|error| unopened(resolved, &error))
                })?;
                // Without a grant, all of the server would be.
                let mounted = self.backends.iter().find(|(mounted, _)| *mounted == name);
                let server = mounted.and_then(|(_, backend)| backend.as_any().downcast_ref::<SftpBackend>());
                let ungranted = || Failure::new(Exit::Other, "a place was not granted");
                server.ok_or_else(ungranted)?.grant(path, resolved.need == Need::Contents);
                Ok(location)
            }
            PlaceKind::Server { kind, endpoint, .. } => {
                self.insert(&resolved.name(&format!("{kind} {endpoint}")), resolved, |_| {
                    let asks = if *kind == "webdav" { of_environment(kind) } else { Config::new() };
                    let config = asks.with("endpoint", endpoint.as_str());
                    Registry::with_builtin().open(kind, config).map_err(|error| unopened(resolved, &error))
                })
            }
            PlaceKind::Configured { name, .. } => self.insert(name, resolved, |mounts| {
                let settings = mounts.files.of_configured();
                mounts.configuration()?.open(name, &Registry::with_builtin(), &settings)
            }),
        }
    }

    /// Grants the directory for the memo of two places, and returns the location of the memo, whose name is made from
    /// where both places are. `None` if the directory lies in one of them, or one of them in it.
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
        let [first, second] = sides.map(|(side, at)| self.identity(side, at));
        let at = self.mount(&resolved, "memo")?;
        let refused = |error| Failure::new(Exit::Usage, format!("the path of the memo is refused: {error}"));
        let name = Path::parse(format!("{}.memo", pair::name(&first, &second))).map_err(refused)?;
        let path = at.path.join(&name).map_err(refused)?;
        Ok(Some(Location { path, ..at }))
    }

    /// Where a place is, however it was typed: for a local one its directory; for any other the `Debug` output of its
    /// backend, which names the service and never a secret.
    fn identity(&self, place: &Resolved<'_>, at: &Location) -> String {
        if let Some(full) = place.full() {
            return full.to_string_lossy().into_owned();
        }
        let backend = self.backends.iter().find(|(name, _)| *name == at.backend);
        format!("{:?} {}:{}", backend.map(|(_, backend)| backend), at.backend, at.path)
    }

    pub(super) fn mount_directory(
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
        self.insert(&name, resolved, |mounts| {
            let options = FileOptions {
                metadata: mounts.files.metadata,
                links: mounts.files.links,
                ..FileOptions::default()
            };
            let backend = FileBackend::open(root, options).map_err(|error| {
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
        if resolved.means_directory()
            && let Some((_, backend)) = self.backends.iter_mut().find(|(mounted, _)| mounted == name)
            && !backend.capabilities().features.directories
        {
            *backend = Arc::new(Layered::new(Arc::clone(backend), Directory(resolved.path.clone())));
        }
        let location = Location { backend: name.to_owned(), path: resolved.path.clone() };
        self.labels.push(Label { location: location.clone(), kind, typed: resolved.place.typed.clone() });
        Ok(location)
    }

    /// A place that holds nothing.
    pub(super) fn nothing(&mut self) -> Option<Location> {
        /// Holds a blank, and so is no name that a backend of the configuration can have.
        const NOTHING: &str = "nothing at all";

        self.backends.push((NOTHING.to_owned(), Arc::new(MemoryBackend::new())));
        Some(Location { backend: NOTHING.to_owned(), path: Path::root() })
    }

    pub(super) fn finish(self) -> Result<Session, Failure> {
        let failed = |error: Error| Failure::new(Exit::Other, format!("cannot start the component: {error}"));
        // A command holds few sandboxes at once, and should start at once.
        let options = RuntimeOptions {
            sandboxes: self.sandboxes,
            compiled: precompile::directory(),
            ..RuntimeOptions::default()
        };
        let runtime = Runtime::new(&options).map_err(failed)?;
        let mut builder = Storage::builder(&runtime);
        for (name, backend) in self.backends {
            builder = match &self.globals.traces {
                Some(traces) => builder.mount(name, Arc::new(Layered::new(backend, Calls::of(traces)))),
                None => builder.mount(name, backend),
            };
        }
        Ok(Session { storage: builder.build(), labels: self.labels, standard: self.standard })
    }
}

/// Who asks a server, and how: the other settings are those of the backend `env`, which may be somewhere else.
fn of_environment(kind: &str) -> Config {
    const KEYS: [&str; 5] = ["username", "password", "token", "allow_http", "timeout"];

    let mut known = Config::from_environment(kind);
    let value = |key: &str| known.take::<String>(key).ok().flatten().map(|value| (key.to_owned(), value));
    KEYS.into_iter().filter_map(value).collect()
}

fn unopened(resolved: &Resolved<'_>, error: &Error) -> Failure {
    Failure::usage(format!("`{}`: {}", printable(&resolved.place.typed), error.message()))
}
