//! What may be stored beside the bytes. It travels in headers, where keys lose their case, values lose the blanks at
//! their ends, and both lose what is not ASCII. Whatever would be changed is refused.

use crate::{Error, ErrorCode, Metadata, Result, backend::WriteOptions};

/// The type used where none is given; what the stores would assume is less usual.
pub(in crate::backend) const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// The content type of a write.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] if it would not be kept.
pub(in crate::backend) fn content_type(options: &WriteOptions) -> Result<String> {
    match options.content_type.as_deref() {
        None => Ok(DEFAULT_CONTENT_TYPE.to_owned()),
        Some(given) if is_kept(given) && !given.is_empty() => Ok(given.to_owned()),
        Some(given) => Err(invalid(format!("`{}` is no content type", given.escape_debug()))),
    }
}

/// Metadata in the order of its keys; the store uses the `taken` keys itself.
///
/// # Errors
/// [`ErrorCode::InvalidArgument`] if a pair would not be kept, or a key is given twice.
pub(in crate::backend) fn checked(metadata: &Metadata, store: &str, taken: &[&str]) -> Result<Metadata> {
    let mut metadata = metadata.clone();
    metadata.sort();
    if let Some([(key, _), _]) = metadata.array_windows().find(|[(a, _), (b, _)]| a == b) {
        return Err(invalid(format!("the metadata key `{}` is given twice", key.escape_debug())));
    }
    metadata.iter().try_for_each(|(key, value)| check_pair(key, value, store, taken))?;
    Ok(metadata)
}

fn check_pair(key: &str, value: &str, store: &str, taken: &[&str]) -> Result<()> {
    let shown = key.escape_debug();
    if taken.contains(&key) {
        return Err(invalid(format!(
            "the metadata key `{shown}` is taken: it holds what {store} has no other place for"
        )));
    }
    let is_token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.!#$&'*+^`|~%".contains(&byte);
    if key.is_empty() || !key.bytes().all(is_token) {
        return Err(invalid(format!(
            "{store} cannot keep the metadata key `{shown}`: use small letters, digits, `-`, `_` and `.`"
        )));
    }
    if value.is_empty() || !is_kept(value) {
        return Err(invalid(format!(
            "{store} cannot keep the value of the metadata key `{shown}`: use ASCII, without blanks at the ends"
        )));
    }
    Ok(())
}

/// Whether a text survives as the value of a header.
fn is_kept(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && value.trim() == value
}

fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_would_be_changed_is_refused() {
        for (key, value) in [
            ("Key", "x"),
            ("é", "x"),
            ("", "x"),
            ("a b", "x"),
            ("mtime", "1"),
            ("key", ""),
            ("key", " x"),
            ("key", "x\ny"),
            ("key", "é"),
        ] {
            let error = check_pair(key, value, "the store", &["mtime"]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{key}: {value}");
        }
        check_pair("x-y_z.1", "two = 2; \"quoted\", and blanks inside", "the store", &[]).unwrap();
    }
}
