//! Where something is, as the user says it.
//!
//! | place | means |
//! |---|---|
//! | `dir/file`, `/abs/dir`, `../x` | a path of the operating system |
//! | `file:///abs/dir` | the same as a URL (RFC 8089); `%20` is a blank, and `%`, `?`, `#` must be written `%25`, `%3F`, `%23` |
//! | `s3://bucket/key`, `gs://bucket/key`, `az://container/key` | an object store; the key is taken as it is, without decoding. With a slash at its end it means the directory, also where an object has that name. Credentials and the endpoint come from the environment of the store's own tools |
//! | `s3://` | the buckets of the account, where they are listed |
//! | `s3://bucket?region=x/key` | the same with settings of its own |
//! | `webdavs://host/path`, `webdav://host/path` | a server of WebDAV, with and without encryption; the path is that of a URL, and is decoded. Credentials come from the environment |
//! | `sftp://host/path` | a server of SFTP, from its root on; `sftp://host/~/path` from the home directory on. The path is that of a URL. Who asks, and by which key, is the business of ssh |
//! | `https://host/path`, `http://host/path` | a web server, to be read |
//! | `memory:path` | a store that lives as long as the command |
//! | `NAME:path` | a backend of the configuration file |
//! | `env:path` | the backend that the environment describes |
//! | `-` | standard input or output, for commands that read or write one object |
//!
//! What stands before a colon in the first segment is a backend: a file called `a:b` is written `./a:b`. So is every other
//! path that looks like something else, which would otherwise become a directory of that name: `s3//bucket`, `~/x`.

mod password;
mod settings;
mod sftp;

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::builder::{OsStringValueParser, TypedValueParser};

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::settings::is_secret;
#[cfg(feature = "sftp")]
pub(crate) use self::sftp::config as sftp_config;
pub(crate) use self::{password::masked, settings::Settings};
use super::output::printable;
use crate::Path;

/// The kind of the backends whose buckets can be listed and made.
const S3: &str = "s3";
pub(crate) const GCS: &str = "gcs";
const AZBLOB: &str = "azblob";
const HTTP: &str = "http";
/// The kind of the backends of SFTP.
pub(crate) const SFTP: &str = "sftp";
const WEBDAV: &str = "webdav";

/// A place, as typed and as understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// As the user typed it, for messages.
    pub(crate) typed: String,
    pub(crate) kind: PlaceKind,
}

/// The kinds of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlaceKind {
    /// A path of the operating system, which may hold `..` and links. With a slash at its end it means a directory.
    Local { path: PathBuf, directory: bool },
    /// In the store of this process.
    Memory(Path),
    /// In a bucket of an object store, or a container: the kind of the backend, the bucket, settings beside it, what is in
    /// it.
    Bucket { kind: &'static str, bucket: String, settings: Settings, path: Path },
    /// The buckets of an account, or one of them as a directory: the kind of the backend.
    Buckets { kind: &'static str, settings: Settings, path: Path },
    /// On a server, by a URL: the kind of the backend, `https://host`, settings beside it, what is there.
    Server { kind: &'static str, endpoint: String, settings: Settings, path: Path },
    /// In a backend of the configuration file.
    Configured { name: String, path: Path },
    /// Standard input or output, and the path that stands for it.
    Standard(Path),
}

impl Place {
    /// For clap.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|text| Self::parse(&text))
    }

    /// For clap, where standard input or output is allowed, too.
    pub(crate) fn or_standard() -> impl TypedValueParser<Value = Self> {
        OsStringValueParser::new().try_map(|text| match text.to_str() {
            Some("-") => Ok(Self { typed: "-".to_owned(), kind: PlaceKind::Standard(backend_path("-")?) }),
            _ => Self::parse(&text),
        })
    }

    /// Understands what the user typed.
    pub(crate) fn parse(text: &OsStr) -> Result<Self, String> {
        let typed = text.to_string_lossy().into_owned();
        let kind = match typed.split_once(':') {
            _ if typed.is_empty() => return Err("it is empty; `.` is the current directory".to_owned()),
            _ if typed == "-" => return Err("standard input and output cannot stand here".to_owned()),
            Some((name, rest)) if !name.contains('/') => in_backend(name, rest)?,
            _ => match mistaken(&typed) {
                Some(hint) => return Err(hint),
                None => local(text.to_owned()),
            },
        };
        Ok(Self { typed, kind })
    }
}

/// What the setting is called that names a bucket.
pub(crate) fn bucket_key(kind: &str) -> &'static str {
    if kind == AZBLOB { "container" } else { "bucket" }
}

