//! The component in JavaScript: the page of `examples/web`, and the npm package. The tests in `tests/web` use them as somebody
//! would, in Chromium and in Node.

use std::{env, fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{
    build::build,
    languages::{EXAMPLES, tools},
};

/// A program on `PATH`.
fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// A copy of what is in JavaScript, with the packages that it needs above it.
struct Workshop {
    scratch: TempDir,
    chromium: PathBuf,
}

impl Workshop {
    /// `None` if it is left out on purpose.
    fn new() -> Option<Self> {
        let tools = tools("web")?;
        let chromium = on_path("chromium").unwrap_or_else(|| {
            panic!(
                "there is no chromium on PATH: install it (as root, `make test` does), or leave it out with \
                 OMNISTORAGE_WITHOUT=web"
            )
        });
        let scratch = tempfile::tempdir().unwrap();
        symlink(tools.join("node_modules"), scratch.path().join("node_modules")).unwrap();
        let workshop = Self { scratch, chromium };
        for (from, to) in
            [("web", "examples"), ("../host/packaging/npm", "packaging"), ("../tests/web/.", ".")]
        {
            fs::create_dir_all(workshop.scratch.path().join(to)).unwrap();
            workshop.run("cp", &["-R", &format!("{EXAMPLES}/{from}"), to]);
        }
        Some(workshop)
    }

    /// Runs a program there to its good end, and returns what it says.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.scratch.path());
        command.env("CHROMIUM", &self.chromium).env("OMNISTORAGE", env!("CARGO_BIN_EXE_omnistorage"));
        command.env("PAGE", self.scratch.path().join("page")).env("VERSION", env!("CARGO_PKG_VERSION"));
        command.env("PACKAGE", self.scratch.path().join("package.tgz"));
        let done = command.output().unwrap();
        let said =
            [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(done.status.success(), "{program} {arguments:?}: {said}");
        said
    }

    fn test(&self, file: &str) {
        let said = self.run("node", &["--test", "--test-reporter=tap", file]);
        assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
    }
}

fn component() -> String {
    build("omnistorage-codec").into_os_string().into_string().unwrap()
}

#[test]
fn web_page() {
    let Some(workshop) = Workshop::new() else { return };
    workshop.run("node", &["examples/web/build.js", &component(), "page"]);
    workshop.run("cp", &["examples/web/jsconfig.json", "page"]);
    workshop.run("node_modules/.bin/tsc", &["--project", "page/jsconfig.json"]);
    workshop.test("page.test.js");
}

#[test]
fn web_package() {
    let Some(workshop) = Workshop::new() else { return };
    let repository = format!("{EXAMPLES}/..");
    let [mit, apache] = ["MIT", "APACHE"].map(|name| format!("{repository}/LICENSE-{name}"));
    let notices = "cd \"$1\" && python3 .cargo/notices.py \"$2\" omnistorage-codec";
    let third_party = workshop.scratch.path().join("THIRD-PARTY.txt");
    workshop.run("sh", &["-c", notices, "sh", &repository, third_party.to_str().unwrap()]);
    let build = ["packaging/npm/build.js", &component(), "package", env!("CARGO_PKG_VERSION")];
    workshop.run("node", &[&build[..], &[&mit, &apache, "THIRD-PARTY.txt"]].concat());
    let packed = workshop.run("npm", &["pack", "--silent", "./package"]);
    fs::rename(workshop.scratch.path().join(packed.trim()), workshop.scratch.path().join("package.tgz"))
        .unwrap();
    workshop.test("package.test.js");
}
