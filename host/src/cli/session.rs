//! Turns places into a storage: the backends that the component gets, each with no more than the command needs.

#[cfg(target_family = "wasm")]
mod granted;
#[cfg(not(target_family = "wasm"))]
mod mounts;

#[cfg(not(target_family = "wasm"))]
use std::sync::Arc;
use std::{borrow::Cow, path::PathBuf};

use clap::Args;

#[cfg(target_family = "wasm")]
use self::granted::Mounts;
#[cfg(not(target_family = "wasm"))]
use self::mounts::Mounts;
#[cfg(not(target_family = "wasm"))]
use super::standard::Standard;
use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    local::{self, Need},
    output::printable,
    place::{Place, PlaceKind},
};
use crate::{Error, Location, Path, backend::file::Links, runtime::Storage};

/// A storage with the backends of a command, and the names the user has for what is in them.
pub(crate) struct Session {
    pub(crate) storage: Storage,
    labels: Vec<Label>,
    /// Standard input and output, if a place is one of them.
    #[cfg(not(target_family = "wasm"))]
    standard: Option<Arc<Standard>>,
}

/// A session over two places.
pub(crate) struct Granted {
    pub(crate) session: Session,
    pub(crate) source: Location,
    pub(crate) target: Location,
    /// What else was asked for.
    pub(crate) third: Option<Location>,
    /// `None`: there is no place for it.
    pub(crate) memo: Option<Location>,
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
    /// What the place comes to: another kind than was typed, if the name is that of a remote of rclone.
    kind: Cow<'a, PlaceKind>,
    path: Path,
    /// The directory where the path starts, without links; `None` if it is not local.
    root: Option<PathBuf>,
    /// Whether a plain backend for that directory does the same as the configured one.
    is_plain: bool,
    /// What the command needs of it.
    #[cfg_attr(
        target_family = "wasm",
        expect(dead_code, reason = "what is granted there is granted as it is")
    )]
    need: Need,
}

impl<'a> Resolved<'a> {
    /// The configured backend that it is in.
    fn configured(&self) -> Option<&'a str> {
        match (&self.place.kind, &self.kind) {
            (PlaceKind::Configured { name, .. }, Cow::Borrowed(_)) => Some(name),
            _ => None,
        }
    }

    /// What its backend is mounted as: one that a remote of rclone describes is its own, whatever its address.
    #[cfg(not(target_family = "wasm"))]
    fn name(&self, address: &str) -> String {
        match (&self.place.kind, &self.kind) {
            (PlaceKind::Configured { name, .. }, Cow::Owned(_)) => format!("{name}: {address}"),
            _ => address.to_owned(),
        }
    }

    /// Whether it was written as a directory; the root, which always is one, does not count.
    fn means_directory(&self) -> bool {
        self.place.typed.ends_with('/') && !self.path.is_root()
    }

    fn full(&self) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.join(self.path.as_str()))
    }
}

impl Session {
    /// Grants one place.
    pub(crate) fn one(globals: &Globals, place: &Place, need: Need) -> Result<(Self, Location), Failure> {
        Self::one_with(globals, place, need, FileSettings::default())
    }

    /// Grants one place, of which something is asked if it is in the file system.
    pub(crate) fn one_with(
        globals: &Globals,
        place: &Place,
        need: Need,
        files: FileSettings,
    ) -> Result<(Self, Location), Failure> {
        let mut mounts = Mounts::new(globals, files);
        let resolved = mounts.resolve(place, need)?;
        let location = mounts.mount(&resolved, "file")?;
        Ok((mounts.finish()?, location))
    }

    /// Grants a source and a target.
    pub(crate) fn two(
        globals: &Globals,
        source: &Place,
        target: &Place,
    ) -> Result<(Self, Location, Location), Failure> {
        let files = FileSettings::default();
        let Granted { session, source, target, .. } =
            Self::with_backup(globals, source, target, None, None, files)?;
        Ok((session, source, target))
    }

