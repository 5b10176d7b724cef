//! Converting: from the records of one object to those of another.

use omnistorage_core::record::{
    Batch, Format, RecordError,
    convert::{Conversion, Plan, Survey},
};
use omnistorage_types::{ConvertReport, Error, ErrorCode};

use super::{Side, reader::Records, writer::Writing};

/// Reads every record of the source and writes it to the target.
///
/// Where the records have to tell the columns of the target, those of the first batch are taken for all. If a later
/// record brings another one, what was written is given up, and the source is read a second time.
pub(super) async fn convert(mut source: Side, target: Side) -> Result<ConvertReport, Error> {
    let mut plan = Plan::between(source.format, target.format.clone())?;
    source.format = plan.source().clone();
    let mut records = Records::open(&source).await?;
    if let Some(mut survey) = plan.survey(source.options) {
        if let Some(report) = guess(&plan, &mut survey, &mut records, &target).await? {
            return Ok(report);
        }
        while let Some(batch) = records.read(u32::MAX).await? {
            survey.see(&batch, 0).map_err(|why| records.locate(why))?;
        }
        plan.learn(&survey).map_err(|why| records.locate(why))?;
        records = again(&source, records).await?;
    }
    let header = records.header().await?.map(<[u8]>::to_vec);
    let started = plan.start(header.as_deref(), target.options).map_err(|why| records.locate(why))?;
    let mut carrying = Carrying::start(started, target).await?;
    match carrying.carry_all(&mut records).await {
        Ok(()) => carrying.finish(records.bytes_read(), header).await,
        Err(error) => {
            carrying.writer.abort().await;
            Err(error)
        }
    }
}

/// Converts by the columns of the first batch. `None` if they may not be those of all, or the target would show what is
/// given up: then nothing was written, and the survey has seen all that was read.
async fn guess(
    plan: &Plan,
    survey: &mut Survey,
    records: &mut Records,
    target: &Side,
) -> Result<Option<ConvertReport>, Error> {
    if !target.place.backend.capabilities().await.features.atomic_write {
        return Ok(None);
    }
    let Some(first) = records.read(u32::MAX).await? else { return Ok(None) };
    survey.see(&first, 0).map_err(|why| records.locate(why))?;
    let Some(guess) = plan.guess(survey) else { return Ok(None) };
    let started = guess.start(None, target.options).map_err(|why| records.locate(why))?;
    let mut carrying = Carrying::start(started, target.clone()).await?;
    let mut next = Some(first);
    while let Some(batch) = next {
        let before = carrying.conversion.records();
        if carrying.carry(&batch).await?.is_err() {
            let converted = carrying.conversion.records();
            carrying.writer.abort().await;
            survey.go_on_behind(converted);
            survey.see(&batch, (converted - before) as usize).map_err(|why| records.locate(why))?;
            return Ok(None);
        }
        next = records.read(u32::MAX).await?;
    }
    carrying.finish(records.bytes_read(), None).await.map(Some)
}

/// Records on their way from one format to another.
pub(super) struct Carrying {
    conversion: Box<dyn Conversion>,
    writer: Writing,
    scratch: Batch,
}

impl Carrying {
    pub(super) async fn start(
        (format, conversion): (Format, Box<dyn Conversion>),
        mut target: Side,
    ) -> Result<Self, Error> {
        target.format = format;
        Ok(Self { conversion, writer: Writing::create(target).await?, scratch: Batch::new() })
    }

    /// Writes all records there are.
    async fn carry_all(&mut self, records: &mut Records) -> Result<(), Error> {
        while let Some(batch) = records.read(u32::MAX).await? {
            self.carry(&batch).await?.map_err(|why| records.locate(why))?;
        }
        Ok(())
    }

    /// Writes the records of a batch. The inner error is that of a record which could not be converted.
    pub(super) async fn carry(&mut self, batch: &Batch) -> Result<Result<(), RecordError>, Error> {
        // A converted batch may be larger by any factor, so it is written in pieces.
        let mut next = 0;
        while next < batch.len() {
            let piece = match self.conversion.convert(batch, next, &mut self.scratch) {
                Ok(piece) => piece,
                Err(why) => return Ok(Err(why)),
            };
            if piece.are_made {
                self.writer.write_made(piece.records).await?;
            } else {
                self.writer.write(piece.records).await?;
            }
            next = piece.next;
        }
        Ok(Ok(()))
    }

    /// Commits what was made of so many bytes of the source.
    pub(super) async fn finish(
        self,
        bytes_read: u64,
        header: Option<Vec<u8>>,
    ) -> Result<ConvertReport, Error> {
        let records = self.conversion.records();
        let (_, bytes_written) = self.writer.finish().await?;
        Ok(ConvertReport { records, bytes_read, bytes_written, header })
    }
}

/// Reads the same records again.
async fn again(source: &Side, first: Records) -> Result<Records, Error> {
    let version = first.version();
    // Drop the first reader before the second begins: a sandbox may not have room for two decoder windows.
    drop(first);
    let second = Records::open(source).await?;
    if version != second.version() {
        let changed = Error::new(ErrorCode::Unavailable, "it changed while it was read");
        return Err(changed.at(&source.place.name, &source.place.path));
    }
    Ok(second)
}
