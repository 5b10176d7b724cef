//! SFTP by `sftp://`, as a backend of the configuration, and as a remote of rclone's.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use omnistorage_test_servers::{
    rclone,
    sftp::{Sftp, openssh, rclone_sftp, user},
};

use crate::{
    command::{Run, command, run_with},
    tree::{Scratch, assert_equal, contents},
};

/// What `ssh` finds the server by.
const HOST: &str = "test-server";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A machine whose ssh knows a server.
struct Machine {
    scratch: Scratch,
    path: OsString,
    server: &'static Sftp,
}

impl Machine {
    /// `None` where there is no server.
    fn new() -> Option<Self> {
        Self::of(openssh()?)
    }

    fn of(server: &'static Sftp) -> Option<Self> {
        let scratch = Scratch::new();
        // ssh takes the configuration of the user who runs it, whatever the environment says.
        let ssh = format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", text(&server.ssh_config()));
        let ssh = scratch.write("bin/ssh", ssh);
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        let before = env::var_os("PATH").unwrap_or_default();
        let path =
            env::join_paths([scratch.path("bin")].into_iter().chain(env::split_paths(&before))).unwrap();
        Some(Self { scratch, path, server })
    }

    /// A directory on the server that nobody else uses, and the place that it is.
    fn place(&self) -> (PathBuf, String) {
        let (_, directory) = self.server.config_and_directory();
        let place = format!("sftp://{HOST}{}", text(&directory));
        (directory, place)
    }

    fn run_with(&self, input: &str, arguments: &[&str]) -> Run {
        let mut command = command(arguments);
        run_with(input.as_bytes(), command.env("PATH", &self.path))
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_with("", arguments)
    }

    #[track_caller]
    fn sync(&self, source: &str, target: &str, transferred: usize) {
        let summary = self.run(&["sync", source, target, "--json"]).ok().summary();
        let counted = (summary["transferred"].as_u64(), summary["errors"].as_u64());
        assert_eq!(counted, (Some(transferred as u64), Some(0)), "{source} to {target}: {summary}");
    }
}

/// rclone, which says what it thinks of a tree.
fn rclone_run(arguments: &[&str]) -> Run {
    let mut command = Command::new(rclone());
    command.args(["--config", "/dev/null"]).args(arguments).output().unwrap().into()
}

#[test]
fn a_tree_goes_up_and_comes_down() {
    let Some(machine) = Machine::new() else { return };
    let source = machine.scratch.odd_tree("source");
    let files = contents(&source).len();
    let (directory, place) = machine.place();
    let up = format!("{place}/a%20b/tree");
    machine.sync(text(&source), &up, files);
    machine.sync(text(&source), &up, 0);
    assert_equal(&source, &directory.join("a b/tree"));
    machine.run(&["check", "--download", text(&source), &up]).ok();
    let down = machine.scratch.path("down");
    machine.sync(&up, text(&down), files);
    machine.sync(text(&source), text(&down), 0);
    assert_equal(&source, &down);

    assert_eq!(machine.run(&["ls", &format!("{place}/a%20b/tr*")]).ok().lines(), ["tree/"]);
    machine.run(&["move", &up, text(&machine.scratch.path("moved"))]).ok();
    assert_equal(&source, &machine.scratch.path("moved"));
    machine.run(&["ls", &format!("{place}/nowhere")]).fails(3, &["nowhere"]);
    machine.run(&["cat", &format!("{place}/nowhere")]).fails(4, &["nowhere"]);
    machine.run(&["ls", &format!("sftp://{HOST}/~/")]).ok();
}

/// What each writes, the other reads and takes for the same, times included.
#[test]
fn rclone_and_this_agree_both_ways() {
    let Some(machine) = Machine::new() else { return };
    let source = machine.scratch.odd_tree("source");
    // For which rclone puts other characters.
    for name in ["new\nline", "tab\tbed"] {
        fs::remove_file(source.join(name)).unwrap();
        fs::remove_dir_all(source.join(format!("in {name}"))).unwrap();
    }
    let files = contents(&source).len();
    let (directory, place) = machine.place();
    let below = directory.strip_prefix(&machine.server.directory).unwrap();
    let remote = |name: &str| format!("{}/{}/{name}", machine.server.rclone_remote(), text(below));

    machine.sync(text(&source), &format!("{place}/ours"), files);
    rclone_run(&["check", "--download", text(&source), &remote("ours")]).ok();
    let again = rclone_run(&["sync", "--dry-run", "-v", text(&source), &remote("ours")]).ok();
    assert!(!again.stderr.contains("Skipped"), "{}", again.stderr);

    rclone_run(&["sync", text(&source), &remote("theirs")]).ok();
    machine.sync(text(&source), &format!("{place}/theirs"), 0);
    machine.run(&["check", "--download", text(&source), &format!("{place}/theirs")]).ok();
    machine.sync(&format!("{place}/theirs"), text(&machine.scratch.path("down")), files);
    assert_equal(&source, &machine.scratch.path("down"));
}

/// A server of another make, and without all of OpenSSH's additions.
#[test]
fn a_tree_goes_to_what_rclone_serves() {
    let Some(machine) = rclone_sftp().and_then(Machine::of) else { return };
    let source = machine.scratch.odd_tree("source");
    let files = contents(&source).len();
    let name = format!("tree-{}", std::process::id());
    let place = format!("sftp://{HOST}/{name}");
    machine.sync(text(&source), &place, files);
    machine.sync(text(&source), &place, 0);
    let down = machine.scratch.path("down");
    machine.sync(&place, text(&down), files);
    assert_equal(&source, &down);
    fs::write(source.join("empty"), "no more").unwrap();
    machine.sync(text(&source), &place, 1);
    assert_eq!(machine.run(&["cat", &format!("{place}/empty")]).ok().text(), "no more");
}

