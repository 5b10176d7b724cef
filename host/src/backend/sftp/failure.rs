//! Errors of servers and of ssh, in the vocabulary of this crate.

use std::io;

use super::{cursor::Malformed, wire::Status};
use crate::{Error, ErrorCode};

/// A request that was refused.
pub(super) fn refused(status: &Status) -> Error {
    let said = || String::from_utf8_lossy(status.message.get(..200).unwrap_or(&status.message)).into_owned();
    match status.code {
        Status::NO_SUCH_FILE => Error::new(ErrorCode::NotFound, "there is nothing at this path"),
        Status::PERMISSION_DENIED => Error::new(
            ErrorCode::PermissionDenied,
            "the server denies access: check owner and permissions there",
        ),
        // OpenSSH says so of names that are too long, or no names there.
        Status::BAD_MESSAGE => Error::new(
            ErrorCode::InvalidPath,
            "the server does not take this path: it or one of its names may be too long",
        ),
        Status::OP_UNSUPPORTED => Error::new(ErrorCode::Unsupported, "the server does not do this"),
        code => {
            Error::new(ErrorCode::Other, format!("the server refuses this (status {code}): `{}`", said()))
        }
    }
}

/// An answer of another kind than that of the request.
pub(super) fn unexpected() -> Error {
    Error::new(ErrorCode::Other, "the server answered something else than what it was asked")
}

/// What is no message of the protocol.
pub(super) fn malformed(Malformed(what): Malformed) -> Error {
    Error::new(ErrorCode::Other, format!("the server does not keep to the protocol: it sent {what}"))
}

/// The program cannot be run.
pub(super) fn not_started(program: &str, error: io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!(
            "the program `{program}` is not there: install the client of OpenSSH, or set `ssh` to where it is"
        ),
        _ => format!("the program `{program}` cannot be started: {error}"),
    };
    // Nothing was looked at: it must not read as if nothing were there.
    Error::new(ErrorCode::Other, message).with_source(error)
}

/// How a connection ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// As the user knows the server.
    pub(super) host: String,
    /// Whether anything was heard from the server.
    pub(super) was_open: bool,
    /// Of ssh; `None` if it did not end by itself.
    pub(super) exit_code: Option<i32>,
    /// What ssh said.
    pub(super) said: String,
}

impl Ending {
    /// Why, in one sentence.
    pub(super) fn explain(&self) -> Error {
        let Self { host, was_open, exit_code, said } = self;
        let said = said.trim();
        let has = |text: &str| said.contains(text);
        if !was_open && (has("Host key verification failed") || has("host key is known for")) {
            let message = if has("IDENTIFICATION HAS CHANGED") {
                format!(
                    "the host key of `{host}` is another one than the one that is known: somebody may be in between; if the \
                     key was changed on purpose, remove the old one with `ssh-keygen -R` and connect once with `ssh`"
                )
            } else {
                format!(
                    "the host key of `{host}` is not known: connect once with `ssh`, compare the key that it shows and \
                     accept it, or add it to the file of known hosts"
                )
            };
            return Error::new(ErrorCode::PermissionDenied, message);
        }
        let quoted = if said.is_empty() { String::new() } else { format!(": `{}`", lines(said)) };
        if !was_open && (has("Permission denied (") || has("Too many authentication failures")) {
            let message = format!(
                "`{host}` lets nobody in by these keys, and no password is asked for: name the user and the key, or add the \
                 key to the agent, so that `ssh` gets in without a question{quoted}"
            );
            return Error::new(ErrorCode::PermissionDenied, message);
        }
        if !was_open && has("subsystem request failed") {
            let message =
                format!("`{host}` has no SFTP: its administrator must switch on the subsystem `sftp`");
            return Error::new(ErrorCode::Other, message);
        }
        if !was_open && (has("Bad configuration option") || has("command-line line") || has("Bad owner")) {
            let message = format!("ssh does not take its settings{quoted}");
            return Error::new(ErrorCode::InvalidArgument, message);
        }
        let how = match exit_code {
            Some(code) if said.is_empty() => format!(" (ssh ended with {code})"),
            _ => quoted,
        };
        let message = if *was_open {
            format!("the connection to `{host}` was lost: try again{how}")
        } else {
            format!("there is no connection to `{host}`{how}")
        };
        Error::new(ErrorCode::Unavailable, message)
    }
}

/// Several lines as one.
fn lines(said: &str) -> String {
    said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_becomes_one_sentence_that_says_what_to_do() {
        use ErrorCode::{InvalidArgument, Other, PermissionDenied, Unavailable};
        for (said, was_open, code, word) in [
            ("Host key verification failed.\r\n", false, PermissionDenied, "is not known"),
            (
                "@ REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                false,
                PermissionDenied,
                "ssh-keygen -R",
            ),
            ("me@h: Permission denied (publickey).", false, PermissionDenied, "no password is asked for"),
            ("subsystem request failed on channel 0", false, Other, "subsystem `sftp`"),
            (
                "command-line: line 0: Bad configuration option: x",
                false,
                InvalidArgument,
                "Bad configuration",
            ),
            ("ssh: connect to host h port 1: Connection refused", false, Unavailable, "refused"),
            ("", false, Unavailable, "ended with 255"),
            ("Host key verification failed.", true, Unavailable, "was lost"),
            ("a\nb", true, Unavailable, "`a; b`"),
            ("\u{1b}[31m", true, Unavailable, "\\u{1b}"),
        ] {
            let ending =
                Ending { host: "h".to_owned(), was_open, exit_code: Some(255), said: said.to_owned() };
            let error = ending.explain();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.message().contains(word), "{error}");
        }
    }
}
