//! Records that are asked for: from which on, how many, and which fields must have which values.

use std::{collections::BTreeMap, mem};

use futures::{Stream, stream};
use omnistorage_application::{
    Error, ErrorCode,
    records::{Batch, RecordReader},
};
use serde_json::value::RawValue;

use crate::{answer::Answer, ask::decoded};

/// Records read at once.
const BATCH: u32 = 1000;

/// `from=100&count=10&level=error`: of the records whose `level` is `error`, ten from the 101st on.
#[derive(Default)]
pub(crate) struct Query {
    from: u64,
    count: Option<u64>,
    fields: Vec<(String, String)>,
}

/// What is left of a query while it runs.
struct Run {
    reader: RecordReader,
    skip: u64,
    left: u64,
    fields: Vec<(String, String)>,
}

impl Query {
    /// # Errors
    /// The answer to a query that makes no sense.
    pub(crate) fn parse(query: &str) -> Result<Self, Answer> {
        let mut parsed = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |written: &str| decoded(&written.replace('+', " "));
            let (Some(key), Some(value)) = (text(key), text(value)) else {
                return Err(Answer::refused(400, "the query is not UTF-8"));
            };
            let number = || value.parse().map_err(|_| Answer::refused(400, "`from` and `count` are numbers"));
            match key.as_str() {
                "from" => parsed.from = number()?,
                "count" => parsed.count = Some(number()?),
                _ => parsed.fields.push((key, value)),
            }
        }
        Ok(parsed)
    }

    /// Whether nothing is asked for but all.
    pub(crate) fn is_empty(&self) -> bool {
        self.from == 0 && self.count.is_none() && self.fields.is_empty()
    }

    /// The records asked for, a line each.
    pub(crate) fn run(self, reader: RecordReader) -> impl Stream<Item = Result<Vec<u8>, Error>> + 'static {
        let Self { from, count, fields } = self;
        let run = Run { reader, skip: from, left: count.unwrap_or(u64::MAX), fields };
        stream::try_unfold(run, async |mut run| Ok(run.next().await?.map(|lines| (lines, run))))
    }
}

impl Run {
    /// The next lines; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut lines = Vec::new();
        while lines.is_empty() {
            if self.left == 0 {
                return Ok(None);
            }
            let Some(batch) = self.reader.read(BATCH).await? else { return Ok(None) };
            self.take(&batch, &mut lines)?;
        }
        Ok(Some(lines))
    }

    fn take(&mut self, batch: &Batch, lines: &mut Vec<u8>) -> Result<(), Error> {
        let mut start = 0;
        for &end in &batch.ends {
            let record =
                batch.data.get(mem::replace(&mut start, end as usize)..end as usize).unwrap_or_default();
            if self.left == 0 || !self.matches(record)? {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            self.left -= 1;
            lines.extend_from_slice(record);
            lines.push(b'\n');
        }
        Ok(())
    }

    fn matches(&self, record: &[u8]) -> Result<bool, Error> {
        if self.fields.is_empty() {
            return Ok(true);
        }
        let record: BTreeMap<String, &RawValue> = serde_json::from_slice(record)
            .map_err(|why| Error::new(ErrorCode::Corrupted, format!("a record is no JSON object: {why}")))?;
        Ok(self.fields.iter().all(|(field, wanted)| match record.get(field).map(|value| value.get()) {
            Some(text) if text.starts_with('"') => {
                serde_json::from_str::<String>(text).is_ok_and(|value| value == *wanted)
            }
            Some(value) => value == wanted,
            None => false,
        }))
    }
}
