//! Answers in XML, in one pass. Nothing about them is taken for granted: not the kind of document, not that it is
//! whole, not that a mandatory field is there. What is missing is neither an empty list nor a success.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use crate::{
    Error, ErrorCode, Result, Timestamp,
    backend::cloud::{excerpt, time},
};

/// An answer to a request.
pub(super) trait Answer: Sized {
    /// The name of the root of the document.
    const ROOT: &'static str;
    /// Another one, which some store gives it.
    const OTHER_ROOT: Option<&'static str> = None;

    /// Reads what is in the root, to its end.
    ///
    /// # Errors
    /// The document is cut off, or a mandatory field is missing.
    fn read(document: &mut Document<'_>) -> Result<Self>;
}

/// A document that is read from one element to the next.
pub(super) struct Document<'a>(Reader<&'a [u8]>);

/// An element that has begun. It must be read to its end: as text, field by field, or not at all.
pub(super) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// Its name, with the prefix of a namespace if it has one.
    pub(super) fn name(&self) -> &str {
        self.0.name().0
    }
}

impl<'a> Document<'a> {
    /// Opens one; gives the name of its root.
    pub(super) fn open(body: &'a [u8], expected: &str) -> Result<(Self, String)> {
        let text = str::from_utf8(body).map_err(|_| not_understood("it is not UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.is_empty() {
            return Err(not_understood("it is empty"));
        }
        let mut document = Self(Reader::from_str(text));
        document.0.config_mut().expand_empty_elements = true;
        loop {
            match document.0.read_event() {
                Ok(Event::Start(root)) => {
                    let root = Element(root).name().to_owned();
                    return Ok((document, root));
                }
                Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_)) => {}
                Ok(Event::Text(text)) if text.trim().is_empty() => {}
                // Cut off before it said what it is.
                Err(_) | Ok(Event::Eof) if is_beginning(text, expected) => return Err(damaged("it is cut")),
                Err(error) => return Err(not_understood(error)),
                Ok(_) => return Err(not_understood("it is no XML")),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>> {
        match self.0.read_event() {
            Ok(Event::Eof) => Err(damaged("it is cut")),
            event => event.map_err(damaged),
        }
    }

    /// The next element within the one that was begun last; `None` at its end.
    pub(super) fn element(&mut self) -> Result<Option<Element<'a>>> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Some(Element(start))),
                Event::End(_) => return Ok(None),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.trim().is_empty() => {}
                _ => return Err(not_understood("there is text where none belongs")),
            }
        }
    }

    /// The text of the current element, to its end.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>> {
        let mut text = Cow::Borrowed("");
        loop {
            let piece = match self.event()? {
                Event::Text(piece) => piece.into_inner(),
                Event::CData(piece) => piece.into_inner(),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(damaged)? {
                    Some(char) => Cow::Owned(char.to_string()),
                    None => resolve_predefined_entity(&reference).map(Cow::Borrowed).ok_or_else(|| {
                        not_understood(format_args!("it names the entity `{}`", &*reference))
                    })?,
                },
                Event::Comment(_) | Event::PI(_) => continue,
                Event::End(_) => return Ok(text),
                _ => return Err(not_understood("there is an element where text belongs")),
            };
            match text.is_empty() {
                true => text = piece,
                false => text.to_mut().push_str(&piece),
            }
        }
    }

    /// The value in the text of the current element, which has that name.
    pub(super) fn value<T: FromStr>(&mut self, name: &str) -> Result<T> {
        let text = self.text()?;
        let unclear = |_| not_understood(format_args!("`{name}` is `{text}`"));
        text.trim().parse().map_err(unclear)
    }

    /// The text of the element, which must not be empty.
    pub(super) fn word(&mut self, name: &str) -> Result<Cow<'a, str>> {
        let text = self.text()?;
        if text.is_empty() { Err(not_understood(format_args!("`{name}` is empty"))) } else { Ok(text) }
    }

    /// Skips the current element.
    pub(super) fn skip(&mut self, element: &Element<'_>) -> Result<()> {
        self.0.read_to_end(element.0.name()).map(drop).map_err(damaged)
    }

    /// Nothing may follow the root.
    pub(super) fn end(&mut self) -> Result<()> {
        loop {
            match self.0.read_event().map_err(damaged)? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.trim().is_empty() => {}
                _ => return Err(not_understood("something follows its end")),
            }
        }
    }
}

/// A mandatory field.
pub(super) fn required<T>(field: Option<T>, name: &str) -> Result<T> {
    field.ok_or_else(|| not_understood(format_args!("it lacks `{name}`")))
}

/// A time of an answer.
pub(super) fn time_of(text: &str) -> Result<Timestamp> {
    time::from_rfc3339(text.trim()).ok_or_else(|| not_understood(format_args!("`{text}` is no time")))
}

/// Whether a text that ends before its root may be the beginning of such an answer.
fn is_beginning(text: &str, expected: &str) -> bool {
    let tag = text.rsplit('<').next().unwrap_or_default();
    let name = tag.split(|char: char| char.is_whitespace()).next().unwrap_or_default();
    tag.starts_with('?') || expected.starts_with(name)
}

