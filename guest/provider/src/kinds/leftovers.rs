//! Names of what a write leaves behind when its host is killed: those of the native backend of files, so that it knows
//! them where both look at the same directory.

const PREFIX: &str = ".omnistorage-";
const SUFFIX: &str = ".tmp";

/// Where the native backend writes which system made the file, this says that it was none whose locks can be seen: it
/// then leaves the file alone until it is old.
const ELSEWHERE: &str = "0000000000000000";

/// The name of that number.
pub(super) fn temporary(number: u64) -> String {
    format!("{PREFIX}{ELSEWHERE}-{number:016x}{SUFFIX}")
}

/// Whether a name is that of a temporary file: `.omnistorage-`, 16 hexadecimal digits, `-`, 1 to 16 more, `.tmp`.
pub(super) fn is_temporary(name: &str) -> bool {
    number(name).is_some()
}

/// The number in the name of a temporary file.
pub(super) fn number(name: &str) -> Option<u64> {
    let inner = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (origin, number) = inner.split_once('-')?;
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_one = origin.len() == 16 && is_hexadecimal(origin) && is_hexadecimal(number);
    (is_one && (1..=16).contains(&number.len())).then(|| u64::from_str_radix(number, 16).ok()).flatten()
}