    /// Grants a source, a target, and a place for what is replaced. If one contains another, they are locations in one
    /// backend, so that the component can see it. The memo gets a directory of its own, unless it lies in one of the
    /// places.
    pub(crate) fn with_backup(
        globals: &Globals,
        source: &Place,
        target: &Place,
        backup: Option<&Place>,
        memo: Option<&Place>,
        files: FileSettings,
    ) -> Result<Granted, Failure> {
        let backup = backup.map(|backup| (backup, "backup"));
        Self::places(Mounts::new(globals, files), [source, target], backup, memo)
    }

    /// The same for so many ranges at work at once, without a memo.
    pub(crate) fn with_ranges(
        globals: &Globals,
        source: &Place,
        target: &Place,
        backup: Option<&Place>,
        files: FileSettings,
        ranges: u32,
    ) -> Result<Granted, Failure> {
        let mounts = Mounts::new(globals, files).with_sandboxes_beside(ranges);
        Self::places(mounts, [source, target], backup.map(|backup| (backup, "backup")), None)
    }

    /// Whether a place is what is allowed, or lies in it.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn is_within(globals: &Globals, place: &Place, allowed: &Place) -> Result<bool, Failure> {
        if place.kind.is_within(&allowed.kind) {
            return Ok(true);
        }
        // By another name it may be the same directory.
        let mut mounts = Mounts::new(globals, FileSettings::default());
        let [place, allowed] = [place, allowed].map(|place| mounts.resolve(place, Need::Contents));
        let (place, allowed) = (place?.full(), allowed?.full());
        Ok(place.zip(allowed).is_some_and(|(place, allowed)| place.starts_with(allowed)))
    }

    /// Grants two places, and one for the state of their last sync, in the same way.
    pub(crate) fn with_state(
        globals: &Globals,
        first: &Place,
        second: &Place,
        state: &Place,
    ) -> Result<(Self, Location, Location, Location), Failure> {
        let third = Some((state, "state"));
        match Self::places(Mounts::new(globals, FileSettings::default()), [first, second], third, None)? {
            Granted { session, source: first, target: second, third: Some(state), .. } => {
                Ok((session, first, second, state))
            }
            _ => Err(Failure::new(Exit::Other, "a place was not granted")),
        }
    }

    fn places(
        mut mounts: Mounts<'_>,
        [source, target]: [&Place; 2],
        third: Option<(&Place, &str)>,
        memo: Option<&Place>,
    ) -> Result<Granted, Failure> {
        let mut places =
            vec![mounts.resolve(source, Need::Contents)?, mounts.resolve(target, Need::Contents)?];
        if let Some((place, _)) = third {
            places.push(mounts.resolve(place, Need::Contents)?);
        }
        let shared = share_roots(&mut places)?;
        let mut locations = Vec::with_capacity(places.len());
        let names = ["source", "target", third.map_or("", |(_, name)| name)];
        for ((place, name), is_shared) in places.iter().zip(names).zip(shared) {
            locations.push(match (&place.root, is_shared) {
                (Some(root), true) => mounts.mount_directory(place, "file", root)?,
                _ => mounts.mount(place, name)?,
            });
            mounts.files = mounts.files.beside_the_source();
        }
        let memo = match (memo, &places[..], &locations[..]) {
            (Some(memo), [source, target, ..], [at_source, at_target, ..]) => {
                mounts.memo(memo, [(source, at_source), (target, at_target)])?
            }
            _ => None,
        };
        let mut locations = locations.into_iter();
        match (locations.next(), locations.next(), locations.next()) {
            (Some(source), Some(target), third) => {
                Ok(Granted { session: mounts.finish()?, source, target, third, memo })
            }
            _ => Err(Failure::new(Exit::Other, "a place was not granted")),
        }
    }

    /// Grants several objects, no two of which may be the same. Those in one directory are locations in one backend.
    pub(crate) fn many(globals: &Globals, places: &[Place]) -> Result<(Self, Vec<Location>), Failure> {
        let mut mounts = Mounts::new(globals, FileSettings::default());
        let resolved = mounts.resolve_all(places.iter().map(|place| (place, Need::Contents)))?;
        for (index, this) in resolved.iter().enumerate() {
            let before = &resolved[..index];
            if let Some(full) = this.full()
                && let Some(same) = before.iter().find(|other| other.full().as_ref() == Some(&full))
            {
                let [one, other] = [same, this].map(|resolved| printable(&resolved.place.typed));
                return Err(Failure::usage(format!("`{one}` and `{other}` are the same place")));
            }
        }
        let locations = mounts.mount_all(&resolved)?;
        Ok((mounts.finish()?, locations))
    }

    /// Grants several places, which may be the same.
    pub(crate) fn each_of(
        globals: &Globals,
        places: &[Place],
        need: Need,
    ) -> Result<(Self, Vec<Location>), Failure> {
        let mut mounts = Mounts::new(globals, FileSettings::default());
        let resolved = mounts.resolve_all(places.iter().map(|place| (place, need)))?;
        let locations = mounts.mount_all(&resolved)?;
        Ok((mounts.finish()?, locations))
    }

    /// Grants several places, and one that holds nothing, if there can be one: a directory that is made like that is emptied.
    pub(crate) fn each_and_nothing(
        globals: &Globals,
        places: &[(&Place, Need)],
    ) -> Result<(Self, Vec<Location>, Option<Location>), Failure> {
        let mut mounts = Mounts::new(globals, FileSettings::default());
        let resolved = mounts.resolve_all(places.iter().copied())?;
        let locations = mounts.mount_all(&resolved)?;
        let nothing = mounts.nothing();
        Ok((mounts.finish()?, locations, nothing))
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
            Some(name) => format!("`{}`: {}", printable(&name), in_our_words(error.message())),
            None => in_our_words(&error.to_string()),
        }
    }

    /// The error that ends a command about `subject`. If nobody reads standard output any more, that is no error.
    pub(crate) fn failure(&self, subject: Subject) -> impl Fn(Error) -> Failure {
        move |error| {
            #[cfg(not(target_family = "wasm"))]
            if Standard::is_left(&error) {
                return Failure::silent(Exit::Done);
            }
            Failure::new(Exit::of(error.code(), subject), self.describe(&error))
        }
    }

    /// From now on, standard input can be read again, if it is a place of this session.
    pub(crate) fn keep_input(&self) {
        #[cfg(not(target_family = "wasm"))]
        self.standard.iter().for_each(|standard| standard.keep_input());
    }
}

