//! The one vocabulary of errors.

use std::{fmt, io, str::FromStr, time::Duration};

use omnistorage_path::{Path, PathError};

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the vocabulary that callers branch on. Mirrors `error-code` of the WIT package, and adds
/// [`ErrorCode::Trapped`], which only a host can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// No object, directory or prefix of that path.
    NotFound,
    /// Something of that path is already there.
    AlreadyExists,
    /// The store understood the call and refused it.
    PermissionDenied,
    /// The backend was closed, or its host went away.
    BackendClosed,
    /// The writer was finished or aborted before.
    WriterClosed,
    /// The reader was closed before.
    ReaderClosed,
    /// The path breaks the path grammar, leaves the root, or cannot be a name there.
    InvalidPath,
    /// An option or a configuration value is malformed or contradicts another.
    InvalidArgument,
    /// The call needs an object and the path is a directory.
    IsDirectory,
    /// The call needs a directory and the path is, or runs through, an object.
    NotDirectory,
    /// The directory still has entries.
    NotEmpty,
    /// No backend of that name was granted or registered.
    UnknownBackend,
    /// The backend or this build lacks the feature.
    Unsupported,
    /// A condition of a write or a read did not hold.
    PreconditionFailed,
    /// The store asks for fewer requests.
    RateLimited,
    /// It took too long.
    Timeout,
    /// A passing fault: of the network, of the store, or of an object that changed under the call.
    Unavailable,
    /// Bytes are damaged: a checksum, a size, a frame or a record does not hold.
    Corrupted,
    /// A limit set by the caller or the host was reached.
    LimitExceeded,
    /// The caller gave up.
    Cancelled,
    /// The store is full.
    NoSpace,
    /// The component trapped: a bug in it, or a hostile one.
    Trapped,
    /// Nothing of the above; the message tells.
    Other,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::BackendClosed,
        Self::WriterClosed,
        Self::ReaderClosed,
        Self::InvalidPath,
        Self::InvalidArgument,
        Self::IsDirectory,
        Self::NotDirectory,
        Self::NotEmpty,
        Self::UnknownBackend,
        Self::Unsupported,
        Self::PreconditionFailed,
        Self::RateLimited,
        Self::Timeout,
        Self::Unavailable,
        Self::Corrupted,
        Self::LimitExceeded,
        Self::Cancelled,
        Self::NoSpace,
        Self::Trapped,
        Self::Other,
    ];

    /// The word for it, as in the WIT package and in JSON output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::AlreadyExists => "already-exists",
            Self::PermissionDenied => "permission-denied",
            Self::BackendClosed => "backend-closed",
            Self::WriterClosed => "writer-closed",
            Self::ReaderClosed => "reader-closed",
            Self::InvalidPath => "invalid-path",
            Self::InvalidArgument => "invalid-argument",
            Self::IsDirectory => "is-directory",
            Self::NotDirectory => "not-directory",
            Self::NotEmpty => "not-empty",
            Self::UnknownBackend => "unknown-backend",
            Self::Unsupported => "unsupported",
            Self::PreconditionFailed => "precondition-failed",
            Self::RateLimited => "rate-limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Corrupted => "corrupted",
            Self::LimitExceeded => "limit-exceeded",
            Self::Cancelled => "cancelled",
            Self::NoSpace => "no-space",
            Self::Trapped => "trapped",
            Self::Other => "other",
        }
    }

    /// Whether the same call may succeed later without anybody mending anything.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Timeout | Self::Unavailable)
    }
}

impl FromStr for ErrorCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|code| code.as_str() == text);
        known.ok_or_else(|| {
            Error::new(ErrorCode::InvalidArgument, "there is no such error code; one is `unavailable`")
        })
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with enough context to act on: a code to branch on, where it happened, and a sentence for a person.
///
/// ```
/// use omnistorage::{Error, ErrorCode, Path};
///
/// let error = Error::new(ErrorCode::NotFound, "no such object").at("photos", &Path::parse("a.jpg")?);
/// assert_eq!(error.to_string(), "`photos:a.jpg`: no such object");
/// # Ok::<(), omnistorage::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: ErrorCode,
    at: Option<(String, String)>,
    offset: Option<u64>,
    message: String,
    retry_after: Option<Duration>,
    on_target: bool,
}