impl PlaceKind {
    /// Whether it is another one, or lies in it, as both are written. Local paths are for the file system to tell.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn is_within(&self, outer: &Self) -> bool {
        match (self, outer) {
            (Self::Configured { name, path }, Self::Configured { name: outer_name, path: outer_path }) => {
                name == outer_name && path.starts_with(outer_path)
            }
            (
                Self::Bucket { kind, bucket, settings, path },
                Self::Bucket {
                    kind: outer_kind,
                    bucket: outer_bucket,
                    settings: outer_settings,
                    path: outer_path,
                },
            ) => {
                (kind, bucket, settings) == (outer_kind, outer_bucket, outer_settings)
                    && path.starts_with(outer_path)
            }
            (
                Self::Server { kind, endpoint, settings, path },
                Self::Server {
                    kind: outer_kind,
                    endpoint: outer_endpoint,
                    settings: outer_settings,
                    path: outer_path,
                },
            ) => {
                (kind, endpoint, settings) == (outer_kind, outer_endpoint, outer_settings)
                    && path.starts_with(outer_path)
            }
            _ => false,
        }
    }
}

impl Place {
    /// The place for a command that makes or removes directories: a bucket is a directory of its account.
    pub(crate) fn into_directory(self) -> Self {
        let kind = match self.kind {
            PlaceKind::Bucket { kind: kind @ (S3 | GCS), bucket, settings, path } if path.is_root() => {
                match Path::parse(bucket.as_str()) {
                    Ok(path) => PlaceKind::Buckets { kind, settings, path },
                    Err(_) => PlaceKind::Bucket { kind, bucket, settings, path },
                }
            }
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// The directory that an object is in, and the name of the object in it.
    ///
    /// # Errors
    /// If it is written as a directory, or can be nothing else.
    pub(crate) fn parted(&self) -> Result<(Self, String), String> {
        let no_object =
            || format!("`{}` means a directory: give the name of an object", printable(&self.typed));
        if self.typed.ends_with('/') {
            return Err(no_object());
        }
        let split = |path: &Path| Some((path.parent()?, path.name()?.to_owned()));
        let (kind, name) = match self.kind.clone() {
            PlaceKind::Local { path, .. } => {
                let name = path.file_name().ok_or_else(no_object)?;
                let name = name.to_str().ok_or("the name is not UTF-8: rename it")?.to_owned();
                let above = path.parent().filter(|above| !above.as_os_str().is_empty());
                let path = above.map_or_else(|| PathBuf::from("."), ToOwned::to_owned);
                (PlaceKind::Local { path, directory: true }, name)
            }
            PlaceKind::Memory(path) => {
                let (path, name) = split(&path).ok_or_else(no_object)?;
                (PlaceKind::Memory(path), name)
            }
            PlaceKind::Bucket { kind, bucket, settings, path } => {
                let (path, name) = split(&path).ok_or_else(no_object)?;
                (PlaceKind::Bucket { kind, bucket, settings, path }, name)
            }
            PlaceKind::Server { kind, endpoint, settings, path } => {
                let (path, name) = split(&path).ok_or_else(no_object)?;
                (PlaceKind::Server { kind, endpoint, settings, path }, name)
            }
            PlaceKind::Configured { name: backend, path } => {
                let (path, name) = split(&path).ok_or_else(no_object)?;
                (PlaceKind::Configured { name: backend, path }, name)
            }
            PlaceKind::Buckets { .. } => return Err(no_object()),
            PlaceKind::Standard(_) => return Err("standard input and output cannot stand here".to_owned()),
        };
        let end = self.typed.rfind(['/', ':']).map_or(0, |at| at + 1);
        let typed = self.typed.get(..end).filter(|typed| !typed.is_empty()).unwrap_or(".").to_owned();
        Ok((Self { typed, kind }, name))
    }
}

/// What is typed with a colon in its first segment.
fn in_backend(name: &str, rest: &str) -> Result<PlaceKind, String> {
    match (name, rest.strip_prefix("//")) {
        ("file", Some(rest)) => file_url(rest),
        ("file", None) => Err("a file URL is written `file:///abs/path`".to_owned()),
        ("s3", Some(rest)) => bucket(S3, rest),
        ("gs", Some(rest)) => bucket(GCS, rest),
        ("az", Some(rest)) => bucket(AZBLOB, rest),
        ("az", None) => Err(format!("a container is written `az://{}`", or(rest, "container/key"))),
        ("azblob" | "azure", Some(rest)) => Err(format!("a container of Azure is written `az://{rest}`")),
        ("s3" | "gs", None) => Err(format!("a bucket is written `{name}://{}`", or(rest, "bucket/key"))),
        ("webdav" | "webdavs", None) => {
            Err(format!("a server of WebDAV is written `webdavs://{}`", or(rest, "host/path")))
        }
        ("gcs", Some(rest)) => Err(format!("a bucket of Google Cloud Storage is written `gs://{rest}`")),
        ("http" | "https", Some(rest)) => server(HTTP, name, rest),
        ("http" | "https", None) => {
            Err(format!("a web server is written `{name}://{}`", or(rest, "host/path")))
        }
        ("webdav", Some(rest)) => server(WEBDAV, "http", rest),
        ("webdavs", Some(rest)) => server(WEBDAV, "https", rest),
        ("sftp", Some(rest)) => sftp::place(rest),
        ("sftp" | "ssh" | "scp", None) => {
            Err(format!("a server of SFTP is written `sftp://{}`", or(rest, "host/path")))
        }
        ("ssh" | "scp", Some(rest)) => Err(format!("a server of SFTP is written `sftp://{rest}`")),
        ("memory", None) => backend_path(rest).map(PlaceKind::Memory),
        ("", _) => Err(without_name(rest)),
        (name, Some(_)) => Err(format!(
            "there is no {name}:// here; a URL is file:///abs/path, s3://bucket/key, gs://bucket/key, \
             az://container/key, sftp://host/path, webdavs://host/path or https://host/path"
        )),
        (name, None) if is_name(name) => {
            Ok(PlaceKind::Configured { name: name.to_owned(), path: backend_path(rest)? })
        }
        (name, None) if name.contains('@') => Err(format!(
            "a server of SFTP is written `sftp://{name}/{}`; if you mean a file whose name holds a colon, write \
             `./{name}:...`",
            rest.strip_prefix('/').map_or_else(|| format!("~/{rest}"), ToOwned::to_owned)
        )),
        (name, None) => Err(format!(
            "`{name}` cannot be the name of a backend: it has letters, digits, `_`, `-` and `.` alone; if you mean a file \
             whose name holds a colon, write `./{name}:...`"
        )),
    }
}

/// What was typed, without slashes in front; else an example.
fn or<'t>(typed: &'t str, example: &'t str) -> &'t str {
    let typed = typed.trim_start_matches('/');
    if typed.is_empty() { example } else { typed }
}

/// A colon at the front is rclone's sign for a backend that is described on the spot.
fn without_name(rest: &str) -> String {
    let instead = match rest.split_once(':') {
        Some(("s3", path)) => format!("a bucket is written `s3://{path}`"),
        Some(("azureblob", path)) => format!("a container is written `az://{path}`"),
        Some(("gcs" | "google cloud storage", path)) => format!("a bucket is written `gs://{path}`"),
        Some(("local", path)) => format!("a path is written as it is, `{path}`"),
        Some(("memory", path)) => format!("the memory is written `memory:{path}`"),
        _ => "give the backend a name in the configuration file, and write NAME:PATH".to_owned(),
    };
    format!("it begins with a colon, and so names no backend: {instead}; if you mean a file, write `./:...`")
}

/// What a path without a colon was most probably meant to be, if not a path.
fn mistaken(typed: &str) -> Option<String> {
    /// What a URL begins with.
    const SCHEMES: [&str; 12] =
        ["az", "file", "ftp", "gcs", "gs", "http", "https", "memory", "s3", "sftp", "webdav", "webdavs"];

    let (first, rest) = typed.split_once('/').map_or((typed, None), |(first, rest)| (first, Some(rest)));
    if let (Some(path), true) = (rest.and_then(|rest| rest.strip_prefix('/')), SCHEMES.contains(&first)) {
        return Some(format!(
            "a colon is missing: write `{first}://{path}`, or `./{first}/{path}` if you mean a path"
        ));
    }
    let user = first.strip_prefix('~')?;
    let is_home = user.is_empty() || (rest.is_some() && is_name(user));
    is_home.then(|| {
        let below = rest.map_or_else(String::new, |rest| format!("/{rest}"));
        let home = if user.is_empty() { "$HOME" } else { "its path" };
        format!(
            "no shell has put a home directory for `{first}`: write {home} instead, or `./{first}{below}` if you mean that \
             name"
        )
    })
}

/// Whether a backend can have that name: it must not look like a path.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn local(path: OsString) -> PlaceKind {
    let directory = path.as_encoded_bytes().ends_with(b"/");
    PlaceKind::Local { path: path.into(), directory }
}

/// A path in a backend; one slash at its end is fine.
fn backend_path(text: &str) -> Result<Path, String> {
    Path::parse(text.strip_suffix('/').unwrap_or(text))
        .map_err(|error| format!("the path is refused: {error}"))
}

/// What follows `s3://`, `gs://` or `az://`.
fn bucket(kind: &'static str, rest: &str) -> Result<PlaceKind, String> {
    let (bucket, settings, path) = Settings::split(rest)?;
    match kind {
        S3 | GCS if bucket.is_empty() && path.is_empty() => {
            return Ok(PlaceKind::Buckets { kind, settings, path: Path::root() });
        }
        AZBLOB if bucket.is_empty() => return Err("the URL names no container".to_owned()),
        _ if bucket.is_empty() => return Err("the URL names no bucket".to_owned()),
        _ => {}
    }
    if let Some(misplaced) = misplaced_settings(path) {
        return Err(format!(
            "settings stand behind the bucket, since a key may hold a `?`: write `{}://{bucket}?{misplaced}/...`",
            match kind {
                S3 => "s3",
                AZBLOB => "az",
                _ => "gs",
            }
        ));
    }
    Ok(PlaceKind::Bucket { kind, bucket: bucket.to_owned(), settings, path: backend_path(path)? })
}

/// What follows the `://` of a server.
fn server(kind: &'static str, scheme: &str, rest: &str) -> Result<PlaceKind, String> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() {
        return Err("the URL names no host".to_owned());
    }
    match kind {
        _ if !host.contains('@') => {}
        WEBDAV => {
            return Err(
                "others see the command line: set name and password in the environment (OMNISTORAGE_WEBDAV_USERNAME, \
                 OMNISTORAGE_WEBDAV_PASSWORD), or in the configuration (`omnistorage config`)"
                    .to_owned(),
            );
        }
        _ => {
            return Err(
                "a web server is read as what it is to everybody, without name and password".to_owned()
            );
        }
    }
    let path = decoded(path)?.join(&b'/');
    let path = String::from_utf8(path).map_err(|_| "the path of the URL is not UTF-8".to_owned())?;
    let (endpoint, settings) = (format!("{scheme}://{host}"), Settings::default());
    Ok(PlaceKind::Server { kind, endpoint, settings, path: backend_path(&path)? })
}

