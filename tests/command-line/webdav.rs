//! WebDAV by `webdav://`, and as a backend of the configuration.

use std::{fs, path::Path, process::Command};

use omnistorage_test_servers::{ACCESS_KEY, SECRET_KEY, rclone, webdav, webdav_with_password};

use crate::{
    command::{Run, command, run, run_with},
    tree::{Scratch, assert_equal, contents},
};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The place of a URL on a server.
fn at(endpoint: &str, path: &str) -> String {
    format!("{}/{path}", endpoint.replace("http://", "webdav://"))
}

#[track_caller]
fn sync(source: &str, target: &str, transferred: usize) {
    let summary = run(["sync", source, target, "--json"]).ok().summary();
    let counted = (summary["transferred"].as_u64(), summary["errors"].as_u64());
    assert_eq!(counted, (Some(transferred as u64), Some(0)), "{source} to {target}: {summary}");
}

#[test]
fn a_tree_goes_up_and_comes_down() {
    let scratch = Scratch::new();
    let source = scratch.odd_tree("source");
    // XML, in which WebDAV answers, has no such characters.
    for name in ["new\nline", "tab\tbed"] {
        fs::remove_file(source.join(name)).unwrap();
        fs::remove_dir_all(source.join(format!("in {name}"))).unwrap();
    }
    let (files, server) = (contents(&source).len(), &webdav().endpoint);
    let up = at(server, "a%20b/tree");
    sync(text(&source), &up, files);
    sync(text(&source), &up, 0);
    run(["check", "--download", text(&source), &up]).ok();
    let down = scratch.path("down");
    sync(&up, text(&down), files);
    assert_equal(&source, &down);

    // What rclone finds there, by requests of its own.
    let mut check = Command::new(rclone());
    check.args(["check", "--download", "--config", "/dev/null", "--webdav-url", server]);
    let checked: Run = check.args([text(&source), ":webdav:a b/tree"]).output().unwrap().into();
    checked.ok();

    assert_eq!(run(["ls", &at(server, "a%20b/tr*")]).ok().lines(), ["tree/"]);
    run(["move", &up, text(&scratch.path("moved"))]).ok();
    assert_equal(&source, &scratch.path("moved"));
    run(["ls", &at(server, "nowhere")]).fails(3, &["nowhere"]);
    run(["cat", &at(server, "nowhere")]).fails(4, &["nowhere"]);
}

#[test]
fn passwords_come_from_the_configuration_or_the_environment() {
    let scratch = Scratch::new();
    let server = &webdav_with_password().endpoint;
    let with = |input: &str, arguments: &[&str], password: Option<&str>| {
        let mut command = command(arguments);
        command.env("XDG_CONFIG_HOME", scratch.path("home"));
        if let Some(password) = password {
            command
                .env("OMNISTORAGE_WEBDAV_USERNAME", ACCESS_KEY)
                .env("OMNISTORAGE_WEBDAV_PASSWORD", password);
        }
        run_with(input.as_bytes(), &mut command)
    };
    let (endpoint, user) = (format!("endpoint={server}"), format!("username={ACCESS_KEY}"));
    let create = ["config", "create", "nas", "webdav", &endpoint, &user, "root=/home", "password=-"];
    with(&format!("{SECRET_KEY}\n"), &create, None).ok();
    with("", &["config", "test", "nas"], None).fails(3, &[&format!("there is no `{server}/home`")]);
    with("", &["mkdir", "nas:"], None).ok();
    assert_eq!(with("", &["config", "test", "nas"], None).ok().text(), "nas: answers, and is empty\n");
    with("hello", &["put", "nas:dir/a"], None).ok();
    assert_eq!(with("", &["cat", &at(server, "home/dir/a")], Some(SECRET_KEY)).ok().text(), "hello");

    for password in [Some("hush"), None] {
        let refused = with("", &["cat", &at(server, "home/dir/a")], password).fails(6, &["home/dir/a"]);
        assert!(!refused.stderr.contains("hush"), "{}", refused.stderr);
    }
    // Not where everybody can read along.
    let exposed = with("", &["cat", "webdav://nas.example/a"], Some("hush"));
    assert!(!exposed.stderr.contains("hush"), "{}", exposed.stderr);
    exposed.fails(2, &["nas.example", "https://"]);
}
