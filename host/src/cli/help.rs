//! What `help` tells beside the commands: topics.

use std::ffi::OsString;

use clap::Command;

use super::{exit::Failure, grammar, output::Output};

/// What stands below the list of commands.
pub(super) const FIRST_PAGE: &str = "\
A PLACE is one of
  ./dir, /abs/file      a path, or file:///abs/dir as a URL
  s3://bucket/key       Amazon S3, and what speaks its protocol; s3:// for the buckets of the account
  gs://bucket/key       Google Cloud Storage
  az://container/key    Azure Blob Storage
  sftp://host/path      a server of SFTP, by the ssh of this machine; sftp://host/~/path from the home directory on
  webdavs://host/path   a server of WebDAV
  https://host/path     a web server, to be read
  NAME:path             a backend of the configuration: `omnistorage config` makes one
  memory:path           a store that lives as long as the command
  -                     standard input or output, where one object is read or written

Every option can also be set by the environment, which the command line overrules: --dry-run by OMNISTORAGE_DRY_RUN=true.

More:
  omnistorage help places         what can stand for a PLACE, wildcards, credentials
  omnistorage help filters        --include, --exclude, --filter, sizes and ages
  omnistorage help environment    variables
  omnistorage help exit-codes     what the exit code tells";

/// A page about something that is no command.
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

/// All of them.
pub(super) const TOPICS: [Topic; 4] = [
    Topic { name: "places", title: "Places", text: PLACES },
    Topic { name: "filters", title: "Filters", text: FILTERS },
    Topic { name: "environment", title: "Environment", text: ENVIRONMENT },
    Topic { name: "exit-codes", title: "Exit codes", text: EXIT_CODES },
];