/// Makes local places that contain one another start from the outermost directory; returns which places those are.
fn share_roots(places: &mut [Resolved<'_>]) -> Result<Vec<bool>, Failure> {
    let full: Vec<_> =
        places.iter().map(|place| (place.full(), place.configured(), place.is_plain)).collect();
    let is_same_backend = |one: &Option<&str>, other: &Option<&str>| one.is_some() && one == other;
    let mut shared = vec![false; places.len()];
    for (position, (one, backend, is_plain)) in full.iter().enumerate() {
        for (other_position, (other, other_backend, other_is_plain)) in full.iter().enumerate() {
            let (Some(one), Some(other)) = (one, other) else { continue };
            // The component sees by itself that two places are in one configured backend.
            if position == other_position
                || is_same_backend(backend, other_backend)
                || !one.starts_with(other)
            {
                continue;
            }
            if !(*is_plain && *other_is_plain) {
                let typed = |position: usize| places.get(position).map_or("", |place| &place.place.typed);
                let (one, other) = (printable(typed(position)), printable(typed(other_position)));
                return Err(Failure::new(Exit::Fatal, format!("`{one}` and `{other}` overlap")));
            }
            for (shared, (_, of, _)) in shared.iter_mut().zip(&full) {
                *shared |= is_same_backend(of, backend) || is_same_backend(of, other_backend);
            }
            for position in [position, other_position] {
                shared.get_mut(position).into_iter().for_each(|shared| *shared = true);
            }
        }
    }
    let full: Vec<_> = full.into_iter().map(|(full, _, _)| full).collect();
    // All roots are above the innermost place, so one of them is above the others.
    let roots =
        places.iter().zip(&shared).filter(|(_, shared)| **shared).filter_map(|(place, _)| place.root.clone());
    let Some(outer) = roots.min_by_key(|root| root.components().count()) else { return Ok(shared) };
    for ((place, full), is_shared) in places.iter_mut().zip(full).zip(&shared) {
        if let Some(full) = full.filter(|_| *is_shared) {
            let rest = full.strip_prefix(&outer).unwrap_or(&full);
            place.path = local::local_path(&place.place.typed, rest.iter())?;
            place.root = Some(outer.clone());
        }
    }
    Ok(shared)
}

/// A message with the names that options have here: the component uses those of its interface.
pub(crate) fn in_our_words(message: &str) -> String {
    ["max-window", "max-record", "columns", "delimiter", "allow-empty-source"]
        .into_iter()
        .fold(message.to_owned(), |message, option| {
            message.replace(&format!("`{option}`"), &format!("`--{option}`"))
        })
}

/// A place with something below it.
pub(crate) fn join(place: &str, below: &str) -> String {
    match (place, below) {
        (_, "") => place.to_owned(),
        (_, below) if place.ends_with(['/', ':']) => format!("{place}{below}"),
        (_, below) => format!("{place}/{below}"),
    }
}

/// What becomes of symbolic links.
#[derive(Args)]
pub(crate) struct LinkOptions {
    /// Keep symbolic links as objects `NAME.rclonelink`, which become the link NAME again in a directory
    #[arg(long, short = 'l')]
    links: bool,
    /// Follow symbolic links of what is read to what they lead to within it; one that leads out of it, to nothing or in a
    /// circle is an error
    #[arg(long, short = 'L', conflicts_with = "links")]
    copy_links: bool,
}

impl LinkOptions {
    pub(crate) fn links(&self) -> Links {
        match self {
            Self { links: true, .. } => Links::Keep,
            Self { copy_links: true, .. } => Links::Follow,
            _ => Links::Skip,
        }
    }
}

/// What a command wants from places in the file system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FileSettings {
    /// Mode, owner and times are metadata, too.
    pub(crate) metadata: bool,
    /// What becomes of symbolic links.
    pub(crate) links: Links,
}

