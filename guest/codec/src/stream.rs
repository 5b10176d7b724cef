//! Streams that the caller pushes through, a bounded amount of output a call.

use std::cell::RefCell;

use omnistorage_core::codec::Coder;

use crate::{
    error::error,
    exports::types::{Error, ErrorCode},
};

/// The most bytes of output that one call gives, and of what is between two steps.
pub(crate) const CHUNK: usize = 256 << 10;

/// What is done to the bytes of a stream.
pub(crate) trait Stage {
    /// What comes out of one call; there can be nothing in it.
    type Output;

    /// Takes input. Returns how many bytes of it were taken: all of them if nothing comes out.
    fn step(&mut self, input: &[u8]) -> Result<(usize, Self::Output), Error>;

    /// Ends the stream after the last input. Returns whether that was the last output.
    fn end(&mut self) -> Result<(bool, Self::Output), Error>;
}

impl Stage for Box<dyn Coder> {
    type Output = Vec<u8>;

    fn step(&mut self, input: &[u8]) -> Result<(usize, Vec<u8>), Error> {
        let mut output = Vec::with_capacity(CHUNK);
        let taken = self.push(input, &mut output)?;
        Ok((taken, output))
    }

    fn end(&mut self) -> Result<(bool, Vec<u8>), Error> {
        let mut output = Vec::with_capacity(CHUNK);
        let ended = self.finish(&mut output)?;
        Ok((ended, output))
    }
}

/// A stage, and the input that waits for the output before it to be taken.
pub(crate) struct Stream<S>(RefCell<State<S>>);

struct State<S> {
    stage: S,
    input: Vec<u8>,
    taken: usize,
    phase: Phase,
}

enum Phase {
    Open,
    Finishing,
    Ended,
    Failed(Error),
}

impl<S: Stage<Output: Default>> Stream<S> {
    pub(crate) fn new(stage: S) -> Self {
        Self(RefCell::new(State { stage, input: Vec::new(), taken: 0, phase: Phase::Open }))
    }

    /// Takes the input and gives a part of the output.
    pub(crate) fn push(&self, input: Vec<u8>) -> Result<S::Output, Error> {
        let mut state = self.0.borrow_mut();
        match &state.phase {
            Phase::Open => {}
            Phase::Finishing | Phase::Ended => return Err(finished()),
            Phase::Failed(why) => return Err(why.clone()),
        }
        if state.taken == state.input.len() {
            (state.input, state.taken) = (input, 0);
        } else if !input.is_empty() {
            let why = "there is output of the input before: push nothing until nothing comes out";
            return Err(error(ErrorCode::InvalidArgument, why));
        }
        state.advance()
    }

    /// Looks at the stage as it is now.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&S) -> R) -> R {
        at(&self.0.borrow().stage)
    }

    /// Ends the stream, and gives a part of what is left: nothing once nothing is.
    pub(crate) fn finish(&self) -> Result<S::Output, Error> {
        let mut state = self.0.borrow_mut();
        match &state.phase {
            Phase::Open => state.phase = Phase::Finishing,
            Phase::Finishing => {}
            Phase::Ended => return Ok(S::Output::default()),
            Phase::Failed(why) => return Err(why.clone()),
        }
        if state.taken < state.input.len() {
            return state.advance();
        }
        match state.stage.end() {
            Ok((ended, output)) => {
                if ended {
                    state.phase = Phase::Ended;
                }
                Ok(output)
            }
            Err(why) => state.fail(why),
        }
    }
}

impl<S: Stage> State<S> {
    fn advance(&mut self) -> Result<S::Output, Error> {
        match self.stage.step(&self.input[self.taken..]) {
            Ok((taken, output)) => {
                self.taken += taken;
                Ok(output)
            }
            Err(why) => self.fail(why),
        }
    }

    fn fail<T>(&mut self, why: Error) -> Result<T, Error> {
        self.phase = Phase::Failed(why.clone());
        self.input = Vec::new();
        self.taken = 0;
        Err(why)
    }
}

/// A call that comes after the end.
pub(crate) fn finished() -> Error {
    error(ErrorCode::Finished, "the stream was finished before: open another one")
}

/// Whether nothing more fits in without growing.
pub(crate) fn is_full(output: &Vec<u8>) -> bool {
    output.len() == output.capacity()
}

/// Calls until there is nothing more to do, with room in the output, which grows, for each call.
pub(crate) fn fill<E>(
    output: &mut Vec<u8>,
    mut call: impl FnMut(&mut Vec<u8>) -> Result<bool, E>,
) -> Result<(), E> {
    loop {
        output.reserve(CHUNK);
        if call(output)? {
            return Ok(());
        }
    }
}
