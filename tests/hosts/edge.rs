//! The example `edge`, composed with the library and the files of the host, in hosts that were not made here: what goes in
//! comes out, what was cut off leaves nothing, and a load leaves the memory as it is.

pub(crate) mod http;
pub(crate) mod serving;

use std::{fs, path::Path, thread};

use self::{
    http::{Answer, Body},
    serving::Serving,
};

/// More than fits into all buffers on the way.
pub(crate) fn records(count: usize) -> Vec<u8> {
    let record = |n: usize| {
        let level = if n.is_multiple_of(10) { "error" } else { "info" };
        let took = n * 7919 % 100_003;
        format!(
            "{{\"id\":{n},\"level\":\"{level}\",\"message\":\"took {took} ms, \\\"all\\\" of them ä😀\"}}\n"
        )
    };
    (0..count).map(record).collect::<String>().into_bytes()
}

fn lines(answer: &Answer) -> Vec<&str> {
    std::str::from_utf8(&answer.body).unwrap().lines().collect()
}

/// All files below a directory, those with names for the moment as well.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn records_go_round_in_wasmtime() {
    if let Some(serving) = Serving::in_wasmtime(&[]) {
        records_go_round(&serving);
    }
}

#[test]
fn records_go_round_in_wash() {
    if let Some(serving) = Serving::in_wash() {
        records_go_round(&serving);
    }
}

#[test]
fn records_go_round_through_parts_that_wash_links() {
    if let Some(serving) = Serving::linked_by_wash() {
        records_go_round(&serving);
    }
}

fn records_go_round(serving: &Serving) {
    let client = serving.client();
    let sent = records(50_000);
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.put("/logs/a.ndjson", Body::Whole(&sent)).status, 204);
    assert_eq!(client.put("/logs/b.ndjson", Body::Chunked(&sent)).status, 204);
    let stored = fs::read(serving.data().join("ndjson/logs/a.ndjson.zst")).unwrap();
    assert!(stored.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) && stored.len() < sent.len() / 4);

    for name in ["/logs/a.ndjson", "/logs/b.ndjson"] {
        let got = client.get(name);
        assert!(got.status == 200 && got.is_whole && got.body == sent, "{name}: {got:?}");
    }
    let head = client.request("HEAD", "/logs/a.ndjson", &[], Body::None);
    assert!(head.status == 200 && head.body.is_empty() && head.header("etag").is_some(), "{head:?}");
    let listed = client.get("/");
    let names = lines(&listed).into_iter().map(|line| line.contains("\"name\":\"/logs/"));
    assert_eq!(names.collect::<Vec<_>>(), [true, true], "{listed:?}");

    let converted = client.get("/logs/a.csv");
    assert_eq!(converted.status, 200);
    assert_eq!(
        lines(&converted)[..2],
        ["id,level,message", "0,error,\"took 0 ms, \"\"all\"\" of them ä😀\""]
    );
    assert_eq!(lines(&converted).len(), 50_001);

    assert_eq!(
        files(serving.data()),
        ["a.ndjson.zst", "b.ndjson.zst"],
        "to be asked for something writes nothing"
    );

    let piece = client.request("GET", "/logs/a.ndjson", &[("range", "bytes=1000-1999")], Body::None);
    assert!(piece.status == 206 && piece.body == sent[1000..2000]);
    assert_eq!(piece.header("content-range"), Some("bytes 1000-1999/*"));
    let beyond = format!("bytes={}-", sent.len() - 10);
    let piece = client.request("GET", "/logs/a.ndjson", &[("range", &beyond)], Body::None);
    assert!(piece.status == 206 && piece.body == sent[sent.len() - 10..]);
    let beyond = format!("bytes={}-", sent.len());
    let nothing = client.request("GET", "/logs/a.ndjson", &[("range", &beyond)], Body::None);
    assert_eq!(
        (nothing.status, nothing.header("content-range")),
        (416, Some(&*format!("bytes */{}", sent.len())))
    );

    let some = client.get("/logs/a.ndjson?from=3&count=2");
    assert_eq!(some.body, records(5)[records(3).len()..]);
    let errors = client.get("/logs/a.ndjson?level=error&from=1&count=2");
    assert_eq!(lines(&errors).len(), 2);
    assert!(lines(&errors)[0].starts_with("{\"id\":10,"), "{errors:?}");
    assert_eq!(lines(&client.get("/logs/a.ndjson?id=4711")).len(), 1);

    assert_eq!(client.request("DELETE", "/logs/a.ndjson", &[], Body::None).status, 204);
    assert_eq!(client.get("/logs/a.ndjson").status, 404);
    assert_eq!(files(serving.data()), ["b.ndjson.zst"]);
}

#[test]
fn each_refusal_has_its_status() {
    let Some(serving) = Serving::in_wasmtime(&[("UPLOAD_LIMIT", "1000")]) else { return };
    let client = serving.client();
    let sent = records(5);
    let put = |headers: &[(&str, &str)]| client.request("PUT", "/a.ndjson", headers, Body::Whole(&sent));
    let stored = put(&[("if-none-match", "*")]);
    assert_eq!(stored.status, 204);
    let etag = stored.header("etag").unwrap();
    assert_eq!(put(&[("if-none-match", "*")]).status, 412);
    // Files have no way to replace the version that was meant and no other.
    assert_eq!(put(&[("if-match", etag)]).status, 501);
    let known = client.request("GET", "/a.ndjson", &[("if-none-match", etag)], Body::None);
    assert_eq!((known.status, known.body.len()), (304, 0));

    for too_large in [Body::Whole(&records(50)), Body::Chunked(&records(50))] {
        assert_eq!(client.put("/large.ndjson", too_large).status, 413);
    }
    for (method, path, status) in [
        ("GET", "/none.ndjson", 404),
        ("GET", "/none.csv", 404),
        ("DELETE", "/none.ndjson", 404),
        ("GET", "/a.txt", 404),
        ("POST", "/a.ndjson", 405),
        ("DELETE", "/", 405),
        ("GET", "/a/../b.ndjson", 400),
        ("GET", "/a.ndjson?from=x", 400),
        ("GET", "/a.csv?from=1", 400),
    ] {
        let answer = client.request(method, path, &[], Body::None);
        assert!(answer.status == status && answer.body.ends_with(b"\n"), "{method} {path}: {answer:?}");
    }
    assert_eq!(files(serving.data()), ["a.ndjson.zst"]);
}

