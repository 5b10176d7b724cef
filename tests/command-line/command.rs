//! Runs the binary.

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_omnistorage");

/// The binary, with nothing of the user's own configuration.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = program(BINARY);
    command.args(arguments);
    command
}

/// A program that may start the binary, in the same way.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        // Not among the user's own memos.
        .env("OMNISTORAGE_MEMO", concat!(env!("CARGO_TARGET_TMPDIR"), "/memos"))
        .env_remove("STORAGE_BACKEND")
        .stdin(Stdio::null());
    command
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// That exit code, and exactly one line on standard error, with all of these words.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "not one sentence: {}", self.stderr);
        self.says(words)
    }

    /// That exit code, and all of these words among whatever else is said.
    #[track_caller]
    pub(crate) fn fails_with(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.says(words)
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in: {}", self.stderr);
        }
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text is UTF-8")
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.text().lines().collect()
    }

    pub(crate) fn json(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// The last event.
    pub(crate) fn summary(&self) -> Value {
        let summary = self.json().pop().expect("there is a summary");
        assert_eq!(summary["event"], "summary", "{summary}");
        summary
    }
}

/// Runs the binary to its end.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    command(arguments).output().expect("the binary runs").into()
}

/// Runs the binary with a standard input.
pub(crate) fn run_with(input: &[u8], command: &mut Command) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that fails may not read it all.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("the program ends").into()
    })
}

/// A command of two places.
pub(crate) fn pair(name: &str, source: &Path, target: &Path, options: &[&str]) -> Run {
    let mut arguments: Vec<&OsStr> = vec![name.as_ref(), source.as_ref(), target.as_ref()];
    arguments.extend(options.iter().map(OsStr::new));
    run(arguments)
}

/// Compares JSON lines with those of a file, without what no two runs have in common. `UPDATE_GOLDEN=1` writes it.
#[track_caller]
pub(crate) fn assert_golden(name: &str, run: &Run) {
    let mut lines: Vec<String> = run
        .json()
        .into_iter()
        .map(|mut value| {
            for (key, placeholder) in
                [("elapsed_ms", "TIME"), ("modified", "TIME"), ("etag", "ETAG"), ("calls", "CALLS")]
            {
                if let Some(value) = value.get_mut(key).filter(|value| !value.is_null()) {
                    *value = placeholder.into();
                }
            }
            value.to_string()
        })
        .collect();
    let is_summary = |line: &String| line.contains("\"event\":\"summary\"");
    lines.sort_by_key(|line| (is_summary(line), line.clone())); // events of different objects have no order
    let found = lines.join("\n") + "\n";

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/command-line/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &found).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&file).expect("there is a golden file");
    assert_eq!(found, golden, "differs from {}", file.display());
}
