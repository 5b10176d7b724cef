//! Errors of WASI's file systems, in the vocabulary of this library.

use omnistorage::{Error, ErrorCode, Path};
use wasip3::filesystem::types::ErrorCode as Errno;

use super::KIND;

/// An error of that code at that path.
pub(super) fn error(code: ErrorCode, message: impl Into<String>, path: &Path) -> Error {
    Error::new(code, message).at(KIND, path)
}

/// A call of the file system that failed.
pub(super) fn failure(errno: Errno, path: &Path) -> Error {
    let (code, message) = match errno {
        Errno::NoEntry => (ErrorCode::NotFound, "there is nothing at this path"),
        Errno::Loop => (
            ErrorCode::PermissionDenied,
            "it is, or runs through, a symbolic link, which the file backend does not follow",
        ),
        Errno::NotDirectory => {
            (ErrorCode::NotDirectory, "it is, or runs through, something that is not a directory")
        }
        Errno::IsDirectory => (ErrorCode::IsDirectory, "it is a directory"),
        Errno::NotEmpty => (ErrorCode::NotEmpty, "the directory still has entries"),
        Errno::Exist => (ErrorCode::AlreadyExists, "there is something at this path already"),
        Errno::NameTooLong => {
            (ErrorCode::InvalidPath, "the path or one of its names is longer than the file system takes")
        }
        Errno::IllegalByteSequence => {
            (ErrorCode::InvalidPath, "a name is not UTF-8, or the file system does not take its characters")
        }
        Errno::InsufficientSpace => (ErrorCode::NoSpace, "the file system is full"),
        Errno::Quota => (ErrorCode::NoSpace, "the disk quota is used up"),
        Errno::FileTooLarge => (ErrorCode::NoSpace, "the file system takes no files of this size"),
        Errno::ReadOnly => (ErrorCode::PermissionDenied, "the file system is read-only"),
        Errno::NotPermitted => (
            ErrorCode::PermissionDenied,
            "the host denies access: it may have granted the directory for reading alone",
        ),
        Errno::Access => {
            (ErrorCode::PermissionDenied, "the operating system denies access: check owner and permissions")
        }
        Errno::Unsupported => (ErrorCode::Unsupported, "the host or the file system cannot do this"),
        Errno::CrossDevice => (
            ErrorCode::Unsupported,
            "source and target are on different file systems, between which nothing moves in one step",
        ),
        Errno::Busy | Errno::TextFileBusy => (ErrorCode::Unavailable, "it is in use: try again"),
        Errno::InsufficientMemory => (ErrorCode::Unavailable, "the host has no memory left: try again"),
        other => return error(ErrorCode::Other, format!("the file system fails: {}", words(&other)), path),
    };
    error(code, message, path)
}

/// What a host tells of an error, which WASI may have no word for.
fn words(errno: &Errno) -> String {
    match errno {
        Errno::Other(Some(told)) => told.clone(),
        Errno::Other(None) => "it does not say why".to_owned(),
        errno => format!("{errno:?}"),
    }
}

/// As [`failure`], for calls that only look: below an object there is nothing.
pub(super) fn absent_below_objects(errno: Errno, path: &Path) -> Error {
    failure(if matches!(errno, Errno::NotDirectory) { Errno::NoEntry } else { errno }, path)
}

/// The object is no longer the one it was when the call began.
pub(super) fn changed(path: &Path) -> Error {
    let message = "the object is being changed while it is read: try again when that is over";
    error(ErrorCode::Unavailable, message, path)
}
