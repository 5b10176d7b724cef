//! The one vocabulary of errors.

use std::{fmt, io, str::FromStr, sync::Arc, time::Duration};

use crate::path::{Path, PathError};

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Makes the enum, and all that can be derived from a table, so that a code is one row here.
macro_rules! error_codes {
    ($dollar:tt $($(#[$doc:meta])* $case:ident: $name:literal;)*) => {
        /// What went wrong, in the vocabulary that callers branch on: `error-code` of the WIT package, and
        /// [`ErrorCode::Trapped`], which only a host can see.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $case,)*
            /// The component trapped: a bug in it, or a hostile one.
            Trapped,
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len() + 1] = [$(Self::$case,)* Self::Trapped];

            /// The word for it, as in the WIT package and in JSON output.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $name,)* Self::Trapped => "trapped" }
            }
        }

        /// The error codes of a module of bindings, which knows no trap.
        #[macro_export]
        macro_rules! mirror_error_code {
            ($dollar wit:ident) => {
                impl $crate::wit::IntoWit<$dollar wit::ErrorCode> for $crate::ErrorCode {
                    fn into_wit(self) -> $dollar wit::ErrorCode {
                        match self { $(Self::$case => $dollar wit::ErrorCode::$case,)* _ => $dollar wit::ErrorCode::Other }
                    }
                }
                impl From<$dollar wit::ErrorCode> for $crate::ErrorCode {
                    fn from(wit: $dollar wit::ErrorCode) -> Self {
                        match wit { $($dollar wit::ErrorCode::$case => Self::$case,)* }
                    }
                }
            };
        }
    };
}

error_codes! { $
    /// No object, directory or prefix of that path.
    NotFound: "not-found";
    /// Something of that path is already there.
    AlreadyExists: "already-exists";
    /// The store understood the call and refused it.
    PermissionDenied: "permission-denied";
    /// The backend was closed, or its host went away.
    BackendClosed: "backend-closed";
    /// The writer was finished or aborted before.
    WriterClosed: "writer-closed";
    /// The reader was closed before.
    ReaderClosed: "reader-closed";
    /// The path breaks the path grammar, leaves the root, or cannot be a name there.
    InvalidPath: "invalid-path";
    /// An option or a configuration value is malformed or contradicts another.
    InvalidArgument: "invalid-argument";
    /// The call needs an object and the path is a directory.
    IsDirectory: "is-directory";
    /// The call needs a directory and the path is, or runs through, an object.
    NotDirectory: "not-directory";
    /// The directory still has entries.
    NotEmpty: "not-empty";
    /// No backend of that name was granted or registered.
    UnknownBackend: "unknown-backend";
    /// The backend or this build lacks the feature.
    Unsupported: "unsupported";
    /// A condition of a write or a read did not hold.
    PreconditionFailed: "precondition-failed";
    /// The store asks for fewer requests.
    RateLimited: "rate-limited";
    /// It took too long.
    Timeout: "timeout";
    /// A passing fault: of the network, of the store, or of an object that changed under the call.
    Unavailable: "unavailable";
    /// Bytes are damaged: a checksum, a size, a frame or a record does not hold.
    Corrupted: "corrupted";
    /// A limit set by the caller or the host was reached.
    LimitExceeded: "limit-exceeded";
    /// The caller gave up.
    Cancelled: "cancelled";
    /// The store is full.
    NoSpace: "no-space";
    /// Nothing of the above; see the message.
    Other: "other";
}

impl ErrorCode {
    /// Whether the same call may succeed later without anybody mending anything. Whoever tries again asks this, or
    /// [`Error::may_pass`].
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::RateLimited | Self::Timeout | Self::Unavailable)
    }

    /// Whether bytes did not arrive as they left: they may if they are read and sent once more.
    #[must_use]
    pub const fn is_of_the_way(self) -> bool {
        matches!(self, Self::Corrupted | Self::Cancelled)
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
/// use omnistorage_types::{Error, ErrorCode, Path};
///
/// let error = Error::new(ErrorCode::NotFound, "no such object").at("photos", &Path::parse("a.jpg")?);
/// assert_eq!(error.to_string(), "`photos:a.jpg`: no such object");
/// # Ok::<(), omnistorage_types::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: ErrorCode,
    at: Option<(String, String)>,
    offset: Option<u64>,
    message: String,
    retry_after: Option<Duration>,
    given_up: bool,
    on_target: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What they come from is left out: it cannot be compared, and the rest says it all.
impl PartialEq for Inner {
    fn eq(&self, other: &Self) -> bool {
        let Self { code, at, offset, message, retry_after, given_up, on_target, source: _ } = self;
        (*code, *offset, *retry_after, *given_up, *on_target)
            == (other.code, other.offset, other.retry_after, other.given_up, other.on_target)
            && (at, message) == (&other.at, &other.message)
    }
}

impl Eq for Inner {}

impl Error {
    /// An error of that code; `message` is one sentence without a full stop that says what a person can do about it.
    ///
    /// What it quotes may be anybody's text, as that of a server: characters that a terminal would obey are escaped.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let (at, offset, retry_after, given_up, on_target) = (None, None, None, false, false);
        let message = printable(message.into());
        let source = None;
        Self(Box::new(Inner { code, at, offset, message, retry_after, given_up, on_target, source }))
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

    /// With another sentence.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = printable(message.into());
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

    /// With the error that it comes from, which [`source`](std::error::Error::source) then gives. The sentence says all
    /// without it; it stays on its side of WIT.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The call was tried several times before: to try it again at once would be of no use.
    #[must_use]
    pub fn given_up(mut self) -> Self {
        self.0.given_up = true;
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

    /// Whether somebody has tried the call several times already: see [`Error::given_up`].
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.0.given_up
    }

    /// Whether the same call may succeed if it is made again now: its [code](ErrorCode::may_pass) or the store says so,
    /// and nobody has tried enough already.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !self.0.given_up && (self.0.code.may_pass() || self.0.retry_after.is_some())
    }
}

/// Whether a character controls a terminal, breaks a line, or turns round what stands beside it: names come from
/// anywhere, and `exe.txt` must not read as `txt.exe`.
#[must_use]
pub fn misleads(c: char) -> bool {
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&**self.0.source.as_ref()?)
    }
}

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
        Self::new(code, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_error_comes_from_is_kept_and_makes_no_difference() {
        use std::error::Error as _;
        let error = Error::from(io::Error::from(io::ErrorKind::StorageFull)).with_note("delete something");
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::StorageFull));
        let same = Error::new(ErrorCode::NoSpace, error.message());
        assert!(same.source().is_none());
        assert_eq!((&error, error.to_string()), (&same, same.to_string()));
        assert_ne!(error, same.clone().given_up());
        assert_ne!(error, same.with_offset(1));
    }

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
