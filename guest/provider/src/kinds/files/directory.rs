//! Directories below the root, reached name by name: WASI follows links in the middle of a path, so no path is left to it.

use std::{cell::RefCell, sync::Arc};

use wasip3::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode as Errno, OpenFlags, PathFlags,
};

/// Links are never followed.
pub(super) const NO_FOLLOW: PathFlags = PathFlags::empty();

/// A directory that was opened.
pub(super) type Directory = Arc<Descriptor>;

/// The root of a backend during one call. The directory that was reached last is held, since the paths of many objects
/// come sorted; nothing is held from call to call, in which others may move it.
pub(super) struct Root {
    pub(super) top: Directory,
    last: RefCell<Option<(String, Directory)>>,
}

impl Root {
    pub(super) fn new(top: &Directory) -> Self {
        Self { top: top.clone(), last: RefCell::default() }
    }

    /// The directory at a path.
    ///
    /// # Errors
    /// As [`enter`].
    pub(super) async fn walk(&self, path: &str) -> Result<Directory, Errno> {
        let (directory, missing) = self.walk_existing(path).await?;
        if missing.is_empty() { Ok(directory) } else { Err(Errno::NoEntry) }
    }

    /// The innermost directory of a path that exists, and the names that are missing below it.
    ///
    /// # Errors
    /// As [`enter`].
    pub(super) async fn walk_existing<'a>(&self, path: &'a str) -> Result<(Directory, Vec<&'a str>), Errno> {
        if let Some((last, directory)) = &*self.last.borrow()
            && last == path
        {
            return Ok((directory.clone(), Vec::new()));
        }
        let (directory, missing) = walk_existing(&self.top, path).await?;
        if missing.is_empty() {
            *self.last.borrow_mut() = Some((path.to_owned(), directory.clone()));
        }
        Ok((directory, missing))
    }
}

/// The directory of a name in another. What is none is not opened: a named pipe would block.
///
/// # Errors
/// [`Errno::Loop`] if it is a link, [`Errno::NotDirectory`]; as `open-at`.
pub(super) async fn enter(directory: &Descriptor, name: &str) -> Result<Directory, Errno> {
    match directory.stat_at(NO_FOLLOW, name.to_owned()).await?.type_ {
        DescriptorType::Directory => {}
        DescriptorType::SymbolicLink => return Err(Errno::Loop),
        _ => return Err(Errno::NotDirectory),
    }
    let open = |flags| directory.open_at(NO_FOLLOW, name.to_owned(), OpenFlags::DIRECTORY, flags);
    let opened = match open(DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY).await {
        Err(Errno::NotPermitted | Errno::ReadOnly) => open(DescriptorFlags::READ).await,
        opened => opened,
    };
    opened.map(Arc::new)
}

/// The innermost directory of a path that exists, and the names that are missing below it.
///
/// # Errors
/// As [`enter`].
pub(super) async fn walk_existing<'a>(
    top: &Directory,
    path: &'a str,
) -> Result<(Directory, Vec<&'a str>), Errno> {
    let mut directory = top.clone();
    let mut names = path.split('/').filter(|name| !name.is_empty());
    while let Some(name) = names.next() {
        match enter(&directory, name).await {
            Ok(entered) => directory = entered,
            Err(Errno::NoEntry) => {
                let missing = std::iter::once(name).chain(names).collect();
                return Ok((directory, missing));
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok((directory, Vec::new()))
}

/// Opens a directory, and makes it if it is missing; says whether it did.
///
/// # Errors
/// As [`enter`].
pub(super) async fn make(directory: &Descriptor, name: &str) -> Result<(Directory, bool), Errno> {
    let made = match directory.create_directory_at(name.to_owned()).await {
        Ok(()) => true,
        Err(Errno::Exist) => false,
        Err(errno) => return Err(errno),
    };
    Ok((enter(directory, name).await?, made))
}

/// Names in a directory, each with what it is the name of.
///
/// The second value says why there may be more: a name that is not UTF-8 ends what the host tells.
pub(super) async fn entries(directory: &Descriptor) -> (Vec<(String, DescriptorType)>, Result<(), Errno>) {
    let (mut stream, ended) = directory.read_directory();
    let mut entries = Vec::new();
    let mut page = Vec::with_capacity(PAGE);
    loop {
        let (state, mut read) = stream.read(page).await;
        entries.extend(read.drain(..).map(|entry| (entry.name, entry.type_)));
        if state == wit_bindgen::StreamResult::Dropped {
            break;
        }
        page = read;
    }
    (entries, ended.await)
}

/// Entries of a directory read at once.
const PAGE: usize = 256;
