//! Converting an object in parts: what its start tells them all, and one of them.

use omnistorage_core::record::{
    Format,
    convert::{Plan, Shared},
};
use omnistorage_types::{ErrorCode, Outline, Part, PartReport, ReadOptions, Result};

use super::{Side, Stored, convert::Carrying, part::PartRecords, reader::Records};

/// As much of the start is read, to find the header or the first records.
const START: u64 = 1 << 20;

/// Reads the start of an object that is to be converted to a format, or whose records are to be counted.
pub(super) async fn outline(mut source: Side, target: Option<Format>) -> Result<Option<Outline>> {
    if !source.place.backend.capabilities().await.features.range_read {
        return Ok(None);
    }
    let plan = plan(&source, target.as_ref())?;
    source.format = plan.source().clone();
    let start = ReadOptions { length: Some(START), ..ReadOptions::default() };
    let mut records = Records::open_range(&source, start).await?;
    if records.is_coded() {
        return Ok(None);
    }
    // What is wrong with the start is told by reading the whole.
    let Ok(header) = records.header().await.map(|header| header.map(<[u8]>::to_vec)) else { return Ok(None) };
    let mut survey = plan.survey(source.options);
    if let Some(survey) = &mut survey {
        match records.read(u32::MAX).await {
            Ok(Some(first)) if survey.see(&first, 0).is_ok() => {}
            _ => return Ok(None),
        }
    }
    let Ok(Some(Shared { columns })) = plan.shared(header.as_deref(), survey.as_ref()) else {
        return Ok(None);
    };
    let version = records.into_info();
    // What is empty has no part.
    Ok(version.size.is_some_and(|size| size > 0).then_some(Outline { version, columns, header }))
}

/// Converts a part of an object to an object of its own.
pub(super) async fn convert(
    mut source: Side,
    outline: &Outline,
    part: Part,
    target: Side,
) -> Result<PartReport> {
    let plan = plan(&source, Some(&target.format))?.of_part(&shared(outline), part.start == 0);
    let Some(mut records) = open(&mut source, &plan, outline, part).await? else { return Ok(nothing(part)) };
    let border = records.border();
    let header = outline.header.as_deref().filter(|_| part.start == 0);
    let mut carrying = Carrying::start(plan.start(header, target.options)?, target).await?;
    while let Some(batch) = records.next().await? {
        carrying.carry(&batch).await??;
    }
    let end = records.at();
    let report = carrying.finish(end - border, None).await?;
    Ok(PartReport { border: Some(border), end, records: report.records })
}

/// Counts the records of a part of an object.
pub(super) async fn count(mut source: Side, outline: &Outline, part: Part) -> Result<PartReport> {
    let plan = plan(&source, None)?.of_part(&shared(outline), part.start == 0);
    let Some(mut records) = open(&mut source, &plan, outline, part).await? else { return Ok(nothing(part)) };
    let (border, mut count) = (records.border(), 0);
    while let Some(batch) = records.next().await? {
        count += batch.len() as u64;
    }
    Ok(PartReport { border: Some(border), end: records.at(), records: count })
}

/// The plan for the whole. To count, records are read as for a conversion that takes their fields.
fn plan(source: &Side, target: Option<&Format>) -> Result<Plan> {
    Ok(Plan::between(source.format.clone(), target.unwrap_or(&Format::Ndjson).clone())?)
}

fn shared(outline: &Outline) -> Shared {
    Shared { columns: outline.columns.clone() }
}

/// Opens a part to be read as its plan says.
async fn open<'a>(
    source: &'a mut Side,
    plan: &Plan,
    outline: &'a Outline,
    part: Part,
) -> Result<Option<PartRecords<'a>>> {
    if !matches!(source.codec, Stored::Named(None)) {
        let message = "what is compressed is read as a whole: its parts cannot be";
        return Err(source.place.error(ErrorCode::InvalidArgument, message));
    }
    source.format = plan.source().clone();
    PartRecords::open(source, outline, part).await
}

/// Of a part in which no record begins.
fn nothing(part: Part) -> PartReport {
    PartReport { border: None, end: part.start, records: 0 }
}
