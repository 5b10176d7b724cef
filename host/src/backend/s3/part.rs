//! A part of an upload, as a completion names it.

use serde::Serialize;

/// A range of the source of a copy.
pub(super) struct PartRange {
    pub(super) start: u64,
    /// Not included.
    pub(super) end: u64,
}

/// A part that has arrived.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::backend) struct Part {
    pub(super) part_number: u64,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
    #[serde(rename = "ChecksumCRC32C", skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
}

impl Part {
    pub(super) fn number(&self) -> u64 {
        self.part_number
    }
}

/// An etag of an answer as headers have it: some stores leave out its quotes in XML.
pub(super) fn quoted(etag: &str) -> String {
    if etag.starts_with('"') { etag.to_owned() } else { format!("\"{etag}\"") }
}
