//! Options of rclone, aws, gsutil, s5cmd and mc that do not exist here: whoever tries one is told what to use instead.

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// What corresponds to an option of another tool here.
struct Hint {
    /// Without the hyphens.
    options: &'static [&'static str],
    /// A sentence.
    instead: &'static str,
}

const fn hint_for(options: &'static [&'static str], instead: &'static str) -> Hint {
    Hint { options, instead }
}

/// The options that users of rclone 1.75 and of others reach for, by purpose.
const HINTS: &[Hint] = &[
    hint_for(
        &["delete", "remove"],
        "`omnistorage sync` deletes what is extra on TARGET, `omnistorage copy` deletes nothing",
    ),
    hint_for(
        &["recursive", "r", "R"],
        "a directory is meant with all that is below it; --max-depth 1 keeps to its own objects",
    ),
    hint_for(
        &["profile"],
        "set AWS_PROFILE in the environment, or `profile` of a backend in the configuration (`omnistorage config paths`)",
    ),
    hint_for(
        &["endpoint-url", "endpoint"],
        "set AWS_ENDPOINT_URL in the environment, or `endpoint` of a backend in the configuration (`omnistorage config \
         paths`)",
    ),
    hint_for(
        &["region", "source-region", "destination-region"],
        "set AWS_REGION in the environment, or `region` of a backend in the configuration (`omnistorage config paths`)",
    ),
    hint_for(
        &["no-sign-request"],
        "set `anonymous = true` of a backend in the configuration (`omnistorage config paths`)",
    ),
    hint_for(&["dryrun", "fake"], "--dry-run tells what would be done"),
    hint_for(&["only-show-errors", "no-progress", "silent"], "-q says nothing but errors"),
    hint_for(&["numworkers", "concurrency", "threads"], "--transfers tells how many objects move at once"),
    hint_for(&["multi-thread", "m"], "several objects move at once unasked; --transfers tells how many"),
    hint_for(&["if-size-differ"], "--size-only compares sizes alone"),
    hint_for(&["if-source-newer", "newer-than-target", "skip-newer"], "--update leaves newer targets alone"),
    hint_for(&["no-clobber", "skip-existing"], "--ignore-existing leaves alone what is on TARGET"),
    hint_for(&["overwrite"], "what differs is replaced unasked; --ignore-times replaces all"),
    hint_for(&["exact-timestamps"], "--exact-times compares size and time, whatever the listings tell"),
    hint_for(&["follow-symlinks"], "--copy-links follows links"),
    hint_for(&["no-follow-symlinks"], "links are not followed unless --copy-links asks for it"),
    hint_for(&["newer-than"], "--max-age takes objects that are at most so old"),
    hint_for(&["older-than"], "--min-age takes objects that are at least so old"),
    hint_for(&["preserve"], "--metadata copies mode, owner and times of files, too"),
    hint_for(&["limit-upload", "limit-download"], "--bwlimit bounds all bytes together"),
    hint_for(&["watch"], "nothing is watched: run it again, which costs little when nothing has changed"),
    hint_for(
        &[
            "acl",
            "sse",
            "sse-kms-key-id",
            "sse-c",
            "storage-class",
            "grants",
            "request-payer",
            "website-redirect",
            "enc-kms",
            "enc-s3",
            "tags",
        ],
        "an object gets what its bucket gives by default",
    ),
    hint_for(
        &[
            "content-type",
            "cache-control",
            "content-disposition",
            "content-encoding",
            "content-language",
            "expires",
            "attr",
        ],
        "what goes with an object comes along; `omnistorage put --content-type TYPE` gives it to a new one",
    ),
    hint_for(
        &["page-size", "multipart-chunksize-mb", "part-size"],
        "part_size stands in the configuration of a backend",
    ),
    hint_for(&["summarize"], "`omnistorage size` counts objects and bytes"),
    hint_for(
        &["no-verify-ssl", "insecure", "ca-bundle"],
        "certificates are always checked, by what the system trusts",
    ),
    hint_for(&["credentials-file"], "set AWS_SHARED_CREDENTIALS_FILE in the environment"),
    hint_for(&["retry-count"], "--retries counts the attempts at each object"),
    hint_for(
        &["compare-dest", "copy-dest"],
        "there is no third place to compare with; --backup-dir keeps what is replaced, and what both places have is \
         never sent again",
    ),
    hint_for(
        &["no-traverse", "fast-list", "list-cutoff"],
        "listings stream, and no directory is listed that the filters leave out",
    ),
    hint_for(&["no-check-dest"], "--ignore-times transfers everything"),
    hint_for(
        &["check-first", "max-backlog", "order-by-pattern"],
        "comparisons and transfers overlap; --delete-before makes room first, and --order-by orders what is known at a \
         time",
    ),
    hint_for(
        &["inplace", "partial-suffix", "temp-dir"],
        "an object is always written under a temporary name, verified, and then put in its place",
    ),
    hint_for(
        &[
            "multi-thread-streams",
            "multi-thread-cutoff",
            "multi-thread-chunk-size",
            "multi-thread-write-buffer-size",
        ],
        "an object of 256 MiB or more is read over a network by four ranges at once, in bounded memory; --transfers \
         tells how many objects move at once",
    ),
    hint_for(
        &["buffer-size", "max-buffer-memory", "use-mmap", "streaming-upload-cutoff"],
        "how an object is cut into parts is for its backend to choose; --transfers tells how many move at once",
    ),
    hint_for(
        &["low-level-retries", "retries-sleep", "timeout", "contimeout", "expect-continue-timeout"],
        "--retries counts the attempts at each object, --runs those at the whole; pauses between them grow by themselves",
    ),
    hint_for(&["max-delete-size"], "--max-delete bounds the number of objects"),
    hint_for(&["error-on-no-transfer"], "the summary of --json tells how many objects were transferred"),
    hint_for(&["ignore-checksum"], "transfers are always verified"),
    hint_for(
        &["refresh-times"],
        "times are compared where listings carry them; --checksum and --size-only look at no times",
    ),
    hint_for(&["no-update-modtime", "no-update-dir-modtime"], "--checksum leaves times alone"),
    hint_for(
        &[
            "metadata-set",
            "metadata-mapper",
            "metadata-include",
            "metadata-exclude",
            "metadata-filter",
            "metadata-include-from",
            "metadata-exclude-from",
            "metadata-filter-from",
        ],
        "metadata comes along as it is",
    ),
    hint_for(
        &["ignore-case-sync", "fix-case", "no-unicode-normalization", "name-transform"],
        "names are kept to the byte: `A` and `a`, and two spellings of an accent, are two objects",
    ),
    hint_for(
        &[
            "stats-one-line",
            "stats-log-level",
            "stats-unit",
            "stats-file-name-length",
            "stats-one-line-date",
            "stats-one-line-date-format",
            "progress-terminal-title",
            "color",
        ],
        "a terminal shows progress unasked, and --stats says it every so often; --json tells each object as it is done",
    ),
    hint_for(
        &["use-json-log"],
        "--log-format json writes messages as JSON, and --json prints an event a line on standard output",
    ),
    hint_for(
        &[
            "log-level",
            "log-file-compress",
            "log-file-max-age",
            "log-file-max-backups",
            "log-file-max-size",
            "log-systemd",
            "syslog",
            "syslog-facility",
            "dump",
            "dump-bodies",
            "dump-headers",
            "cpuprofile",
            "memprofile",
        ],
        "-v, -vv and -q choose how much is said on standard error; --explain tells which filter decides",
    ),
    hint_for(&["interactive", "i"], "--dry-run tells what would be done"),
    hint_for(
        &["tpslimit", "tpslimit-burst", "max-connections", "bwlimit-file"],
        "--bwlimit bounds all bytes together; the configuration of a backend can bound its requests",
    ),
    hint_for(
        &["exclude-if-present", "hash-filter", "files-from0"],
        "rules go by paths: --filter, --exclude, --files-from",
    ),
    hint_for(
        &["differ", "match", "missing-on-src", "missing-on-dst", "error", "dest-after"],
        "--combined FILE holds all of it, a sign and a path a line",
    ),
    hint_for(&["checkfile"], "`omnistorage hash` prints what md5sum -c reads"),
    hint_for(
        &["skip-links", "local-links", "skip-specials"],
        "links are reported, kept with --links, or followed with --copy-links; no device or pipe is copied",
    ),
    hint_for(&["one-file-system", "x"], "--exclude leaves out what is mounted below"),
    hint_for(
        &["server-side-across-configs", "disable", "disable-http2"],
        "the fastest way that both backends have is taken unasked",
    ),
    hint_for(&["resync-mode"], "--conflict-resolve says which version takes the name, also with --resync"),
    hint_for(&["workdir"], "--state PLACE keeps the state of both sides"),
    hint_for(
        &["check-access", "check-filename"],
        "a side that is missing or has become empty is refused by itself",
    ),
    hint_for(&["force"], "--max-delete 100% allows every delete, and --allow-empty an empty side"),
    hint_for(&["filters-file"], "--filter-from reads the rules, and a changed filter asks for --resync"),
    hint_for(
        &["resilient", "recover", "max-lock", "no-cleanup"],
        "a run that was interrupted is taken up by the next one, without being told",
    ),
    hint_for(
        &["remove-empty-dirs", "rmdirs", "leave-root"],
        "`omnistorage rmdir` removes an empty directory",
    ),
    hint_for(&["compare"], "--checksum and --size-only choose what is compared"),
    hint_for(&["rc"], NO_REMOTE_CONTROL),
    hint_for(
        &[
            "user-agent",
            "header",
            "header-upload",
            "header-download",
            "ca-cert",
            "client-cert",
            "client-key",
            "client-pass",
            "no-check-certificate",
            "no-gzip-encoding",
            "disable-http-keep-alives",
            "use-cookies",
            "bind",
            "dscp",
            "ask-password",
            "password-command",
            "auto-confirm",
        ],
        "what concerns the connection stands in the configuration of the backend",
    ),
];

