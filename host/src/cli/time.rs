//! Times as text: RFC 3339 out, ages and dates in.

use std::time::Duration;

use super::size::Bound;
use crate::Timestamp;

pub(crate) use crate::duration::parse_duration;

const SECONDS_A_DAY: i64 = 86_400;

/// A time in UTC as RFC 3339 writes it, with nanoseconds: `2026-02-28T23:59:59.000000001Z`. Years beyond 9999 get
/// more digits, and years before 0 a sign, as ISO 8601 extends it.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let (year, month, day) = civil_date(time.seconds.div_euclid(SECONDS_A_DAY));
    let second = time.seconds.rem_euclid(SECONDS_A_DAY);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        time.nanoseconds,
    )
}

/// The same without its fraction: `2026-02-28T23:59:59Z`.
pub(crate) fn to_the_second(time: Timestamp) -> String {
    let text = rfc3339(time);
    text.split_once('.').map_or_else(|| text.clone(), |(second, _)| format!("{second}Z"))
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar: the algorithm
/// `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms". Years begin in March there, so
/// that the leap day is the last of the year, and repeat every 400 years (146,097 days).
const fn civil_date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// The number of days since 1970-01-01 of a date: `days_from_civil`, the inverse of [`civil_date`]. The month is from 1
/// to 12.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The time so much later, or the last one there is.
pub(crate) fn behind(time: Timestamp, duration: Duration) -> Timestamp {
    let nanoseconds = time.nanoseconds + duration.subsec_nanos();
    let carried = i64::from(nanoseconds / 1_000_000_000);
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Timestamp {
        seconds: time.seconds.saturating_add(seconds).saturating_add(carried),
        nanoseconds: nanoseconds % 1_000_000_000,
    }
}

/// How old something is, or when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// So long ago.
    Ago(Duration),
    /// At that time.
    At(Timestamp),
}

impl Age {
    /// As a time.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(duration) => {
                let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
                let seconds = now.seconds.saturating_sub(seconds);
                match now.nanoseconds.checked_sub(duration.subsec_nanos()) {
                    Some(nanoseconds) => Timestamp { seconds, nanoseconds },
                    None => Timestamp {
                        seconds: seconds.saturating_sub(1),
                        nanoseconds: now.nanoseconds + 1_000_000_000 - duration.subsec_nanos(),
                    },
                }
            }
        }
    }
}

/// A duration as [`parse_duration`] takes it, or a date (`2026-02-28`), with a time (`T12:00:00`) if need be, in UTC.
pub(crate) fn parse_age(text: &str) -> Result<Age, String> {
    parse_duration(text).map(Age::Ago).or_else(|_| {
        let malformed = || {
            "give a number and a unit, as in `90s`, `36h` or `2w`, or a date, as in `2026-02-28`".to_owned()
        };
        parse_date(text).map(Age::At).ok_or_else(malformed)
    })
}

/// How far apart two times may be and still count as the same: less than a duration, as rclone counts.
pub(crate) fn parse_window(text: &str) -> Result<Duration, String> {
    parse_duration(text).map(|window| window.saturating_sub(Duration::from_nanos(1)))
}

/// As [`parse_age`], or `off`.
pub(crate) fn parse_age_bound(text: &str) -> Result<Bound<Age>, String> {
    Bound::parse(text, parse_age)
}

/// A date, or a date and a time in UTC.
fn parse_date(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time.strip_suffix('Z').unwrap_or(time)),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    let days = days_from_civil(year, month, day);
    let exists = (1..=12).contains(&month) && civil_date(days) == (year, month, day);
    let on_the_clock = hour < 24 && minute < 60 && second < 60;
    (exists && on_the_clock).then_some(Timestamp {
        seconds: days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second,
        nanoseconds: 0,
    })
}

/// Three numbers with a fixed number of digits each.
fn fields(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut fields = [0; 3];
    for (field, digits) in fields.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *field = part.parse().ok()?;
    }
    parts.next().is_none().then_some(fields)
}

/// A duration to read: with fractions where they matter.
pub(crate) fn seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(60) {
        format!("{:.2} s", elapsed.as_secs_f64())
    } else {
        indicatif::HumanDuration(elapsed).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (951_782_399, 1, "2000-02-28T23:59:59.000000001Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"), // 2000 is a leap year
            (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"), // 2100 is none
            (1_709_164_800, 0, "2024-02-29T00:00:00.000000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000000Z"),
            (253_402_300_800, 0, "10000-01-01T00:00:00.000000000Z"),
            (-62_167_219_200, 0, "0000-01-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(rfc3339(Timestamp { seconds, nanoseconds }), text);
        }
    }

    #[test]
    fn no_time_is_out_of_range() {
        for seconds in [i64::MIN, i64::MAX] {
            assert!(rfc3339(Timestamp { seconds, nanoseconds: 0 }).ends_with('Z'));
        }
    }

    #[test]
    fn an_age_is_a_duration_or_a_date() {
        let now = Timestamp { seconds: 1_000, nanoseconds: 1 };
        let before = |text| parse_age(text).map(|age| age.before(now));
        assert_eq!(before("10s"), Ok(Timestamp { seconds: 990, nanoseconds: 1 }));
        assert_eq!(before("10.5s"), Ok(Timestamp { seconds: 989, nanoseconds: 500_000_001 }));
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29 00:00:01", 951_782_401),
            ("2000-02-29T00:00:01Z", 951_782_401),
            ("1969-12-31T23:59:59", -1),
        ] {
            assert_eq!(before(text), Ok(Timestamp { seconds, nanoseconds: 0 }), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2001-02-29",
            "2001-13-01",
            "2001-00-01",
            "2001-1-1",
            "2001-01-01T24:00:00",
            "2001-01-01T",
        ] {
            assert!(parse_age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_window_ends_before_its_duration() {
        assert_eq!(parse_window("1s"), Ok(Duration::from_nanos(999_999_999)));
        assert_eq!(parse_window("0s"), Ok(Duration::ZERO));
        assert!(parse_window("soon").is_err());
    }

    #[test]
    fn dates_and_days_are_inverse() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil_date(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
