//! What the file system knows of a file, as [`ObjectInfo`].

use omnistorage::{Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result, Timestamp};
use wasip3::{
    clocks::system_clock::Instant,
    filesystem::types::{
        Descriptor, DescriptorStat, DescriptorType, ErrorCode as Errno, MetadataHashValue, NewTimestamp,
    },
};

use super::directory::NO_FOLLOW;

/// What stands there.
pub(super) fn kind(of: &DescriptorType) -> ObjectKind {
    match of {
        DescriptorType::RegularFile => ObjectKind::Object,
        DescriptorType::Directory => ObjectKind::Directory,
        DescriptorType::SymbolicLink => ObjectKind::Symlink,
        _ => ObjectKind::Special,
    }
}

/// What stands at a name, without following it.
///
/// # Errors
/// As `stat-at`.
pub(super) async fn look(directory: &Descriptor, name: &str, path: Path) -> Result<ObjectInfo, Errno> {
    let stat = directory.stat_at(NO_FOLLOW, name.to_owned()).await?;
    let identity = match stat.type_ {
        DescriptorType::RegularFile => Some(directory.metadata_hash_at(NO_FOLLOW, name.to_owned()).await?),
        _ => None,
    };
    Ok(info(path, &stat, identity))
}

/// What is known about an open file.
///
/// # Errors
/// As `stat`.
pub(super) async fn of_open(file: &Descriptor, path: Path) -> Result<ObjectInfo, Errno> {
    let stat = file.stat().await?;
    let identity = match stat.type_ {
        DescriptorType::RegularFile => Some(file.metadata_hash().await?),
        _ => None,
    };
    Ok(info(path, &stat, identity))
}

/// What a look at it told. The etag of an object is made from what tells it from others, if that was asked for.
pub(super) fn info(path: Path, stat: &DescriptorStat, identity: Option<MetadataHashValue>) -> ObjectInfo {
    let mut info = ObjectInfo::new(path, kind(&stat.type_));
    info.modified = modified_of(stat);
    if info.kind == ObjectKind::Object {
        info.size = Some(stat.size);
        info.etag = identity.zip(info.modified).map(|(MetadataHashValue { lower, upper }, modified)| {
            let Timestamp { seconds, nanoseconds } = modified;
            format!("{lower:x}.{upper:x}-{:x}-{seconds:x}.{nanoseconds:x}", stat.size)
        });
    }
    info
}

/// When a file was modified.
pub(super) fn modified_of(stat: &DescriptorStat) -> Option<Timestamp> {
    let Instant { seconds, nanoseconds } = stat.data_modification_timestamp?;
    Some(Timestamp { seconds, nanoseconds })
}

/// For setting a modification time.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`]
pub(super) fn time(Timestamp { seconds, nanoseconds }: Timestamp) -> Result<NewTimestamp> {
    if nanoseconds >= 1_000_000_000 {
        return Err(Error::new(ErrorCode::InvalidArgument, "a time has a second or more of nanoseconds"));
    }
    Ok(NewTimestamp::Timestamp(Instant { seconds, nanoseconds }))
}
