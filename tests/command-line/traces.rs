//! Traces, by the variables of OpenTelemetry, in a collector of this test.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use crate::{
    command::{Run, command},
    tree::Scratch,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A request as it arrived.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Takes whatever is sent, and answers the same to each.
struct Collector {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Collector {
    fn answering(status: &'static str, body: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let all = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let all = Arc::clone(&all);
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    while let Some(request) = receive(&mut reader) {
                        all.lock().unwrap().push(request);
                        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len())
                            .unwrap();
                        stream.write_all(body).unwrap();
                    }
                });
            }
        });
        Self { endpoint, requests }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// All spans, each with what is said of the program.
    fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for request in self.requests() {
            assert_eq!(request.line, "POST /v1/traces HTTP/1.1");
            assert_eq!(request.headers["content-type"], "application/json");
            let message: Value = serde_json::from_slice(&request.body).unwrap();
            let [resource] = array(&message, "resourceSpans").try_into().unwrap();
            let service = attributes(&resource["resource"]);
            assert_eq!(service["service.name"], "mirror");
            assert_eq!(service["deployment"], "a b");
            assert!(!service["service.version"].is_empty());
            let [scope] = array(&resource, "scopeSpans").try_into().unwrap();
            assert_eq!(scope["scope"]["name"], "omnistorage");
            spans.extend(array(&scope, "spans"));
        }
        spans
    }
}

fn receive(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    Some(Request { line: line.trim_end().to_owned(), headers, body })
}

fn array(value: &Value, name: &str) -> Vec<Value> {
    value[name].as_array().expect(name).clone()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().expect(name)
}

/// The attributes, each of one type.
fn attributes(value: &Value) -> BTreeMap<String, String> {
    let one = |pair: Value| {
        let value = pair["value"].as_object().unwrap();
        assert_eq!(value.len(), 1, "{pair}");
        let value = value.get("stringValue").or_else(|| value.get("intValue")).unwrap().as_str().unwrap();
        (text(&pair, "key").to_owned(), value.to_owned())
    };
    array(value, "attributes").into_iter().map(one).collect()
}

fn nanoseconds(span: &Value, name: &str) -> u64 {
    text(span, name).parse().unwrap()
}

fn is_id(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        && text != "0".repeat(length)
}

fn with<'c>(command: &'c mut Command, variables: &[(&str, &str)]) -> &'c mut Command {
    command.envs(variables.iter().copied())
}

/// A run with a collector, whose answer is in JSON.
fn traced(arguments: &[&str], collector: &Collector, variables: &[(&str, &str)]) -> Run {
    let mut command = command(arguments);
    with(
        &mut command,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hush%2Chush"),
            ("OTEL_SERVICE_NAME", "mirror"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment=a%20b,service.name=other"),
        ],
    );
    with(&mut command, variables).output().unwrap().into()
}

/// Holds each span to the format, and gives them by their ids.
fn by_id(spans: &[Value], root_parent: &str, trace: &str) -> BTreeMap<String, Value> {
    let all: BTreeMap<_, _> =
        spans.iter().map(|span| (text(span, "spanId").to_owned(), span.clone())).collect();
    assert_eq!(all.len(), spans.len(), "an id was used twice");
    for span in spans {
        assert!(is_id(text(span, "traceId"), 32) && is_id(text(span, "spanId"), 16), "{span}");
        assert_eq!(text(span, "traceId"), trace, "{span}");
        let (from, to) = (nanoseconds(span, "startTimeUnixNano"), nanoseconds(span, "endTimeUnixNano"));
        assert!(from <= to && from > 1_700_000_000_000_000_000, "{span}");
        assert!(matches!(span["kind"].as_u64(), Some(1 | 3)), "{span}");
        assert_eq!(span["flags"].as_u64().unwrap() & 0x1ff, 0x101, "{span}");
        let parent = text(span, "parentSpanId");
        if let Some(parent) = all.get(parent) {
            let begun = nanoseconds(parent, "startTimeUnixNano") <= from;
            assert!(begun && to <= nanoseconds(parent, "endTimeUnixNano"), "{span} in {parent}");
        } else {
            assert_eq!(parent, root_parent, "{span}");
            assert!(text(span, "name").starts_with("omnistorage "), "{span}");
        }
        assert!(!span.to_string().contains("hush"), "{span}");
    }
    all
}

