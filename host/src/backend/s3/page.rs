//! A page of a listing, as a store answers it.

use std::borrow::Cow;

use omnistorage_types::Path;
use percent_encoding::percent_decode_str;

use super::{
    KIND,
    xml::{Answer, Document, required, time_of},
};
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Result,
    backend::{ListingFailure, cloud::pages::Page},
};

/// A page, and what it is a page of, if the store says so.
pub(super) struct Listed {
    page: Page,
    /// Keys that are not UTF-8.
    odd: Vec<Vec<u8>>,
    prefix: Option<String>,
}

impl Listed {
    /// The page, which must be part of what was asked for, in a backend whose keys begin with `root`. Stores do not
    /// agree on whether the prefix is encoded, too.
    pub(super) fn of(mut self, prefix: &str, root: &str) -> Result<Page> {
        let below =
            |key: &[u8]| ListingFailure::of_name(KIND, key.strip_prefix(root.as_bytes()).unwrap_or(key));
        self.page.failures.extend(self.odd.iter().map(|key| below(key)));
        let Some(listed) = &mut self.prefix else { return Ok(self.page) };
        if listed == prefix {
            return Ok(self.page);
        }
        if decode(listed).is_ok() && (listed == prefix || *listed == in_xml(prefix)) {
            return Ok(self.page);
        }
        let message =
            format!("the store lists what is below `{}`, and not what was asked for", listed.escape_debug());
        Err(Error::new(ErrorCode::Corrupted, message))
    }
}

impl Answer for Listed {
    const ROOT: &'static str = "ListBucketResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let mut page = Page::default();
        let (mut is_truncated, mut next, mut is_encoded, mut prefix) = (None, None, false, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Contents" => page.objects.push(object(document)?),
                "CommonPrefixes" => page.directories.push(common_prefix(document)?),
                "IsTruncated" => is_truncated = Some(document.value("IsTruncated")?),
                "NextContinuationToken" => next = Some(document.word("NextContinuationToken")?.into_owned()),
                "EncodingType" => is_encoded = document.text()? == "url",
                "Prefix" => prefix = Some(document.text()?.into_owned()),
                _ => document.skip(&element)?,
            }
        }
        if required(is_truncated, "IsTruncated")? {
            page.next = Some(required(next, "NextContinuationToken")?);
        }
        // Some stores say only at the end that keys are encoded.
        let mut odd = Vec::new();
        if is_encoded {
            let mut is_text = |key: &mut String| decode(key).map_err(|bytes| odd.push(bytes)).is_ok();
            page.objects.retain_mut(|(key, _)| is_text(key));
            page.directories.retain_mut(is_text);
        }
        Ok(Self { page, odd, prefix })
    }
}

/// An object, and its key as it is written.
fn object(document: &mut Document<'_>) -> Result<(String, ObjectInfo)> {
    let (mut key, mut etag, mut size, mut modified) = (None, None, None, None);
    while let Some(element) = document.element()? {
        match element.name() {
            "Key" => key = Some(document.word("Key")?.into_owned()),
            "ETag" => etag = Some(document.word("ETag")?.into_owned()),
            "Size" => size = Some(document.value("Size")?),
            // When it was written: the time that it was given is in its metadata, which no listing carries.
            "LastModified" => modified = Some(time_of(&document.text()?)?),
            _ => document.skip(&element)?,
        }
    }
    let mut info = ObjectInfo::new(Path::root(), ObjectKind::Object);
    info.size = Some(required(size, "Size")?);
    info.modified = Some(required(modified, "LastModified")?);
    info.etag = Some(required(etag, "ETag")?);
    Ok((required(key, "Key")?, info))
}

fn common_prefix(document: &mut Document<'_>) -> Result<String> {
    let mut prefix = None;
    while let Some(element) = document.element()? {
        match element.name() {
            "Prefix" => prefix = Some(document.word("Prefix")?.into_owned()),
            _ => document.skip(&element)?,
        }
    }
    required(prefix, "Prefix")
}

