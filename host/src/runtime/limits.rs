//! What a component may use.

use std::time::Duration;

/// What a pool has room for in each table.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// What one sandbox may use. All are on by default:
///
/// | limit | of what | default |
/// |---|---|--:|
/// | [`memory`](Self::memory) | bytes, of all its memories and of what the host holds for it | 256 MiB |
/// | [`gathered`](Self::gathered) | bytes that its writes gather before a backend sends them on | 256 MiB |
/// | [`table_elements`](Self::table_elements) | elements of all its tables of functions | 20,000 |
/// | [`resources`](Self::resources) | backends, listings, reads and writes open at once | 1,024 |
/// | [`handles`](Self::handles) | handles at once: of those, and of streams, futures and calls that wait | 50,000 |
/// | [`items`](Self::items) | paths or requests of one call | 10,000 |
/// | [`hostcall_bytes`](Self::hostcall_bytes) | bytes that one call may hand over, either way | 64 MiB |
/// | [`guest_time`](Self::guest_time) | time that it may compute without getting anything done | 30 s |
///
/// A component that reaches one gets [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded) from the call that
/// needs more. Where no call can fail, as when it asks for more memory or hands over too much, it ends with that error.
/// Too much time ends it with [`ErrorCode::Timeout`](crate::ErrorCode::Timeout). Every backend then stays as it was.
///
/// Besides these limits, the sandboxes of a process share two pools. A quarter of the files that may be open (`ulimit
/// -n`) is for their listings, reads and writes, and each may take as many as it leaves free: one alone takes half of
/// those, two take a third each. Calls at work are shared in the same way, and further ones wait for their turn.
///
/// Writes gather in memory: parts of uploads, and whole objects for services that take an object in one request. Copies
/// made by the host wait for room instead of failing, and a copy that is alone always has room, however large its parts
/// are.
///
/// What a component stores in a backend does not count here. Give a backend that keeps it in memory a bound of its own,
/// such as [`MemoryBackend::with_capacity`](crate::MemoryBackend::with_capacity).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of linear memory, summed over all instances of core modules in the component, and of what the host holds
    /// for it: arguments of calls at work, what is read by value, chunks of streams, pages of listings.
    pub memory: usize,
    /// Bytes that its writes and copies gather in memory at once, before a backend sends them on.
    pub gathered: u64,
    /// Elements of all tables of functions together. For a component that takes no more than eight instances of core
    /// modules and two memories the default is also the most of each table.
    pub table_elements: usize,
    /// Backends, listings, reads and writes open at once.
    pub resources: usize,
    /// Handles that the component holds: of resources, of the ends of streams and futures, of calls that it waits for.
    pub handles: usize,
    /// Paths or requests in one call.
    pub items: usize,
    /// Bytes that one call may hand to the host, or get from it by value.
    pub hostcall_bytes: usize,
    /// Time that the component may compute without getting an answer of a backend or moving a byte.
    pub guest_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            gathered: 256 << 20,
            table_elements: TABLE_ELEMENTS,
            resources: 1024,
            handles: 50_000,
            items: 10_000,
            hostcall_bytes: 64 << 20,
            guest_time: Duration::from_secs(30),
        }
    }
}
