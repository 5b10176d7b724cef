//! Backends from the configuration file and from the environment.

use std::fs;

use crate::{
    command::{Run, command, run, run_with},
    tree::Scratch,
};

/// Runs with a configuration file of this text.
fn with_config(scratch: &Scratch, text: &str, arguments: &[&str]) -> Run {
    let config = scratch.write("c.toml", text);
    run(["--config", config.to_str().unwrap()].iter().chain(arguments))
}

#[test]
fn the_file_and_the_environment_come_to_the_same() {
    let scratch = Scratch::new();
    scratch.write("root/in/a", "1");
    scratch.write("root/b", "2");
    let root = scratch.path("root");
    let config = format!(
        "[backends.nas]\nkind = 'file'\nroot = {root:?}\nprefix = 'in'\nread_only = true\nretry = {{ attempts = 2 }}\n"
    );
    let by_file = |arguments: &[&str]| with_config(&scratch, &config, arguments);
    let by_environment = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("STORAGE_BACKEND", "file").env("OMNISTORAGE_FILE_ROOT", &root);
        command.env("OMNISTORAGE_FILE_PREFIX", "in").env("OMNISTORAGE_FILE_READ_ONLY", "true");
        run_with(b"", command.env("OMNISTORAGE_FILE_RETRY__ATTEMPTS", "2"))
    };
    assert_eq!(by_file(&["ls", "nas:"]).ok().lines(), ["a"]);
    assert_eq!(by_environment(&["ls", "env:"]).ok().lines(), ["a"]);
    assert!(by_environment(&["backends"]).ok().lines().contains(&"env: (file)"));
    by_file(&["rm", "nas:a"]).fails(6, &["`nas:a`", "read-only"]);
    by_environment(&["rm", "env:a"]).fails(6, &["`env:a`", "read-only"]);
    assert!(root.join("in/a").exists());
}

#[test]
fn what_is_wrong_with_a_backend_is_named() {
    let scratch = Scratch::new();
    let broken = |setting: &str| format!("[backends.nas]\nkind = 'memory'\n{setting}\n");
    let listed = |text: &str| with_config(&scratch, text, &["ls", "nas:"]);
    listed(&broken("retry.atempts = 3")).fails(2, &["c.toml", "`nas`", "`retry.atempts`"]);
    listed(&broken("rot = 'hush'")).fails(2, &["c.toml", "`nas`", "`rot`"]);
    listed("[backends.nas]\nroot = 'x'").fails(2, &["c.toml", "`nas`", "`kind`"]);
    listed("[backends.s3]\nkind = 'memory'").fails(2, &["c.toml", "`s3`"]);
    run(["ls", "env:"]).fails(2, &["STORAGE_BACKEND"]);
    let unknown = |name: &str, value: &str| {
        let mut command = command(["ls", "env:"]);
        crate::command::run_with(b"", command.env("STORAGE_BACKEND", "memory").env(name, value))
    };
    unknown("STORAGE_BACKEND", "s4").fails(2, &["`s4`", "the environment", "memory"]);
    unknown("OMNISTORAGE_MEMORY_ROOT", "x").fails(2, &["`root`", "the environment"]);
    unknown("OMNISTORAGE_FILE_ROOT", "x").ok(); // of a kind that is not meant
}

#[test]
fn a_wrapped_backend_is_not_gone_around() {
    let scratch = Scratch::new();
    scratch.write("root/in/a", "1");
    let root = scratch.path("root");
    let config = format!("[backends.nas]\nkind = 'file'\nroot = {root:?}\nprefix = 'in'\nread_only = true\n");
    let root = root.to_str().unwrap();
    let outside = scratch.path("copy");
    for arguments in [["sync", root, "nas:"], ["sync", "nas:", root], ["copy", root, "nas:sub"]] {
        with_config(&scratch, &config, &arguments).fails(7, &["overlap"]);
    }
    with_config(&scratch, &config, &["sync", "nas:", outside.to_str().unwrap()]).ok();
    assert_eq!(fs::read(outside.join("a")).unwrap(), b"1");
    assert_eq!(fs::read_dir(root).unwrap().count(), 1);
}

#[test]
fn faults_on_purpose_are_mended_by_retries() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c", "d", "e"] {
        scratch.write(&format!("root/{name}"), name);
    }
    let root = scratch.path("root");
    let config = |more: &str| format!("[backends.nas]\nkind = 'file'\nroot = {root:?}\n{more}");
    let retry = config("fault.every = 3\nretry = { attempts = 9, delay = '1ms' }");
    assert_eq!(with_config(&scratch, &retry, &["ls", "nas:"]).ok().lines(), ["a", "b", "c", "d", "e"]);
    with_config(&scratch, &config("fault.every = 1"), &["ls", "nas:"]).fails(5, &["on purpose"]);
}

#[test]
fn a_whole_run_is_done_again_on_demand() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c", "d", "e"] {
        scratch.write(&format!("source/{name}"), name);
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let config = format!("[backends.nas]\nkind = 'file'\nroot = {target:?}\nfault.every = 4\n");
    fs::create_dir(&target).unwrap();
    let sync = |more: &[&str]| {
        let arguments = [&["sync", source.to_str().unwrap(), "nas:", "--retries", "1"], more].concat();
        with_config(&scratch, &config, &arguments)
    };
    let once = sync(&[]);
    assert_eq!(once.code, Some(5), "{once:?}");
    let twice = sync(&["--runs", "9"]).ok();
    assert!(twice.stderr.contains("run 2 of 9 in 1 s"), "{twice:?}");
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(fs::read(target.join(name)).unwrap(), name.as_bytes());
    }
}
