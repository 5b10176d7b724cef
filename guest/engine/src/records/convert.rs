//! Converting: from the records of one object to those of another.

use omnistorage_core::record::{Batch, convert::Plan};
use omnistorage_types::{ConvertReport, Error, ErrorCode};

use super::{Side, reader::Records, writer::Writing};

/// Reads every record of the source and writes it to the target.
pub(super) async fn convert(mut source: Side, mut target: Side) -> Result<ConvertReport, Error> {
    let mut plan = Plan::between(source.format, target.format)?;
    source.format = plan.source().clone();
    let mut records = Records::open(&source).await?;
    if let Some(mut survey) = plan.survey(source.options) {
        while let Some(batch) = records.read(u32::MAX).await? {
            survey.see(&batch).map_err(|why| records.locate(why))?;
        }
        plan.learn(survey).map_err(|why| records.locate(why))?;
        records = again(&source, records).await?;
    }
    let header = records.header().await?.map(<[u8]>::to_vec);
    let (format, mut conversion) =
        plan.start(header.as_deref(), target.options).map_err(|why| records.locate(why))?;
    target.format = format;
    let mut writer = Writing::create(target)?;
    let (mut count, mut scratch) = (0, Batch::new());
    while let Some(batch) = records.read(u32::MAX).await? {
        count += batch.len() as u64;
        // A converted batch may be larger by any factor, so it is written in pieces.
        let mut next = 0;
        while next < batch.len() {
            let piece = conversion.convert(&batch, next, &mut scratch);
            let piece = piece.map_err(|why| records.locate(why))?;
            writer.write(piece.records).await?;
            next = piece.next;
        }
    }
    let (_, bytes_written) = writer.finish().await?;
    Ok(ConvertReport { records: count, bytes_read: records.bytes_read(), bytes_written, header })
}

/// Reads the same records again.
async fn again(source: &Side, first: Records) -> Result<Records, Error> {
    let version = first.version().clone();
    // Drop the first reader before the second begins: a sandbox may not have room for two decoder windows.
    drop(first);
    let second = Records::open(source).await?;
    if version != *second.version() {
        let changed = Error::new(ErrorCode::Unavailable, "it changed while it was read");
        return Err(changed.at(&source.place.name, &source.place.path));
    }
    Ok(second)
}
