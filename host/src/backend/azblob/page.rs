//! A page of a listing, as the service answers it.

use omnistorage_types::Path;
use percent_encoding::percent_decode_str;

use super::{
    KIND,
    attributes::{DIRECTORY_KEY, described, md5_of},
    xml::{Answer, Document, Element, not_understood, required},
};
use crate::{
    Error, ErrorCode, Metadata, ObjectInfo, Result, Timestamp,
    backend::{
        ListingFailure,
        cloud::{pages::Page, time},
    },
};

/// A page, and what it is a page of, if the service says so.
pub(super) struct Listed {
    page: Page,
    /// Names that are not UTF-8.
    odd: Vec<Vec<u8>>,
    prefix: Option<String>,
}

impl Listed {
    /// The page, which must be part of what was asked for, in a backend whose keys begin with `root`.
    pub(super) fn of(mut self, prefix: &str, root: &str) -> Result<Page> {
        if let Some(listed) = self.prefix.filter(|listed| listed != prefix) {
            let message = format!(
                "the store lists what is below `{}`, and not what was asked for",
                listed.escape_debug()
            );
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        let below =
            |key: &[u8]| ListingFailure::of_name(KIND, key.strip_prefix(root.as_bytes()).unwrap_or(key));
        self.page.failures.extend(self.odd.iter().map(|key| below(key)));
        Ok(self.page)
    }
}

impl Answer for Listed {
    const ROOT: &'static str = "EnumerationResults";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut blobs, mut next, mut prefix) = (None, None, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Blobs" => blobs = Some(read_blobs(document)?),
                "NextMarker" => next = Some(document.text()?.into_owned()),
                // Without an own encoding, it cannot be told from another one.
                "Prefix" if element.attribute("Encoded")?.is_none() => {
                    prefix = Some(document.text()?.into_owned());
                }
                _ => document.skip(&element)?,
            }
        }
        let (mut page, odd) = required(blobs, "Blobs")?;
        // The last page has an empty one.
        page.next = Some(required(next, "NextMarker")?).filter(|next| !next.is_empty());
        Ok(Self { page, odd, prefix })
    }
}

fn read_blobs(document: &mut Document<'_>) -> Result<(Page, Vec<Vec<u8>>)> {
    let (mut page, mut odd) = (Page::default(), Vec::new());
    while let Some(element) = document.element()? {
        match element.name() {
            "Blob" => match blob(document)? {
                (_, None) => {}
                (Ok(name), Some(info)) => page.objects.push((name, info)),
                (Err(name), Some(_)) => odd.push(name),
            },
            "BlobPrefix" => match blob_prefix(document)? {
                Ok(name) => page.directories.push(name),
                Err(name) => odd.push(name),
            },
            _ => document.skip(&element)?,
        }
    }
    Ok((page, odd))
}

/// A name; its bytes, if they are not UTF-8.
type Name = Result<String, Vec<u8>>;

/// An object; `None` if it stands for a directory.
fn blob(document: &mut Document<'_>) -> Result<(Name, Option<ObjectInfo>)> {
    let (mut name, mut properties, mut metadata) = (None, None, Metadata::new());
    while let Some(element) = document.element()? {
        match element.name() {
            "Name" => name = Some(read_name(document, &element)?),
            "Properties" => properties = Some(Properties::read(document)?),
            "Metadata" => metadata = read_metadata(document)?,
            _ => document.skip(&element)?,
        }
    }
    let (name, properties) = (required(name, "Name")?, required(properties, "Properties")?);
    if metadata.iter().any(|(key, value)| key == DIRECTORY_KEY && value == "true") {
        return Ok((name, None));
    }
    let mut info = described(Path::root(), metadata, Some(properties.modified));
    info.size = Some(properties.size);
    info.etag = Some(properties.etag);
    info.content_type = properties.content_type;
    info.hashes = properties.md5.as_deref().and_then(md5_of).into_iter().collect();
    Ok((name, Some(info)))
}

fn blob_prefix(document: &mut Document<'_>) -> Result<Name> {
    let mut name = None;
    while let Some(element) = document.element()? {
        match element.name() {
            "Name" => name = Some(read_name(document, &element)?),
            _ => document.skip(&element)?,
        }
    }
    required(name, "Name")
}

/// Names that XML cannot express are encoded, and say so.
fn read_name(document: &mut Document<'_>, element: &Element<'_>) -> Result<Name> {
    let encoded = element.attribute("Encoded")?.is_some_and(|encoded| encoded == "true");
    let name = document.word("Name")?;
    if !encoded {
        return Ok(Ok(name.into_owned()));
    }
    let decoded: Vec<u8> = percent_decode_str(&name).collect();
    Ok(String::from_utf8(decoded).map_err(std::string::FromUtf8Error::into_bytes))
}

