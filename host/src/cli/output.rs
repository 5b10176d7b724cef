//! What goes to standard output and standard error.

#[cfg(not(target_family = "wasm"))]
use std::time::Duration;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write},
};

#[cfg(not(target_family = "wasm"))]
use indicatif::{HumanBytes, HumanDuration};
use serde::{Serialize, Serializer};

use super::escape::visible;
use super::{escape::PrintableJson, exit::Failure, time::rfc3339};
pub(crate) use super::{
    escape::printable,
    log::{Log, has_file, note},
};
use crate::{Error, Metadata, ObjectInfo, ObjectKind, Path, runtime::Activity};
#[cfg(not(target_family = "wasm"))]
use crate::{backend::layer::Operation, runtime::UnderWay};

/// Standard output, buffered. What is in the buffer is lost unless it is flushed.
pub(crate) struct Output {
    inner: BufWriter<Reader>,
    is_terminal: bool,
}

impl Output {
    /// For a command whose only purpose is its output: it ends as soon as nobody reads on.
    pub(crate) fn new() -> Self {
        Self::to(Reader::Needed(io::stdout().lock()))
    }

    /// For a command that also does something, or finds something out: it goes on to its end and its exit code, even if
    /// nobody reads on.
    pub(crate) fn of_run() -> Self {
        Self::to(Reader::Welcome(io::stdout().lock()))
    }

    fn to(reader: Reader) -> Self {
        Self { is_terminal: io::stdout().is_terminal(), inner: BufWriter::with_capacity(64 * 1024, reader) }
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.inner.write_all(bytes)?)
    }

    /// A record on a line of its own: as it is, but without control characters if it goes to a terminal.
    pub(crate) fn record(&mut self, record: &[u8]) -> Result<(), Failure> {
        let record =
            if self.is_terminal { Cow::Owned(visible(record).into()) } else { Cow::Borrowed(record) };
        self.bytes(&record)?;
        self.bytes(b"\n")
    }

    /// A line. On a terminal, characters that would control it are escaped.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        let text = if self.is_terminal { printable(text) } else { Cow::Borrowed(text) };
        self.inner.write_all(text.as_bytes())?;
        Ok(self.inner.write_all(b"\n")?)
    }

    /// A value as JSON on a line of its own.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut self.inner, PrintableJson))?;
        Ok(self.inner.write_all(b"\n")?)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.inner.flush()?)
    }
}

/// Whether anybody reads standard output.
enum Reader {
    /// If they leave, that is an error.
    Needed(StdoutLock<'static>),
    /// If they leave, nothing changes.
    Welcome(StdoutLock<'static>),
    /// They left.
    Gone,
}

impl Reader {
    fn tell<T>(
        &mut self,
        write: impl FnOnce(&mut StdoutLock<'static>) -> io::Result<T>,
        unread: T,
    ) -> io::Result<T> {
        match self {
            Self::Needed(stdout) => write(stdout),
            Self::Gone => Ok(unread),
            Self::Welcome(stdout) => match write(stdout) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    *self = Self::Gone;
                    Ok(unread)
                }
                written => written,
            },
        }
    }
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tell(|stdout| stdout.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tell(Write::flush, ())
    }
}

/// The word for a kind, in JSON and in `stat`.
pub(crate) const fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Object => "object",
        ObjectKind::Directory => "directory",
        ObjectKind::Symlink => "symlink",
        ObjectKind::Special => "special",
    }
}

/// The calls of backends that a job made, by name; calls it did not need are left out.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn calls(activity: &Activity) -> Option<BTreeMap<&'static str, u64>> {
    let counted = Operation::ALL.map(|operation| (operation.as_str(), activity.calls(operation)));
    Some(counted.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// The bytes that a job had its backends move.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn bytes_moved(activity: &Activity) -> Option<u64> {
    Some(activity.bytes_moved())
}

