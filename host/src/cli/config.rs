//! `config`: the configuration file, without an editor.

#![allow(clippy::disallowed_methods, reason = "the configuration is a file")]

use std::{
    fs,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{
    Globals,
    configuration::{Configuration, default_file},
    exit::{Failure, Subject},
    input::require_input,
    local::Need,
    memo,
    output::{Output, note, printable},
    place::{Place, is_name, is_secret},
    remotes::Remotes,
    session::Session,
};
use crate::{Config as BackendConfig, Registry, backend::ListOptions};

/// Make, show and test backends of the configuration
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage config create nas s3 bucket=backup endpoint=https://nas:9000 access_key_id=me secret_access_key=-
  omnistorage config test nas
  omnistorage ls nas:";

#[derive(Subcommand)]
enum Command {
    Create(Create),
    Show(Show),
    Test(Test),
    Paths(Paths),
}

impl Config {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Create(command) => command.run(globals),
            Command::Show(command) => command.run(globals),
            Command::Test(command) => command.run(globals).await,
            Command::Paths(command) => command.run(globals),
        }
    }
}

/// Add a backend to the configuration file
///
/// Its settings are checked before anything is written; nothing is asked of the store: `config test` does that. The file is
/// readable by its owner alone.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage config create nas file root=/mnt/nas\n  omnistorage config create store s3 bucket=b endpoint=https://nas:9000 access_key_id=me secret_access_key=-"
)]
struct Create {
    /// What it is to be called in places: NAME:path
    name: String,
    /// One of those that `backends` lists
    kind: String,
    /// Its settings. The value `-` is read from standard input, a line each: secrets are not seen by others then
    #[arg(value_name = "KEY=VALUE", value_parser = key_and_value)]
    settings: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

impl Create {
    fn run(self, globals: &Globals) -> Result<(), Failure> {
        let file = file(globals)?;
        let is_there = fs::exists(&file).unwrap_or(true);
        if is_there && Configuration::load(Some(&file))?.0.has(&self.name) {
            return Err(Failure::usage(format!(
                "there is a backend `{}` in `{}` already: change it there, or choose another name",
                printable(&self.name),
                file.display()
            )));
        }
        let settings = self.settings()?;
        let text = table(&self.name, &self.kind, &settings);
        // Understood as it will be read.
        let parsed = crate::Configuration::parse("the new backend", &text);
        let parsed = parsed.map_err(|error| Failure::usage(error.message()))?;
        Configuration::checked(file.clone(), parsed.clone())?;
        parsed
            .open(&self.name, &Registry::with_builtin())
            .map_err(|error| Failure::usage(error.message()))?;

        let written = add(&file, &text);
        written.map_err(|error| Failure::system(&format!("cannot write `{}`", file.display()), error))?;
        if !globals.quiet {
            note(format_args!(
                "added `{}` to `{}`: `omnistorage config test {}` asks it for its listing",
                self.name,
                file.display(),
                self.name
            ));
        }
        Ok(())
    }

