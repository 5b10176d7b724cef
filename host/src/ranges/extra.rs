//! The ranges in which something is to be deleted.

/// A range in which something is to be deleted, or waits for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cluster", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(crate) struct Extra {
    pub(crate) index: usize,
    /// How many objects may go there.
    pub(crate) extras: u64,
    /// How many others wait for it.
    pub(crate) waiting: u64,
    /// How many failed there so far.
    pub(crate) errors: u64,
}

/// Ranges whose deletes may be at work at once, one such set after the other. What waits has in its place what lies in the
/// same range or a later one, so that those in which something waits come one by one, and the last first.
pub(crate) fn waves(ranges: &[Extra]) -> Vec<Vec<Extra>> {
    let (waiting, rest): (Vec<Extra>, Vec<Extra>) = ranges.iter().partition(|extra| extra.waiting > 0);
    let first = (!rest.is_empty()).then_some(rest);
    first.into_iter().chain(waiting.into_iter().rev().map(|extra| vec![extra])).collect()
}
