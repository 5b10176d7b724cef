//! Writes: by chunks or by value.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::Path;

use super::{
    KIND,
    attributes::Attributes,
    draft::Draft,
    error::error,
    info::modification_time,
    link,
    permissions::Permissions,
    placement::Placement,
    root::{Root, blocking},
    tree::split_object,
};
use crate::{
    Error, ErrorCode, Hash, Hasher, ObjectInfo, Result, Timestamp,
    backend::{Upload, WriteOptions},
};

/// A draft, and what is expected of it.
#[derive(Debug)]
struct Writing {
    body: Body,
    expected: Expected,
    attributes: Attributes,
    modified: Option<Timestamp>,
}

/// Where the bytes go.
#[derive(Debug)]
enum Body {
    File(Draft),
    /// The bytes that say where a link leads.
    Link {
        root: Arc<Root>,
        place: Placement,
        leads_to: Vec<u8>,
    },
}

/// What is expected of the bytes, and what came so far.
#[derive(Debug)]
struct Expected {
    path: Path,
    size: Option<u64>,
    hash: Option<(Hash, Hasher)>,
    written: u64,
}

impl Expected {
    fn new(options: &WriteOptions, path: &Path) -> Self {
        let hash = options.expected_hash.clone().map(|hash| (Hasher::new(hash.algorithm), hash));
        Self {
            path: path.clone(),
            size: options.expected_size,
            hash: hash.map(|(hasher, hash)| (hash, hasher)),
            written: 0,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        if let Some((_, hasher)) = &mut self.hash {
            hasher.update(bytes);
        }
    }

    fn check(self) -> Result<()> {
        check_size(self.size, self.written, &self.path)?;
        match self.hash {
            Some((expected, hasher)) => check_hash(&expected, &hasher.finish(), &self.path),
            None => Ok(()),
        }
    }
}

pub(super) fn check_size(expected: Option<u64>, size: impl Into<Option<u64>>, path: &Path) -> Result<()> {
    match expected.zip(size.into()) {
        Some((expected, size)) if expected != size => {
            let message = format!("the object has {size} bytes and not the {expected} expected");
            Err(error(ErrorCode::Corrupted, message, path))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_hash(expected: &Hash, hash: &Hash, path: &Path) -> Result<()> {
    if expected == hash {
        return Ok(());
    }
    let message = format!("the {} of the object is {hash} and not the {expected} expected", hash.algorithm);
    Err(error(ErrorCode::Corrupted, message, path))
}

impl Writing {
    fn begin(root: &Arc<Root>, path: &Path, options: &WriteOptions) -> Result<Self> {
        root.check_options(options, path)?;
        let attributes = Attributes::of(options, path)?;
        // Checked before anything is made, set when all bytes are there.
        options.modified.map(|modified| modification_time(modified, path)).transpose()?;
        let expected = Expected::new(options, path);
        let owned = root.take_owned(&mut options.metadata.clone());
        let permissions = owned.mode().map_or(Permissions::Usual, Permissions::Given);
        let place = Placement::new(permissions, &options.condition);
        let body = match root.link_name(path.as_str()) {
            Some(_) => Body::Link { root: root.clone(), place, leads_to: Vec::new() },
            None => Body::File(Draft::begin(root, path, None, place)?),
        };
        Ok(Self { body, expected, attributes, modified: options.modified })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.expected.update(bytes);
        match &mut self.body {
            Body::File(draft) => draft.write(bytes),
            Body::Link { leads_to, .. } => {
                // One more shows that there are too many.
                let room = (link::LONGEST + 1).saturating_sub(leads_to.len());
                leads_to.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                Ok(())
            }
        }
    }

    fn commit(self) -> Result<ObjectInfo> {
        let path = self.expected.path.clone();
        self.expected.check()?;
        match self.body {
            Body::File(draft) => draft.commit(self.attributes, self.modified),
            Body::Link { root, place, leads_to } => {
                link::write(&root, &path, &leads_to, self.modified, place)
            }
        }
    }
}

/// The whole object by value.
pub(super) fn write_all(
    root: &Arc<Root>,
    path: &Path,
    contents: &[u8],
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let mut writing = Writing::begin(root, path, options)?;
    writing.push(contents)?;
    writing.commit()
}

/// Begins an upload; fails at once if there is something at the path that it cannot replace.
pub(super) fn begin(root: &Arc<Root>, path: &Path, options: &WriteOptions) -> Result<FileUpload> {
    root.check_options(options, path)?;
    if let Ok((parent, _)) = split_object(path)
        && let Ok(directory) = root.tree.directory(parent)
    {
        Placement::new(Permissions::Usual, &options.condition).check(root, &directory, path)?;
    }
    let writing = Writing::begin(root, path, options)?;
    Ok(FileUpload { root: root.clone(), path: path.clone(), writing: Some(writing) })
}

/// The bytes go to the disk as they come. Each call takes the draft to its thread, so dropping a call leaves nothing
/// either.
#[derive(Debug)]
pub(super) struct FileUpload {
    root: Arc<Root>,
    path: Path,
    writing: Option<Writing>,
}

impl FileUpload {
    fn take(&mut self) -> Result<Writing> {
        self.root.check_open().map_err(|error| error.at(KIND, &self.path))?;
        let message = "an earlier part of the write failed or was given up";
        self.writing.take().ok_or_else(|| Error::new(ErrorCode::WriterClosed, message).at(KIND, &self.path))
    }
}

#[async_trait]
impl Upload for FileUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let mut writing = self.take()?;
        let pushed = blocking(move || writing.push(&chunk).map(|()| writing)).await?;
        self.writing = Some(pushed);
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<ObjectInfo> {
        let writing = self.take()?;
        blocking(move || writing.commit()).await
    }

    async fn abort(mut self: Box<Self>) {
        let writing = self.writing.take();
        // It fails only if the runtime ends, and then the drop has happened as well.
        let _ = blocking(move || {
            drop(writing);
            Ok(())
        })
        .await;
    }
}
