//! Writing records: framing, codec.

use std::cell::RefCell;

use omnistorage_core::record::Batch;

use crate::{
    exports::{
        records::{self as exports, Encoding, GuestRecordWriter},
        types::{Error, ErrorCode},
    },
    sink::Sink,
    stream::{fill, finished},
};

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct RecordWriter(RefCell<Result<Sink, Error>>);

impl RecordWriter {
    /// Unless there was an error before; one that comes now stays.
    fn with<R>(&self, act: impl FnOnce(&mut Sink) -> Result<R, Error>) -> Result<R, Error> {
        let mut state = self.0.borrow_mut();
        let sink = state.as_mut().map_err(|why| why.clone())?;
        act(sink).inspect_err(|why| *state = Err(why.clone()))
    }
}

impl GuestRecordWriter for RecordWriter {
    fn open(encoding: Encoding) -> Result<exports::RecordWriter, Error> {
        let sink = Sink::new(&encoding.try_into()?)?;
        Ok(exports::RecordWriter::new(Self(RefCell::new(Ok(sink)))))
    }

    fn push(&self, records: exports::Batch) -> Result<Vec<u8>, Error> {
        let records = Batch::from_parts(records.data, records.ends)?;
        self.with(|sink| {
            sink.write(&records)?;
            let mut output = Vec::new();
            fill(&mut output, |output| sink.hand_on(output))?;
            Ok(output)
        })
    }

    fn finish(&self) -> Result<Vec<u8>, Error> {
        let finish = |sink: &mut Sink| {
            let mut output = Vec::new();
            fill(&mut output, |output| sink.finish(output))?;
            Ok(output)
        };
        match self.with(finish) {
            Err(why) if why.code == ErrorCode::Finished => Ok(Vec::new()),
            Err(why) => Err(why),
            Ok(output) => {
                *self.0.borrow_mut() = Err(finished());
                Ok(output)
            }
        }
    }
}