/// It is no answer to what was asked.
pub(super) fn not_understood(why: impl Display) -> Error {
    let why = why.to_string();
    let message = format!("the store's answer is not understood: {}; is it an S3 endpoint?", excerpt(&why));
    Error::new(ErrorCode::Other, message)
}

/// It is what became of an answer.
fn damaged(why: impl Display) -> Error {
    let why = why.to_string();
    let message = format!("the store's answer arrived damaged: {}; try again", excerpt(&why));
    Error::new(ErrorCode::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use super::{
        super::answer::{read, read_refusal},
        *,
    };

    #[derive(Debug, PartialEq)]
    struct Pair(String, u64);

    impl Answer for Pair {
        const ROOT: &'static str = "PairResult";

        fn read(document: &mut Document<'_>) -> Result<Self> {
            let (mut name, mut number) = (None, None);
            while let Some(element) = document.element()? {
                match element.name() {
                    "Name" => name = Some(document.text()?.into_owned()),
                    "Number" => number = Some(document.value("Number")?),
                    _ => document.skip(&element)?,
                }
            }
            Ok(Self(required(name, "Name")?, required(number, "Number")?))
        }
    }

    fn pair(body: &str) -> Result<Pair> {
        read("b", body.as_bytes())
    }

    #[test]
    fn an_answer_is_read_whatever_stands_around_it() {
        for body in [
            "<PairResult><Name>a</Name><Number>1</Number></PairResult>",
            "\u{feff}<?xml version=\"1.0\"?>\n\n  <!-- x --><PairResult xmlns=\"y\">\n <Other><Name>z</Name></Other>\
             <Number> 1 </Number>\n<Name>a</Name> </PairResult>\n",
            "<PairResult><Name><![CDATA[a]]></Name><Number>1</Number></PairResult>",
            "<PairResult><Name>&#x61;</Name><Number>&#49;</Number></PairResult>",
        ] {
            assert_eq!(pair(body).unwrap(), Pair("a".to_owned(), 1), "{body}");
        }
    }

    #[test]
    fn text_is_kept_to_the_byte() {
        for (text, kept) in [
            (" a ", " a "),
            ("&quot;x&quot;", "\"x\""),
            ("a &amp;amp; b", "a &amp; b"),
            ("&lt;Error&gt;", "<Error>"),
            ("", ""),
        ] {
            let body = format!("<PairResult><Name>{text}</Name><Number>1</Number></PairResult>");
            assert_eq!(pair(&body).unwrap().0, kept, "{text}");
        }
        assert_eq!(pair("<PairResult><Name/><Number>1</Number></PairResult>").unwrap().0, "");
    }

    #[test]
    fn a_cut_answer_is_told_from_that_of_another_service() {
        let whole = "<?xml version=\"1.0\"?>\n<PairResult><Name>a</Name><Number>1</Number></PairResult>";
        for end in 1..whole.len() {
            let error = pair(&whole[..end]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Unavailable, "{end}: {error}");
        }
    }

    #[test]
    fn another_document_is_no_answer() {
        let full = "<Name>a</Name><Number>1</Number>";
        for body in [
            "",
            " ",
            "OK",
            "{}",
            "<!DOCTYPE html><html><head><meta></head></html>",
            "<html><body></body></html>",
            "<Maintenance/>",
            "<PairResult/>",
            "<PairResult><Name>a</Name></PairResult>",
            "<PairResult><Name>a</Name><Number/></PairResult>",
            "<PairResult><Name>a</Name><Number>one</Number></PairResult>",
            "<PairResult><Name>a</Name><Number>1</Number>text</PairResult>",
            "<PairResult><Name>a<b/></Name><Number>1</Number></PairResult>",
            "<PairResult><Name>a&custom;</Name><Number>1</Number></PairResult>",
            &format!("<pairresult>{full}</pairresult>"),
            &format!("<x:PairResult xmlns:x=\"y\">{full}</x:PairResult>"),
            &format!("<Other><PairResult>{full}</PairResult></Other>"),
            &format!("<PairResult>{full}</PairResult><Error/>"),
            "<error><code>AccessDenied</code></error>",
            "<s:Error xmlns:s=\"x\"><s:Code>AccessDenied</s:Code></s:Error>",
            "<Errors/>",
        ] {
            let error = pair(body).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Other, "{body}: {error}");
        }
    }

    #[test]
    fn a_refusal_is_one_behind_anything() {
        let refusal = "<Error><Code>AccessDenied</Code></Error>";
        for before in [
            "",
            "\u{feff}",
            "\n\n  ",
            "<?xml version=\"1.0\"?>",
            "<!-- proxy -->",
            "<?xml version=\"1.0\"?><?x?> ",
        ] {
            let error = pair(&format!("{before}{refusal}")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PermissionDenied, "{before}: {error}");
        }
        assert!(read_refusal(b"<ListBucketResult><Key>&lt;Error</Key></ListBucketResult>").is_none());
        assert!(read_refusal(b"").is_none());
    }
}
