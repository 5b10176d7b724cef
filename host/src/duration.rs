//! Durations as text.

use std::time::Duration;

/// A duration as rclone takes them: a decimal number and a unit (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `w`, `M` of 30
/// days, `y` of 365), several after one another (`1h30m`), or a bare number of seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let malformed = || "give a number and a unit, as in `1s`, `100ms` or `1h30m`".to_owned();
    let seconds = |number: &str, unit: f64| {
        let number: f64 = number.parse().map_err(|_| malformed())?;
        Duration::try_from_secs_f64(number * unit).map_err(|_| malformed())
    };
    if text.is_empty() || !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(malformed());
    }

    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(unit_at);
        let next_at = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(next_at);
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "" if number.len() == text.len() => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 7.0 * 86_400.0,
            "M" => 30.0 * 86_400.0,
            "y" => 365.0 * 86_400.0,
            _ => return Err(malformed()),
        };
        total = total.checked_add(seconds(number, unit)?).ok_or_else(malformed)?;
        rest = next;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, duration) in [
            ("2", Duration::from_secs(2)),
            ("1s", Duration::from_secs(1)),
            ("1.5s", Duration::from_millis(1500)),
            ("100ms", Duration::from_millis(100)),
            ("1h30m", Duration::from_secs(5400)),
            ("2w", Duration::from_secs(14 * 86_400)),
            ("1M", Duration::from_secs(30 * 86_400)),
            ("1y", Duration::from_secs(365 * 86_400)),
            ("0", Duration::ZERO),
        ] {
            assert_eq!(parse_duration(text), Ok(duration), "{text}");
        }
        for text in ["", "s", "-1s", "1q", "1h30", "1..5s", "1e400d", "99999999999999999999d", "1 s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
