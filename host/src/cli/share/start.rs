//! The way from a command to a run of the cluster.

use std::path;

use super::{ClusterOptions, SHARED};
use crate::{
    Error, ErrorCode, Location, Result as Outcome,
    backend::file::Links,
    cli::{
        Globals,
        compare::Places,
        exit::{Exit, Failure, Subject},
        output::{note, printable},
        place::{Place, PlaceKind},
        session::{FileSettings, Session},
    },
    cluster::{Cluster, Operation, Plan, Task, Told, share, unsplittable},
    runtime::{Job, SyncOptions},
};

/// A command that is shared.
#[derive(Clone, Copy)]
pub(crate) struct Sharing<'a> {
    pub(super) options: &'a ClusterOptions,
    pub(super) url: &'a str,
}

/// Refuses what is given of options that ranges at once cannot have.
///
/// # Errors
/// The first of them, and why.
pub(crate) fn require_whole(refused: &[(bool, &str, &str)]) -> Result<(), Failure> {
    match refused.iter().find(|(is_given, ..)| *is_given) {
        Some((_, option, why)) => {
            Err(Failure::usage(format!("--{option} cannot be shared among ranges: {why}")))
        }
        None => Ok(()),
    }
}

impl Sharing<'_> {
    /// Refuses what is given of these options.
    ///
    /// # Errors
    /// The first of them, and why.
    pub(crate) fn require(self, refused: &[(bool, &str, &str)]) -> Result<(), Failure> {
        match refused.iter().find(|(is_given, ..)| *is_given) {
            Some((_, option, why)) => {
                Err(Failure::usage(format!("--{option} cannot be shared among machines: {why}")))
            }
            None => Ok(()),
        }
    }

    /// What the run is about, by names that mean the same on all machines.
    ///
    /// # Errors
    /// Places that other machines do not have.
    pub(crate) fn task(
        self,
        operation: Operation,
        places: &Places,
        backup: Option<&Place>,
        report: Option<&Place>,
        files: FileSettings,
    ) -> Result<Task, Failure> {
        Ok(Task {
            operation,
            source: self.name(&places.source)?,
            target: self.name(&places.target)?,
            backup: backup.map(|backup| self.name(backup)).transpose()?,
            report: report.map(|report| self.name(report)).transpose()?,
            metadata: files.metadata,
            links: match files.links {
                Links::Skip => "skip",
                Links::Keep => "keep",
                Links::Follow => "follow",
            }
            .to_owned(),
        })
    }

    fn name(self, place: &Place) -> Result<String, Failure> {
        let typed = printable(&place.typed);
        match &place.kind {
            PlaceKind::Configured { .. } | PlaceKind::Bucket { .. } | PlaceKind::Server { .. } => {
                Ok(place.typed.clone())
            }
            PlaceKind::Buckets { .. } => {
                Err(Failure::usage(format!("`{typed}`: name one bucket to share it")))
            }
            PlaceKind::Memory(_) | PlaceKind::Standard(_) => Err(Failure::usage(format!(
                "`{typed}` is in this process alone, and no other machine sees it"
            ))),
            PlaceKind::Local { .. } if !self.options.shared_paths => Err(Failure::usage(format!(
                "`{typed}` is a path of this machine: give --shared-paths if all machines see the same there"
            ))),
            PlaceKind::Local { path, .. } => {
                let whole =
                    path::absolute(path).map_err(|error| Failure::system(&format!("`{typed}`"), error))?;
                let is_above = |component| matches!(component, path::Component::ParentDir);
                if whole.components().any(is_above) {
                    return Err(Failure::usage(format!("`{typed}`: write the path without `..`")));
                }
                let whole = whole.into_os_string().into_string();
                whole.map_err(|_| Failure::usage(format!("`{typed}`: the path is not UTF-8")))
            }
        }
    }

    /// Begins the run, or attaches to it.
    ///
    /// # Errors
    /// As [`share`], and those of the connection.
    pub(crate) async fn start<E: Told>(
        self,
        session: &Session,
        [source, target]: [&Location; 2],
        task: Task,
        options: &SyncOptions,
        times: String,
        globals: &Globals,
    ) -> Outcome<Job<E, E::Report>> {
        let ClusterOptions { creds, ranges, lease, .. } = self.options;
        if let Some(refused) = unsplittable(options) {
            return Err(refused.into());
        }
        let cluster =
            Cluster::connect(self.url, creds.as_deref(), "omnistorage").await.map_err(as_unavailable)?;
        let plan =
            Plan { task, options: options.clone(), times, ranges: ranges.unwrap_or(SHARED), lease: *lease };
        let is_quiet = globals.quiet;
        let say = move |sentence: String| {
            if !is_quiet {
                note(printable(&sentence));
            }
        };
        share(cluster, session.storage.clone(), [source.clone(), target.clone()], plan, say).await
    }
}

/// An error of the connection is none of the two places.
fn as_unavailable(error: Error) -> Error {
    match error.code() {
        ErrorCode::InvalidArgument | ErrorCode::Unsupported => {
            Error::new(ErrorCode::Unsupported, error.message())
        }
        _ => error,
    }
}

/// Connects for a command that is about the cluster alone.
///
/// # Errors
/// As [`Cluster::connect`].
pub(crate) async fn connect(url: &str, creds: Option<&path::Path>, name: &str) -> Result<Cluster, Failure> {
    Cluster::connect(url, creds, name).await.map_err(failed)
}

/// An error of the cluster.
pub(crate) fn failed(error: Error) -> Failure {
    Failure::new(Exit::of(error.code(), Subject::Object), error.message())
}
