//! The memory of this process, as the system counts it.

use std::{fs, io};

use anyhow::{Context, Result};

/// Bytes of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// By itself, and its part of what it shares with others (`Pss`): what is mapped many times, as the pages of a
    /// compiled component and of the memory that each instance begins with, counts once.
    pub(crate) own: u64,
    /// Each mapping of such a page by itself (`Rss`).
    pub(crate) resident: u64,
}

impl Taken {
    /// What this process has now. `None` where the system does not tell.
    ///
    /// # Errors
    /// If it tells something else.
    pub(crate) fn now() -> Result<Option<Self>> {
        let told = match fs::read_to_string("/proc/self/smaps_rollup") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            told => told?,
        };
        let bytes = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name)).context("memory is not told")?;
            let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
            anyhow::Ok(kibibytes * 1024)
        };
        Ok(Some(Self { own: bytes("Pss:")?, resident: bytes("Rss:")? }))
    }

    /// How much more it is than before.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            own: self.own.saturating_sub(before.own),
            resident: self.resident.saturating_sub(before.resident),
        }
    }
}