const NO_REMOTE_CONTROL: &str = "there is no remote control: the library is the interface for programs";

/// The backends of rclone: an option that begins with the name of one is for that one alone.
const BACKENDS: [&str; 69] = [
    "alias",
    "archive",
    "azureblob",
    "azurefiles",
    "b2",
    "box",
    "cache",
    "chunker",
    "cloudinary",
    "combine",
    "compress",
    "crypt",
    "doi",
    "drime",
    "drive",
    "dropbox",
    "fichier",
    "filefabric",
    "filelu",
    "filen",
    "filescom",
    "ftp",
    "gcs",
    "gofile",
    "gphotos",
    "hasher",
    "hdfs",
    "hidrive",
    "http",
    "huaweidrive",
    "iclouddrive",
    "imagekit",
    "internetarchive",
    "internxt",
    "jottacloud",
    "koofr",
    "linkbox",
    "local",
    "mailru",
    "mega",
    "memory",
    "netstorage",
    "onedrive",
    "oos",
    "opendrive",
    "pcloud",
    "pikpak",
    "pixeldrain",
    "premiumizeme",
    "protondrive",
    "putio",
    "qingstor",
    "quatrix",
    "s3",
    "seafile",
    "sftp",
    "shade",
    "sharefile",
    "sia",
    "smb",
    "storj",
    "sugarsync",
    "swift",
    "tardigrade",
    "ulozto",
    "union",
    "webdav",
    "yandex",
    "zoho",
];