#[test]
fn objects_move_on_the_spot_and_places_overlap() {
    let Some(machine) = Machine::new() else { return };
    let (directory, place) = machine.place();
    let [one, other, inner] = ["one", "other/two", "one/in"].map(|name| format!("{place}/{name}"));
    machine.run_with("hello", &["put", &format!("{one}/a")]).ok();
    machine.run(&["move", &one, &other]).ok();
    assert_eq!(fs::read_to_string(directory.join("other/two/a")).unwrap(), "hello");
    machine.run(&["move", &other, &one]).ok();
    machine.run(&["sync", &one, &inner]).fails(7, &["the target lies in the source"]);
    machine.run(&["mkdir", &format!("{place}/d/e")]).ok();
    machine.run(&["rmdir", &format!("{place}/d/e")]).ok();
    machine.run(&["rmdir", &one]).fails(6, &["still has entries"]);
    machine.run(&["purge", &one]).ok();
    assert!(!directory.join("one").exists());
}

/// The place itself may be a link, as a path of this machine may; what is in it may not, and nobody gets out of it.
#[test]
fn links_lead_to_a_place_and_not_out_of_it() {
    let Some(machine) = Machine::new() else { return };
    let (directory, place) = machine.place();
    fs::create_dir_all(directory.join("real/data")).unwrap();
    fs::write(directory.join("real/data/a"), "x").unwrap();
    fs::write(directory.join("secret"), "secret").unwrap();
    symlink("../../secret", directory.join("real/data/out")).unwrap();
    symlink("real", directory.join("link")).unwrap();
    symlink("real/data", directory.join("itself")).unwrap();
    for name in ["link/data", "itself"] {
        assert_eq!(machine.run(&["ls", &format!("{place}/{name}")]).ok().lines(), ["a"]);
        machine.run(&["cat", &format!("{place}/{name}/a")]).ok();
        let down = machine.scratch.path(name);
        machine.run(&["sync", &format!("{place}/{name}"), text(&down)]);
        assert_eq!(contents(&down).len(), 1);
    }
    machine.run(&["rm", &format!("{place}/itself")]).ok();
    assert!(directory.join("real/data/a").exists() && !directory.join("itself").exists());
}

#[test]
fn a_backend_of_the_configuration_is_one_of_ours_or_of_rclone() {
    let Some(machine) = Machine::new() else { return };
    let (directory, _) = machine.place();
    let key = |name: &str| text(&machine.server.keys.join(name)).to_owned();
    let (port, root) = (machine.server.port, text(&directory));
    let (identity, known) = (key("key"), key("known_hosts"));
    let ours = format!(
        "[backends.nas]\nkind = 'sftp'\nhost = '127.0.0.1'\nport = {port}\nroot = '{root}'\nidentity_file = '{identity}'\n\
         known_hosts_file = '{known}'\nconfig_file = 'none'\nconnections = 3\nfsync = false\ntimeout = '30s'\n\
         options = {{ IdentitiesOnly = 'yes', Compression = 'yes' }}\n"
    );
    let ours = machine.scratch.write("config.toml", ours);
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o600)).unwrap();
    let of_config = |input: &str, arguments: &[&str]| {
        let arguments: Vec<_> = ["--config", text(&ours)].iter().chain(arguments).copied().collect();
        machine.run_with(input, &arguments)
    };
    assert_eq!(of_config("", &["config", "test", "nas"]).ok().text(), "nas: answers, and is empty\n");
    of_config("hello", &["put", "nas:dir/a"]).ok();
    assert_eq!(of_config("", &["cat", "nas:dir/a"]).ok().text(), "hello");

    let user = user();
    let theirs = format!(
        "[theirs]\ntype = sftp\nhost = 127.0.0.1\nuser = {user}\nport = {port}\nkey_file = {identity}\n\
         known_hosts_file = {known}\nshell_type = unix\n"
    );
    let theirs = machine.scratch.write("rclone.conf", theirs);
    let listed = ["--rclone-config", text(&theirs), "ls", "theirs:"];
    machine.run(&listed).ok();
}

#[test]
fn mistakes_are_told_in_a_sentence() {
    let Some(machine) = Machine::new() else { return };
    for (place, code, word) in [
        ("sftp://-oProxyCommand=touch%20x/a", 2, "no `-` in front"),
        ("sftp://a;b/x", 2, "the host is a name"),
        ("sftp://-x@h/a", 2, "the user is a name"),
        ("sftp://test-server:0x1/a", 2, "`port`"),
        ("sftp://nowhere.invalid/a", 5, "no connection to `nowhere.invalid`"),
    ] {
        machine.run(&["ls", place]).fails(code, &[word]);
    }
    let nobody = machine.scratch.path("bin/nothing-else");
    fs::create_dir(&nobody).unwrap();
    let mut command = command(["ls", &format!("sftp://{HOST}/a")]);
    let without: Run = run_with(b"", command.env("PATH", &nobody));
    without.fails(1, &["the program `ssh` is not there: install the client of OpenSSH"]);

    let known = machine.scratch.write("known_hosts", "");
    let ssh = format!(
        "#!/bin/sh\nexec /usr/bin/ssh -oUserKnownHostsFile={} -F {} \"$@\"\n",
        text(&known),
        text(&machine.server.ssh_config())
    );
    fs::write(machine.scratch.path("bin/ssh"), ssh).unwrap();
    machine
        .run(&["ls", &format!("sftp://{HOST}/a")])
        .fails(6, &["the host key of `test-server` is not known"]);
}
