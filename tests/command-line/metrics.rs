//! `--metrics-addr`: the counters of a run, while it goes on.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
};

use crate::{
    command::{command, pair, run},
    tree::Scratch,
};

/// What a server says to one request.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request}\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A connection that ends badly, since not all was read that was sent, may still have given an answer.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn counters_are_served_while_a_run_goes_on() {
    let scratch = Scratch::new();
    // Large enough that each goes by itself.
    for index in 0..10 {
        scratch.write(&format!("from/{index}"), vec![b'x'; 1_000_000]);
    }
    let mut copy = command(["copy", "--metrics-addr", "0", "--bwlimit", "1M", "--transfers", "1"]);
    copy.arg(scratch.path("from")).arg(scratch.path("to")).stderr(Stdio::piped());
    let mut copy = copy.spawn().unwrap();
    let mut said = BufReader::new(copy.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    let address = line.strip_prefix("metrics at http://").unwrap().strip_suffix("/metrics").unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    // The job begins right after that.
    let counters = loop {
        let answer = ask(address, "GET /metrics HTTP/1.1");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        if answer.contains("omnistorage_events_total{command=\"copy\",event=\"transferred\"}") {
            break answer;
        }
    };
    assert!(counters.contains("content-type: text/plain; version=0.0.4"), "{counters}");
    let value = |name: &str| -> f64 {
        let line = counters.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    let transferred = value("omnistorage_events_total{command=\"copy\",event=\"transferred\"}");
    assert!((1.0..10.0).contains(&transferred), "{counters}");
    assert!(value("omnistorage_transferred_bytes_total{command=\"copy\"}") >= transferred * 1_000_000.0);
    assert!(value("omnistorage_backend_calls_total{command=\"copy\",operation=\"list\"}") >= 1.0);
    assert_eq!(value("omnistorage_runs_total{command=\"copy\"}"), 1.0);
    // Each metric has its type, and each line is of a metric that has one.
    for line in counters.split("\r\n\r\n").nth(1).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let name = line.split('{').next().unwrap();
        assert!(counters.contains(&format!("# TYPE {name} ")), "{line}");
    }
    assert!(ask(address, "GET / HTTP/1.1").starts_with("HTTP/1.1 404 "));
    assert!(ask(address, "POST /metrics HTTP/1.1").starts_with("HTTP/1.1 405 "));
    assert!(ask(address, "nonsense").starts_with("HTTP/1.1 400 "));
    copy.kill().unwrap();
    copy.wait().unwrap();
    assert!(TcpStream::connect(address).is_err(), "the server ends with the run");
}

#[test]
fn a_run_ends_although_counters_are_served() {
    let scratch = Scratch::new();
    scratch.write("from/a", "1");
    let served = pair("sync", &scratch.path("from"), &scratch.path("to"), &["--metrics-addr", "0"]).ok();
    assert!(served.stderr.contains("metrics at http://127.0.0.1:"), "{}", served.stderr);
    let checked = pair("check", &scratch.path("from"), &scratch.path("to"), &["--metrics-addr", ":0"]).ok();
    assert!(checked.stderr.contains("metrics at http://127.0.0.1:"), "{}", checked.stderr);
    // An address that cannot be had is known before anything is done.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let at = scratch.path("new");
    pair("copy", &scratch.path("from"), &at, &["--metrics-addr", &address]).fails(2, &[&address, "listen"]);
    pair("copy", &scratch.path("from"), &at, &["--metrics-addr", "localhost"])
        .fails_with(2, &["127.0.0.1:9090"]);
    assert!(!at.exists());
    assert!(run(["bisync", "--help"]).ok().text().contains("--metrics-addr <ADDRESS>"));
}
