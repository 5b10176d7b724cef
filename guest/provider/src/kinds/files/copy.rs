//! Copies and moves between directories that the host grants.

use futures::StreamExt;
use omnistorage::{
    Error, ErrorCode, Hasher, ObjectInfo, ObjectKind, Path, Result,
    backend::{ReadOptions, WriteCondition, WriteOptions},
};
use wasip3::filesystem::types::{ErrorCode as Errno, NewTimestamp};
use wit_bindgen::FutureReader;

use super::{
    KIND,
    directory::{NO_FOLLOW, Root},
    failure::{absent_below_objects, error, failure},
    info::{look, time},
    names::{self, split},
    place::{self, Found, Parents, already_there, check_options, check_replaced},
    read::{self, Object},
    upload::Writing,
};

/// Up to so many bytes go past this component, which saves 5 us a file. A host hands them on in small pieces (wasmtime 49 in
/// 8 KiB, with two calls of the system for each), and the component takes hundreds of KiB at once: a file of 1 GiB takes 0.7
/// of the time that way. At this size both take the same.
const PIPED: u64 = 16 << 10;

/// How the host's reading of a file ended.
type Ended = FutureReader<Result<(), Errno>>;

/// A copy or a move: from where, to where, and how.
pub(super) struct Request<'a> {
    pub(super) from: &'a Root,
    pub(super) source: &'a Path,
    pub(super) to: &'a Root,
    pub(super) target: &'a Path,
    pub(super) options: &'a WriteOptions,
}