impl Error {
    /// An error of that code; `message` is one sentence without a full stop that says what a person can do about it.
    ///
    /// What it quotes may be anybody's text, as that of a server: characters that a terminal would obey are escaped.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let (at, offset, retry_after, on_target) = (None, None, None, false);
        let message = printable(message.into());
        Self(Box::new(Inner { code, at, offset, message, retry_after, on_target }))
    }

    /// [`ErrorCode::Unsupported`]: `backend` does not do `what`.
    #[must_use]
    pub fn unsupported(backend: &str, what: &str) -> Self {
        Self::new(ErrorCode::Unsupported, format!("the {backend} backend has no {what}"))
    }

    /// [`ErrorCode::BackendClosed`].
    #[must_use]
    pub fn backend_closed() -> Self {
        Self::new(ErrorCode::BackendClosed, "the backend was closed")
    }

    /// With where it happened, unless an inner layer said so already.
    #[must_use]
    pub fn at(mut self, backend: &str, path: &Path) -> Self {
        if self.0.at.is_none() {
            self.0.at = Some((backend.to_owned(), path.as_str().to_owned()));
        }
        self
    }

    /// With the place as it came from elsewhere, unchecked.
    #[must_use]
    pub fn at_location(mut self, backend: String, path: String) -> Self {
        self.0.at = Some((backend, path));
        self
    }

    /// Of a call about two places, a copy or a move: it is the target that failed. Otherwise it is the source.
    #[must_use]
    pub fn on_target(mut self) -> Self {
        self.0.on_target = true;
        self
    }

    /// With the byte offset or record number that is wrong.
    #[must_use]
    pub fn with_offset(mut self, offset: u64) -> Self {
        self.0.offset = Some(offset);
        self
    }

    /// With more behind the sentence.
    #[must_use]
    pub fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.0.message = printable(format!("{}; {note}", self.0.message));
        self
    }

    /// With the time after which the same call may succeed.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// What to branch on.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The backend and the path it concerns.
    #[must_use]
    pub fn location(&self) -> Option<(&str, &str)> {
        self.0.at.as_ref().map(|(backend, path)| (backend.as_str(), path.as_str()))
    }

    /// Whether a copy or a move failed at its target: see [`Error::on_target`].
    #[must_use]
    pub fn is_on_target(&self) -> bool {
        self.0.on_target
    }

    /// The byte offset or record number that is wrong.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The sentence, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The time after which the same call may succeed, where the store gave one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

/// Whether a character controls a terminal, breaks a line, or turns round what stands beside it: names come from
/// anywhere, and `exe.txt` must not read as `txt.exe`.
pub(crate) fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' // separators of lines and paragraphs
            | '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // Unicode's Bidi_Control
        )
}

/// The text with what misleads as `\u{1b}`.
fn printable(text: String) -> String {
    if !text.contains(misleads) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if misleads(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    escaped
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.at {
            Some((backend, path)) if path.is_empty() => write!(f, "`{backend}`: ")?,
            Some((backend, path)) => write!(f, "`{backend}:{}`: ", path.escape_debug())?,
            None => {}
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0.code)
    }
}

impl std::error::Error for Error {}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::new(ErrorCode::InvalidPath, format!("the path is refused: {error}"))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let code = match error.kind() {
            Kind::NotFound => ErrorCode::NotFound,
            Kind::AlreadyExists => ErrorCode::AlreadyExists,
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => ErrorCode::PermissionDenied,
            Kind::IsADirectory => ErrorCode::IsDirectory,
            Kind::NotADirectory => ErrorCode::NotDirectory,
            Kind::DirectoryNotEmpty => ErrorCode::NotEmpty,
            Kind::InvalidFilename => ErrorCode::InvalidPath,
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => ErrorCode::NoSpace,
            Kind::TimedOut => ErrorCode::Timeout,
            Kind::Unsupported => ErrorCode::Unsupported,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::ConnectionRefused | Kind::BrokenPipe => {
                ErrorCode::Unavailable
            }
            _ => ErrorCode::Other,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_quoted_is_obeyed() {
        for (said, shown) in [
            ("evil \u{1b}[31m", "evil \\u{1b}[31m"),
            ("two\nlines\r", "two\\nlines\\r"),
            ("\u{9b}1m", "\\u{9b}1m"),
            ("cod\u{202e}exe", "cod\\u{202e}exe"),
            ("plain \\ and é", "plain \\ and é"),
        ] {
            let error = Error::new(ErrorCode::Other, said).with_note(said);
            assert_eq!(error.message(), format!("{shown}; {shown}"));
        }
    }
}