const PLACES: &str = "\
A place is a directory and what is below it, or an object.

  dir, ./dir, /abs/dir  a path of the operating system. One that looks like something below is written ./PATH
  file:///abs/dir       the same as a URL: a blank is %20, and %, ? and # are %25, %3F and %23
  s3://bucket/key       an object of S3, or what is below `key/`. The key is taken as it is, without decoding
  s3://                 the buckets of the account, to `ls` them; `mkdir s3://bucket` makes one, and `rmdir` removes it
                        when nothing is in it
  gs://bucket/key       the same in Google Cloud Storage; `ls gs://` and `mkdir gs://bucket` take the project from
                        GOOGLE_CLOUD_PROJECT or the file of the credentials
  az://container/key    the same in Azure Blob Storage; az://container?account=NAME/key says of which account
  sftp://host/path      a server of SFTP from its root on, sftp://user@host:port/~/path from the home directory on. It is a
                        URL, as file:///abs/dir is. The ssh of this machine connects, by its own configuration, keys, agent
                        and known hosts, and asks nothing: what needs a password fails. Links on the way to the place are
                        followed, those in it are not
  webdavs://host/path   a server of WebDAV; webdav://host/path without encryption. It is a URL, as file:///abs/dir is. A
                        server that asks for a path of its own in front (https://host/remote.php/dav/files/me) is easier
                        to use as a backend of the configuration, whose `endpoint` has that path
  https://host/path     what a web server gives to everybody, to be read: objects, and directories by the pages that nginx,
                        Apache and python -m http.server write; any other page is an error
  memory:path           a store that lives as long as the command
  NAME:path             a backend of the configuration (`omnistorage config paths` says where that is), of any kind that
                        `omnistorage backends` lists; or a remote of rclone's configuration
  env:path              the backend that STORAGE_BACKEND and OMNISTORAGE_<KIND>_<SETTING> describe
  -                     standard input or output, for commands that read or write one object

A slash at the end means a directory, also where a store has an object of that name.

Settings of a store can stand in the place itself, behind a `?` and before the key as they are called in the configuration:
  s3://bucket?region=eu-west-1&anonymous=true
  s3://bucket?endpoint=http://127.0.0.1:9000/logs/2026
Secrets are not taken there, since others see the command line of a process.

Wildcards. From the first segment that holds a `*` on, a place that is read or deleted from is a pattern: `*` stays within
a segment, `**` does not, and ?, [a-z] and {a,b} are as in filters. Quote it, so that the shell leaves it alone:
  omnistorage ls 's3://bucket/logs/2026-*.gz'
A file that has the very name is that file; [*] is the character.

Credentials. S3 takes those of the AWS tools: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws, single
sign-on, the role of the machine; AWS_REGION, and AWS_ENDPOINT_URL for another store. Google Cloud Storage takes
GOOGLE_APPLICATION_CREDENTIALS, the login of gcloud, the account of the machine; STORAGE_EMULATOR_HOST for a local server.
Azure takes AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING, the
login of az, AZURE_CLIENT_ID with its secret or certificate, the identity of the machine.
WebDAV takes OMNISTORAGE_WEBDAV_USERNAME and OMNISTORAGE_WEBDAV_PASSWORD, or OMNISTORAGE_WEBDAV_TOKEN; without encryption
only on this machine, or with OMNISTORAGE_WEBDAV_ALLOW_HTTP=true.
SFTP takes what ssh takes: ~/.ssh/config, keys, the agent. It asks for no password.
A backend of the configuration has settings of its own.";

const FILTERS: &str = "\
Filters choose objects: of both sides for copy, sync, move and check, and of the place for ls, tree, size, du, hash and rm.
What is excluded is neither transferred nor deleted. They are rclone's.

  --include PATTERN     objects that match, and no others
  --exclude PATTERN     all but objects that match
  --filter RULE         `+ PATTERN` or `- PATTERN`: the first rule that matches decides
  --files-from FILE     the objects listed in FILE, one path a line
  --min-size, --max-size 10K    by size: B, K, M, G, T, P, each 1024 of the one before; a bare number is KiB
  --min-age, --max-age 30d      by modification time: ms, s, m, h, d, w, M, y; or a date, 2026-02-28
  --max-depth N         levels: 1 is the directory itself

Patterns:
  *.gz                  `*` and `?` match within a segment; without a slash in front, at any depth
  /logs/*.gz            a slash in front begins at the place
  logs/**               `**` matches across segments
  cache/                a slash at the end means a directory, and all below it
  [a-z], {a,b}          one of the characters, one of the words
  {{[0-9]+}}            a regular expression

`--include` and `--exclude` do not go together, since their order would be a surprise: --filter has one. A value may begin
with a hyphen: --filter '- *.tmp'. `omnistorage copy --explain PATH SOURCE TARGET` says which rule decides, and what is done.

  omnistorage copy --exclude '*.part' ./photos s3://bucket/photos
  omnistorage sync --filter '+ *.jpg' --filter '- *' ./photos nas:photos
  omnistorage rm -r --min-age 30d s3://bucket/logs";

const ENVIRONMENT: &str = "\
  OMNISTORAGE_<OPTION>            any option, with `_` for `-`: OMNISTORAGE_DRY_RUN=true, OMNISTORAGE_TRANSFERS=8. The
                                  command line overrules it, and a command that has no such option ignores it
  OMNISTORAGE_CONFIG              the configuration file, instead of omnistorage/config.toml in the user's configuration
                                  directory ($XDG_CONFIG_HOME, else ~/.config)
  OMNISTORAGE_RCLONE_CONFIG       the configuration file of rclone, instead of its own
  STORAGE_BACKEND                 the kind of the backend `env`, whose settings are OMNISTORAGE_<KIND>_<SETTING>:
                                  STORAGE_BACKEND=file OMNISTORAGE_FILE_ROOT=/srv; a dot in a setting is written `__`
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, ...
                                  S3, as the AWS tools have them
  GOOGLE_APPLICATION_CREDENTIALS, STORAGE_EMULATOR_HOST, GOOGLE_CLOUD_PROJECT
                                  Google Cloud Storage
  AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING, ...
                                  Azure Blob Storage, as az has them
  XDG_CACHE_HOME                  where the compiled component and memos are kept, else ~/.cache
  OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, TRACEPARENT, ...
                                  where traces of commands go, as programs with OpenTelemetry have them

A variable OMNISTORAGE_... that means nothing is warned of.";

const EXIT_CODES: &str = "\
  0     done
  1     differences that `check` found, or an error of no class below
  2     usage: the command was not understood, or asks for what cannot be
  3     directory not found
  4     object not found
  5     an error remained that may pass if the command is run again
  6     an error remained that no retry mends
  7     refused or stopped to keep data safe: overlap, empty source, --max-delete
  8     --max-transfer was reached
  10    --max-duration was reached
  130   ended by SIGINT
  143   ended by SIGTERM

If several objects failed, the worst error counts: 5 only if each of them may pass. They are rclone's, but for 2.";

/// The topic that a command line asks for.
pub(super) fn asked_for(grammar: &Command, arguments: &[OsString]) -> Option<&'static Topic> {
    let at = grammar::position_of_command(grammar, arguments)?;
    let [command, name] = arguments.get(at..)? else { return None };
    if command != "help" {
        return None;
    }
    TOPICS.iter().find(|topic| name == topic.name)
}

impl Topic {
    pub(super) fn print(&self) -> Result<(), Failure> {
        let mut output = Output::new();
        output.bytes(self.text.as_bytes())?;
        output.bytes(b"\n")?;
        output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line;

    /// The words of an example, as a shell without anything but single quotes has them.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for (index, part) in line.split('\'').enumerate() {
            if index % 2 == 1 {
                words.last_mut().unwrap().push_str(part);
                continue;
            }
            let mut parts = part.split(' ');
            words.last_mut().unwrap().push_str(parts.next().unwrap());
            words.extend(parts.map(ToOwned::to_owned));
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        fn check(command: &Command, name: &str) {
            let shown = || command.get_subcommands().filter(|below| !below.is_hide_set());
            if shown().next().is_some() {
                return shown().for_each(|below| check(below, &format!("{name} {}", below.get_name())));
            }
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(text.starts_with("Examples:\n"), "{name} has no examples");
            for line in text.lines().skip(1) {
                assert!(line.contains(&name[1..]), "{name}: {line}");
                let Some(typed) = line.trim().strip_prefix("omnistorage ") else { continue };
                let typed = typed.split([';', '|', '<', '>']).next().unwrap();
                let typed = words(&format!("omnistorage {typed}"));
                let read = command_line().try_get_matches_from(&typed);
                assert!(read.is_ok(), "{typed:?}: {}", read.unwrap_err());
            }
            for place in command.get_positionals() {
                assert!(place.get_help().is_some(), "{name} does not say what it takes");
            }
        }
        command_line().get_subcommands().filter(|command| !command.is_hide_set()).for_each(|command| {
            check(command, &format!(" {}", command.get_name()));
        });
    }

    #[test]
    fn a_topic_is_no_command() {
        let asked = |line: &[&str]| {
            let words: Vec<_> = line.iter().map(OsString::from).collect();
            asked_for(&command_line(), &words).map(|topic| topic.name)
        };
        for topic in &TOPICS {
            assert!(command_line().find_subcommand(topic.name).is_none(), "{}", topic.name);
            assert_eq!(asked(&["x", "help", topic.name]), Some(topic.name));
            assert!(FIRST_PAGE.contains(&format!("help {}", topic.name)), "{}", topic.name);
            assert!(topic.text.lines().all(|line| line.chars().count() <= 125), "{}", topic.name);
        }
        assert_eq!(asked(&["x", "help", "ls"]), None);
        assert_eq!(asked(&["x", "ls", "places"]), None);
    }
}