impl Request<'_> {
    /// Copies an object: the bytes go through this component, or past it where there are few and nobody must look at them.
    ///
    /// # Errors
    /// As [`Backend::copy_to`](omnistorage::Backend::copy_to).
    pub(super) async fn copy(&self) -> Result<ObjectInfo> {
        let Self { from, source, to, target, options } = *self;
        check_options(options, target).map_err(Error::on_target)?;
        names::check(target).map_err(Error::on_target)?;
        let object = read::open_to_copy(from, source).await?;
        self.check_size(&object.info)?;
        let is_exclusive = options.condition == WriteCondition::IfAbsent;
        let found = if is_exclusive {
            place::find_directory(to, target).await
        } else {
            place::find(to, target, false).await
        };
        let found = found.map_err(Error::on_target)?;
        if self.is_onto_itself(&found).await? {
            return self.itself().await;
        }
        let options = WriteOptions { modified: options.modified.or(object.info.modified), ..options.clone() };
        let mut writing = Writing::at(to, target, &found, &options).await.map_err(Error::on_target)?;
        let size = object.info.size.unwrap_or(0);
        let ended = match &options.expected_hash {
            None if size == 0 => None,
            None if size <= PIPED => Some(self.pipe(object, size, &mut writing).await?),
            _ => {
                self.pump(object, &mut writing).await?;
                None
            }
        };
        match writing.commit().await {
            Err(error) if error.code() == ErrorCode::Corrupted => match ended {
                Some(ended) => Err(ended.await.map_or_else(|errno| failure(errno, source), |()| error)),
                None => Err(error),
            }
            .map_err(|error| error.at(KIND, source)),
            committed => committed.map_err(Error::on_target),
        }
    }

    /// Has the host move the bytes. How its reading ended is not asked, which would cost a way through the host: if there
    /// are bytes missing, that tells why.
    async fn pipe(&self, Object { file, info }: Object, size: u64, writing: &mut Writing) -> Result<Ended> {
        let (stream, ended) = file.read_via_stream(0);
        writing.fill(stream, size).await.map_err(Error::on_target)?;
        self.options.meter.moved(size);
        read::check_unchanged(&file, &info).await?;
        Ok(ended)
    }

    /// Moves the bytes through this component.
    async fn pump(&self, object: Object, writing: &mut Writing) -> Result<()> {
        let mut contents = read::contents_of(object);
        while let Some(chunk) = contents.next().await {
            let chunk = chunk?;
            let moved = chunk.len() as u64;
            writing.push(chunk).await.map_err(Error::on_target)?;
            self.options.meter.moved(moved);
        }
        Ok(())
    }

    /// Moves an object by renaming it.
    ///
    /// # Errors
    /// As [`Backend::move_to`](omnistorage::Backend::move_to).
    pub(super) async fn rename(&self) -> Result<ObjectInfo> {
        let Self { from, source, to, target, options } = *self;
        check_options(options, target).map_err(Error::on_target)?;
        names::check(target).map_err(Error::on_target)?;
        let modified = options.modified.map(time).transpose()?;
        let object = read::open_to_copy(from, source).await?;
        self.check_size(&object.info)?;
        self.check_hash().await?;
        let is_exclusive = options.condition == WriteCondition::IfAbsent;
        let found = place::find(to, target, false).await.map_err(Error::on_target)?;
        if self.is_onto_itself(&found).await? {
            return self.itself().await;
        }
        let refused = |errno| failure(errno, target).on_target();
        let (parent, leaf) = split(target).map_err(Error::on_target)?;
        let parents = Parents::make(&to.top, parent).await.map_err(refused)?;
        check_replaced(&parents.directory, leaf, target, is_exclusive).await.map_err(Error::on_target)?;

        let (parent, name) = split(source)?;
        let directory = from.walk(parent).await.map_err(|errno| absent_below_objects(errno, source))?;
        if let Some(modified) = modified {
            let set = object.file.set_times(NewTimestamp::NoChange, modified);
            set.await.map_err(|errno| failure(errno, source))?;
        }
        let (old, new) = (name.to_owned(), leaf.to_owned());
        let moved = if is_exclusive {
            // WASI has no rename that keeps what is there. A second name does, and is all that a kill could leave.
            match directory.link_at(NO_FOLLOW, old.clone(), &parents.directory, new).await {
                Ok(()) => directory.unlink_file_at(old).await,
                linked => linked,
            }
        } else {
            directory.rename_at(old, &parents.directory, new).await
        };
        moved.map_err(|errno| match errno {
            Errno::Exist => already_there(target).on_target(),
            Errno::NoEntry | Errno::CrossDevice => failure(errno, source),
            errno => refused(errno),
        })?;
        let info = look(&parents.directory, leaf, target.clone()).await.map_err(refused)?;
        parents.keep();
        Ok(info)
    }

    fn check_size(&self, info: &ObjectInfo) -> Result<()> {
        match self.options.expected_size.zip(info.size) {
            Some((expected, size)) if expected != size => {
                let message = format!("the object has {size} bytes and not the {expected} expected");
                Err(error(ErrorCode::Corrupted, message, self.source))
            }
            _ => Ok(()),
        }
    }

    async fn check_hash(&self) -> Result<()> {
        let Some(expected) = &self.options.expected_hash else { return Ok(()) };
        let mut contents = read::read(self.from, self.source, &ReadOptions::default()).await?.contents;
        let mut hasher = Hasher::new(expected.algorithm);
        while let Some(chunk) = contents.next().await {
            hasher.update(&chunk?);
        }
        let hash = hasher.finish();
        if hash == *expected {
            return Ok(());
        }
        let message =
            format!("the {} of the object is {hash} and not the {expected} expected", hash.algorithm);
        Err(error(ErrorCode::Corrupted, message, self.source))
    }

    /// Whether source and target are one name of one directory, however each root leads there.
    async fn is_onto_itself(&self, found: &Found) -> Result<bool> {
        let ((parent, name), (_, leaf)) =
            (split(self.source)?, split(self.target).map_err(Error::on_target)?);
        if name != leaf || found.there != Some(ObjectKind::Object) {
            return Ok(false);
        }
        let source =
            self.from.walk(parent).await.map_err(|errno| absent_below_objects(errno, self.source))?;
        Ok(source.is_same_object(&found.directory).await)
    }

    /// Nothing is to be done, unless nothing may be there.
    async fn itself(&self) -> Result<ObjectInfo> {
        match self.options.condition {
            WriteCondition::IfAbsent => Err(already_there(self.target).on_target()),
            _ => read::stat(self.to, self.target).await.map_err(Error::on_target),
        }
    }
}
