//! What becomes of symbolic links, and the names of the objects that they are.

use std::str::FromStr;

/// How the name of the object that a link is ends: with this, after the name of the link.
pub(super) const SUFFIX: &str = ".rclonelink";

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// They are listed as such, and neither read nor followed.
    #[default]
    Skip,
    /// They are objects: `name.rclonelink`, whose bytes are what the link `name` leads to.
    Keep,
    /// They are what they lead to within the root, for reads and listings. One that leads out of the root, to nothing or in
    /// a circle is an error of its own; nothing is written or deleted through one, and nothing is moved. This needs
    /// openat2(2) of Linux.
    Follow,
}

impl FromStr for Links {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "skip" => Ok(Self::Skip),
            "keep" => Ok(Self::Keep),
            "follow" => Ok(Self::Follow),
            _ => Err("there are `skip`, `keep` and `follow`"),
        }
    }
}

/// The name of the object that a link is.
pub(super) fn object_name(link: &[u8]) -> Vec<u8> {
    [link, SUFFIX.as_bytes()].concat()
}
