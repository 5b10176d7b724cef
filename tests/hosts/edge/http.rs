//! A client of HTTP/1.1 that can break off, and that tells a whole answer from one that was cut off.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

/// What is sent. What is cut ends in the middle.
#[derive(Clone, Copy)]
pub(crate) enum Body<'b> {
    None,
    Whole(&'b [u8]),
    Chunked(&'b [u8]),
    CutWhole(&'b [u8]),
    CutChunked(&'b [u8]),
}

pub(crate) struct Client(pub(crate) String);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// By the length that was announced, or the last chunk.
    pub(crate) is_whole: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], Body::None)
    }

    pub(crate) fn put(&self, path: &str, body: Body<'_>) -> Answer {
        self.request("PUT", path, &[], body)
    }

    /// Sends the beginning of an upload and is gone.
    pub(crate) fn abandon(&self, path: &str, body: Body<'_>) {
        drop(self.send("PUT", path, &[], body));
    }

    /// Sends the beginning of an upload, and no more; gives what the server says to that, if it says anything.
    pub(crate) fn cut(&self, path: &str, body: Body<'_>) -> Option<u16> {
        let connection = self.send("PUT", path, &[], body);
        // A server that refused before is gone already.
        let _ = connection.shutdown(Shutdown::Write);
        Some(received(connection)?.status)
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) -> Answer {
        received(self.send(method, path, headers, body)).expect("a server answers")
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body<'_>) -> TcpStream {
        let mut connection = TcpStream::connect(&self.0).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.0);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let (bytes, sent, is_chunked) = match body {
            Body::None => (&[][..], 0, false),
            Body::Whole(bytes) => (bytes, bytes.len(), false),
            Body::Chunked(bytes) => (bytes, bytes.len(), true),
            Body::CutWhole(bytes) => (bytes, bytes.len() / 2, false),
            Body::CutChunked(bytes) => (bytes, bytes.len() / 2, true),
        };
        head += &match is_chunked {
            true => "transfer-encoding: chunked\r\n\r\n".to_owned(),
            false => format!("content-length: {}\r\n\r\n", bytes.len()),
        };
        connection.write_all(head.as_bytes()).unwrap();
        // A server may refuse before it has read all: what it says is in its answer.
        let _ = match is_chunked {
            true => chunks(&mut connection, &bytes[..sent], sent == bytes.len()),
            false => connection.write_all(&bytes[..sent]),
        };
        connection
    }
}

fn chunks(connection: &mut TcpStream, bytes: &[u8], is_all: bool) -> std::io::Result<()> {
    for chunk in bytes.chunks(50_000) {
        write!(connection, "{:x}\r\n", chunk.len())?;
        connection.write_all(chunk)?;
        connection.write_all(b"\r\n")?;
    }
    if is_all { connection.write_all(b"0\r\n\r\n") } else { Ok(()) }
}

/// What a server says before it closes the connection.
fn received(mut connection: TcpStream) -> Option<Answer> {
    let mut all = Vec::new();
    // A connection that breaks has said all that it will say.
    let _ = connection.read_to_end(&mut all);
    let end = all.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let (status, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    let headers: Vec<_> = rest
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let status = status.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, headers, body: all.split_off(end + 4), is_whole: false };
    if answer.header("transfer-encoding") == Some("chunked") {
        (answer.body, answer.is_whole) = joined(&answer.body);
    } else if let Some(length) = answer.header("content-length") {
        answer.is_whole = length.parse() == Ok(answer.body.len());
    }
    Some(answer)
}

/// The bytes of chunks, and whether the last one came.
fn joined(mut chunked: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while let Some(end) = chunked.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&chunked[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (bytes, true);
        }
        let Some(chunk) = chunked.get(end + 2..end + 2 + length) else { break };
        bytes.extend_from_slice(chunk);
        chunked = chunked.get(end + 4 + length..).unwrap_or_default();
    }
    (bytes, false)
}
