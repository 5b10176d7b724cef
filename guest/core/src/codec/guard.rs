//! The rules that every codec obeys, kept around each of them: limits, and the end.

use super::{CodecError, CodecErrorKind, Coder, DecoderLimits};

/// Output below this is never too much for its input: a few bytes may well stand for a page of zeros.
const RATIO_APPLIES_FROM: u64 = 1 << 20;

/// A codec within limits, whose errors are final, and which takes nothing after its end.
pub(super) struct Guard<C> {
    codec: C,
    max_output: u64,
    max_ratio: u64,
    taken: u64,
    made: u64,
    finished: bool,
    error: Option<CodecError>,
}

impl<C: Coder> Guard<C> {
    pub(super) fn new(codec: C, limits: DecoderLimits) -> Self {
        Self {
            codec,
            max_output: limits.max_output.unwrap_or(u64::MAX),
            max_ratio: limits.max_ratio.map_or(u64::MAX, u64::from),
            taken: 0,
            made: 0,
            finished: false,
            error: None,
        }
    }

    /// Runs one step of the codec, which returns how much it took, and checks its output against the limits.
    fn step<T>(
        &mut self,
        output: &mut Vec<u8>,
        step: impl FnOnce(&mut C, &mut Vec<u8>) -> Result<T, CodecError>,
        taken: impl FnOnce(&T) -> u64,
    ) -> Result<T, CodecError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let before = output.len();
        let result = step(&mut self.codec, output);
        self.taken = match &result {
            Ok(done) => self.taken + taken(done),
            Err(error) => error.offset.max(self.taken),
        };
        let result = self.admit(before, output).and(result);
        if let Err(error) = &result {
            self.error = Some(error.clone());
        }
        result
    }

    fn admit(&mut self, before: usize, output: &mut Vec<u8>) -> Result<(), CodecError> {
        let made = (output.len() - before) as u64;
        let allowed = self.max_output - self.made;
        if made > allowed {
            output.truncate(before + allowed as usize);
            self.made = self.max_output;
            let message = format!("decompresses to more than the limit of {} bytes", self.max_output);
            return Err(CodecError::new(CodecErrorKind::LimitExceeded, self.taken, message));
        }
        self.made += made;
        let plausible = self.taken.saturating_mul(self.max_ratio);
        if self.made > plausible.max(RATIO_APPLIES_FROM) {
            let message = format!("decompresses to more than {} times its size, the limit", self.max_ratio);
            return Err(CodecError::new(CodecErrorKind::LimitExceeded, self.taken, message));
        }
        Ok(())
    }
}

impl<C: Coder> Coder for Guard<C> {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let (finished, at) = (self.finished, self.taken);
        self.step(
            output,
            |codec, output| match finished {
                false => codec.push(input, output),
                true if input.is_empty() => Ok(0),
                true => Err(CodecError::new(CodecErrorKind::Finished, at, "the stream was finished before")),
            },
            |taken| *taken as u64,
        )
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        let finished = self.finished;
        self.finished =
            self.step(output, |codec, output| if finished { Ok(true) } else { codec.finish(output) }, |_| 0)?;
        Ok(self.finished)
    }
}