impl FileSettings {
    /// As settings of a configured backend.
    #[cfg(not(target_family = "wasm"))]
    fn of_configured(self) -> Vec<(&'static str, &'static str)> {
        let mut settings = Vec::new();
        settings.extend(self.metadata.then_some(("metadata", "true")));
        settings.extend(match self.links {
            Links::Skip => None,
            Links::Keep => Some(("links", "keep")),
            Links::Follow => Some(("links", "follow")),
        });
        settings
    }

    /// For a place that is not the source: its own links are not what is asked for.
    fn beside_the_source(self) -> Self {
        let links = if self.links == Links::Follow { Links::Skip } else { self.links };
        Self { links, ..self }
    }
}

impl Mounts<'_> {
    fn resolve_all<'p>(
        &mut self,
        places: impl Iterator<Item = (&'p Place, Need)>,
    ) -> Result<Vec<Resolved<'p>>, Failure> {
        places.map(|(place, need)| self.resolve(place, need)).collect()
    }

    /// Mounts several places; those that start from one directory share it.
    fn mount_all(&mut self, resolved: &[Resolved<'_>]) -> Result<Vec<Location>, Failure> {
        let mount = |(index, this): (usize, &Resolved<'_>)| {
            let first = resolved.iter().position(|other| other.root == this.root).unwrap_or(index);
            self.mount(this, &format!("place {}", first + 1))
        };
        resolved.iter().enumerate().map(mount).collect()
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
