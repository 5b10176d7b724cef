//! From records of one encoding to those of another.

use omnistorage_core::record::{
    Batch,
    convert::{Conversion, Plan, Survey},
};

use crate::{
    encoding::Encoding,
    exports::types::Error,
    sink::Sink,
    source::Source,
    stream::{CHUNK, Stage},
};

/// What there is to do to convert a stream.
pub(crate) enum Passes {
    /// It must be read twice: the target needs to know all of it first.
    Two(Surveying),
    /// It is read once.
    One(Converting),
}

impl Passes {
    pub(crate) fn between(source: Encoding, target: Encoding) -> Result<Self, Error> {
        let plan = Plan::between(source.format.clone(), target.format.clone())?;
        let source = Encoding { format: plan.source().clone(), ..source };
        Ok(match plan.survey(source.options) {
            Some(survey) => {
                Self::Two(Surveying { reader: Source::new(&source)?, source, target, plan, survey })
            }
            None => Self::One(Converting::new(&source, target, plan)?),
        })
    }
}

/// The first of two passes: sees all records, and gives nothing.
pub(crate) struct Surveying {
    reader: Source,
    source: Encoding,
    target: Encoding,
    plan: Plan,
    survey: Survey,
}

impl Surveying {
    pub(crate) fn push(&mut self, mut input: &[u8]) -> Result<(), Error> {
        loop {
            let mut batch = Batch::new();
            input = &input[self.reader.push(input, &mut batch)?..];
            if batch.is_empty() {
                return Ok(());
            }
            self.survey.see(&batch, 0)?;
        }
    }

    /// Ends the first pass. What comes out begins the second.
    pub(crate) fn finish(mut self) -> Result<Converting, Error> {
        let mut ended = false;
        while !ended {
            let mut batch = Batch::new();
            ended = self.reader.finish(&mut batch)?;
            self.survey.see(&batch, 0)?;
        }
        self.plan.learn(&self.survey)?;
        Converting::new(&self.source, self.target, self.plan)
    }
}

/// The only pass, or the second: records in, records out.
pub(crate) struct Converting {
    source: Source,
    /// Whether the source gave its last records.
    ended: bool,
    batch: Batch,
    /// The first record of the batch that was not converted.
    next: usize,
    /// What `running` is made of once the header of the source was read.
    planned: Option<(Plan, Encoding)>,
    running: Option<Running>,
}

struct Running {
    conversion: Box<dyn Conversion>,
    scratch: Batch,
    sink: Sink,
}

impl Converting {
    fn new(source: &Encoding, target: Encoding, plan: Plan) -> Result<Self, Error> {
        // What is wrong with the target shows at once.
        Sink::new(&target)?;
        let (source, planned) = (Source::new(source)?, Some((plan, target)));
        Ok(Self { source, ended: false, batch: Batch::new(), next: 0, planned, running: None })
    }

    /// Starts to convert, once the first records of the source are there.
    fn start(&mut self) -> Result<(), Error> {
        if let Some((plan, target)) = self.planned.take() {
            let (format, conversion) = plan.start(self.source.header(), target.options)?;
            let sink = Sink::new(&Encoding { format, ..target })?;
            self.running = Some(Running { conversion, scratch: Batch::new(), sink });
        }
        Ok(())
    }

    /// Hands on what was converted, and converts the batch piece by piece: what comes of it may be larger by any
    /// factor. Returns whether all of it was handed on.
    fn hand_on(&mut self, output: &mut Vec<u8>) -> Result<bool, Error> {
        let Some(Running { conversion, scratch, sink }) = &mut self.running else { return Ok(true) };
        while sink.hand_on(output)? {
            if self.next == self.batch.len() {
                return Ok(true);
            }
            let piece = conversion.convert(&self.batch, self.next, scratch)?;
            sink.write(piece.records)?;
            self.next = piece.next;
        }
        Ok(false)
    }

    /// Makes room for further records: all of those before were handed on.
    fn clear(&mut self) {
        self.batch.clear();
        self.next = 0;
    }
}

impl Stage for Converting {
    type Output = Vec<u8>;

    fn step(&mut self, input: &[u8]) -> Result<(usize, Vec<u8>), Error> {
        let (mut taken, mut output) = (0, Vec::with_capacity(CHUNK));
        while self.hand_on(&mut output)? {
            self.clear();
            taken += self.source.push(&input[taken..], &mut self.batch)?;
            if self.batch.is_empty() {
                break;
            }
            self.start()?;
        }
        Ok((taken, output))
    }

    fn end(&mut self) -> Result<(bool, Vec<u8>), Error> {
        let mut output = Vec::with_capacity(CHUNK);
        while self.hand_on(&mut output)? {
            if self.ended {
                let end = self.running.as_mut().map(|running| running.sink.finish(&mut output));
                return Ok((end.transpose()?.unwrap_or(true), output));
            }
            self.clear();
            self.ended = self.source.finish(&mut self.batch)?;
            self.start()?;
        }
        Ok((false, output))
    }
}

/// The whole at once.
pub(crate) fn run(input: &[u8], source: Encoding, target: Encoding) -> Result<Vec<u8>, Error> {
    let mut converting = match Passes::between(source, target)? {
        Passes::Two(mut surveying) => {
            surveying.push(input)?;
            surveying.finish()?
        }
        Passes::One(converting) => converting,
    };
    let (mut taken, mut all) = (0, Vec::new());
    loop {
        let (more, mut output) = converting.step(&input[taken..])?;
        taken += more;
        if output.is_empty() {
            break;
        }
        all.append(&mut output);
    }
    loop {
        let (ended, mut output) = converting.end()?;
        all.append(&mut output);
        if ended {
            return Ok(all);
        }
    }
}
