//! `--report`: what a run did, as a page and as events.

use std::fs;

use serde_json::Value;

use crate::{
    command::{pair, run},
    tree::Scratch,
};

/// A tree with names that would be more than text in a page, and a target where one object cannot go.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    for (path, contents) in [
        ("from/<script>alert('&')</script>.txt", "1"),
        ("from/photos/a.jpg", "12345"),
        ("from/photos/b.jpg", "123"),
        ("from/notes/\u{202e}odd", "12"),
        ("from/taken", "1"),
        ("to/taken/object", "in the way"),
        ("to/photos/old.jpg", "old"),
    ] {
        scratch.write(path, contents);
    }
    scratch
}

#[test]
fn a_page_shows_what_was_done() {
    let scratch = scratch();
    let page = scratch.path("reports/run.html");
    let (from, to) = (scratch.path("from"), scratch.path("to"));
    let copied = pair("copy", &from, &to, &["--report", page.to_str().unwrap(), "--exclude", "old.jpg"]);
    // The exit code is that of the run.
    let without = pair("copy", &from, &to, &[]);
    assert_eq!((copied.code, without.code), (Some(6), Some(6)), "{copied:?}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(page.contains("default-src 'none'"), "it can load nothing");
    // Names are text, and none turns the others around.
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert('&amp;')&lt;/script&gt;.txt"));
    assert!(page.contains("notes/\\u{202e}odd") && !page.contains('\u{202e}'));
    assert!(!page.contains("http://") && !page.contains("https://"));
    for shown in [
        "<b>4</b>transferred",
        "<b>1</b>failed",
        "incomplete",
        "By directory",
        "<td class=\"path\">photos</td><td class=\"number\">2</td><td class=\"number\">8 B</td>",
        "<td class=\"path\">taken</td>",
    ] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }
    let dry = scratch.path("dry.html");
    let options = ["--dry-run", "--report", dry.to_str().unwrap(), "--exclude", "taken"];
    pair("sync", &from, &to, &[&options[..], &["--exclude", "taken/**"]].concat()).ok();
    let dry = fs::read_to_string(dry).unwrap();
    for shown in ["dry run: nothing was changed", "<b>1</b>deleted", "photos/old.jpg"] {
        assert!(dry.contains(shown), "no {shown} in {dry}");
    }
    assert!(scratch.path("to/photos/old.jpg").exists());
}

#[test]
fn a_page_shows_the_differences() {
    let scratch = scratch();
    let page = scratch.path("check.html");
    let options = ["--report", page.to_str().unwrap()];
    let checked = pair("check", &scratch.path("from/photos"), &scratch.path("to/photos"), &options);
    assert_eq!(checked.code, Some(1));
    let page = fs::read_to_string(page).unwrap();
    for shown in ["<b>2</b>only in the source", "<b>1</b>only in the target", "a.jpg", "old.jpg"] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }
    // Of what is the same, only the number.
    let page = scratch.path("same.html");
    let options = ["--report", page.to_str().unwrap()];
    pair("copy", &scratch.path("from/photos"), &scratch.path("same"), &[]).ok();
    pair("check", &scratch.path("from/photos"), &scratch.path("same"), &options).ok();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<b>2</b>same") && !page.contains("a.jpg") && page.contains("no differences"));
}

/// The events of a report are those of `--json`, compressed as its name says.
#[test]
fn events_are_those_of_json() {
    for name in ["r.ndjson", "r.jsonl.gz", "r.ndjson.zst"] {
        let scratch = scratch();
        // More than goes through at once.
        for index in 0..3000 {
            scratch.write(&format!("from/many/{index:0100}"), "1");
        }
        let report = scratch.path(name);
        let options = ["--json", "--report", report.to_str().unwrap()];
        let synced = pair("sync", &scratch.path("from"), &scratch.path("to"), &options);
        let written = if name.ends_with(".ndjson") {
            fs::read(&report).unwrap()
        } else {
            run(["cat", "--decompress", report.to_str().unwrap()]).ok().stdout
        };
        assert!(written == synced.stdout, "{name}");
        let lines: Vec<Value> = synced.json();
        assert!(lines.len() > 3000 && lines.last().unwrap()["event"] == "summary");
    }
}

#[test]
fn a_report_that_cannot_be_is_an_error() {
    let scratch = scratch();
    let (from, to) = (scratch.path("from/photos"), scratch.path("new"));
    // Said before anything is done.
    for (name, word) in [("r.txt", ".html"), ("r.csv.gz", ".html"), ("r.html/", "directory"), ("-", "")] {
        let name = if name == "-" { name.into() } else { scratch.path(name) };
        pair("copy", &from, &to, &["--report", name.to_str().unwrap()]).fails_with(2, &[word]);
        assert!(!to.exists());
    }
    // Known at the end alone: the run is done, and what is missing is said.
    scratch.write("file", "");
    for name in ["file/r.html", "file/r.ndjson.gz"] {
        let report = scratch.path(name);
        let ended = pair("copy", &from, &to, &["-q", "--report", report.to_str().unwrap()]);
        ended.fails(1, &["the report `", name, "was not written"]);
        assert!(to.join("a.jpg").exists());
        fs::remove_dir_all(&to).unwrap();
    }
    // A run that failed as a whole has one that says so.
    let report = scratch.path("r.html");
    let missing = scratch.path("missing");
    pair("copy", &missing, &to, &["--report", report.to_str().unwrap()]).fails(3, &["missing"]);
    let report = fs::read_to_string(report).unwrap();
    assert!(report.contains("incomplete") && report.contains("missing`: "), "{report}");
    assert!(run(["copy", "--help"]).ok().text().contains("--report <PLACE>"));
}
