//! Bodies of several parts (RFC 2046, section 5.1).

use bytes::Bytes;
use http::{HeaderMap, header};

/// A part with its own headers.
pub(super) struct Part {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Part {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The parts; `None` if they do not hold to the form.
pub(super) fn parts(headers: &HeaderMap, body: &Bytes) -> Option<Vec<Part>> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    let delimiter = format!("\r\n--{}", boundary.trim_matches('"'));
    let mut parts = Vec::new();
    // The first one stands at the beginning, where no line ends before it.
    let mut at = delimiter.len() - 2;
    if !body.starts_with(&delimiter.as_bytes()[2..]) {
        return None;
    }
    loop {
        match body.get(at..at + 2)? {
            b"--" => return Some(parts),
            b"\r\n" => {}
            _ => return None,
        }
        let end = at + find(&body[at..], delimiter.as_bytes())?;
        parts.push(part(body.slice(at + 2..end))?);
        at = end + delimiter.len();
    }
}

fn part(text: Bytes) -> Option<Part> {
    let end = find(&text, b"\r\n\r\n")?;
    let head = str::from_utf8(&text[..end]).ok()?;
    let pair =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Some(Part { headers: head.lines().map(pair).collect::<Option<_>>()?, body: text.slice(end + 4..) })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
