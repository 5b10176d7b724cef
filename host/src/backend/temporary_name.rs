//! The names of temporary objects, in which the bytes of an object are kept until it is whole: listings hide them, and a
//! sweep finds those that were left.
//!
//! A name is `.omnistorage-`, 16 hexadecimal digits for where it was made, `-`, up to 16 more that are random, `.tmp`.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

const PREFIX: &str = ".omnistorage-";
const SUFFIX: &str = ".tmp";

/// Where something was made of which nobody is sure to see whether its writer still lives.
pub(super) const ELSEWHERE: u64 = 0;

/// A name that nobody else has, of something made there: 16 hexadecimal digits.
pub(super) fn new(origin: impl fmt::Display) -> String {
    format!("{PREFIX}{origin}-{:016x}{SUFFIX}", random())
}

/// A random number: the operating system seeds the hash tables of the standard library.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// The digits of where it was made; `None` for other names.
pub(super) fn origin(name: &[u8]) -> Option<&[u8]> {
    let (origin, number) =
        name.strip_prefix(PREFIX.as_bytes())?.strip_suffix(SUFFIX.as_bytes())?.split_at_checked(16)?;
    let number = number.strip_prefix(b"-")?;
    let is_hexadecimal = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (origin.iter().all(is_hexadecimal)
        && number.iter().all(is_hexadecimal)
        && (1..=16).contains(&number.len()))
    .then_some(origin)
}

/// Whether it is the name of a temporary object.
pub(super) fn is_one(name: &[u8]) -> bool {
    origin(name).is_some()
}