    /// With what standard input gives.
    fn settings(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut settings = Vec::new();
        for (key, value) in &self.settings {
            let value = match value.as_str() {
                "-" => line_of_input(key)?,
                value => value.to_owned(),
            };
            settings.push((key.clone(), value));
        }
        Ok(settings)
    }
}

fn line_of_input(key: &str) -> Result<String, Failure> {
    require_input()?;
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let count = read.map_err(|error| Failure::system("cannot read standard input", error))?;
    if count == 0 {
        return Err(Failure::usage(format!("standard input has no line for `{}`", printable(key))));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A backend as the file has it. Settings with a dot are those of a table in it.
fn table(name: &str, kind: &str, settings: &[(String, String)]) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut text = format!("[backends.{}]\nkind = {}\n", quoted(name), quoted(kind));
    for (key, value) in settings {
        let key: Vec<_> = key.split('.').map(quoted).collect();
        text += &format!("{} = {}\n", key.join("."), quoted(value));
    }
    text
}

/// Puts a backend behind what is in the file: as a whole, or not at all.
fn add(file: &Path, text: &str) -> io::Result<()> {
    // A link to the file stays one.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let directory =
        file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut before = match fs::read_to_string(&file) {
        Ok(before) => before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if !before.is_empty() {
        before += if before.ends_with('\n') { "\n" } else { "\n\n" };
    }
    // A temporary file is its owner's alone.
    let mut new = tempfile::NamedTempFile::new_in(directory)?;
    new.write_all(before.as_bytes())?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}

/// Show what the configuration file says, without secrets, and which remotes rclone's has
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage config show")]
struct Show {
    /// This backend alone
    name: Option<String>,
}

impl Show {
    fn run(self, globals: &Globals) -> Result<(), Failure> {
        let configuration = globals.configuration()?;
        if let Some(name) = &self.name {
            configuration.require(name)?;
        }
        let mut output = Output::new();
        for (name, kind) in
            configuration.backends().filter(|(name, _)| self.name.as_deref().is_none_or(|only| only == *name))
        {
            let settings = configuration.config(name).map(shown).unwrap_or_default();
            output.line(&format!("[backends.{name}]"))?;
            output.line(&format!("kind = {}", toml::Value::from(kind)))?;
            for (key, value) in settings {
                output.line(&format!("{key} = {value}"))?;
            }
            output.line("")?;
        }
        if self.name.is_none() {
            for remote in Remotes::all(globals)? {
                let (name, kind) = (printable(remote.name()), printable(remote.kind()));
                output.line(&format!("# rclone's remote {name}: (kind {kind})"))?;
            }
        }
        output.flush()
    }
}

/// The settings as they are written, with a word for each secret.
fn shown(config: &BackendConfig) -> Vec<(String, String)> {
    let keys: Vec<_> = config.keys().map(ToOwned::to_owned).collect();
    let mut config = config.clone();
    let mut shown = Vec::new();
    for key in keys {
        let value = match config.take::<String>(&key) {
            Ok(Some(value)) if !is_secret(&key) => toml::Value::from(value).to_string(),
            _ => "# a secret, not shown".to_owned(),
        };
        shown.push((key, value));
    }
    shown
}

/// Ask a backend for its listing, and tell whether it answers
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage config test nas")]
struct Test {
    /// A name of the configuration, or any place
    #[arg(value_name = "NAME|PLACE")]
    name: String,
}

impl Test {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let is_name = is_name(&self.name);
        let typed = if is_name { format!("{}:", self.name) } else { self.name };
        let place = Place::parse(typed.as_ref()).map_err(Failure::usage)?;
        let (session, at) = Session::one(globals, &place, Need::Contents)?;
        let failed = session.failure(Subject::Tree);
        let mut entries = session.storage.list(&at, &ListOptions::default()).await.map_err(&failed)?;
        let first = futures::StreamExt::next(&mut entries).await.transpose().map_err(&failed)?;
        let what = if first.is_some() { "answers, and is not empty" } else { "answers, and is empty" };
        let mut output = Output::new();
        output.line(&format!("{typed} {what}"))?;
        output.flush()
    }
}

/// Tell where the configuration and what is remembered are
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage config paths")]
struct Paths {}

impl Paths {
    fn run(self, globals: &Globals) -> Result<(), Failure> {
        let mut output = Output::new();
        let mut tell = |what: &str, path: Option<PathBuf>| {
            let told = match path {
                Some(path) if path.exists() => path.display().to_string(),
                Some(path) => format!("{} (not there)", path.display()),
                None => "nowhere: there is no home directory".to_owned(),
            };
            output.line(&format!("{:<22} {told}", format!("{what}:")))
        };
        tell("configuration", file(globals).ok())?;
        tell("rclone's configuration", Remotes::file(globals))?;
        tell("memos", memo::default_directory())?;
        output.flush()
    }
}

/// The configuration file, which need not exist.
fn file(globals: &Globals) -> Result<PathBuf, Failure> {
    let file = globals.config.clone().or_else(default_file);
    file.ok_or_else(|| {
        Failure::usage("there is no home directory for a configuration file: name one with --config")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let settings = [("root", "/a \"b\""), ("read_only", "true"), ("retry.attempts", "3")];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let text = table("nas", "file", &settings);
        let read = crate::Configuration::parse("t", &text).unwrap();
        assert_eq!(read.backends().collect::<Vec<_>>(), [("nas", "file")]);
        let mut config = read.config("nas").unwrap().clone();
        assert_eq!(config.take::<String>("root").unwrap().as_deref(), Some("/a \"b\""));
        assert_eq!(config.take::<u32>("retry.attempts").unwrap(), Some(3));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let config = BackendConfig::from([("secret_access_key", "hush"), ("bucket", "b")]);
        let told = shown(&config);
        assert!(told.contains(&("bucket".to_owned(), "\"b\"".to_owned())), "{told:?}");
        assert!(!format!("{told:?}").contains("hush"));
    }
}
