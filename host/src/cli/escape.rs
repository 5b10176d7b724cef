//! The one place that escapes what a terminal would obey, or show as something else.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::ser::Formatter;

use omnistorage_types::misleads;

/// The text on one line: characters that mislead are escaped as in Rust.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(misleads) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if misleads(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

/// The bytes as text for a terminal, with tabs and line feeds as they are: characters that mislead, and bytes that are
/// not UTF-8, are escaped as in Rust.
pub(crate) fn visible(bytes: &[u8]) -> String {
    let is_escaped = |c| misleads(c) && !matches!(c, '\t' | '\n');
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_escaped(c) { text.extend(c.escape_default()) } else { text.push(c) }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// JSON on one line, whose strings escape everything that misleads, not only what JSON requires.
pub(crate) struct PrintableJson;

impl Formatter for PrintableJson {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((before, c, after)) = split_at_misleading(rest) {
            writer.write_all(before.as_bytes())?;
            write!(writer, "\\u{:04x}", u32::from(c))?; // all of them are below U+10000
            rest = after;
        }
        writer.write_all(rest.as_bytes())
    }
}

/// A value as JSON, which escapes everything that misleads.
pub(super) fn printable_json(value: &impl Serialize) -> String {
    let mut written = Vec::new();
    // To write to memory does not fail, nor does what is all text.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut written, PrintableJson));
    String::from_utf8_lossy(&written).into_owned()
}

fn split_at_misleading(text: &str) -> Option<(&str, char, &str)> {
    let (at, c) = text.char_indices().find(|(_, c)| misleads(*c))?;
    let (before, from) = text.split_at(at);
    Some((before, c, from.get(c.len_utf8()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_is_escaped() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
        assert_eq!(
            printable("\u{9b}31m \u{202e}gpj.exe \u{2066}\u{7f}"),
            "\\u{9b}31m \\u{202e}gpj.exe \\u{2066}\\u{7f}"
        );
        assert!(matches!(printable("it's 😀 \\ e\u{301} שלום"), Cow::Borrowed(_)));
    }

    #[test]
    fn contents_control_no_terminal() {
        assert_eq!(visible("a\tb\nc 😀 \\".as_bytes()), "a\tb\nc 😀 \\");
        assert_eq!(visible(b"\x1b[31m\r\x7f\xc2\x9b1m\x9b\xff"), "\\u{1b}[31m\\r\\u{7f}\\u{9b}1m\\x9b\\xff");
    }

    #[test]
    fn json_escapes_the_same_and_stays_the_same_value() {
        let text = "a\u{1b}\n\"\\\u{9b}31m \u{202e}gpj.exe\u{7f}\u{2028} 😀 é";
        let mut written = Vec::new();
        text.serialize(&mut serde_json::Serializer::with_formatter(&mut written, PrintableJson)).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert!(!written.contains(misleads), "{written:?}");
        assert!(written.contains("\\u009b31m") && written.contains("😀 é"), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
