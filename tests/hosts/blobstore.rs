//! The provider of blobstore in the host of wasmCloud, over each of the stores that its `wash dev` has by itself: the memory
//! of the host, and a directory. And the example over it.

use std::{fmt::Write, fs, path::Path, process::Command};

use crate::{
    edge::{
        files,
        http::Body,
        records,
        serving::{FUNCTION, Serving},
    },
    shipped::{built, plugged, target},
    stock::{is_left_out, tool},
};

/// Each row gets a backend of its own, which must hold nothing.
const BACKENDS: usize = 128;

/// A directory as the store, with the setting of the host that makes it one.
const DIRECTORY: &str = "  wasi_blobstore_path: data\n";

/// The suite over HTTP, over the provider; backends `R0` and so on in containers of the same names, and `missing` in one
/// that is not there.
fn rows(store: &str) -> Serving {
    let suite = plugged("omnistorage-conformance-component", "omnistorage-provider-blobstore");
    let served = target().join("tmp/rows-blobstore.wasm");
    let composed = Command::new(tool("wac"))
        .arg("plug")
        .arg(built("omnistorage-hosts-rows"))
        .arg("--plug")
        .arg(suite)
        .arg("-o")
        .arg(&served)
        .output()
        .unwrap();
    assert!(composed.status.success(), "{composed:?}");
    let mut config = format!(
        "build:\n  command: \"true\"\n  component_path: {}\ndev:\n  address: ADDRESS\n{store}workload:\n  environment:\n    \
         config:\n      OMNISTORAGE_MISSING_KIND: blobstore\n      OMNISTORAGE_MISSING_CONTAINER: nobody-made-it\n",
        served.display(),
    );
    for number in 0..BACKENDS {
        for (setting, value) in
            [("KIND", "blobstore"), ("CONTAINER", &*format!("r{number}")), ("CREATE", "\"true\"")]
        {
            writeln!(config, "      OMNISTORAGE_R{number}_{setting}: {value}").unwrap();
        }
    }
    Serving::in_wash_as(&config)
}

/// Runs every row, but for those that the store cannot keep.
fn every_row_holds(serving: &Serving, but_for: &[&str]) {
    let listed = String::from_utf8(serving.client().get("/").body).unwrap();
    let rows: Vec<_> = listed.lines().filter(|row| !but_for.contains(row)).collect();
    assert!((80..=BACKENDS).contains(&rows.len()), "{rows:?}");
    let check = |(number, row): (usize, &&str)| {
        let answer = serving.client().get(&format!("/r{number}/{row}"));
        (answer.status != 200 || answer.body != b"ok")
            .then(|| format!("{row}: {}", String::from_utf8_lossy(&answer.body)))
    };
    let broken: Vec<_> = rows.iter().enumerate().filter_map(check).collect();
    assert!(broken.is_empty(), "{}\n{}", broken.join("\n"), serving.said());
}

#[test]
fn a_directory_of_wash_keeps_every_promise() {
    if is_left_out() {
        return;
    }
    let serving = rows(DIRECTORY);
    // The host refuses such a name without saying why.
    every_row_holds(&serving, &["names.names-too-long-are-refused"]);
    let left: Vec<_> =
        files(serving.data()).into_iter().filter(|name| name.starts_with(".omnistorage-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_memory_of_wash_keeps_every_promise_about_objects_that_fit() {
    if is_left_out() {
        return;
    }
    // It takes no object of more than a megabyte.
    let large = [
        "copy.all-bytes-arrive",
        "read.a-reader-may-be-dropped",
        "read.what-is-written-is-read",
        "write.a-reader-never-sees-a-mixture",
        "write.chunks-of-any-size-are-joined",
    ];
    let serving = rows("");
    every_row_holds(&serving, &large);
    let refused = serving.client().get("/r127/read.what-is-written-is-read");
    assert_ne!(refused.status, 200);
    assert!(serving.said().contains("takes no more bytes: it may have no room for objects this large"));
}

#[test]
fn a_container_that_is_not_there_is_named() {
    if is_left_out() {
        return;
    }
    let serving = rows(DIRECTORY);
    for (backend, expected) in [
        (
            "missing",
            "the host has no container `nobody-made-it`: make it there, or let it be made by the setting `create=true`",
        ),
        ("r999", "no backend `r999` was granted, only "),
    ] {
        let answer = serving.client().get(&format!("/{backend}/read.what-is-missing-is-not-found"));
        let told = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 500 && told.starts_with(expected), "{told}");
    }
    assert!(files(serving.data()).is_empty());
}

/// The example by its own configuration, but for where it is built and where it serves.
#[test]
fn the_example_keeps_records_in_a_container() {
    if is_left_out() {
        return;
    }
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/wasmcloud/.wash/config.yaml");
    let config = fs::read_to_string(config).unwrap();
    let component = plugged(FUNCTION, "omnistorage-blobstore").display().to_string();
    let here = |line: &str| match line.split_once(": ") {
        Some((setting @ "  command", _)) => format!("{setting}: \"true\"\n"),
        Some((setting @ "  component_path", _)) => format!("{setting}: {component}\n"),
        Some((setting @ "  address", _)) => format!("{setting}: ADDRESS\n"),
        Some((setting @ "  wasi_blobstore_path", _)) => format!("{setting}: data\n"),
        _ => format!("{line}\n"),
    };
    let serving = Serving::in_wash_as(&config.lines().map(here).collect::<String>());
    let client = serving.client();
    let (sent, more) = (records(50_000), records(60_000));
    assert_eq!(client.put("/logs/a.ndjson", Body::Chunked(&sent)).status, 204);
    let stored = fs::read(serving.data().join("records/ndjson/logs/a.ndjson.zst")).unwrap();
    assert!(stored.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) && stored.len() < sent.len() / 4);
    let got = client.get("/logs/a.ndjson");
    assert!(got.status == 200 && got.is_whole && got.body == sent, "{got:?}");
    let listed = String::from_utf8(client.get("/").body).unwrap();
    let told = format!("{{\"modified\":null,\"name\":\"/logs/a.ndjson\",\"stored\":{}}}\n", stored.len());
    assert_eq!(listed, told);
    assert_eq!(client.get("/logs/b.ndjson").status, 404);
    assert_eq!(
        client.request("PUT", "/logs/a.ndjson", &[("if-none-match", "*")], Body::Whole(&sent)).status,
        501
    );

    // What was cut off leaves what was there, and nothing else.
    for cut in [Body::CutWhole(&more), Body::CutChunked(&more)] {
        client.abandon("/logs/a.ndjson", cut);
        client.abandon("/logs/b.ndjson", cut);
        assert!(client.cut("/logs/a.ndjson", cut).is_none_or(|status| status == 400));
    }
    serving.until(|| files(serving.data()) == ["a.ndjson.zst"]);
    assert!(client.get("/logs/a.ndjson").body == sent);

    assert_eq!(client.request("DELETE", "/logs/a.ndjson", &[], Body::None).status, 204);
    assert!(files(serving.data()).is_empty());
}

/// A host without it says what it lacks.
#[test]
fn a_host_without_a_blobstore_names_it() {
    if is_left_out() {
        return;
    }
    let suite = plugged("omnistorage-conformance-component", "omnistorage-provider-blobstore");
    let done =
        Command::new(tool("wasmtime")).args(["run", "--invoke", "rows()"]).arg(suite).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("wasi:blobstore/"), "{said}");
}
