//! What the server has opened for us.

use bytes::Bytes;

use super::{pool::Lease, wire::Request};

/// An open file or directory of the server, closed when it is dropped.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) lease: Lease,
    pub(super) handle: Bytes,
}

impl Drop for Opened {
    fn drop(&mut self) {
        drop(self.lease.send(Request::close(&self.handle)));
    }
}
