//! What a file system keeps beside the bytes of a file, as metadata: with rclone's keys and formats, so that each
//! restores what the other stored.
//!
//! | key | form | read | written |
//! |---|---|---|---|
//! | `mode` | octal, with the kind: `100644` | yes | yes; set-user-id and the like only with the owner |
//! | `uid`, `gid` | decimal | yes | where that is allowed, else the group alone, else neither |
//! | `atime` | RFC 3339, to the nanosecond | yes | yes |
//! | `btime` | the same | where the file system tells it | no: no system lets it be set |
//!
//! A value in another format is somebody's own metadata, and kept as that.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{AtFlags, Gid, Mode, Stat, Uid},
    io::Errno,
};

use super::info::time;
use crate::{Metadata, Timestamp};

const MODE: &str = "mode";
const OWNER: &str = "uid";
const GROUP: &str = "gid";
const ACCESSED: &str = "atime";
const BORN: &str = "btime";

/// What of it is to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owned {
    mode: Option<u32>,
    owner: Option<u32>,
    group: Option<u32>,
    pub(super) accessed: Option<Timestamp>,
}

impl Owned {
    /// Takes the values of these keys out of metadata.
    pub(super) fn take_from(metadata: &mut Metadata) -> Self {
        let mut owned = Self::default();
        metadata.retain(|(key, value)| !owned.take(key, value));
        owned
    }

    /// Returns whether it was one of these keys.
    fn take(&mut self, key: &str, value: &str) -> bool {
        fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
            let is_set = value.is_some();
            *field = value.or(field.take());
            is_set
        }
        match key {
            MODE => set(&mut self.mode, u32::from_str_radix(value, 8).ok()),
            OWNER => set(&mut self.owner, parse_id(value)),
            GROUP => set(&mut self.group, parse_id(value)),
            ACCESSED => set(&mut self.accessed, parse_time(value)),
            BORN => parse_time(value).is_some(),
            _ => false,
        }
    }

    /// The permission bits to make the file with.
    pub(super) fn mode(&self) -> Option<Mode> {
        self.mode.map(|mode| permissions(mode & 0o777))
    }

    /// Gives a file its owner and its mode.
    pub(super) fn apply(&self, file: &OwnedFd) -> Result<(), Errno> {
        let (owner, group) = (self.owner.map(Uid::from_raw), self.group.map(Gid::from_raw));
        let has_owner = owner.is_some() && rustix::fs::fchown(file, owner, group).is_ok();
        if !has_owner && group.is_some() {
            // Who may not give files away may still be in the group.
            let _ = rustix::fs::fchown(file, None, group);
        }
        match self.mode {
            Some(mode) => {
                let kept = if has_owner { 0o7777 } else { 0o777 };
                rustix::fs::fchmod(file, permissions(mode & kept))
            }
            None => Ok(()),
        }
    }
}

/// Adds what is known about an open file to its metadata, in place of older values of these keys.
pub(super) fn add_to(metadata: &mut Metadata, file: &OwnedFd, stat: &Stat) {
    let mut known = vec![
        (MODE, format!("{:o}", stat.st_mode)),
        (OWNER, stat.st_uid.to_string()),
        (GROUP, stat.st_gid.to_string()),
    ];
    known.extend(format_time(time(stat.st_atime, stat.st_atime_nsec)).map(|time| (ACCESSED, time)));
    known.extend(born(file).and_then(format_time).map(|time| (BORN, time)));
    metadata.retain(|(key, _)| known.iter().all(|(known, _)| known != key));
    metadata.extend(known.into_iter().map(|(key, value)| (key.to_owned(), value)));
    metadata.sort();
}

#[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(mode as rustix::fs::RawMode)
}

/// The largest number means none: see chown(2).
fn parse_id(text: &str) -> Option<u32> {
    text.parse().ok().filter(|id| *id != u32::MAX)
}

/// When the file was made.
fn born(file: &OwnedFd) -> Option<Timestamp> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{StatxFlags, statx};

        let found = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::BTIME).ok()?;
        let is_known = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
        is_known
            .then_some(Timestamp { seconds: found.stx_btime.tv_sec, nanoseconds: found.stx_btime.tv_nsec })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, AtFlags::empty());
        None
    }
}

/// `None` for a time that the format cannot express.
fn format_time(time: Timestamp) -> Option<String> {
    let nanoseconds = i32::try_from(time.nanoseconds).ok()?;
    Some(jiff::Timestamp::new(time.seconds, nanoseconds).ok()?.to_string())
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let nanoseconds = time.as_nanosecond();
    Some(Timestamp {
        seconds: i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?,
        nanoseconds: u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> Metadata {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_rclone_writes_is_understood() {
        let mut all = metadata(&[
            ("atime", "2024-02-03T04:05:06.123456789+02:00"),
            ("btime", "2024-02-03T02:05:06Z"),
            ("colour", "green"),
            ("gid", "100"),
            ("mode", "100640"),
            ("uid", "1000"),
        ]);
        let owned = Owned::take_from(&mut all);
        let accessed = Timestamp { seconds: 1_706_925_906, nanoseconds: 123_456_789 };
        assert_eq!(
            owned,
            Owned { mode: Some(0o100_640), owner: Some(1000), group: Some(100), accessed: Some(accessed) }
        );
        assert_eq!(owned.mode(), Some(Mode::from_raw_mode(0o640)));
        assert_eq!(all, metadata(&[("colour", "green")]));
        assert_eq!(format_time(accessed).unwrap(), "2024-02-03T02:05:06.123456789Z");
    }

    #[test]
    fn what_has_another_form_is_somebodys_own() {
        let own =
            [("atime", "yesterday"), ("btime", "never"), ("gid", "-1"), ("mode", "fast"), ("uid", "me")];
        let mut all = metadata(&own);
        assert_eq!(Owned::take_from(&mut all), Owned::default());
        assert_eq!(all, metadata(&own));
    }

    #[test]
    fn a_time_before_1970_keeps_its_nanoseconds() {
        let time = Timestamp { seconds: -2, nanoseconds: 5 };
        assert_eq!(parse_time(&format_time(time).unwrap()), Some(time));
    }
}
