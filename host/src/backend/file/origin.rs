//! Where a temporary file is made.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    os::fd::OwnedFd,
    sync::OnceLock,
};

use rustix::io::Errno;

/// A number that is the same for all that the running system makes on one mounted file system, and for nothing else that
/// is likely: neither after the next start, nor on another host, nor through another mount of the same directory. So who
/// meets it sees the locks of who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(u64);

impl Origin {
    /// Of no system that runs: nobody is sure to see the locks of what is called so.
    pub(super) const ELSEWHERE: Self = Self(0);

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

/// What the system calls its own run since it was started. Where it has no name for that, this process is all that is
/// known to be the same.
fn system() -> &'static [u8] {
    static SYSTEM: OnceLock<Vec<u8>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_else(|_| random().to_be_bytes().into())
    })
}

/// A number that nobody else comes by: hash tables of the standard library are seeded by the operating system.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(())
}
