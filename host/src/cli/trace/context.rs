//! Which trace a command belongs to: one of its own, or that of whoever started it, by the variable `TRACEPARENT` in the form
//! of <https://www.w3.org/TR/trace-context/#traceparent-header>.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// The identity of a span.
pub(super) type SpanId = [u8; 8];

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// Bits of a span's flags: it is known whether its parent is another process's, and that it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Where the spans of a command belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) trace: [u8; 16],
    /// The span that the command itself is.
    pub(super) root: SpanId,
    /// The span that the command was started in.
    pub(super) parent: Option<SpanId>,
    /// Whether that one is recorded.
    pub(super) is_parent_sampled: bool,
    /// What goes with a trace from one system to the next.
    pub(super) state: String,
}

impl Context {
    /// Of a command that was started in a span, if what says so can be read, and else in none.
    pub(super) fn new(traceparent: Option<&str>, tracestate: Option<String>) -> Self {
        let root = new_span_id();
        match traceparent.and_then(parse) {
            Some((trace, parent, flags)) => Self {
                trace,
                root,
                parent: Some(parent),
                is_parent_sampled: flags & SAMPLED != 0,
                state: tracestate.unwrap_or_default(),
            },
            None => {
                let mut trace = [0; 16];
                trace[..8].copy_from_slice(&new_span_id());
                trace[8..].copy_from_slice(&new_span_id());
                Self { trace, root, parent: None, is_parent_sampled: false, state: String::new() }
            }
        }
    }

    /// Of the spans within the command.
    pub(super) fn flags(&self) -> u32 {
        u32::from(SAMPLED) | HAS_IS_REMOTE
    }

    /// Of the command.
    pub(super) fn root_flags(&self) -> u32 {
        self.flags() | if self.parent.is_some() { IS_REMOTE } else { 0 }
    }
}

/// A number that no other span has, and that is not 0.
pub(super) fn new_span_id() -> SpanId {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    loop {
        // Keys of the system's own randomness.
        let number = RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed));
        if number != 0 {
            return number.to_be_bytes();
        }
    }
}

/// The trace, the span and the flags. Later versions may have more behind them.
fn parse(text: &str) -> Option<([u8; 16], SpanId, u8)> {
    let mut parts = text.trim().split('-');
    let [version] = hex(parts.next()?)?;
    let (trace, span, [flags]) = (hex(parts.next()?)?, hex(parts.next()?)?, hex(parts.next()?)?);
    let is_ended = parts.next().is_none();
    let is_valid = version != 0xff && (version != 0 || is_ended) && trace != [0; 16] && span != [0; 8];
    is_valid.then_some((trace, span, flags))
}

/// Bytes as small hexadecimal digits, two each.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let digit = |digit: u8| {
        matches!(digit, b'0'..=b'9' | b'a'..=b'f').then(|| (digit as char).to_digit(16)).flatten()
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_taken_as_it_is_written_or_not_at_all() {
        let context =
            Context::new(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), Some("a=b".into()));
        assert_eq!(context.trace[..3], [0x0a, 0xf7, 0x65]);
        assert_eq!(context.parent.map(|parent| parent[7]), Some(0x31));
        assert!(context.is_parent_sampled && context.state == "a=b" && context.root_flags() == 0x301);
        let later = Context::new(Some("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more"), None);
        assert!(later.parent.is_some() && !later.is_parent_sampled);
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            let context = Context::new(Some(wrong), Some("a=b".into()));
            assert!(context.parent.is_none() && context.state.is_empty(), "{wrong}");
            assert!(context.trace != [0; 16] && context.root != [0; 8]);
        }
    }
}