#[test]
fn a_run_is_a_trace_from_the_command_to_each_call() {
    let scratch = Scratch::new();
    for name in ["from/a", "from/b/c"] {
        scratch.write(name, name);
    }
    scratch.write("to/extra", "extra");
    // A directory in its place: this one fails, and its directory is no place for anything.
    scratch.write("from/d", "d");
    scratch.write("to/d/e", "e");
    let collector = Collector::answering("200 OK", b"{}");
    let (from, to) = (scratch.path("from"), scratch.path("to"));
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let variables = [("TRACEPARENT", traceparent.as_str()), ("TRACESTATE", "vendor=1")];
    let run = traced(&["copy", from.to_str().unwrap(), to.to_str().unwrap()], &collector, &variables);
    run.fails_with(6, &["d`"]);
    let spans = collector.spans();
    let all = by_id(&spans, PARENT, TRACE);
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).cloned().collect::<Vec<_>>();

    let [command] = named("omnistorage copy").try_into().unwrap();
    assert_eq!((text(&command, "parentSpanId"), text(&command, "traceState")), (PARENT, "vendor=1"));
    assert_eq!((&command["kind"], &command["status"]["code"]), (&1.into(), &2.into()));
    assert_eq!(attributes(&command)["process.exit.code"], "6");
    assert_eq!(command["flags"], 0x301);
    let [run] = named("run").try_into().unwrap();
    assert_eq!(run["parentSpanId"], command["spanId"]);
    assert_eq!((attributes(&run)["omnistorage.errors"].as_str(), &run["status"]["code"]), ("1", &2.into()));
    assert_eq!(attributes(&run)["omnistorage.bytes"], "14");
    for phase in ["listing", "transferring"] {
        let [phase] = named(phase).try_into().unwrap();
        assert_eq!((&phase["parentSpanId"], phase.get("status")), (&run["spanId"], None));
    }
    let [failed] = named("failed object").try_into().unwrap();
    assert_eq!((&failed["parentSpanId"], &failed["status"]["code"]), (&run["spanId"], &2.into()));
    let known = attributes(&failed);
    assert_eq!((known["omnistorage.path"].as_str(), known["error.type"].as_str()), ("d", "is-directory"));

    let calls: Vec<_> = spans.iter().filter(|span| span["kind"] == 3).collect();
    assert!(calls.len() >= 4, "{spans:?}");
    for call in calls {
        let known = attributes(call);
        assert_eq!(
            (known["omnistorage.backend"].as_str(), &call["name"]),
            ("file", &known["omnistorage.operation"].as_str().into())
        );
        let parent = text(&all[text(call, "parentSpanId")], "name");
        let expected = match text(call, "name") {
            "list" | "list-next" => "listing",
            "copy" | "mkdir" | "set-modified" => "transferring",
            "stat" | "exists" if parent == "comparing" => "comparing",
            // Before the run.
            "stat" | "exists" => "omnistorage copy",
            other => panic!("{other}"),
        };
        assert_eq!(parent, expected, "{call}");
        let has_failed = call.get("status").is_some();
        assert_eq!(has_failed, known.contains_key("error.type"), "{call}");
    }
    assert!(!named("list").is_empty() && !named("copy").is_empty());
}

#[test]
fn calls_that_fail_say_why_and_a_command_without_a_run_has_them_below_it() {
    let scratch = Scratch::new();
    let collector = Collector::answering("200 OK", br#"{"partialSuccess":{"rejectedSpans":"0"}}"#);
    let missing = scratch.path("missing");
    traced(&["cat", missing.to_str().unwrap()], &collector, &[]).fails(4, &["missing"]);
    let spans = collector.spans();
    let trace = text(&spans[0], "traceId").to_owned();
    by_id(&spans, "", &trace);
    let command = spans.iter().find(|span| span["name"] == "omnistorage cat").unwrap();
    assert_eq!(command["flags"], 0x101);
    let failed: Vec<_> =
        spans.iter().filter(|span| span["kind"] == 3 && span["status"]["code"] == 2).collect();
    assert!(!failed.is_empty(), "{spans:?}");
    for call in failed {
        assert_eq!(call["parentSpanId"], command["spanId"]);
        assert_eq!(attributes(call)["error.type"], "not-found");
    }
    // Each has the header that was asked for.
    for request in collector.requests() {
        assert_eq!(request.headers["api-key"], "hush,hush");
    }
}

/// The fields of a message of protobuf: numbers of fixed length, and bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    let varint = |bytes: &mut &[u8]| {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
    };
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let (number, length) = match tag & 7 {
            0 => (varint(&mut message), 0),
            1 => (u64::from_le_bytes(message[..8].try_into().unwrap()), 8),
            2 => (0, usize::try_from(varint(&mut message)).unwrap()),
            5 => (u32::from_le_bytes(message[..4].try_into().unwrap()).into(), 4),
            other => unreachable!("wire type {other}"),
        };
        found.push((tag >> 3, number, message[..length].to_vec()));
        message = &message[length..];
    }
    found
}

fn inner(message: &[u8], field: u64) -> Vec<Vec<u8>> {
    fields(message).into_iter().filter(|(number, ..)| *number == field).map(|(.., bytes)| bytes).collect()
}