#[test]
fn what_was_cut_off_leaves_nothing_in_wasmtime() {
    if let Some(serving) = Serving::in_wasmtime(&[]) {
        what_was_cut_off_leaves_nothing(&serving);
    }
}

#[test]
fn what_was_cut_off_leaves_nothing_in_wash() {
    if let Some(serving) = Serving::in_wash() {
        what_was_cut_off_leaves_nothing(&serving);
    }
}

fn what_was_cut_off_leaves_nothing(serving: &Serving) {
    let client = serving.client();
    let (old, new) = (records(10), records(50_000));
    assert_eq!(client.put("/old.ndjson", Body::Whole(&old)).status, 204);
    for _ in 0..5 {
        for (name, cut) in [
            ("/new.ndjson", Body::CutWhole(&new)),
            ("/new.ndjson", Body::CutChunked(&new)),
            ("/old.ndjson", Body::CutWhole(&new)),
            ("/old.ndjson", Body::CutChunked(&new)),
        ] {
            client.abandon(name, cut);
            let said = client.cut(name, cut);
            assert!(said.is_none_or(|status| status == 400), "{name}: {said:?}");
        }
    }
    serving.until(|| files(serving.data()) == ["old.ndjson.zst"]);
    assert_eq!(client.get("/old.ndjson").body, old);
    assert_eq!(client.get("/new.ndjson").status, 404);
}

#[test]
fn a_client_learns_that_what_is_stored_is_damaged() {
    let Some(serving) = Serving::in_wasmtime(&[]) else { return };
    let client = serving.client();
    assert_eq!(client.put("/a.ndjson", Body::Whole(&records(50_000))).status, 204);
    let stored = serving.data().join("ndjson/a.ndjson.zst");
    let mut bytes = fs::read(&stored).unwrap();
    bytes.truncate(bytes.len() - 100);
    fs::write(&stored, bytes).unwrap();
    let got = client.get("/a.ndjson");
    assert!(got.status == 200 && !got.is_whole, "{} bytes are taken for all", got.body.len());
    assert_eq!(client.get("/a.csv").status, 500);
}

/// What records have, and what they lack, is told by all of them; one that is no row is named before anything is sent.
#[test]
fn records_of_any_fields_are_a_table_or_refused_by_number() {
    let Some(serving) = Serving::in_wasmtime(&[]) else { return };
    let client = serving.client();
    for (records, status, expected) in [
        (
            "{\"b\":1,\"a\":\"x, y\"}\n\n{\"c\":[1,{\"d\":null}],\"b\":null}\n{}\n",
            200,
            "b,a,c\n1,\"x, y\",\n,,\"[1,{\"\"d\"\":null}]\"\n,,\n",
        ),
        ("", 200, ""),
        ("{\"a\":\"\\\"\\u00e9\\n\"}", 200, "a\n\"\"\"\u{e9}\n\"\n"),
        ("{\"a\":1}\n{\"a\":\n", 422, "record 2 is no JSON object"),
        ("{\"a\":1}\n{\"a\":2}\n[3]\n", 422, "record 3 is no JSON object"),
    ] {
        assert_eq!(client.put("/any.ndjson", Body::Whole(records.as_bytes())).status, 204);
        let got = client.get("/any.csv");
        let body = std::str::from_utf8(&got.body).unwrap();
        assert!(got.status == status && body.starts_with(expected) && got.is_whole, "{records}: {got:?}");
        assert!(status != 200 || body == expected, "{records}: {got:?}");
    }
    assert_eq!(files(serving.data()), ["any.ndjson.zst"]);
}

/// Two rounds of the same load: the second needs no memory that the first did not need.
#[test]
fn a_load_leaves_the_memory_as_it_is() {
    let Some(serving) = Serving::in_wasmtime(&[]) else { return };
    let (small, large) = (records(20), records(20_000));
    serving.client().put("/small.ndjson", Body::Whole(&small));
    let round = || {
        thread::scope(|scope| {
            for worker in 0..16 {
                let (client, small, large) = (serving.client(), &small, &large);
                scope.spawn(move || {
                    let mine = format!("/worker-{worker}.ndjson");
                    for turn in 0..100 {
                        assert_eq!(client.get("/small.ndjson").body, *small);
                        if turn % 20 == 0 {
                            assert_eq!(client.put(&mine, Body::Chunked(large)).status, 204);
                            assert!(client.get(&mine).body == *large);
                            client.abandon(&mine, Body::CutChunked(large));
                        }
                    }
                });
            }
        });
        serving.resident()
    };
    let first = round();
    let second = (0..3).map(|_| round()).min().unwrap();
    assert!(second < first + first / 4, "{first} bytes are resident after a round, {second} after more");
}
