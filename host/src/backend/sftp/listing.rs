//! What a directory holds, as far as it can be told.

use std::collections::VecDeque;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{
    KIND,
    attributes::Attributes,
    remote::{Found, Shared, inside, link, through_object},
    wire::{Named, Request},
};
use crate::{
    Error, ErrorCode, ObjectKind, Result,
    backend::{
        ListOptions, ListingFailure, Unlisted, temporary_name,
        walk::{Directories, Node},
    },
};

/// How many entries are asked about at once, of which the listing of the server told too little.
const IN_FLIGHT: usize = 64;

#[async_trait]
impl Directories for Shared {
    const AHEAD: usize = 15;

    fn kind(&self) -> &'static str {
        KIND
    }

    fn check_open(&self) -> Result<()> {
        self.pool.check_open()
    }

    async fn read(&self, directory: &Path, prefix: &Path, options: &ListOptions) -> Result<Vec<Node>> {
        let lease = self.pool.lease().await?;
        let at = self.at(directory);
        // Those above it were looked at on the way down.
        let found = match directory == prefix {
            true => self.look(&lease, directory).await?,
            false => lease.send(Request::lstat(&at)).found().await?.map_or(Found::Nothing, Found::Here),
        };
        let kind = match found {
            Found::Here(found) => Some(found.kind()?),
            Found::Nothing | Found::BelowObject => None,
        };
        match kind {
            Some(ObjectKind::Directory) => {}
            Some(ObjectKind::Symlink) if directory == prefix => return Err(link()),
            // A directory of the whole backend is there.
            Some(_) if directory.is_root() => return Err(through_object()),
            _ if directory == prefix => return Ok(Vec::new()),
            _ => {
                let message = "the directory was moved, deleted or replaced while it was listed: try again";
                return Err(Error::new(ErrorCode::Unavailable, message));
            }
        }
        let mut nodes = Vec::new();
        let mut entries = Vec::new();
        for Named { name, attributes } in self.entries(&lease, &at).await? {
            if temporary_name::is_one(&name) && attributes.kind().ok() != Some(ObjectKind::Directory) {
                continue;
            }
            let path = str::from_utf8(&name).ok().and_then(|name| Path::parse(name).ok());
            match path.and_then(|name| directory.join(&name).ok()) {
                Some(path) => entries.push((path, attributes)),
                None => nodes.push(unlisted(directory, &name)),
            }
        }
        let wanted = |path: &Path| options.spans(path.as_str()) || options.spans_below(path.as_str());
        entries.retain(|(path, _)| wanted(path));

        let (complete, incomplete): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, attributes)| attributes.is_complete());
        complete.into_iter().for_each(|(path, attributes)| add(path, &attributes, options, &mut nodes));
        let mut asked = VecDeque::new();
        let mut incomplete = incomplete.into_iter().map(|(path, _)| path);
        loop {
            while asked.len() < IN_FLIGHT
                && let Some(path) = incomplete.next()
            {
                let name = path.name().unwrap_or_default();
                let reply = lease.send(Request::lstat(&inside(&at, name.as_bytes())));
                asked.push_back((path, reply));
            }
            let Some((path, reply)) = asked.pop_front() else { return Ok(nodes) };
            match reply.found().await {
                Ok(Some(attributes)) => add(path, &attributes, options, &mut nodes),
                // It is gone by now.
                Ok(None) => {}
                Err(error) if !lease.is_open() => return Err(error),
                Err(error) => nodes.push(Node::failure(KIND, Unlisted::Entry(path), error)),
            }
        }
    }
}

/// What a name stands for: an entry, and what is below it.
fn add(path: Path, attributes: &Attributes, options: &ListOptions, nodes: &mut Vec<Node>) {
    match attributes.info(&path) {
        Ok(info) => {
            if info.kind == ObjectKind::Directory && options.recursive && options.spans_below(path.as_str()) {
                nodes.push(Node::Below(path.clone()));
            }
            if options.spans(path.as_str()) {
                nodes.push(Node::Entry(info.into()));
            }
        }
        Err(error) => nodes.push(Node::failure(KIND, Unlisted::Entry(path), error)),
    }
}

/// A name that can be no path.
fn unlisted(directory: &Path, name: &[u8]) -> Node {
    let above = if directory.is_root() { String::new() } else { format!("{directory}/") };
    Node::Entry(ListingFailure::of_name(KIND, &[above.as_bytes(), name].concat()).into())
}
