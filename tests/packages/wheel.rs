//! The wheel, in a fresh environment of Python.

use std::{fs, path::Path};

use crate::{Parts, REPOSITORY, VERSION, assert_starts_at_once, is_left_out, run};

#[test]
fn wheel() {
    if is_left_out("python") {
        return;
    }
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/wheel");
    assert!(
        tools.join("example").exists(),
        "{} has not what makes a wheel: run `make test`, which installs it (with the network, Python 3.10 and its module \
         venv), or leave it out with OMNISTORAGE_WITHOUT=python",
        tools.display(),
    );
    let python = tools.canonicalize().unwrap().join("bin/python");

    let parts = Parts::new();
    let out = parts.directory("out");
    let build = format!("{REPOSITORY}/host/packaging/python/build.py");
    run(&python, &[&build, &parts.binary, out.to_str().unwrap(), &parts.third_party], &out);
    let made: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [wheel] = &made[..] else { panic!("{made:?}") };
    let name = wheel.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("omnistorage-{VERSION}-py3-none-")), "{name}");
    assert!(!cfg!(target_os = "linux") || name.contains("-manylinux_2_"), "{name}");

    let fresh = parts.directory("fresh");
    run("python3", &["-m", "venv", "venv"], &fresh);
    let installed = fresh.join("venv/bin/python");
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-index",
        wheel.to_str().unwrap(),
    ];
    run(&installed, &pip, &fresh);
    assert_eq!(
        run(fresh.join("venv/bin/omnistorage"), &["--version"], &fresh).trim(),
        format!("omnistorage {VERSION}")
    );

    // Its README prints what it says, and its types hold.
    let readme = fs::read_to_string(format!("{REPOSITORY}/host/packaging/python/README.md")).unwrap();
    let block = |language: &str, number: usize| {
        let block = readme.split(&format!("```{language}\n")).nth(number).unwrap();
        block.split("```").next().unwrap().to_owned()
    };
    fs::write(fresh.join("readme.py"), block("python", 1)).unwrap();
    assert_eq!(run(&installed, &["readme.py"], &fresh), block("text", 2));
    let module = format!("{REPOSITORY}/host/packaging/python/omnistorage");
    let tests = format!("{REPOSITORY}/tests/packages/module.py");
    let interpreter = installed.to_str().unwrap();
    let strict = ["-m", "mypy", "--strict", "--cache-dir=mypy", "--python-executable", interpreter];
    run(&python, &[&strict[..], &[&module]].concat(), &fresh);
    run(&python, &[&strict[..], &["readme.py", &tests]].concat(), &fresh);
    run(&installed, &["-X", "dev", "-W", "error", &tests], &fresh);
    assert_starts_at_once(&fresh.join("venv"), &fresh);
}
