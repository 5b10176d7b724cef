//! Objects as the readers and writers that other libraries take: raw, or through a codec.

mod reader;
mod writer;

pub use self::{reader::ObjectReader, writer::ObjectWriter};
