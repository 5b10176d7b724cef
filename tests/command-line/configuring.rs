//! The command `config`, help, and where messages go.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    command::{Run, command, run, run_with},
    tree::Scratch,
};

fn config(scratch: &Scratch, input: &[u8], arguments: &[&str]) -> Run {
    run_with(input, command(["config"].iter().chain(arguments)).env("XDG_CONFIG_HOME", scratch.path("home")))
}

#[test]
fn a_backend_is_made_and_shown_and_tested() {
    let scratch = Scratch::new();
    scratch.write("data/a", "1");
    let data = scratch.path("data");
    let file = scratch.path("home/omnistorage/config.toml");
    let root = format!("root={}", data.display());
    assert!(config(&scratch, b"", &["paths"]).ok().text().contains("config.toml (not there)"));
    assert!(config(&scratch, b"", &["create", "nas", "file", &root]).ok().stderr.contains("config test nas"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(config(&scratch, b"", &["test", "nas"]).ok().text(), "nas: answers, and is not empty\n");

    // Secrets come by standard input, and go nowhere.
    let settings =
        ["create", "store", "s3", "bucket=b", "access_key_id=AK", "secret_access_key=-", "retry.attempts=2"];
    config(&scratch, b"hush\n", &settings).ok();
    assert!(fs::read_to_string(&file).unwrap().contains("\"hush\""));
    let shown = config(&scratch, b"", &["show"]).ok();
    assert!(
        shown.text().contains("[backends.nas]") && shown.text().contains("bucket = \"b\""),
        "{}",
        shown.text()
    );
    assert!(shown.text().contains("secret_access_key = # a secret") && !shown.text().contains("hush"));
    assert!(!config(&scratch, b"", &["show", "nas"]).ok().text().contains("store"));

    // What is wrong changes nothing.
    let before = fs::read(&file).unwrap();
    for (arguments, words) in [
        (&["create", "nas", "file", root.as_str()][..], ["`nas`", "already"]),
        (&["create", "x", "fiel", "root=/"], ["`fiel`", "x"]),
        (&["create", "x", "s3", "buckt=b"], ["x", "bucket"]),
        (&["create", "a/b", "file", root.as_str()], ["a/b", "letters"]),
        (&["create", "s3", "file", root.as_str()], ["s3", "called"]),
        (
            &["create", "x", "s3", "bucket=b", "access_key_id=AK", "secret_access_key=-"],
            ["standard input", "`secret_access_key`"],
        ),
        (&["show", "none"], ["`none`", "config.toml"]),
        (&["test", "none"], ["`none`", "config.toml"]),
    ] {
        config(&scratch, b"", arguments).fails(2, &words);
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_file_that_others_can_read_is_warned_of() {
    let scratch = Scratch::new();
    let file =
        scratch.write("home/omnistorage/config.toml", "[backends.s]\nkind = 's3'\nsession_token = 'hush'\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = config(&scratch, b"", &["show"]).ok();
    assert!(shown.stderr.contains("warning") && shown.stderr.contains("others can read"), "{}", shown.stderr);
    // A backend more makes it private.
    config(&scratch, b"", &["create", "m", "memory"]).ok();
    assert_eq!(config(&scratch, b"", &["show"]).ok().stderr, "");
}

#[test]
fn help_has_topics() {
    let first = run(["--help"]).ok();
    for word in [
        "s3://bucket/key",
        "gs://bucket/key",
        "NAME:path",
        "standard input",
        "help places",
        "help exit-codes",
    ] {
        assert!(first.text().contains(word), "no {word}");
    }
    for (topic, word) in [
        ("places", "s3://bucket?region="),
        ("filters", "--files-from"),
        ("environment", "STORAGE_BACKEND"),
        ("exit-codes", "  10    "),
    ] {
        assert!(run(["help", topic]).ok().text().contains(word), "{topic}");
    }
    assert!(run(["help", "copy"]).ok().text().contains("SOURCE"));
    for name in ["ls", "tree", "du"] {
        let help = run([name, "--help"]).ok();
        assert!(help.text().contains("--human-readable") && help.text().contains("Examples:"), "{name}");
    }
}

#[test]
fn messages_go_to_a_file_as_asked() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let log = scratch.path("log");
    let copy = |options: &[&str], from: &str| {
        let log = ["--log-file", log.to_str().unwrap()];
        run_with(
            b"",
            command(["copy"]).args(log).args(options).arg(scratch.path(from)).arg(scratch.path("b")),
        )
    };
    assert_eq!(copy(&["-v"], "a").ok().stderr, "");
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("20") && lines[0].contains("Z transferred `x`"), "{text}");
    assert!(lines[1].contains("transferred 1 object"), "{text}");

    // What ends a command is told on standard error, too; and the file goes on.
    copy(&["--log-format", "json"], "gone").fails(3, &["gone`"]);
    let text = fs::read_to_string(&log).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["level"], text.lines().count()), (&"error".into(), 3));
    assert!(
        last["message"].as_str().unwrap().contains("does not exist") && last["time"].is_string(),
        "{last}"
    );
    let below_a_file = scratch.path("a/x/log");
    let refused =
        command(["ls", "--log-file", below_a_file.to_str().unwrap()]).arg(scratch.path("a")).output();
    Run::from(refused.unwrap()).fails(2, &["a/x/log"]);

    let json =
        run_with(b"", command(["copy", "--log-format=json"]).arg(scratch.path("a")).arg(scratch.path("c")))
            .ok();
    let line: serde_json::Value = serde_json::from_str(json.stderr.trim_end()).unwrap();
    assert_eq!(line["level"], "info");
}

#[test]
fn a_run_ends_when_its_time_is_over() {
    let scratch = Scratch::new();
    const SIZE: usize = 300 << 10;
    for number in 0..6 {
        scratch.write(&format!("a/{number}"), vec![b'x'; SIZE]);
    }
    let copy = |options: &[&str]| {
        run_with(b"", command(["sync", "--json"]).args(options).arg(scratch.path("a")).arg(scratch.path("b")))
    };
    // No time at all: nothing is begun, and nothing deleted.
    scratch.write("b/extra", "stays");
    let none = copy(&["--max-duration", "0s"]);
    assert_eq!(none.code, Some(10), "{none:?}");
    assert_eq!((&none.summary()["stopped"], &none.summary()["transferred"]), (&"deadline".into(), &0.into()));
    assert!(scratch.path("b/extra").exists());
    // In the middle: what was begun is whole, the rest is yet to come.
    for mode in ["soft", "hard"] {
        let some =
            copy(&["--max-duration", "1s", "--cutoff-mode", mode, "--bwlimit", "300K", "--transfers", "1"]);
        assert_eq!(some.code, Some(10), "{mode}: {some:?}");
        let there = fs::read_dir(scratch.path("b")).unwrap().count();
        assert!(there < 7, "{mode}: {there}");
        for entry in fs::read_dir(scratch.path("b")).unwrap().map(Result::unwrap) {
            let size = entry.metadata().unwrap().len();
            assert!(
                size == SIZE as u64 || entry.file_name() == "extra",
                "{mode}: {:?} has {size}",
                entry.file_name()
            );
        }
    }
    copy(&["--max-duration", "1h"]).ok();
    assert_eq!(fs::read_dir(scratch.path("b")).unwrap().count(), 6);
    assert_eq!(copy(&["--cutoff-mode", "sometime"]).code, Some(2));
}

#[test]
fn progress_is_said_every_so_often() {
    let scratch = Scratch::new();
    scratch.write("a/x", vec![b'x'; 30 << 10]);
    let run = run_with(
        b"",
        command(["copy", "--stats", "300ms", "--bwlimit", "20K"])
            .arg(scratch.path("a"))
            .arg(scratch.path("b")),
    )
    .ok();
    assert!(run.stderr.lines().count() >= 3 && run.stderr.contains("/s"), "{}", run.stderr);
    let quiet =
        run_with(b"", command(["copy", "--stats", "0s"]).arg(scratch.path("a")).arg(scratch.path("c"))).ok();
    assert_eq!(quiet.stderr.lines().count(), 1);
}
