//! Where a temporary file was made.

use std::{fmt, os::fd::OwnedFd, sync::OnceLock};

use rustix::io::Errno;

use crate::backend::temporary_name::{self, random};

/// A number that is the same for everything the running system makes on one mounted file system, and most probably for
/// nothing else: not after the next boot, not on another host, not through another mount of the same directory. So
/// whoever finds this number sees the locks of whoever made the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(u64);

impl Origin {
    /// Of no system that runs: nobody is sure to see the locks of what is called so.
    pub(super) const ELSEWHERE: Self = Self(temporary_name::ELSEWHERE);

    pub(super) fn of(directory: &OwnedFd) -> Result<Self, Errno> {
        let device = rustix::fs::fstat(directory)?.st_dev;
        // FNV-1a (Fowler, Noll and Vo, 64 bits): all processes must agree on it, no more.
        let hash =
            system().iter().chain(&device.to_be_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        Ok(Self(hash))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The id of the current boot. Where the system has none, only this process is known to be the same.
fn system() -> &'static [u8] {
    static SYSTEM: OnceLock<Vec<u8>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_else(|_| random().to_be_bytes().into())
    })
}