/// Settings that stand behind a key, by their names.
fn misplaced_settings(path: &str) -> Option<&str> {
    /// Those that people put into URLs elsewhere.
    const KNOWN: [&str; 7] =
        ["account", "anonymous", "endpoint", "path_style", "profile", "region", "role_arn"];

    let (_, behind) = path.rsplit_once('?')?;
    let is_known = |setting: &str| setting.split_once('=').is_some_and(|(key, _)| KNOWN.contains(&key));
    behind.split('&').all(is_known).then_some(behind)
}

/// What follows `file://`.
fn file_url(rest: &str) -> Result<PlaceKind, String> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err("a file URL names no other host: it is written `file:///abs/path`".to_owned());
    }
    os_string(decoded(path)?.join(&b'/')).map(local)
}

/// The segments of the path of a URL.
fn decoded(path: &str) -> Result<Vec<Vec<u8>>, String> {
    if let Some(reserved) = path.chars().find(|c| matches!(c, '?' | '#')) {
        return Err(format!("`{reserved}` in a URL is written `%{:02X}`", u32::from(reserved)));
    }
    let decoded = path.split('/').map(percent_decode).collect::<Result<Vec<_>, _>>()?;
    if decoded.iter().any(|segment| matches!(segment.as_slice(), b"." | b"..")) {
        return Err("the path of a URL holds no `.` or `..` segment".to_owned());
    }
    Ok(decoded)
}

/// Decodes `%XX` (RFC 3986, section 2.1) in one segment.
fn percent_decode(segment: &str) -> Result<Vec<u8>, String> {
    let mut parts = segment.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or_default();
        let byte = Some(hex)
            .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .ok_or("`%` in a URL is written `%25`, and begins two hexadecimal digits otherwise")?;
        if matches!(byte, 0 | b'/') {
            return Err(format!("`%{hex}` cannot be in the name of a file"));
        }
        decoded.push(byte);
        decoded.extend_from_slice(rest.as_bytes());
    }
    Ok(decoded)
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> Result<OsString, String> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Result<OsString, String> {
    String::from_utf8(bytes).map(OsString::from).map_err(|_| "the path is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests;
