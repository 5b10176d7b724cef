//! What a server tells of a file, and what it is told.

use bytes::{BufMut, BytesMut};
use omnistorage_types::Path;

use super::cursor::{Cursor, Malformed};
use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result, Timestamp};

const SIZE: u32 = 1;
const OWNER: u32 = 2;
const PERMISSIONS: u32 = 4;
const TIMES: u32 = 8;
const EXTENDED: u32 = 1 << 31;

/// The bits of a mode that say what a file is, and their values.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

/// Attributes of a file, each as far as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) size: Option<u64>,
    /// With the kind of the file in its upper bits.
    pub(super) mode: Option<u32>,
    pub(super) times: Option<Times>,
}

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) accessed: u32,
    pub(super) modified: u32,
}

impl Attributes {
    /// Nothing.
    pub(super) const NONE: Self = Self { size: None, mode: None, times: None };

    /// Reads what a server tells.
    pub(super) fn read(cursor: &mut Cursor) -> Result<Self, Malformed> {
        let flags = cursor.u32()?;
        // What follows an unknown flag has an unknown length.
        if flags & !(SIZE | OWNER | PERMISSIONS | TIMES | EXTENDED) != 0 {
            return Err(Malformed("attributes of an unknown kind"));
        }
        let has = |flag| flags & flag != 0;
        let size = has(SIZE).then(|| cursor.u64()).transpose()?;
        if has(OWNER) {
            cursor.u64()?;
        }
        let mode = has(PERMISSIONS).then(|| cursor.u32()).transpose()?;
        let times =
            has(TIMES).then(|| Ok(Times { accessed: cursor.u32()?, modified: cursor.u32()? })).transpose()?;
        if has(EXTENDED) {
            for _ in 0..cursor.u32()? {
                cursor.string()?;
                cursor.string()?;
            }
        }
        Ok(Self { size, mode, times })
    }

    pub(super) fn write(&self, to: &mut BytesMut) {
        let flag = |is_there, flag| if is_there { flag } else { 0 };
        to.put_u32(
            flag(self.size.is_some(), SIZE)
                | flag(self.mode.is_some(), PERMISSIONS)
                | flag(self.times.is_some(), TIMES),
        );
        self.size.into_iter().for_each(|size| to.put_u64(size));
        self.mode.into_iter().for_each(|mode| to.put_u32(mode));
        if let Some(times) = self.times {
            to.put_u32(times.accessed);
            to.put_u32(times.modified);
        }
    }

    /// Whether all is told that is told of an object or a directory here.
    pub(super) fn is_complete(&self) -> bool {
        self.info(&Path::root()).is_ok()
    }

    /// What stands there.
    ///
    /// # Errors
    /// The server does not tell.
    pub(super) fn kind(&self) -> Result<ObjectKind> {
        match self.mode.map(|mode| mode & KIND) {
            Some(REGULAR) => Ok(ObjectKind::Object),
            Some(DIRECTORY) => Ok(ObjectKind::Directory),
            Some(LINK) => Ok(ObjectKind::Symlink),
            Some(kind) if kind != 0 => Ok(ObjectKind::Special),
            _ => Err(untold("what kind of file it is")),
        }
    }

    /// The permission bits, without those that lend an owner's rights.
    pub(super) fn permissions(&self) -> Option<u32> {
        self.mode.map(|mode| mode & 0o777)
    }

    /// All that is known here.
    ///
    /// # Errors
    /// The server does not tell the kind, the time, or the size of an object.
    pub(super) fn info(&self, path: &Path) -> Result<ObjectInfo> {
        let mut info = ObjectInfo::new(path.clone(), self.kind()?);
        let times = self.times.ok_or_else(|| untold("when it was changed"))?;
        info.modified = Some(Timestamp { seconds: times.modified.into(), nanoseconds: 0 });
        if info.kind == ObjectKind::Object {
            info.size = Some(self.size.ok_or_else(|| untold("how large it is"))?);
        }
        Ok(info)
    }
}

fn untold(what: &str) -> Error {
    Error::new(ErrorCode::Unsupported, format!("the server does not tell {what}"))
}

/// The time in the seconds of the protocol, of which there are those from 1970 to 2106.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] for any other time.
pub(super) fn seconds(time: Timestamp) -> Result<u32> {
    if time.nanoseconds >= 1_000_000_000 {
        let message = "a time has a second or more of nanoseconds";
        return Err(Error::new(ErrorCode::InvalidArgument, message));
    }
    // Within a second of 1970 is 1970.
    let seconds = if time.seconds == -1 && time.nanoseconds > 0 { 0 } else { time.seconds };
    u32::try_from(seconds).map_err(|_| {
        let message = "SFTP keeps times from 1970 to 2106 alone, and this is another one";
        Error::new(ErrorCode::InvalidArgument, message)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let times = Some(Times { accessed: 1, modified: u32::MAX });
        for attributes in [
            Attributes::NONE,
            Attributes { size: Some(u64::MAX), ..Attributes::NONE },
            Attributes { mode: Some(0o100_644), times, ..Attributes::NONE },
            Attributes { size: Some(1), mode: Some(DIRECTORY), times },
        ] {
            let mut written = BytesMut::new();
            attributes.write(&mut written);
            let mut cursor = Cursor::new(written.freeze());
            assert_eq!(Attributes::read(&mut cursor), Ok(attributes));
            assert!(cursor.rest().is_empty());
        }
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        let all = Attributes {
            size: Some(3),
            mode: Some(REGULAR | 0o4_755),
            times: Some(Times { accessed: 0, modified: 7 }),
        };
        let info = all.info(&Path::root()).unwrap();
        assert_eq!((info.kind, info.size, info.modified.unwrap().seconds), (ObjectKind::Object, Some(3), 7));
        assert_eq!(all.permissions(), Some(0o755));
        for part in [
            Attributes { size: None, ..all },
            Attributes { mode: None, ..all },
            Attributes { mode: Some(0o644), ..all },
            Attributes { times: None, ..all },
        ] {
            assert_eq!(part.info(&Path::root()).unwrap_err().code(), ErrorCode::Unsupported);
            assert!(!part.is_complete());
        }
    }

    #[test]
    fn attributes_of_an_unknown_kind_are_refused() {
        for bytes in [&[0, 0, 0, 16, 0, 0][..], &[0, 0, 0, 1, 0], &[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]] {
            assert!(Attributes::read(&mut Cursor::new(Bytes::copy_from_slice(bytes))).is_err());
        }
    }

    #[test]
    fn times_that_the_protocol_has_not_are_refused() {
        let of = |seconds_, nanoseconds| seconds(Timestamp { seconds: seconds_, nanoseconds });
        assert_eq!(of(0, 1).unwrap(), 0);
        assert_eq!(of(-1, 500_000_000).unwrap(), 0);
        assert_eq!(of(u32::MAX.into(), 999_999_999).unwrap(), u32::MAX);
        for (seconds, nanoseconds) in [(-1, 0), (-2, 1), (i64::from(u32::MAX) + 1, 0), (0, 1_000_000_000)] {
            assert_eq!(of(seconds, nanoseconds).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
    }
}
