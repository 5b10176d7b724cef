//! A file under a name of its own, until it is whole.

use std::sync::Arc;

use wasip3::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode as Errno, NewTimestamp, OpenFlags};
use wit_bindgen::{FutureReader, StreamReader, StreamWriter};

use super::{
    directory::{Directory, NO_FOLLOW},
    names,
};
use crate::bindings::wit_stream;

/// As many names are tried.
const NAMES: u32 = 16;

/// A temporary file, gone when dropped unless it was put in place.
pub(super) struct Temporary {
    directory: Directory,
    /// `None` once it has the name of its object.
    name: Option<String>,
    file: Descriptor,
    writing: Option<Writing>,
}

/// Bytes on their way into the file.
struct Writing {
    stream: StreamWriter<u8>,
    ended: FutureReader<Result<(), Errno>>,
}

impl Temporary {
    /// Makes one in a directory.
    ///
    /// # Errors
    /// As `open-at`.
    pub(super) async fn create(directory: &Directory) -> Result<Self, Errno> {
        let mut tried = 0;
        loop {
            let name = names::temporary();
            let flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
            match directory.open_at(NO_FOLLOW, name.clone(), flags, DescriptorFlags::WRITE).await {
                Ok(file) => {
                    let directory = Arc::clone(directory);
                    return Ok(Self { directory, name: Some(name), file, writing: None });
                }
                Err(Errno::Exist) if tried < NAMES => tried += 1,
                Err(errno) => return Err(errno),
            }
        }
    }

    /// The file itself.
    pub(super) fn file(&self) -> &Descriptor {
        &self.file
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// As `write-via-stream`.
    pub(super) async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Errno> {
        if bytes.is_empty() {
            return Ok(());
        }
        let file = &self.file;
        let writing = self.writing.get_or_insert_with(|| {
            let (stream, reader) = wit_stream::new();
            Writing { stream, ended: file.write_via_stream(reader, 0) }
        });
        if writing.stream.write_all(bytes).await.is_empty() {
            return Ok(());
        }
        // The host takes no more, and knows why.
        self.finish().await.and(Err(Errno::Io))
    }

    /// Takes all bytes of a stream of the host's, which never come near this component.
    ///
    /// # Errors
    /// As `write-via-stream`.
    pub(super) async fn fill(&mut self, stream: StreamReader<u8>) -> Result<(), Errno> {
        self.file.write_via_stream(stream, 0).await
    }

    /// The directory that it was made in.
    pub(super) fn directory(&self) -> Directory {
        Arc::clone(&self.directory)
    }

    /// Waits until all bytes are there, and gives the file its modification time.
    ///
    /// # Errors
    /// As `write-via-stream` and `set-times`.
    pub(super) async fn end(&mut self, modified: Option<NewTimestamp>) -> Result<(), Errno> {
        self.finish().await?;
        match modified {
            Some(modified) => self.file.set_times(NewTimestamp::NoChange, modified).await,
            None => Ok(()),
        }
    }

    async fn finish(&mut self) -> Result<(), Errno> {
        let Some(Writing { stream, ended }) = self.writing.take() else { return Ok(()) };
        drop(stream);
        ended.await
    }

    /// Replaces whatever has the name of its object, in one step.
    ///
    /// # Errors
    /// As `rename-at`.
    pub(super) async fn replace(&mut self, directory: &Descriptor, leaf: &str) -> Result<(), Errno> {
        let Some(name) = &self.name else { return Err(Errno::NoEntry) };
        self.directory.rename_at(name.clone(), directory, leaf.to_owned()).await?;
        self.name = None;
        Ok(())
    }

    /// Takes the name of its object, if nothing has it: `Exist` otherwise.
    ///
    /// # Errors
    /// As `link-at`.
    pub(super) async fn take_free_name(&mut self, directory: &Descriptor, leaf: &str) -> Result<(), Errno> {
        let Some(name) = &self.name else { return Err(Errno::NoEntry) };
        self.directory.link_at(NO_FOLLOW, name.clone(), directory, leaf.to_owned()).await?;
        self.remove().await;
        Ok(())
    }

    /// Removes it; that it is gone already is fine.
    pub(super) async fn remove(&mut self) {
        if let Some(name) = self.name.take() {
            self.writing = None;
            // What cannot be removed is left for a sweep, as after a kill.
            let _ = self.directory.unlink_file_at(name).await;
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.name.is_some() {
            // Whoever wrote is gone, so this cannot wait for a better moment.
            wit_bindgen::block_on(self.remove());
        }
    }
}