/// A sentence for somebody who tried an option of another command, or of another tool, that does not exist here.
pub(super) fn hint(error: &clap::Error, grammar: &Command) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let option = argument.trim_start_matches('-').split('=').next()?;
    let commands = commands_with(grammar, option);
    let known = HINTS.iter().find(|hint| hint.options.contains(&option));
    if known.is_none() && !commands.is_empty() {
        return Some(format!(
            "`--{option}` is an option of {}, and has no meaning here",
            commands.join(", ")
        ));
    }
    let instead = match (known, option.split_once('-')) {
        (Some(hint), _) => hint.instead,
        (None, Some(("rc" | "metrics", _))) => NO_REMOTE_CONTROL,
        (None, Some((name, _))) if BACKENDS.contains(&name) => {
            "what concerns one backend stands in its configuration, or in the environment"
        }
        _ => return None,
    };
    Some(format!("`{argument}` is not here: {instead}"))
}

/// The commands that have an option of that name.
fn commands_with(grammar: &Command, option: &str) -> Vec<String> {
    let has =
        |command: &&Command| command.get_arguments().any(|argument| argument.get_long() == Some(option));
    grammar.get_subcommands().filter(has).map(|command| format!("`{}`", command.get_name())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::command_line;

    fn hinted(command: &str, option: &str) -> Option<String> {
        let error = command_line().try_get_matches_from(["omnistorage", command, option, "a", "b"]).err()?;
        assert_eq!(error.exit_code(), 2);
        hint(&error, &command_line())
    }

    #[test]
    fn an_option_of_rclone_gets_a_hint_and_another_does_not() {
        let told = hinted("sync", "--compare-dest=x").unwrap();
        assert!(told.contains("`--compare-dest") && told.contains("--backup-dir"), "{told}");
        assert!(hinted("copy", "--s3-chunk-size=5M").unwrap().contains("configuration"));
        assert!(hinted("bisync", "--workdir=x").unwrap().contains("--state"));
        assert!(hinted("copy", "--rc-addr=:1").unwrap().contains("remote control"));
        assert_eq!(hinted("sync", "--nope"), None);
        assert_eq!(hinted("sync", "--nope-at-all"), None);
        assert_eq!(hinted("sync", "--checksum"), None);
        let told = hinted("copy", "--delete-excluded").unwrap();
        assert!(told.contains("`--delete-excluded` is an option of `sync`"), "{told}");
    }

    /// An option that exists needs no hint, and each other one gets one.
    #[test]
    fn hints_are_for_options_that_are_not_here() {
        let mut seen = BTreeSet::new();
        for option in HINTS.iter().flat_map(|hint| hint.options) {
            assert!(seen.insert(option), "{option} twice");
        }
        for command in ["sync", "copy", "move"] {
            let grammar = command_line();
            let command = grammar.find_subcommand(command).unwrap();
            for here in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(!seen.contains(&here), "--{here} is here");
            }
        }
    }
}
