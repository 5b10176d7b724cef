//! Sizes as text.

/// A size as rclone takes them: a decimal number, then `B`, `K`, `M`, `G`, `T`, `P` or `E`, binary each, with or
/// without `i` and `iB` after it. A bare number counts KiB.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let malformed =
        || "give a number and a unit, as in `100B`, `64K` or `1.5G`; a bare number is KiB".to_owned();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let power = match unit.strip_suffix("iB").or(unit.strip_suffix('i')).unwrap_or(unit) {
        "" if unit.is_empty() => 1,
        "b" | "B" if unit.len() == 1 => 0,
        "k" | "K" => 1,
        "m" | "M" => 2,
        "g" | "G" => 3,
        "t" | "T" => 4,
        "p" | "P" => 5,
        "e" | "E" => 6,
        _ => return Err(malformed()),
    };
    let scale = 1_u64 << (10 * power);
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale).ok_or_else(malformed);
    }
    let number: f64 = number.parse().map_err(|_| malformed())?;
    let bytes = number * scale as f64;
    // A float that is too large would be cut off silently.
    if bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(malformed()) }
}

/// A rate in bytes a second, from 1 on.
pub(crate) fn parse_rate(text: &str) -> Result<u64, String> {
    if text.contains([':', ',']) {
        return Err("one rate is all that is taken: no timetable, and no pair of rates".to_owned());
    }
    match parse_size(text)? {
        0 => Err("give at least `1B`".to_owned()),
        rate => Ok(rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_a_number_and_a_unit() {
        for (text, size) in [
            ("0", 0),
            ("1", 1024),
            ("100B", 100),
            ("100b", 100),
            ("64k", 64 << 10),
            ("1.5M", 3 << 19),
            ("2GiB", 2 << 30),
            ("2Gi", 2 << 30),
            ("1T", 1 << 40),
            ("15E", 15 << 60),
            ("18446744073709551615B", u64::MAX),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in
            ["", "K", "-1", "1KB", "1iB", "1x", "1 K", "1..5K", "16E", "1e3", "99999999999999999999999"]
        {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_one_and_not_nothing() {
        assert_eq!(parse_rate("1B"), Ok(1));
        for text in ["0", "0.1B", "1M:2M", "08:00,1M"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }
}
