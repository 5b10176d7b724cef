//! What a directory holds, by the page about it, and by asking for each object.

use async_trait::async_trait;
use futures::{StreamExt, stream};
use omnistorage_types::Path;

use super::{
    KIND,
    index::{self, Linked},
    site::SharedSite,
};
use crate::{
    ObjectInfo, ObjectKind, Result,
    backend::{
        ListOptions, ListingFailure, Unlisted,
        walk::{Directories, Node},
    },
};

/// How many objects are asked for at once.
const IN_FLIGHT: usize = 16;

#[async_trait]
impl Directories for SharedSite {
    // Each asks for many objects at once.
    const AHEAD: usize = 0;

    fn kind(&self) -> &'static str {
        KIND
    }

    fn check_open(&self) -> Result<()> {
        self.as_ref().check_open()
    }

    async fn read(&self, directory: &Path, _: &Path, options: &ListOptions) -> Result<Vec<Node>> {
        let (page, at) = self.page(directory).await?;
        let (mut nodes, mut objects) = (Vec::new(), Vec::new());
        for Linked { name, is_directory } in index::read(&page, &at)? {
            let path = str::from_utf8(&name).ok().and_then(|name| Path::parse(name).ok());
            match path.filter(|path| path.parent().is_some_and(|above| above.is_root())) {
                Some(name) if is_directory => below(directory.join(&name)?, options, &mut nodes),
                Some(name) => objects.push(directory.join(&name)?),
                None => nodes.push(unlisted(directory, &name)),
            }
        }
        objects.retain(|path| options.spans(path.as_str()) || options.spans_below(path.as_str()));
        let mut asked = Vec::with_capacity(objects.len());
        for path in objects {
            asked.push(async move { (self.stat(&path).await, path) });
        }
        let mut told = stream::iter(asked).buffer_unordered(IN_FLIGHT);
        while let Some((found, path)) = told.next().await {
            match found {
                Ok(info) if info.kind == ObjectKind::Directory => below(path, options, &mut nodes),
                Ok(_) | Err(_) if !options.spans(path.as_str()) => {}
                Ok(info) => nodes.push(Node::Entry(info.into())),
                // Also if nothing is found: the page names it, and servers say the same of what they may not read.
                Err(error) => nodes.push(Node::failure(KIND, Unlisted::Entry(path), error)),
            }
        }
        Ok(nodes)
    }
}

/// A directory is an entry where nothing below it is listed.
fn below(path: Path, options: &ListOptions, nodes: &mut Vec<Node>) {
    if options.recursive {
        if options.spans_below(path.as_str()) {
            nodes.push(Node::Below(path));
        }
    } else if options.spans(path.as_str()) {
        nodes.push(Node::Entry(ObjectInfo::new(path, ObjectKind::Directory).into()));
    }
}

/// A name that can be no path.
fn unlisted(directory: &Path, name: &[u8]) -> Node {
    let above = if directory.is_root() { String::new() } else { format!("{directory}/") };
    Node::Entry(ListingFailure::of_name(KIND, &[above.as_bytes(), name].concat()).into())
}
