//! What a directory of a service holds.

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{
    super::{
        ListOptions, ListingFailure, Unlisted,
        walk::{Directories, Node},
    },
    KIND, Shared,
    convert::{failed, info},
    upload::is_temporary,
};
use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result};

#[async_trait]
impl Directories for Shared {
    const AHEAD: usize = 7;

    fn kind(&self) -> &'static str {
        KIND
    }

    fn check_open(&self) -> Result<()> {
        Shared::check_open(self)
    }

    async fn read(&self, directory: &Path, prefix: &Path, options: &ListOptions) -> Result<Vec<Node>> {
        let mut lister = self.lister(directory)?;
        let mut nodes = Vec::new();
        let mut is_there = false;
        while let Some(entry) = lister.next_dyn().await.map_err(|error| failed(&error))? {
            is_there = true;
            let (name, is_directory) = match entry.path().strip_suffix('/') {
                Some(name) => (name, true),
                None => (entry.path(), false),
            };
            let Ok(path) = Path::parse(name) else {
                if options.spans(entry.path()) {
                    nodes.push(Node::Entry(ListingFailure::of_name(KIND, entry.path().as_bytes()).into()));
                }
                continue;
            };
            // The directory itself, and an object of the prefix's name, are no entries.
            if path.parent().as_ref() != Some(directory) || path.name().is_some_and(is_temporary) {
                continue;
            }
            if is_directory && options.recursive && options.spans_below(path.as_str()) {
                nodes.push(Node::Below(path.clone()));
            }
            let is_listed = !is_directory || !options.recursive || self.is_tree();
            if is_listed && options.spans(path.as_str()) {
                let found = match is_directory {
                    true => Ok(ObjectInfo::new(path.clone(), ObjectKind::Directory)),
                    false if options.full_info => self.stat(&path).await,
                    false => info(path.clone(), entry.metadata()),
                };
                match found {
                    Ok(entry) => nodes.push(Node::Entry(entry.into())),
                    // It is gone by now.
                    Err(error) if error.code() == ErrorCode::NotFound => {}
                    Err(error) => nodes.push(Node::failure(KIND, Unlisted::Entry(path), error)),
                }
            }
        }
        // A service answers the same for a directory that is gone and an empty one.
        if !is_there && directory != prefix && self.is_tree() {
            match self.stat(directory).await {
                Ok(found) if found.kind == ObjectKind::Directory => {}
                Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
                Ok(_) | Err(_) => {
                    let message =
                        "the directory was moved, deleted or replaced while it was listed: try again";
                    return Err(Error::new(ErrorCode::Unavailable, message));
                }
            }
        }
        Ok(nodes)
    }
}
