//! Listings in byte order of the full paths, a directory at a time.

use async_trait::async_trait;
use omnistorage::{
    Error, ErrorCode, Path, Result,
    backend::{ListOptions, Listed, Listing, ListingFailure, Unlisted},
};
use send_wrapper::SendWrapper;
use wasip3::filesystem::types::{DescriptorType, ErrorCode as Errno};

use super::{
    KIND,
    directory::{Directory, Root, enter, entries},
    failure::{error, failure},
    info::look,
    names,
};

/// So many directories on the way to the current one are kept open; those above are opened again by their path.
const OPEN: usize = 32;

/// A walk through what is below a prefix.
pub(super) struct FilesListing(SendWrapper<Walk>);

struct Walk {
    root: Directory,
    options: ListOptions,
    /// From the prefix to the current directory.
    levels: Vec<Level>,
    /// What is to be told before anything else: failures come no later than what they are about would.
    first: Vec<Listed>,
    /// Why there will be no more.
    broken: Option<Error>,
}

struct Level {
    /// `None` if it must be opened again.
    directory: Option<Directory>,
    /// The path of the directory, with a `/` at its end unless it is the root.
    prefix: String,
    /// Names in byte order of the paths they begin. A directory that is entered comes twice: as `name`, and as `name/`
    /// where its contents belong. The last one is next.
    names: Vec<String>,
}

impl FilesListing {
    /// Opens a listing; a prefix that does not exist, or that is an object, has nothing below it.
    ///
    /// # Errors
    /// What keeps the prefix from being read.
    pub(super) async fn begin(root: &Root, prefix: &Path, options: &ListOptions) -> Result<Self> {
        names::check(prefix)?;
        let mut walking = Walk {
            root: root.top.clone(),
            options: options.clone(),
            levels: Vec::new(),
            first: Vec::new(),
            broken: None,
        };
        match root.walk(prefix.as_str()).await {
            Ok(top) => walking.enter(top, prefix).await,
            Err(Errno::NoEntry | Errno::NotDirectory) => {}
            Err(errno) => return Err(failure(errno, prefix)),
        }
        // The prefix itself could not be read, not even in part.
        match (walking.levels.last(), walking.first.pop()) {
            (Some(level), Some(Listed::Failure(failed))) if level.names.is_empty() => Err(failed.error),
            (_, first) => {
                walking.first.extend(first);
                Ok(Self(SendWrapper::new(walking)))
            }
        }
    }
}

#[async_trait]
impl Listing for FilesListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        SendWrapper::new(self.0.next(max)).await
    }
}

impl Walk {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut page = Vec::with_capacity(max.min(1024));
        while page.len() < max {
            if let Some(listed) = self.first.pop() {
                page.push(listed);
                continue;
            }
            let Some(level) = self.levels.last_mut() else { break };
            let Some(name) = level.names.pop() else {
                self.levels.pop();
                continue;
            };
            match self.step(&name).await {
                Ok(listed) => page.extend(listed),
                Err(error) => {
                    self.broken = Some(error.clone());
                    return Err(error);
                }
            }
        }
        Ok(page)
    }

    /// What one name of the current directory stands for.
    ///
    /// # Errors
    /// What keeps the rest of the prefix itself from being listed.
    async fn step(&mut self, name: &str) -> Result<Option<Listed>> {
        let is_top = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else { return Ok(None) };
        let (name, is_entered) = name.strip_suffix('/').map_or((name, false), |name| (name, true));
        let full = format!("{}{name}", level.prefix);
        let Ok(path) = Path::parse(full.as_str()) else {
            // A directory comes twice.
            return Ok((!is_entered).then(|| ListingFailure::of_name(KIND, full.as_bytes()).into()));
        };
        let directory = match &level.directory {
            Some(directory) => directory.clone(),
            None => match Root::new(&self.root).walk(level.prefix.trim_end_matches('/')).await {
                Ok(directory) => level.directory.insert(directory).clone(),
                Err(errno) => {
                    let here = Path::parse(level.prefix.trim_end_matches('/'))?;
                    level.names.clear();
                    let failed = unreachable(errno, here);
                    return if is_top { Err(failed.error) } else { Ok(Some(failed.into())) };
                }
            },
        };
        if is_entered {
            return match enter(&directory, name).await {
                Ok(entered) => {
                    self.enter(entered, &path).await;
                    Ok(None)
                }
                Err(errno) => Ok(Some(unreachable(errno, path).into())),
            };
        }
        match look(&directory, name, path.clone()).await {
            Ok(info) => Ok(Some(info.into())),
            // It vanished since the name was read.
            Err(Errno::NoEntry) => Ok(None),
            Err(errno) => {
                let error = failure(errno, &path);
                Ok(Some(ListingFailure { what: Unlisted::Entry(path), error }.into()))
            }
        }
    }

    /// Reads a directory, and skips what is beyond the bounds of the listing.
    async fn enter(&mut self, directory: Directory, path: &Path) {
        let prefix = if path.is_root() { String::new() } else { format!("{path}/") };
        let (found, ended) = entries(&directory).await;
        match ended {
            // It was removed after it was opened, so it was empty.
            Ok(()) | Err(Errno::NoEntry) => {}
            Err(errno) => {
                let error = failure(errno, path);
                self.first.push(ListingFailure { what: Unlisted::Directory(path.clone()), error }.into());
            }
        }
        let mut names = Vec::with_capacity(found.len());
        for (name, kind) in found {
            let is_directory = matches!(kind, DescriptorType::Directory);
            if !is_directory && names::is_temporary(&name) {
                continue;
            }
            if self.options.recursive && is_directory {
                names.push(format!("{name}/"));
            }
            names.push(name);
        }
        names.retain(|name| match name.strip_suffix('/') {
            Some(directory) => self.options.spans_below(&format!("{prefix}{directory}")),
            None => self.options.spans(&format!("{prefix}{name}")),
        });
        names.sort_unstable_by(|one, other| other.cmp(one));
        if let Some(above) = self.levels.len().checked_sub(OPEN) {
            self.levels[above].directory = None;
        }
        self.levels.push(Level { directory: Some(directory), prefix, names });
    }
}

/// Why a directory that was there before cannot be entered. Its contents may be elsewhere now, so it does not count as
/// empty.
fn unreachable(errno: Errno, path: Path) -> ListingFailure {
    let error = match errno {
        Errno::NoEntry | Errno::NotDirectory | Errno::Loop => {
            let message = "the directory was moved, deleted or replaced while it was listed: try again";
            error(ErrorCode::Unavailable, message, &path)
        }
        errno => failure(errno, &path),
    };
    ListingFailure { what: Unlisted::Directory(path), error }
}
