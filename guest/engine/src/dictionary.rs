//! Dictionaries, read once and not for each object.
//!
//! A call brings the bytes along. To read them, and to look through them for the first object, takes longer than to compress
//! a small one. So the last dictionary is kept: what comes next has the same one, most of the time.

use std::cell::RefCell;

use omnistorage_core::codec;
use omnistorage_types::{Dictionary, Result};

thread_local! {
    static LAST: RefCell<Option<(Dictionary, codec::Dictionary)>> = const { RefCell::new(None) };
}

/// Reads a dictionary, if there is one.
///
/// # Errors
/// It is damaged, empty or too long.
pub(crate) fn read(bytes: Option<&Dictionary>) -> Result<Option<codec::Dictionary>> {
    let Some(bytes) = bytes else { return Ok(None) };
    LAST.with_borrow_mut(|last| {
        let kept = last.take().filter(|(known, _)| known == bytes);
        let (_, dictionary) = match kept {
            Some(kept) => last.insert(kept),
            None => last.insert((bytes.clone(), codec::Dictionary::new(bytes.as_bytes().to_vec())?)),
        };
        Ok(Some(dictionary.clone()))
    })
}