/// A line for each object that a job is moving, with how far it is, and its name below a path of the target.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn under_way(activity: &Activity, below: &Path) -> Vec<String> {
    let above = if below.is_root() { String::new() } else { format!("{below}/") };
    let line = |UnderWay { path, bytes, size, elapsed, .. }: UnderWay| {
        let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
        let mut line = HumanBytes(bytes).to_string();
        if let Some(size) = size {
            line += &format!(" of {}", HumanBytes(size));
        }
        line += &format!(", {}/s", HumanBytes(rate as u64));
        if let Some(left) = size.map(|size| size.saturating_sub(bytes)) {
            let left = Duration::try_from_secs_f64(left as f64 / rate).unwrap_or(Duration::MAX);
            line += &format!(", {:#} left", HumanDuration(left));
        }
        line + ": " + path.strip_prefix(&above).unwrap_or(&path)
    };
    activity.under_way().into_iter().map(line).collect()
}

/// In a component nobody knows.
#[cfg(target_family = "wasm")]
pub(crate) fn under_way(_: &Activity, _: &Path) -> Vec<String> {
    Vec::new()
}

/// In a component nobody counts calls.
#[cfg(target_family = "wasm")]
pub(crate) fn calls(_: &Activity) -> Option<BTreeMap<&'static str, u64>> {
    None
}

/// In a component nobody counts bytes.
#[cfg(target_family = "wasm")]
pub(crate) fn bytes_moved(_: &Activity) -> Option<u64> {
    None
}

/// What is known about an object, as JSON. Unknown is `null`.
#[derive(Serialize)]
pub(crate) struct ObjectJson<'a> {
    path: &'a str,
    kind: &'static str,
    size: Option<u64>,
    modified: Option<String>,
    etag: Option<&'a str>,
    content_type: Option<&'a str>,
    #[serde(serialize_with = "as_map")]
    hashes: Vec<(&'static str, String)>,
    #[serde(serialize_with = "as_map")]
    metadata: &'a Metadata,
}

impl<'a> ObjectJson<'a> {
    /// Under the path that the user knows it by.
    pub(crate) fn new(path: &'a str, info: &'a ObjectInfo) -> Self {
        Self {
            path,
            kind: kind_name(info.kind),
            size: info.size,
            modified: info.modified.map(rfc3339),
            etag: info.etag.as_deref(),
            content_type: info.content_type.as_deref(),
            hashes: info.hashes.iter().map(|hash| (hash.algorithm.as_str(), hash.to_string())).collect(),
            metadata: &info.metadata,
        }
    }
}

fn as_map<K: Serialize, S: Serializer>(
    pairs: impl AsRef<[(K, String)]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.as_ref().iter().map(|(key, value)| (key, value)))
}

/// An error as JSON.
#[derive(Serialize)]
pub(crate) struct ErrorJson<'a> {
    code: &'static str,
    message: &'a str,
}

impl<'a> From<&'a Error> for ErrorJson<'a> {
    fn from(error: &'a Error) -> Self {
        Self { code: error.code().as_str(), message: error.message() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HashAlgorithm, Hasher, Path, Timestamp};

    #[test]
    fn unknown_is_null() {
        let mut info = ObjectInfo::new(Path::parse("x/a").unwrap(), ObjectKind::Object);
        assert_eq!(
            serde_json::to_string(&ObjectJson::new("a", &info)).unwrap(),
            r#"{"path":"a","kind":"object","size":null,"modified":null,"etag":null,"content_type":null,"hashes":{},"metadata":{}}"#
        );
        info.size = Some(0);
        info.modified = Some(Timestamp { seconds: 0, nanoseconds: 1 });
        info.hashes = vec![Hasher::new(HashAlgorithm::Crc32c).finish()];
        info.metadata = vec![("k".into(), "\"v\"".into())];
        assert_eq!(
            serde_json::to_string(&ObjectJson::new("a", &info)).unwrap(),
            r#"{"path":"a","kind":"object","size":0,"modified":"1970-01-01T00:00:00.000000001Z","etag":null,"content_type":null,"hashes":{"crc32c":"00000000"},"metadata":{"k":"\"v\""}}"#
        );
    }
}