/// What every object has must be there.
struct Properties {
    modified: Timestamp,
    etag: String,
    size: u64,
    content_type: Option<String>,
    md5: Option<String>,
}

impl Properties {
    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut modified, mut etag, mut size) = (None, None, None);
        let (mut content_type, mut md5) = (None, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Last-Modified" => modified = Some(date(&document.text()?)?),
                "Etag" => etag = Some(document.word("Etag")?.trim_matches('"').to_owned()),
                "Content-Length" => size = Some(document.value("Content-Length")?),
                "Content-Type" => content_type = Some(document.text()?.into_owned()),
                "Content-MD5" => md5 = Some(document.text()?.into_owned()),
                _ => document.skip(&element)?,
            }
        }
        Ok(Self {
            modified: required(modified, "Last-Modified")?,
            etag: required(etag.filter(|etag| !etag.is_empty()), "Etag")?,
            size: required(size, "Content-Length")?,
            content_type: content_type.filter(|content_type| !content_type.is_empty()),
            md5,
        })
    }
}

fn date(text: &str) -> Result<Timestamp> {
    time::from_http_date(text.trim()).ok_or_else(|| not_understood(format_args!("`{text}` is no time")))
}

fn read_metadata(document: &mut Document<'_>) -> Result<Metadata> {
    let mut metadata = Metadata::new();
    while let Some(element) = document.element()? {
        // Headers, in which they travel elsewhere, have no case.
        metadata.push((element.name().to_ascii_lowercase(), document.text()?.into_owned()));
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROPERTIES: &str = "<Last-Modified>Sun, 09 Sep 2001 01:46:40 GMT</Last-Modified><Etag>0x1</Etag>\
                              <Content-Length>9</Content-Length>";

    fn page(blobs: &str, rest: &str) -> Result<Page> {
        let text = format!(
            "\u{feff}<?xml version=\"1.0\"?><EnumerationResults ServiceEndpoint=\"x\" ContainerName=\"c\"><Prefix>a/</Prefix>\
             {blobs}{rest}</EnumerationResults>"
        );
        let (mut document, root) = Document::open(text.as_bytes(), Listed::ROOT)?;
        assert_eq!(root, Listed::ROOT);
        Listed::read(&mut document)?.of("a/", "")
    }

    fn one(name: &str, properties: &str, metadata: &str) -> String {
        format!(
            "<Blobs><Blob>{name}<Properties>{properties}</Properties>{metadata}</Blob><BlobPrefix><Name>a/d/</Name>\
             </BlobPrefix></Blobs>"
        )
    }

    #[test]
    fn all_that_is_known_is_read() {
        let blobs = one(
            "<Name Encoded=\"true\">a/%EF%BF%BE</Name>",
            &format!("{PROPERTIES}<Content-MD5>JfnnlDI7RTiF9RgfG2JNCw==</Content-MD5>"),
            "<Metadata><Mtime>2001-09-09T01:46:40.5Z</Mtime><b>2</b></Metadata>",
        );
        let page = page(&blobs, "<NextMarker>n</NextMarker>").unwrap();
        let (name, info) = &page.objects[0];
        assert_eq!((name.as_str(), info.size, info.etag.as_deref()), ("a/\u{fffe}", Some(9), Some("0x1")));
        assert_eq!(info.modified, Some(Timestamp { seconds: 1_000_000_000, nanoseconds: 500_000_000 }));
        assert_eq!((info.hashes.len(), info.metadata.len()), (1, 1));
        assert_eq!((page.directories, page.next.as_deref()), (vec!["a/d/".to_owned()], Some("n")));
    }

    #[test]
    fn what_must_be_there_is_demanded() {
        let (name, end) = ("<Name>a/k</Name>", "<NextMarker/>");
        assert_eq!(page(&one(name, PROPERTIES, "<Metadata/>"), end).unwrap().objects.len(), 1);
        for field in ["Last-Modified", "Etag", "Content-Length"] {
            let lacking = PROPERTIES
                .replace(&format!("<{field}>"), "<Other>")
                .replace(&format!("</{field}>"), "</Other>");
            assert!(page(&one(name, &lacking, ""), end).is_err(), "{field}");
        }
        assert!(page(&one("", PROPERTIES, ""), end).is_err());
        assert!(page(&one(name, PROPERTIES, ""), "").is_err());
        assert!(page("", end).is_err());
        assert!(page(&one(name, PROPERTIES, ""), "<Prefix>other/</Prefix><NextMarker/>").is_err());
    }

    #[test]
    fn a_mark_of_a_directory_is_no_object() {
        let marked =
            one("<Name>a/k</Name>", PROPERTIES, "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>");
        assert!(page(&marked, "<NextMarker/>").unwrap().objects.is_empty());
    }
}
