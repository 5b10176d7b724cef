//! Times as the stores write them, and as rclone writes them into metadata.

use crate::Timestamp;

const NANOSECONDS: i128 = 1_000_000_000;

/// Seconds as a decimal number, as rclone writes `mtime`, with as many decimals as the nanoseconds need.
pub(in crate::backend) fn to_decimal(time: Timestamp) -> String {
    let all = i128::from(time.seconds) * NANOSECONDS + i128::from(time.nanoseconds);
    let sign = if all < 0 { "-" } else { "" };
    let (seconds, rest) = (all.abs() / NANOSECONDS, all.abs() % NANOSECONDS);
    if rest == 0 {
        return format!("{sign}{seconds}");
    }
    format!("{sign}{seconds}.{rest:09}").trim_end_matches('0').to_owned()
}

/// Parses a decimal number of seconds. Digits beyond the nanoseconds are cut off; `None` if it is no such number.
pub(in crate::backend) fn from_decimal(text: &str) -> Option<Timestamp> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let nanoseconds: i128 = format!("{:0<9.9}", fraction).parse().ok()?;
    let all = sign * (i128::from(whole.parse::<i64>().ok()?) * NANOSECONDS + nanoseconds);
    Some(Timestamp {
        seconds: i64::try_from(all.div_euclid(NANOSECONDS)).ok()?,
        nanoseconds: u32::try_from(all.rem_euclid(NANOSECONDS)).ok()?,
    })
}

#[cfg(any(feature = "azblob", feature = "gcs", test))]
/// As RFC 3339 has it, in UTC, with as many digits as the nanoseconds need; `None` outside of the years that it knows.
pub(in crate::backend) fn to_rfc3339(time: Timestamp) -> Option<String> {
    let nanoseconds = i32::try_from(time.nanoseconds).ok()?;
    Some(jiff::Timestamp::new(time.seconds, nanoseconds).ok()?.to_string())
}

/// The time of an XML or JSON answer (RFC 3339).
pub(in crate::backend) fn from_rfc3339(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(timestamp)
}

/// The time of a header (RFC 9110, section 5.6.7).
pub(in crate::backend) fn from_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| timestamp(time.timestamp()))
}

fn timestamp(time: jiff::Timestamp) -> Timestamp {
    let all = time.as_nanosecond();
    // Both fit: such a time lies within the years -9999 to 9999.
    Timestamp {
        seconds: i64::try_from(all.div_euclid(NANOSECONDS)).unwrap_or_default(),
        nanoseconds: u32::try_from(all.rem_euclid(NANOSECONDS)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64, nanoseconds: u32) -> Timestamp {
        Timestamp { seconds, nanoseconds }
    }

    #[test]
    fn decimals_are_those_of_rclone() {
        for (at, text) in [
            (time(0, 0), "0"),
            (time(1_700_000_000, 0), "1700000000"),
            (time(1_000_000_000, 123_456_789), "1000000000.123456789"),
            (time(1, 500_000_000), "1.5"),
            (time(-1, 500_000_000), "-0.5"),
            (time(-2, 999_999_999), "-1.000000001"),
            (time(i64::MAX, 999_999_999), "9223372036854775807.999999999"),
        ] {
            assert_eq!(to_decimal(at), text);
            assert_eq!(from_decimal(text), Some(at));
        }
        assert_eq!(from_decimal("1.1234567899"), Some(time(1, 123_456_789)));
        for text in ["", "-", ".5", "1e9", "+1", " 1", "1.x", "0x10", "99999999999999999999", "1.2.3"] {
            assert_eq!(from_decimal(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_ends_somewhere() {
        assert_eq!(to_rfc3339(time(-1, 500_000_000)).as_deref(), Some("1969-12-31T23:59:59.5Z"));
        assert_eq!(to_rfc3339(time(0, 0)).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(to_rfc3339(time(i64::MAX, 0)), None);
    }

    #[test]
    fn the_times_of_answers_are_read() {
        assert_eq!(from_rfc3339("2001-09-09T01:46:40.123Z"), Some(time(1_000_000_000, 123_000_000)));
        assert_eq!(from_http_date("Sun, 09 Sep 2001 01:46:40 GMT"), Some(time(1_000_000_000, 0)));
        assert_eq!((from_rfc3339("yesterday"), from_http_date("")), (None, None));
    }
}