/// Decodes a key, or returns its bytes if they are not UTF-8. Keys are encoded because XML cannot express control
/// characters.
fn decode(key: &mut String) -> Result<(), Vec<u8>> {
    if !key.contains(['%', '+']) {
        return Ok(());
    }
    let spaced = key.replace('+', " ");
    let decoded = Cow::from(percent_decode_str(&spaced)).into_owned();
    *key = String::from_utf8(decoded).map_err(std::string::FromUtf8Error::into_bytes)?;
    Ok(())
}

/// A prefix as a store writes it without encoding: XML has no control characters but these.
fn in_xml(prefix: &str) -> String {
    let has_none = |char: char| char.is_ascii_control() && !matches!(char, '\t' | '\n' | '\r' | '\u{7f}');
    prefix.replace(has_none, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::{super::answer, *};

    fn page(xml: &str) -> Result<Page> {
        answer::read::<Listed>("b", xml.as_bytes())?.of("a b/", "a b/")
    }

    const FIELDS: &str =
        "<ETag>&quot;x&quot;</ETag><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified>";

    #[test]
    fn keys_are_decoded_where_they_are_encoded() {
        for (at_the_begin, at_the_end, is_encoded) in [
            ("<EncodingType>url</EncodingType>", "", true),
            ("", "<EncodingType>url</EncodingType>", true),
            ("", "", false),
        ] {
            let page = page(&format!(
                "<ListBucketResult><Name>b</Name>{at_the_begin}<Contents><Key>a+b%2Bc%01</Key>{FIELDS}</Contents>\
                 <CommonPrefixes><Prefix>d%2F/</Prefix></CommonPrefixes><IsTruncated>false</IsTruncated>\
                 {at_the_end}</ListBucketResult>"
            ))
            .unwrap();
            let expected = if is_encoded { ("a b+c\u{1}", "d//") } else { ("a+b%2Bc%01", "d%2F/") };
            assert_eq!((page.objects[0].0.as_str(), page.directories[0].as_str()), expected);
        }
    }

    #[test]
    fn a_key_that_is_not_utf_8_is_told() {
        let page = page(&format!(
            "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a+b/caf%E9</Key>{FIELDS}</Contents>\
             <Contents><Key>a+b/ok</Key>{FIELDS}</Contents><IsTruncated>false</IsTruncated></ListBucketResult>"
        ))
        .unwrap();
        assert_eq!((page.objects.len(), page.failures.len()), (1, 1));
        assert_eq!(page.failures[0].what.name(), "caf\u{fffd}");
    }

    #[test]
    fn a_listing_of_something_else_is_no_answer() {
        for (prefix, is_ours) in
            [("a b/", true), ("a+b/", true), ("a%20b%2F", true), ("", false), ("a b", false)]
        {
            let body = format!(
                "<ListBucketResult><Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated></ListBucketResult>"
            );
            assert_eq!(page(&body).is_ok(), is_ours, "{prefix}");
        }
    }

    #[test]
    fn what_must_be_there_is_demanded() {
        let page = |contents: &str, rest: &str| {
            page(&format!("<ListBucketResult><Contents>{contents}</Contents>{rest}</ListBucketResult>"))
        };
        let (whole, end) = (format!("<Key>k</Key>{FIELDS}"), "<IsTruncated>false</IsTruncated>");
        assert_eq!(page(&whole, end).unwrap().objects.len(), 1);
        for field in ["Key", "ETag", "Size", "LastModified"] {
            let lacking =
                whole.replace(&format!("<{field}>"), "<Other>").replace(&format!("</{field}>"), "</Other>");
            assert!(page(&lacking, end).unwrap_err().message().contains(field));
            let (before, behind) = whole.split_once(&format!("<{field}>")).unwrap();
            let (_, behind) = behind.split_once('<').unwrap();
            assert!(page(&format!("{before}<{field}><{behind}"), end).is_err(), "an empty {field}");
        }
        for rest in [
            "",
            "<IsTruncated/>",
            "<IsTruncated>maybe</IsTruncated>",
            "<IsTruncated>true</IsTruncated>",
            "<IsTruncated>true</IsTruncated><NextContinuationToken/>",
            "<IsTruncated>false</IsTruncated><CommonPrefixes/>",
            "<IsTruncated>false</IsTruncated><CommonPrefixes><Prefix/></CommonPrefixes>",
        ] {
            assert!(page(&whole, rest).is_err(), "{rest}");
        }
    }
}
