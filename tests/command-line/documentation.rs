//! The pages say what is so: commands print what stands below them, the reference is that of the binary, and whatever a
//! page names is there.

use std::{
    collections::BTreeSet,
    env, fs, iter,
    path::{Path, PathBuf},
};

use crate::{
    command::{BINARY, pair, program, run},
    tree::Scratch,
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display())).unwrap()
}

/// Every page, those of `host/docs` first.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(repository().join("host/docs")).unwrap();
    let others = ["README.md", "SECURITY.md", "CHANGELOG.md", ".github/CONTRIBUTING.md"];
    let docs = docs.map(|entry| entry.unwrap().path());
    let docs = docs.filter(|page| page.extension().is_some_and(|extension| extension == "md"));
    docs.chain(others.map(|page| repository().join(page))).collect()
}

/// Holds a page to what it should be. `UPDATE_GOLDEN=1` writes it.
fn assert_current(page: &Path, expected: &str, comparable: impl Fn(&str) -> String) {
    if env::var_os("UPDATE_GOLDEN").is_some() && comparable(&read(page)) != comparable(expected) {
        fs::write(page, expected).unwrap();
    }
    let is_current = comparable(&read(page)) == comparable(expected);
    assert!(is_current, "{} is not current: UPDATE_GOLDEN=1 writes it", page.display());
}

#[test]
fn the_reference_is_that_of_the_binary() {
    let page = repository().join("host/docs/command-line.md");
    assert_current(&page, run(["reference"]).ok().text(), str::to_owned);
}

/// What the reference has beside the commands.
const TOPICS: [&str; 5] = ["Places", "Filters", "Environment", "Exit codes", "Options of every command"];

#[test]
fn every_command_has_a_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    let arguments = ["reference".as_ref(), "--man".as_ref(), pages.as_os_str()];
    assert_eq!(run(arguments).ok().text(), "");
    let text = read(&repository().join("host/docs/command-line.md"));
    let commands: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(commands.contains(&"records convert"), "{commands:?}");
    for command in commands.iter().filter(|name| !TOPICS.contains(name)) {
        let page = read(&pages.join(format!("omnistorage-{}.1", command.replace(' ', "-"))));
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
}

/// A page with what its commands print now: those that stand behind `$ ` in blocks of `console`, run by a shell one after
/// the other in one directory.
fn replayed(page: &str, directory: &Path) -> String {
    let path = env::var_os("PATH").unwrap();
    let path = iter::once(Path::new(BINARY).parent().unwrap().to_owned()).chain(env::split_paths(&path));
    let path = env::join_paths(path).unwrap();
    let mut replayed = String::new();
    let mut is_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
        }
        if !is_console || line == "```console" {
            replayed += &format!("{line}\n");
        } else if let Some(typed) = line.strip_prefix("$ ") {
            let mut shell = program("sh");
            shell.args(["-c", &format!("exec 2>&1; {typed}")]).current_dir(directory).env("PATH", &path);
            let ran = shell.output().unwrap();
            replayed += &format!("{line}\n{}", String::from_utf8(ran.stdout).unwrap());
        }
    }
    replayed
}

/// Without the time that a run takes.
fn timeless(page: &str) -> String {
    let without = |line: &str| match line.rsplit_once(" in ") {
        Some((report, time)) if time.ends_with(" s") && time.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{report}\n")
        }
        _ => format!("{line}\n"),
    };
    page.lines().map(without).collect()
}

#[test]
fn the_tutorial_prints_what_it_says() {
    let page = repository().join("host/docs/tutorial.md");
    let directory = tempfile::tempdir().unwrap();
    assert_current(&page, &replayed(&read(&page), directory.path()), timeless);
}

/// The README works on files of the repository, which grow.
#[test]
fn the_readme_prints_what_it_says() {
    let page = repository().join("README.md");
    let directory = tempfile::tempdir().unwrap();
    pair("copy", &repository().join("wit"), &directory.path().join("wit"), &[]).ok();
    let without_numbers = |page: &str| {
        let mut text = timeless(page).replace(|c: char| c.is_ascii_digit(), "0");
        while text.contains("00") {
            text = text.replace("00", "0");
        }
        text
    };
    assert_current(&page, &replayed(&read(&page), directory.path()), without_numbers);
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = read(&page);
        let inline =
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        let defined =
            text.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
        for target in inline.chain(defined.map(|(_, target)| target)) {
            if !target.contains("://") && !target.contains("::") && !target.starts_with('#') {
                let file = page.parent().unwrap().join(target);
                assert!(file.exists(), "{}: no {target}", page.display());
            }
        }
    }
}

/// The functions in the Rust files below a directory.
fn functions(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = read(&path);
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split_once(['(', '<']));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn tests_that_are_named_exist() {
    let mut known = BTreeSet::new();
    for directory in ["guest", "host", "tests"] {
        functions(&repository().join(directory), &mut known);
    }
    let is_name = |word: &str| {
        word.matches('_').count() > 2
            && word.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        for name in text.split('`').filter(|word| is_name(word)) {
            assert!(known.contains(name), "{}: there is no test {name}", page.display());
            count += 1;
        }
    }
    assert!(count > 50, "{count} names");
}

/// The manifests for Kubernetes are what its schema asks for, and a wrong one is not.
#[test]
fn manifests_hold_to_the_schema_of_kubernetes() {
    let left_out = env::var("OMNISTORAGE_WITHOUT").unwrap_or_default();
    if left_out.split_whitespace().any(|name| name == "nats") {
        return;
    }
    let tool = Path::new(BINARY).parent().unwrap().join("../tools/kubernetes/bin/kubernetes-validate");
    assert!(
        tool.exists(),
        "there is no {}: run `make test`, which installs it (with the network)",
        tool.display()
    );
    let page = read(&repository().join("host/docs/cluster.md"));
    let manifests: Vec<_> =
        page.split("```").filter(|block| block.starts_with("text\napiVersion:")).collect();
    assert_eq!(manifests.len(), 1);
    let scratch = Scratch::new();
    let is_valid = |manifest: &str| {
        let file = scratch.write("manifest.yaml", manifest);
        std::process::Command::new(&tool).arg("--strict").arg(&file).output().unwrap().status.success()
    };
    let manifest = manifests[0].strip_prefix("text\n").unwrap();
    assert!(is_valid(manifest));
    assert!(!is_valid(&manifest.replace("replicas: 8", "replica: 8")));
    assert!(!is_valid(&manifest.replace("backoffLimit: 3", "backoffLimit: three")));
}

/// The script for Slurm is one that a shell can read.
#[test]
fn the_script_for_slurm_is_a_script() {
    let page = read(&repository().join("host/docs/cluster.md"));
    let script = page.split("```").find(|block| block.contains("#SBATCH")).unwrap();
    let scratch = Scratch::new();
    let file = scratch.write("job.sh", script.strip_prefix("text\n").unwrap());
    assert!(std::process::Command::new("sh").arg("-n").arg(file).status().unwrap().success());
}
