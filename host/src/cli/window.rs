//! `--max-window`: how much memory zstd data may ask for.

use super::size::parse_size;

/// What zstd(1) takes by default, and the most there is.
pub(crate) const DEFAULT: &str = "128M";

const MOST: u64 = 128 << 20;

/// A size of at most [`MOST`].
pub(crate) fn parse_window(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        window if window > MOST => Err(format!("{DEFAULT} is the most there is")),
        window => Ok(window),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_a_limit() {
        assert_eq!(parse_window(DEFAULT), Ok(MOST));
        assert_eq!(parse_window("8M"), Ok(8 << 20));
        assert!(parse_window("129M").is_err() && parse_window("2G").is_err() && parse_window("big").is_err());
    }
}
