//! S3 over the connections of a stock host.

use std::ffi::OsString;

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, Fault, Proxy, SECRET_KEY, Server, moto, weed};

use crate::{
    conformance::every_row_holds,
    shipped::plugged,
    stock::{is_left_out, returned, variable, wasmtime},
};

const PROVIDER: &str = "omnistorage-provider-s3";

/// Lets a component send requests, and describes a backend by that name.
fn described(name: &str, endpoint: &str, prefix: &str) -> Vec<[OsString; 2]> {
    let settings = [
        ("KIND", "s3"),
        ("BUCKET", BUCKET),
        ("PREFIX", prefix),
        ("ENDPOINT", endpoint),
        ("ACCESS_KEY_ID", ACCESS_KEY),
        ("SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    let settings =
        settings.map(|(key, value)| variable(&format!("OMNISTORAGE_{}_{key}", name.to_uppercase()), value));
    [["-S".into(), "http".into()]].into_iter().chain(settings).collect()
}

/// A prefix that nobody else uses.
fn unused(server: &Server) -> String {
    server.config_and_prefix().1
}

#[test]
fn moto_keeps_every_promise() {
    let grant = |_: &std::path::Path| described("s3", &moto().endpoint, &unused(moto()));
    every_row_holds(PROVIDER, "s3", grant, &[]);
}

#[test]
fn seaweedfs_keeps_what_it_keeps_for_a_native_host() {
    let grant = |_: &std::path::Path| {
        let mut granted = described("s3", &weed().endpoint, &unused(weed()));
        // It lists directory by directory.
        granted.push(variable("OMNISTORAGE_S3_SORTED_LIST", "false"));
        granted
    };
    // It takes a backslash for a slash, and what is sorted here holds an entry back.
    every_row_holds(
        PROVIDER,
        "s3",
        grant,
        &["names.printable-names-are-kept", "list.a-listing-may-be-dropped"],
    );
}

/// A host may say of a body that was cut that this was its end: it must never be taken for whole.
#[test]
fn what_breaks_off_is_asked_for_again() {
    if is_left_out() {
        return;
    }
    let suite = plugged("omnistorage-conformance-component", PROVIDER);
    for row in [
        "read.what-is-written-is-read",
        "read.ranges-start-and-end-anywhere",
        "list.many-objects-are-listed-whole",
    ] {
        let proxy = Proxy::before(&moto().endpoint);
        let mut number = 0;
        proxy.plan(move |request| {
            number += 1;
            (request.method == "GET" && number % 3 == 0).then_some(Fault::CutAnswer)
        });
        let granted = described("s3", &proxy.endpoint, &unused(moto()));
        let checked = wasmtime(&suite, &granted, &format!("check(\"{row}\",\"s3\")")).output().unwrap();
        assert_eq!(returned(&checked), "ok", "{row}");
    }
}

/// Another endpoint is another store: all bytes pass through the component, large objects in parts.
#[test]
fn two_stores_are_mirrored() {
    if is_left_out() {
        return;
    }
    let application = plugged("omnistorage-hosts-application", "omnistorage-s3");
    let (from, to) = (unused(moto()), unused(moto()));
    for number in 0..100 {
        moto().put(&format!("{from}/{}/{number}", number % 10), &number.to_string().repeat(number));
    }
    moto().put(&format!("{from}/large"), &"0123456789abcdef".repeat(12 << 16));
    let other = Proxy::before(&moto().endpoint);
    let mut granted = described("from", &moto().endpoint, &from);
    granted.extend(described("to", &other.endpoint, &to));
    for expected in
        ["ok(\"101 transferred, 0 deleted, 0 errors\")", "ok(\"0 transferred, 0 deleted, 0 errors\")"]
    {
        let mirrored = wasmtime(&application, &granted, "mirror(\"from\",\"to\")").output().unwrap();
        assert_eq!(returned(&mirrored), expected);
    }
}

#[test]
fn what_keeps_requests_from_being_sent_is_told() {
    if is_left_out() {
        return;
    }
    let suite = plugged("omnistorage-conformance-component", PROVIDER);
    let call = "check(\"read.what-is-missing-is-not-found\",\"s3\")";
    let described = described("s3", "http://127.0.0.1:9", "x");
    let without_http = wasmtime(&suite, &described[1..], call).output().unwrap();
    assert!(String::from_utf8_lossy(&without_http.stderr).contains("wasi:http/"), "{without_http:?}");
    // Nobody answers on that port, nor will the next time.
    let unanswered = wasmtime(&suite, &described, call).output().unwrap();
    let told = String::from_utf8_lossy(&unanswered.stderr).into_owned();
    assert!(told.contains("cannot reach `127.0.0.1`: the connection was refused"), "{told}");
}
