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
pub(in crate::backend) trait Answer: Sized {
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
pub(in crate::backend) struct Document<'a>(Reader<&'a [u8]>);

/// An element that has begun. It must be read to its end: as text, field by field, or not at all.
pub(in crate::backend) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// Its name, with the prefix of a namespace if it has one.
    pub(in crate::backend) fn name(&self) -> &str {
        self.0.name().0
    }

    /// The value of an attribute, as it is written.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`] if the attributes are damaged.
    #[cfg(feature = "azblob")]
    pub(in crate::backend) fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>> {
        Ok(self.0.try_get_attribute(name).map_err(damaged)?.map(|attribute| attribute.value))
    }
}

impl<'a> Document<'a> {
    /// Opens one; gives the name of its root.
    pub(in crate::backend) fn open(body: &'a [u8], expected: &str) -> Result<(Self, String)> {
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
    pub(in crate::backend) fn element(&mut self) -> Result<Option<Element<'a>>> {
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
    pub(in crate::backend) fn text(&mut self) -> Result<Cow<'a, str>> {
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
    pub(in crate::backend) fn value<T: FromStr>(&mut self, name: &str) -> Result<T> {
        let text = self.text()?;
        let unclear = |_| not_understood(format_args!("`{name}` is `{text}`"));
        text.trim().parse().map_err(unclear)
    }

    /// The text of the element, which must not be empty.
    pub(in crate::backend) fn word(&mut self, name: &str) -> Result<Cow<'a, str>> {
        let text = self.text()?;
        if text.is_empty() { Err(not_understood(format_args!("`{name}` is empty"))) } else { Ok(text) }
    }

    /// Skips the current element.
    pub(in crate::backend) fn skip(&mut self, element: &Element<'_>) -> Result<()> {
        self.0.read_to_end(element.0.name()).map(drop).map_err(damaged)
    }

    /// Nothing may follow the root.
    pub(in crate::backend) fn end(&mut self) -> Result<()> {
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
pub(in crate::backend) fn required<T>(field: Option<T>, name: &str) -> Result<T> {
    field.ok_or_else(|| not_understood(format_args!("it lacks `{name}`")))
}

/// A time of an answer.
pub(in crate::backend) fn time_of(text: &str) -> Result<Timestamp> {
    time::from_rfc3339(text.trim()).ok_or_else(|| not_understood(format_args!("`{text}` is no time")))
}

/// Whether a text that ends before its root may be the beginning of such an answer.
fn is_beginning(text: &str, expected: &str) -> bool {
    let tag = text.rsplit('<').next().unwrap_or_default();
    let name = tag.split(|char: char| char.is_whitespace()).next().unwrap_or_default();
    tag.starts_with('?') || expected.starts_with(name)
}

/// It is no answer to what was asked.
pub(in crate::backend) fn not_understood(why: impl Display) -> Error {
    let why = why.to_string();
    let message =
        format!("the store's answer is not understood: {}; is it the right endpoint?", excerpt(&why));
    Error::new(ErrorCode::Other, message)
}

/// It is what became of an answer.
fn damaged(why: impl Display) -> Error {
    let why = why.to_string();
    let message = format!("the store's answer arrived damaged: {}; try again", excerpt(&why));
    Error::new(ErrorCode::Unavailable, message)
}
