//! Exit codes: rclone's, and the one table that chooses them.
//!
//! | what went wrong | with one object | with a tree | with two trees |
//! |---|--:|--:|--:|
//! | `not-found` | 4 | 3 | 3 |
//! | `invalid-argument` | 2 | 2 | 7 |
//! | `unknown-backend`, `unsupported` | 2 | 2 | 2 |
//! | `rate-limited`, `timeout`, `unavailable` | 5 | 5 | 5 |
//! | `already-exists`, `permission-denied`, `invalid-path`, `is-directory`, `not-directory`, `not-empty`, `corrupted`, `no-space` | 6 | 6 | 6 |
//! | `precondition-failed`, `limit-exceeded` | 6 | 6 | 7 |
//! | `backend-closed`, `writer-closed`, `reader-closed`, `cancelled`, `trapped`, `other` | 1 | 1 | 1 |
//!
//! If many objects failed, the worst error counts ([`Exit::worse`]). Apart from errors: 1 for differences that `check`
//! found, 8 for `--max-transfer`, 10 for `--max-duration`, 130 and 143 for signals. If the reader leaves (`... | head`), a command whose only
//! purpose is its output ends with 0; a run goes on unchanged.

use std::io;

use crate::{Error, ErrorCode};

/// How a run ends.
#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "a component gets no signals"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for is done.
    Done = 0,
    /// There were differences, or an error of no class below.
    Other = 1,
    /// The command was not understood, or asks for something this build cannot do.
    Usage = 2,
    /// The directory that a command on a tree starts from does not exist.
    DirectoryNotFound = 3,
    /// The object does not exist.
    ObjectNotFound = 4,
    /// An error remained that may pass if the command is run again.
    Retryable = 5,
    /// An error remained that no retry mends.
    NotRetryable = 6,
    /// The run was refused or stopped to keep data safe: overlap, empty source, too many deletions.
    Fatal = 7,
    /// The limit of bytes to transfer ended the run.
    MaxTransfer = 8,
    /// The limit of time ended the run.
    MaxDuration = 10,
    /// Ended by SIGINT, as shells count it.
    Interrupted = 130,
    /// Ended by SIGTERM, as shells count it.
    Terminated = 143,
}

/// What a command was about when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// One object.
    Object,
    /// A directory and what is below it.
    Tree,
    /// Two trees, of which one is made like the other or compared with it.
    Trees,
}

impl Exit {
    /// The table: from what went wrong, and where, to the exit code.
    pub(crate) const fn of(code: ErrorCode, subject: Subject) -> Self {
        use ErrorCode as Code;
        match (code, subject) {
            (Code::NotFound, Subject::Object) => Self::ObjectNotFound,
            (Code::NotFound, Subject::Tree | Subject::Trees) => Self::DirectoryNotFound,
            (Code::InvalidArgument | Code::PreconditionFailed | Code::LimitExceeded, Subject::Trees) => {
                Self::Fatal
            }
            (Code::InvalidArgument | Code::UnknownBackend | Code::Unsupported, _) => Self::Usage,
            (Code::RateLimited | Code::Timeout | Code::Unavailable, _) => Self::Retryable,
            (
                Code::AlreadyExists
                | Code::PermissionDenied
                | Code::InvalidPath
                | Code::IsDirectory
                | Code::NotDirectory
                | Code::NotEmpty
                | Code::PreconditionFailed
                | Code::Corrupted
                | Code::LimitExceeded
                | Code::NoSpace,
                _,
            ) => Self::NotRetryable,
            (
                Code::BackendClosed
                | Code::WriterClosed
                | Code::ReaderClosed
                | Code::Cancelled
                | Code::Trapped
                | Code::Other,
                _,
            ) => Self::Other,
        }
    }

    /// The exit code for several objects that failed for different reasons: [`Exit::Retryable`] only if each of them
    /// is.
    pub(crate) fn worse(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Done => 0,
            Self::Retryable => 1,
            Self::ObjectNotFound => 2,
            Self::NotRetryable => 4,
            _ => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// Why a command ends early: its exit code and, unless everything was said already, a sentence.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: Option<String>,
}

impl Failure {
    /// With a sentence for standard error.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: Some(message.into()) }
    }

    /// The user must write the command or the configuration in another way.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Everything was said already.
    pub(crate) const fn silent(exit: Exit) -> Self {
        Self { exit, message: None }
    }

    /// The end of a command that has reported each error already.
    pub(crate) const fn told(exit: Exit) -> Result<(), Self> {
        match exit {
            Exit::Done => Ok(()),
            exit => Err(Self::silent(exit)),
        }
    }

    /// An error of the system that the host itself met at `what`.
    pub(crate) fn system(what: &str, error: io::Error) -> Self {
        let error = Error::from(error);
        Self::new(Exit::of(error.code(), Subject::Object), format!("{what}: {}", error.message()))
    }
}

/// An error of standard output, where output is all that the command is for. If nobody reads on, that is no error:
/// `omnistorage ls / | head` ends quietly.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::Done);
        }
        Self::system("cannot write the output", error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table above, read by its rows.
    #[test]
    fn every_error_has_the_exit_code_of_the_table() {
        let rows: Vec<Vec<&str>> = include_str!("exit.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .map(|row| row.trim_end_matches(" |").split(" | ").collect())
            .collect();
        let mut told = Vec::new();
        for row in &rows {
            let [names, codes @ ..] = row.as_slice() else { panic!("{row:?}") };
            for name in names.split(", ").map(|name| name.trim_matches('`')) {
                let code: ErrorCode = name.parse().unwrap();
                let found = [Subject::Object, Subject::Tree, Subject::Trees]
                    .map(|subject| (Exit::of(code, subject) as u8).to_string());
                assert_eq!(found.as_slice(), codes, "{name}");
                told.push(name);
            }
        }
        told.sort_unstable();
        let mut all = ErrorCode::ALL.map(ErrorCode::as_str);
        all.sort_unstable();
        assert_eq!(told, all);
    }

    /// What `--runs` runs again, and what is tried again inside, is the same.
    #[test]
    fn what_may_pass_is_retryable_and_nothing_else() {
        for code in ErrorCode::ALL {
            for subject in [Subject::Object, Subject::Tree, Subject::Trees] {
                assert_eq!(Exit::of(code, subject) == Exit::Retryable, code.may_pass(), "{code}");
            }
        }
    }

    #[test]
    fn a_run_is_retryable_only_if_all_its_errors_are() {
        let worst = |exits: &[Exit]| exits.iter().copied().fold(Exit::Done, Exit::worse);
        assert_eq!(worst(&[Exit::Retryable, Exit::Retryable]), Exit::Retryable);
        assert_eq!(worst(&[Exit::Retryable, Exit::Other, Exit::Retryable]), Exit::Other);
        assert_eq!(worst(&[Exit::Other, Exit::NotRetryable, Exit::Retryable]), Exit::NotRetryable);
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit, failure.message), (Exit::Done, None));
    }
}
