//! Copies by the host: to a temporary name, which is moved into place.

use omnistorage::{Error, ErrorCode, ObjectInfo, Path, Result, backend::WriteOptions};

use super::{KIND, bindings::wasi::blobstore::blobstore, container::Container, upload::Temporary};

/// Copies an object from one container of the host to another, or within one.
///
/// # Errors
/// As [`Backend::copy_to`](omnistorage::Backend::copy_to). [`ErrorCode::Unsupported`] also where a hash is expected, since
/// the host tells none.
pub(super) fn copy(
    from: &Container,
    source: &Path,
    to: &Container,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let plain = WriteOptions { meter: Default::default(), allowance: Default::default(), ..options.clone() };
    plain.require_plain(KIND).map_err(|error| error.on_target())?;
    if options.expected_hash.is_some() {
        return Err(Error::unsupported(KIND, "copies with an expected hash"));
    }
    let (info, size) = from.object(source)?;
    if let Some(expected) = options.expected_size.filter(|expected| *expected != size) {
        let message = format!("{expected} bytes were expected and there are {size}");
        return Err(Error::new(ErrorCode::Corrupted, message));
    }
    if from.is(to) && source == target {
        return Ok(info);
    }
    let mut temporary = Temporary::new(to, target).map_err(|error| error.on_target())?;
    blobstore::copy_object(&from.id(source.as_str()), &to.id(temporary.name()?))
        .map_err(|told| to.refusal(target, &told))?;
    let copied = temporary.put(target, size).map_err(|error| error.on_target())?;
    options.meter.ended_at(size);
    Ok(copied)
}
