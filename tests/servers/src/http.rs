//! A request without a signature, to make a bucket with.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// The status of the answer; 0 if there is none.
pub(crate) fn send(port: u16, method: &str, path: &str, body: &str) -> u16 {
    let answer = || {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        write!(
            connection,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        connection.take(4096).read_to_string(&mut answer).ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    };
    answer().unwrap_or(0)
}
