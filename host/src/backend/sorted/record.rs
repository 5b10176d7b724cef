//! Entries and failures as bytes: what goes to disk never leaves this process, so the form is ours.

use std::time::Duration;

use omnistorage_types::Path;

use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Metadata, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{Listed, ListingFailure, Unlisted},
};

const KINDS: [ObjectKind; 4] =
    [ObjectKind::Object, ObjectKind::Directory, ObjectKind::Symlink, ObjectKind::Special];

/// Marks a failure, in the place of the kind of an entry.
const DIRECTORY_FAILED: u8 = 16;
const ENTRY_FAILED: u8 = 17;
const NAME_FAILED: u8 = 18;

/// Appends all of an entry but its path, or all of a failure but its path.
pub(super) fn encode(listed: &Listed, bytes: &mut Vec<u8>) {
    match listed {
        Listed::Entry(entry) => encode_entry(entry, bytes),
        Listed::Failure(failure) => encode_failure(failure, bytes),
    }
}

fn encode_failure(failure: &ListingFailure, bytes: &mut Vec<u8>) {
    match &failure.what {
        Unlisted::Directory(_) => bytes.push(DIRECTORY_FAILED),
        Unlisted::Entry(_) => bytes.push(ENTRY_FAILED),
        Unlisted::Name { directory: _, name } => {
            bytes.push(NAME_FAILED);
            put_bytes(bytes, name.as_bytes());
        }
    }
    let error = &failure.error;
    bytes.push(position(&ErrorCode::ALL, &error.code()));
    put_bytes(bytes, error.message().as_bytes());
    put_option(bytes, error.location().as_ref(), |bytes, (backend, path)| {
        put_bytes(bytes, backend.as_bytes());
        put_bytes(bytes, path.as_bytes());
    });
    put_option(bytes, error.offset().as_ref(), |bytes, offset| bytes.extend(offset.to_le_bytes()));
    put_option(bytes, error.retry_after().as_ref(), |bytes, after| {
        bytes.extend(after.as_secs().to_le_bytes());
        bytes.extend(after.subsec_nanos().to_le_bytes());
    });
    bytes.push(u8::from(error.is_given_up()));
}

fn encode_entry(entry: &ObjectInfo, bytes: &mut Vec<u8>) {
    let ObjectInfo { path: _, kind, size, modified, etag, content_type, hashes, metadata } = entry;
    bytes.push(position(&KINDS, kind));
    put_option(bytes, size.as_ref(), |bytes, size| bytes.extend(size.to_le_bytes()));
    put_option(bytes, modified.as_ref(), |bytes, modified| {
        bytes.extend(modified.seconds.to_le_bytes());
        bytes.extend(modified.nanoseconds.to_le_bytes());
    });
    put_option(bytes, etag.as_ref(), |bytes, etag| put_bytes(bytes, etag.as_bytes()));
    put_option(bytes, content_type.as_ref(), |bytes, content_type| put_bytes(bytes, content_type.as_bytes()));
    put_length(bytes, hashes.len());
    for hash in hashes {
        bytes.push(position(&HashAlgorithm::ALL, &hash.algorithm));
        put_bytes(bytes, &hash.digest);
    }
    put_length(bytes, metadata.len());
    for (key, value) in metadata {
        put_bytes(bytes, key.as_bytes());
        put_bytes(bytes, value.as_bytes());
    }
}

/// Takes out of it what [`encode`] put there.
pub(super) fn decode(path: &[u8], mut bytes: &[u8]) -> Result<Listed> {
    read(path, &mut bytes).ok_or_else(|| {
        Error::new(
            ErrorCode::Corrupted,
            "an entry of the listing did not come back from disk as it went there",
        )
    })
}

fn read(path: &[u8], bytes: &mut &[u8]) -> Option<Listed> {
    let path = Path::parse(str::from_utf8(path).ok()?).ok()?;
    let listed = match byte(bytes)? {
        DIRECTORY_FAILED => read_failure(Unlisted::Directory(path), bytes)?.into(),
        ENTRY_FAILED => read_failure(Unlisted::Entry(path), bytes)?.into(),
        NAME_FAILED => {
            let name = text(bytes)?;
            read_failure(Unlisted::Name { directory: path, name }, bytes)?.into()
        }
        kind => Listed::Entry(read_entry(ObjectInfo::new(path, *KINDS.get(usize::from(kind))?), bytes)?),
    };
    bytes.is_empty().then_some(listed)
}

fn read_failure(what: Unlisted, bytes: &mut &[u8]) -> Option<ListingFailure> {
    let code = *ErrorCode::ALL.get(usize::from(byte(bytes)?))?;
    let mut error = Error::new(code, text(bytes)?);
    if let Some((backend, path)) = option(bytes, |bytes| Some((text(bytes)?, text(bytes)?)))? {
        error = error.at_location(backend, path);
    }
    if let Some(offset) = option(bytes, |bytes| Some(u64::from_le_bytes(array(bytes)?)))? {
        error = error.with_offset(offset);
    }
    let after = option(bytes, |bytes| {
        let seconds = u64::from_le_bytes(array(bytes)?);
        Some(Duration::new(seconds, u32::from_le_bytes(array(bytes)?)))
    })?;
    if let Some(after) = after {
        error = error.with_retry_after(after);
    }
    if byte(bytes)? != 0 {
        error = error.given_up();
    }
    Some(ListingFailure { what, error })
}

fn read_entry(mut info: ObjectInfo, bytes: &mut &[u8]) -> Option<ObjectInfo> {
    info.size = option(bytes, |bytes| Some(u64::from_le_bytes(array(bytes)?)))?;
    info.modified = option(bytes, |bytes| {
        let seconds = i64::from_le_bytes(array(bytes)?);
        Some(Timestamp { seconds, nanoseconds: u32::from_le_bytes(array(bytes)?) })
    })?;
    info.etag = option(bytes, text)?;
    info.content_type = option(bytes, text)?;
    info.hashes = many(bytes, |bytes| {
        let algorithm = *HashAlgorithm::ALL.get(usize::from(byte(bytes)?))?;
        Some(Hash { algorithm, digest: slice(bytes)?.to_vec() })
    })?;
    let metadata: Metadata = many(bytes, |bytes| Some((text(bytes)?, text(bytes)?)))?;
    info.metadata = metadata;
    Some(info)
}

fn position<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter()
        .position(|other| other == one)
        .and_then(|position| u8::try_from(position).ok())
        .unwrap_or(u8::MAX)
}

fn put_option<T>(bytes: &mut Vec<u8>, value: Option<&T>, put: impl FnOnce(&mut Vec<u8>, &T)) {
    bytes.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(bytes, value);
    }
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend((length as u64).to_le_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    put_length(bytes, value.len());
    bytes.extend_from_slice(value);
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*array)
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    array(bytes).map(|[byte]| byte)
}

fn length(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(array(bytes)?)).ok()
}

fn slice<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (slice, rest) = length(bytes).and_then(|length| bytes.split_at_checked(length))?;
    *bytes = rest;
    Some(slice)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    String::from_utf8(slice(bytes)?.to_vec()).ok()
}

/// `None` if it breaks off.
fn option<T>(bytes: &mut &[u8], take: impl FnOnce(&mut &[u8]) -> Option<T>) -> Option<Option<T>> {
    match byte(bytes)? {
        0 => Some(None),
        _ => take(bytes).map(Some),
    }
}

fn many<T>(bytes: &mut &[u8], mut take: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    (0..length(bytes)?).map(|_| take(bytes)).collect()
}
