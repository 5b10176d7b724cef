//! Scratch memory for engines that write to initialised memory, while a `Vec` only has capacity.

use super::super::pending::is_full;

/// What an engine writes to before it is copied out: as large as the window, small enough for the first caches. The
/// safe way to the spare capacity of a `Vec` would clear all of it at each call.
const SIZE: usize = 32 << 10;

/// Memory between an engine and its output.
pub(super) struct Scratch(Box<[u8]>);

/// What a step of an engine took and made, and whether it came to the end of its data.
pub(super) struct Step {
    pub(super) taken: u64,
    pub(super) made: u64,
    pub(super) ended: bool,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self(vec![0; SIZE].into())
    }

    /// Takes steps until the data ends (`true`), the output is full, or nothing moves for lack of input (`false`).
    /// `None` if a step fails, or nothing moves although there is input.
    pub(super) fn run(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        mut step: impl FnMut(&[u8], &mut [u8]) -> Option<Step>,
    ) -> Option<bool> {
        while !is_full(output) {
            let room = (output.capacity() - output.len()).min(SIZE);
            let Step { taken, made, ended } = step(input, &mut self.0[..room])?;
            *input = &input[taken as usize..];
            output.extend_from_slice(&self.0[..made as usize]);
            if ended {
                return Some(true);
            }
            if taken == 0 && made == 0 {
                return input.is_empty().then_some(false);
            }
        }
        Some(false)
    }
}
