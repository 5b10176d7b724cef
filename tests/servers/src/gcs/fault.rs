//! What can go wrong on order.

/// What happens to a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// This status, and nothing is done.
    Status(u16),
    /// Status 429 with so many seconds to wait, and nothing is done.
    Busy {
        /// In seconds.
        retry_after: u64,
    },
    /// The connection breaks, and nothing is done.
    Drop,
    /// All is done, and the connection breaks before the answer.
    LoseAnswer,
    /// All is done, and the connection breaks within the body of the answer.
    CutBody {
        /// So many bytes of it come.
        after: usize,
    },
    /// Of a part of an upload no more than the first bytes are kept, and the answer says so.
    KeepPart {
        /// So many.
        bytes: usize,
    },
    /// So many of the requests in a batch get the status 503.
    FailParts {
        /// The last ones.
        count: usize,
    },
    /// A bit of what is stored flips on the way, and the store looks at no checksum.
    Damage,
    /// A bit of the answer's body flips.
    FlipBit,
}

/// A fault for the next requests that hold a text.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) matching: String,
    pub(super) times: usize,
    pub(super) fault: Fault,
}

/// The fault that is ordered for a request, which uses it up.
pub(super) fn take(orders: &mut Vec<Order>, line: &str) -> Option<Fault> {
    let at = orders.iter().position(|order| line.contains(&order.matching))?;
    orders[at].times -= 1;
    let fault = orders[at].fault;
    if orders[at].times == 0 {
        orders.remove(at);
    }
    Some(fault)
}
