//! Sizes and rates as text, and bounds that may be off.

/// A bound that may be switched off: rclone's `off`, and `-1` for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound<T> {
    /// None.
    Off,
    /// That much.
    At(T),
}

impl<T: Copy> Bound<T> {
    /// The bound, if there is one.
    pub(crate) fn of(given: Option<Self>) -> Option<T> {
        match given {
            None | Some(Self::Off) => None,
            Some(Self::At(bound)) => Some(bound),
        }
    }

    /// Parses a text: `off`, or whatever `parse` makes of it.
    pub(crate) fn parse(text: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") { Ok(Self::Off) } else { parse(text).map(Self::At) }
    }
}

/// A size, or `off`.
pub(crate) fn parse_size_bound(text: &str) -> Result<Bound<u64>, String> {
    Bound::parse(text, parse_size)
}

/// A number of at least `least`, or `off`, or -1, which says the same.
pub(crate) fn parse_count_bound<T>(least: T) -> impl Fn(&str) -> Result<Bound<T>, String> + Clone
where
    T: Copy + PartialOrd + std::fmt::Display + std::str::FromStr + Send + Sync,
{
    move |text| match text {
        "-1" => Ok(Bound::Off),
        text => Bound::parse(text, |text| {
            let number = text.parse().ok().filter(|number| *number >= least);
            number.ok_or_else(|| format!("give a number from {least} on, or `off`"))
        }),
    }
}

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

/// A rate in bytes a second; `off` and 0 are none.
pub(crate) fn parse_rate(text: &str) -> Result<Bound<u64>, String> {
    if text.contains([':', ',']) {
        return Err("one rate is all that is taken: no timetable, and no pair of rates".to_owned());
    }
    match parse_size_bound(text)? {
        Bound::At(0) if text.contains(|c: char| c.is_ascii_digit() && c != '0') => {
            Err("give at least `1B`, or `off`".to_owned())
        }
        Bound::At(0) => Ok(Bound::Off),
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
    fn a_rate_is_one_and_may_be_off() {
        assert_eq!(parse_rate("1B"), Ok(Bound::At(1)));
        for text in ["off", "OFF", "0", "0M", "0.0"] {
            assert_eq!(parse_rate(text), Ok(Bound::Off), "{text}");
        }
        for text in ["0.1B", "1M:2M", "08:00,1M", "10M:off", "-1", ""] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bound_may_be_off() {
        assert_eq!(parse_size_bound("off"), Ok(Bound::Off));
        assert_eq!(Bound::of(Some(parse_size_bound("1K").unwrap())), Some(1024));
        assert_eq!(Bound::<u64>::of(Some(Bound::Off)), None);
        let count = parse_count_bound(1_u32);
        assert_eq!(
            (count("-1"), count("off"), count("7")),
            (Ok(Bound::Off), Ok(Bound::Off), Ok(Bound::At(7)))
        );
        for text in ["0", "-2", "", "many", "4294967296"] {
            assert!(count(text).is_err(), "{text}");
        }
    }
}
