//! Errors of the operating system, in the vocabulary of this crate.

use omnistorage_types::Path;
use rustix::io::Errno;

use super::KIND;
use crate::{Error, ErrorCode};

/// An error of that code at that path.
pub(super) fn error(code: ErrorCode, message: impl Into<String>, path: &Path) -> Error {
    Error::new(code, message).at(KIND, path)
}

/// A failed system call.
pub(super) fn failure(errno: Errno, path: &Path) -> Error {
    let (code, message) = match errno {
        Errno::NOENT => (ErrorCode::NotFound, "there is nothing at this path"),
        Errno::LOOP => (
            ErrorCode::PermissionDenied,
            "it is, or runs through, a symbolic link, which the file backend does not follow",
        ),
        Errno::NOTDIR => {
            (ErrorCode::NotDirectory, "it is, or runs through, something that is not a directory")
        }
        Errno::ISDIR => (ErrorCode::IsDirectory, "it is a directory"),
        Errno::NOTEMPTY | Errno::EXIST => (ErrorCode::NotEmpty, "the directory still has entries"),
        Errno::NXIO => (ErrorCode::Unsupported, SPECIAL),
        Errno::NAMETOOLONG => {
            (ErrorCode::InvalidPath, "the path or one of its names is longer than the file system takes")
        }
        Errno::ILSEQ => (ErrorCode::InvalidPath, "the file system does not take a name of these characters"),
        Errno::NOSPC => (ErrorCode::NoSpace, "the file system is full"),
        Errno::DQUOT => (ErrorCode::NoSpace, "the disk quota is used up"),
        Errno::FBIG => (
            ErrorCode::NoSpace,
            "neither the file system nor this process (`ulimit -f`) takes files of this size",
        ),
        Errno::ROFS => (ErrorCode::PermissionDenied, "the file system is mounted read-only"),
        Errno::ACCESS | Errno::PERM => {
            (ErrorCode::PermissionDenied, "the operating system denies access: check owner and permissions")
        }
        Errno::STALE => (
            ErrorCode::Unavailable,
            "a directory, or a temporary file, was moved or removed meanwhile: try again",
        ),
        Errno::MFILE | Errno::NFILE => {
            (ErrorCode::Unavailable, "too many files are open: raise the limit or lower the concurrency")
        }
        _ => return Error::from(std::io::Error::from(errno)).at(KIND, path),
    };
    error(code, message, path).with_source(std::io::Error::from(errno))
}

/// As [`failure`], for calls that only look: below an object there is nothing.
pub(super) fn absent_below_objects(errno: Errno, path: &Path) -> Error {
    failure(if errno == Errno::NOTDIR { Errno::NOENT } else { errno }, path)
}

/// The object is no longer the one it was when the call began.
pub(super) fn changed(path: &Path) -> Error {
    error(
        ErrorCode::Unavailable,
        "the object is being changed while it is read: try again when that is over",
        path,
    )
}

/// Something like this is where an object is to be put.
pub(super) fn special_in_place(path: &Path) -> Error {
    let message = "a device, a socket or a named pipe stands there, which is never replaced: remove it first, or choose \
                   another name";
    error(ErrorCode::AlreadyExists, message, path)
}

/// Why devices, sockets and named pipes are refused.
pub(super) const SPECIAL: &str =
    "it is a device, a socket or a named pipe, which the file backend never reads or writes";
