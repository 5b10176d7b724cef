//! Records as CSV: read once to learn the columns, and once more to send the rows. Nothing is written, and nothing is sent of
//! records that cannot be told in rows.

use std::{collections::HashMap, fmt, mem};

use csv::Writer;
use futures::{Stream, stream};
use omnistorage_application::{
    Error, ErrorCode, Location,
    records::{Batch, Encoding, RecordReader, Validation},
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Records read at once.
const BATCH: u32 = 1000;

/// Columns that a table has at most: they are in memory.
const COLUMNS: usize = 10_000;

/// The names of the columns, in the order in which they come first.
pub(crate) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

/// Why records are no table.
pub(crate) enum Trouble {
    /// The library could not read them.
    Unread(Error),
    /// One of them, whose number it says, is not as it should be.
    Record(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Unread(error)
    }
}

/// Opens records without a look at what is in them: what is wrong then is wrong with how they are stored.
async fn open(source: Location) -> Result<RecordReader, Error> {
    RecordReader::open(source, Encoding { validation: Validation::Framing, ..Encoding::default() }).await
}

/// Reads all records once.
///
/// # Errors
/// The first record that is no JSON object, or brings a column too many; as the library.
pub(crate) async fn columns(source: Location) -> Result<Columns, Trouble> {
    let reader = open(source).await?;
    let (mut columns, mut number) = (Columns { names: Vec::new(), places: HashMap::new() }, 0_u64);
    while let Some(batch) = reader.read(BATCH).await? {
        for record in each(&batch) {
            number += 1;
            let Record(fields) = serde_json::from_slice(record)
                .map_err(|why| Trouble::Record(format!("record {number} is no JSON object: {why}")))?;
            fields.into_iter().for_each(|(name, _)| columns.add(name));
            if columns.names.len() > COLUMNS {
                let message = format!("with record {number} there are more than {COLUMNS} columns");
                return Err(Trouble::Record(message));
            }
        }
    }
    Ok(columns)
}

impl Columns {
    fn add(&mut self, name: String) {
        if !self.places.contains_key(&name) {
            self.places.insert(name.clone(), self.names.len());
            self.names.push(name);
        }
    }

    /// Reads the records again, and makes rows of them below the names of the columns.
    pub(crate) fn rows(self, source: Location) -> impl Stream<Item = Result<Vec<u8>, Error>> + 'static {
        stream::try_unfold((self, source, None), async |(columns, source, reader)| {
            let (reader, rows) = match reader {
                None => {
                    let mut header = Writer::from_writer(Vec::new());
                    // Records without any field are rows without any column.
                    if !columns.names.is_empty() {
                        header.write_record(&columns.names).map_err(unwritten)?;
                    }
                    (open(source.clone()).await?, header)
                }
                Some(reader) => match RecordReader::read(&reader, BATCH).await? {
                    Some(batch) => {
                        let rows = columns.rows_of(&batch)?;
                        (reader, rows)
                    }
                    None => return Ok(None),
                },
            };
            let rows = rows.into_inner().map_err(unwritten)?;
            Ok(Some((rows, (columns, source, Some(reader)))))
        })
    }

    fn rows_of(&self, batch: &Batch) -> Result<Writer<Vec<u8>>, Error> {
        let mut rows = Writer::from_writer(Vec::new());
        for record in each(batch) {
            let mut row = vec![String::new(); self.names.len()];
            let Record(fields) = serde_json::from_slice(record).map_err(changed)?;
            for (name, value) in fields {
                let place = self.places.get(&name).and_then(|place| row.get_mut(*place));
                *place.ok_or_else(|| changed("there is another column"))? = text(value)?;
            }
            rows.write_record(&row).map_err(unwritten)?;
        }
        Ok(rows)
    }
}

/// The records of a batch.
fn each(batch: &Batch) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    batch.ends.iter().map(move |end| {
        let end = *end as usize;
        batch.data.get(mem::replace(&mut start, end)..end).unwrap_or_default()
    })
}

/// A value as a field: a string without its quotation marks, nothing for null, and anything else as it is written.
fn text(value: &RawValue) -> Result<String, Error> {
    match value.get() {
        "null" => Ok(String::new()),
        string if string.starts_with('"') => serde_json::from_str(string).map_err(changed),
        other => Ok(other.to_owned()),
    }
}

fn changed(why: impl fmt::Display) -> Error {
    Error::new(ErrorCode::Unavailable, format!("the records changed while they were sent: {why}"))
}

fn unwritten(why: impl fmt::Display) -> Error {
    Error::new(ErrorCode::Other, format!("a row could not be made: {why}"))
}

/// The fields of a record, in their order.
struct Record<'r>(Vec<(String, &'r RawValue)>);

impl<'r> Deserialize<'r> for Record<'r> {
    fn deserialize<D: Deserializer<'r>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'r> Visitor<'r> for Fields {
            type Value = Record<'r>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'r>>(self, mut map: A) -> Result<Record<'r>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