#[test]
fn protobuf_is_spoken_unless_json_is_asked_for() {
    let scratch = Scratch::new();
    scratch.write("from/a", "a");
    let (collector, json) = (Collector::answering("200 OK", b""), Collector::answering("200 OK", b"{}"));
    let (from, to) = (scratch.path("from"), scratch.path("to"));
    let places = ["sync", from.to_str().unwrap(), to.to_str().unwrap()];
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let endpoint = format!("{}/here", collector.endpoint);
    let mut sync = command(places);
    with(&mut sync, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint), ("TRACEPARENT", &traceparent)]);
    Run::from(sync.output().unwrap()).ok();
    traced(&places, &json, &[]).ok();

    let mut names = Vec::new();
    for request in collector.requests() {
        assert_eq!(request.line, "POST /here HTTP/1.1");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        // Request, spans of a program, spans of a library, span.
        for span in inner(&inner(&inner(&request.body, 1)[0], 2)[0], 2) {
            let known: BTreeMap<u64, (u64, Vec<u8>)> =
                fields(&span).into_iter().map(|(field, number, bytes)| (field, (number, bytes))).collect();
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert_eq!(hex(&known[&1].1), TRACE);
            assert!(is_id(&hex(&known[&2].1), 16) && is_id(&hex(&known[&4].1), 16));
            let (from, to) = (known[&7].0, known[&8].0);
            assert!(from <= to && from > 1_700_000_000_000_000_000, "{from} to {to}");
            assert_eq!(known[&16].0 & 0x1ff, 0x101);
            let name = String::from_utf8(known[&5].1.clone()).unwrap();
            if name == "omnistorage sync" {
                assert_eq!(hex(&known[&4].1), PARENT);
                assert!(!known.contains_key(&15), "it went well");
            }
            names.push(name);
        }
    }
    for name in ["omnistorage sync", "run", "listing", "list", "transferring", "copy"] {
        assert!(names.iter().any(|known| known == name), "no {name} in {names:?}");
    }
    assert!(json.spans().iter().any(|span| span["name"] == "run"));
}

#[test]
fn what_is_not_sampled_is_not_sent() {
    let scratch = Scratch::new();
    scratch.write("from/a", "a");
    let collector = Collector::answering("200 OK", b"{}");
    let from = scratch.path("from");
    let list = |variables: &[(&str, &str)]| {
        traced(&["ls", from.to_str().unwrap()], &collector, variables).ok();
        collector.requests().len()
    };
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    assert_eq!(list(&[("TRACEPARENT", &unsampled)]), 0);
    assert_eq!(list(&[("OTEL_TRACES_SAMPLER", "always_off")]), 0);
    assert_eq!(list(&[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")]), 0);
    assert_eq!(list(&[("OTEL_SDK_DISABLED", "true")]), 0);
    assert_eq!(list(&[("OTEL_TRACES_EXPORTER", "none")]), 0);
    assert!(list(&[("TRACEPARENT", &unsampled), ("OTEL_TRACES_SAMPLER", "always_on")]) > 0);
}

#[test]
fn a_collector_that_is_away_or_refuses_fails_nothing_and_is_told_of_once() {
    let scratch = Scratch::new();
    for index in 0..20 {
        scratch.write(&format!("from/{index}"), "x");
    }
    let from = scratch.path("from");
    // One that nobody listens at, one that takes connections and says nothing, and some that answer badly.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let collectors = [
        Collector { endpoint: format!("http://me:hush@{closed}"), requests: Arc::default() },
        Collector { endpoint: format!("http://{}", silent.local_addr().unwrap()), requests: Arc::default() },
        Collector::answering("503 Unavailable", b"hush"),
        Collector::answering("200 OK", b"hush"),
        Collector::answering("200 OK", br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"hush"}}"#),
        Collector::answering("307 Away", b"hush"),
    ];
    for (index, collector) in collectors.iter().enumerate() {
        let to = scratch.path(&format!("to {index}"));
        let places = ["copy", from.to_str().unwrap(), to.to_str().unwrap()];
        let run = traced(&places, collector, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "200")]).ok();
        let warnings: Vec<_> = run.stderr.lines().filter(|line| line.contains("trace")).collect();
        assert!(warnings.len() == 1 && warnings[0].starts_with("warning: "), "{}", run.stderr);
        assert!(!run.stderr.contains("hush"), "{}", run.stderr);
        assert!(run.stderr.contains("transferred 20 objects"), "{}", run.stderr);
        let quiet = traced(
            &["ls", "-q", from.to_str().unwrap()],
            collector,
            &[("OTEL_EXPORTER_OTLP_TIMEOUT", "200")],
        );
        assert_eq!(quiet.ok().stderr, "");
    }
}

#[test]
fn what_is_asked_for_in_vain_is_said_and_fails_nothing() {
    let scratch = Scratch::new();
    let from = scratch.write("a", "a");
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
    ] {
        let collector = Collector::answering("200 OK", b"{}");
        let run = traced(&["cat", from.to_str().unwrap()], &collector, &[(name, value)]).ok();
        assert_eq!((run.text(), run.stderr.lines().count()), ("a", 1), "{}", run.stderr);
        assert!(
            run.stderr.starts_with("warning: there is no trace: ") && run.stderr.contains(name),
            "{}",
            run.stderr
        );
        assert!(collector.requests().is_empty());
    }
    // Without a collector there is nothing to say.
    let mut alone = command(["cat", from.to_str().unwrap()]);
    assert_eq!(Run::from(alone.env("OTEL_TRACES_SAMPLER", "sometimes").output().unwrap()).ok().stderr, "");
}
