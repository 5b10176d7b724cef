//! The wheel, in a fresh environment of Python.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

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
    the_commands_of_the_readme_run(&fresh);

    // What is optional comes last: without it nothing else may need it.
    install_fsspec(&python, &installed, &fresh);
    let tests = format!("{REPOSITORY}/tests/packages/filesystem.py");
    run(&python, &[&strict[..], &[&module, &tests]].concat(), &fresh);
    run(&installed, &["-X", "dev", "-W", "error", &tests], &fresh);
    assert_starts_at_once(&fresh.join("venv"), &fresh);
}

/// Puts fsspec, which is Python alone, where the fresh environment finds it: from where the tools are, without a network.
fn install_fsspec(tools: &Path, installed: &Path, fresh: &Path) {
    let directory = |python: &Path| {
        let printed = run(python, &["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], fresh);
        PathBuf::from(printed.trim())
    };
    let (from, to) = (directory(tools), directory(installed));
    for entry in fs::read_dir(&from).unwrap() {
        let name = entry.unwrap().file_name();
        if name.to_str().is_some_and(|name| name == "fsspec" || name.starts_with("fsspec-")) {
            symlink(from.join(&name), to.join(&name)).unwrap();
        }
    }
    assert!(
        to.join("fsspec").exists(),
        "{} has no fsspec: run `make test`, which installs it",
        from.display()
    );
}

/// The first commands of the repository's README, as they stand there, print what it says, but for the time they took.
fn the_commands_of_the_readme_run(fresh: &Path) {
    let readme = fs::read_to_string(format!("{REPOSITORY}/README.md")).unwrap();
    let console = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let place = fresh.join("readme");
    fs::create_dir(&place).unwrap();
    let copied =
        Command::new("cp").args(["-r", &format!("{REPOSITORY}/wit"), "wit"]).current_dir(&place).status();
    assert!(copied.unwrap().success());
    let path = format!("{}:{}", fresh.join("venv/bin").display(), std::env::var("PATH").unwrap());
    // Sizes and times are those of the day.
    let wording = |text: &str| -> String {
        let mut text = text.replace(|c: char| c.is_ascii_digit(), "0");
        while text.contains("00") {
            text = text.replace("00", "0");
        }
        text
    };
    let commands: Vec<_> = console.split("$ ").filter(|command| !command.is_empty()).collect();
    assert!(commands.len() >= 5, "{console}");
    for command in commands {
        let (command, said) = command.split_once('\n').unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .current_dir(&place)
            .env("PATH", &path)
            .env("XDG_CONFIG_HOME", "/nonexistent");
        let done = shell.output().unwrap();
        let printed = [done.stdout, done.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(wording(printed.trim_end()), wording(said.trim_end()), "{command}");
        assert_eq!(done.status.success(), !said.starts_with("error: "), "{command}");
    }
}
