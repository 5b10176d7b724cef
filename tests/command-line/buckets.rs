//! Buckets: listed, made, removed when they are empty; and settings that stand in a place. On two servers.

use std::process::Command;

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, Proxy, SECRET_KEY, fake_gcs, moto, weed};

use crate::{
    command::{Run, command, run_with},
    tree::Scratch,
};

fn with_keys(arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_ENDPOINT_URL");
    command
}

#[test]
fn buckets_are_made_and_listed_and_removed_when_empty() {
    for (name, endpoint) in [("moto", &moto().endpoint), ("weed", &weed().endpoint)] {
        let run = |input: &[u8], arguments: &[&str]| -> Run {
            run_with(input, with_keys(arguments).env("AWS_ENDPOINT_URL", endpoint))
        };
        let bucket = format!("made-{name}-{}", std::process::id());
        let place = format!("s3://{bucket}");
        let line = format!("{bucket}/");
        assert!(!run(b"", &["ls", "s3://"]).ok().lines().contains(&line.as_str()));
        for name in ["ls", "stat", "rmdir"] {
            run(b"", &[name, &place]).fails(3, &[&bucket, &format!("`omnistorage mkdir {place}`")]);
        }
        run(b"", &["mkdir", &place]).ok();
        run(b"", &["mkdir", &place]).ok(); // it is ours already
        assert!(run(b"", &["ls", "s3://"]).ok().lines().contains(&line.as_str()));
        assert!(run(b"", &["ls", "-l", "s3://"]).ok().text().contains("Z  made-"));
        assert_eq!(run(b"", &["ls", &place]).ok().text(), "");
        run(b"", &["stat", &place]).ok();

        run(b"x", &["put", &format!("{place}/deep/a")]).ok();
        run(b"", &["rmdir", &place]).fails(6, &[&bucket, "objects"]);
        assert_eq!(run(b"", &["cat", &format!("{place}/deep/a")]).ok().stdout, b"x", "{name}");
        run(b"", &["ls", "-r", "s3://"]).fails(2, &["name the bucket"]);
        run(b"x", &["put", "s3://"]).fails(2, &["name"]);
        run(b"", &["rm", "-r", &format!("{place}/deep")]).ok();
        run(b"", &["rmdir", &place]).ok();
        assert!(!run(b"", &["ls", "s3://"]).ok().lines().contains(&line.as_str()));
    }
}

#[test]
fn a_sync_to_no_bucket_says_how_to_make_one() {
    let scratch = Scratch::new();
    scratch.write("a/x", "1");
    let source = scratch.path("a");
    let mut sync = with_keys(&["sync", source.to_str().unwrap(), "s3://no-such-bucket-at-all"]);
    let run = run_with(b"", sync.env("AWS_ENDPOINT_URL", &moto().endpoint));
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains("`omnistorage mkdir s3://no-such-bucket-at-all`"), "{}", run.stderr);
}

/// Whoever lists a bucket is told that it is missing: nobody asks about it before.
#[test]
fn what_lists_a_bucket_does_not_ask_whether_it_is_there() {
    let scratch = Scratch::new();
    let (local, bucket) = (scratch.path("a"), format!("counted-{}", std::process::id()));
    scratch.write("a/x", "1");
    let (local, place) = (local.to_str().unwrap(), format!("s3://{bucket}"));
    let proxy = Proxy::before(&moto().endpoint);
    let run = |arguments: &[&str]| {
        let _ = proxy.take_requests();
        run_with(b"", with_keys(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint)).ok();
        proxy.take_requests().into_iter().map(|request| request.method).collect::<Vec<_>>()
    };
    run(&["mkdir", &place]);
    for (arguments, requests) in [
        (&["ls", &place][..], &["GET"][..]),
        (&["sync", local, &place], &["GET", "PUT"]),
        (&["sync", &place, local], &["GET"]),
        (&["check", local, &place], &["GET"]),
        (&["ls", "-r", &place], &["GET"]),
        (&["rm", "-r", &place], &["GET", "DELETE"]),
        (&["stat", &place], &["GET"]),
    ] {
        assert_eq!(run(arguments), requests, "{arguments:?}");
    }
}

#[test]
fn settings_stand_in_a_place() {
    let endpoint = &moto().endpoint;
    let key = format!("settings/{}?x", std::process::id());
    let place = format!("s3://{BUCKET}?endpoint={endpoint}&region=us-east-1/{key}");
    run_with(b"1", &mut with_keys(&["put", &place])).ok();
    assert_eq!(run_with(b"", &mut with_keys(&["cat", &place])).ok().stdout, b"1");
    let all = format!("s3://?endpoint={endpoint}");
    assert!(
        run_with(b"", &mut with_keys(&["ls", &all])).ok().lines().contains(&format!("{BUCKET}/").as_str())
    );
    for (place, words) in [
        (format!("s3://{BUCKET}?secret_access_key=hush/k"), ["`secret_access_key`", "environment"]),
        (format!("s3://{BUCKET}/k?region=x"), ["behind the bucket", "?region=x/..."]),
        (format!("s3://{BUCKET}?regoin=x/k"), ["`regoin`", "setting"]),
        (format!("s3://{BUCKET}?region/k"), ["KEY=VALUE", "settings"]),
    ] {
        let run = run_with(b"", &mut with_keys(&["ls", &place])).fails_with(2, &words);
        assert_eq!(run.text(), "");
    }
}

/// As the configuration of rclone has it, with the bucket as the first segment of a path.
#[test]
fn a_remote_of_rclone_is_a_place() {
    let scratch = Scratch::new();
    let endpoint = &moto().endpoint;
    let remotes = scratch.write(
        "rclone.conf",
        format!(
            "[store]\ntype = s3\nprovider = Other\naccess_key_id = {ACCESS_KEY}\nsecret_access_key = {SECRET_KEY}\n\
             endpoint = {endpoint}\n\n[box]\ntype = dropbox\ntoken = hush\n"
        ),
    );
    let remotes = remotes.to_str().unwrap();
    let with = |input: &[u8], arguments: &[&str]| {
        run_with(
            input,
            command(["--rclone-config", remotes].iter().chain(arguments))
                .env("AWS_EC2_METADATA_DISABLED", "true"),
        )
    };
    let below = format!("store:{BUCKET}/remotes/{}", std::process::id());
    with(b"1", &["put", &format!("{below}/a")]).ok();
    assert_eq!(with(b"", &["ls", &below]).ok().lines(), ["a"]);
    assert!(with(b"", &["ls", "store:"]).ok().lines().contains(&format!("{BUCKET}/").as_str()));
    with(b"", &["cat", &format!("{below}/gone")]).fails(4, &[&format!("`{below}/gone`")]);
    let refused = with(b"", &["ls", "box:x"]).fails(2, &["`dropbox`", "`box`"]);
    assert!(!refused.stderr.contains("hush"));
    with(b"", &["ls", "other:x"]).fails(2, &["`other`", "rclone"]);
    with(b"", &["config", "test", "store"]).ok();
    // Found by itself where rclone has it.
    let home = scratch.write("home/rclone/rclone.conf", std::fs::read(remotes).unwrap());
    let home = home.parent().unwrap().parent().unwrap();
    let mut found = command(["ls", &below]);
    assert_eq!(run_with(b"", found.env("XDG_CONFIG_HOME", home)).ok().lines(), ["a"]);
    let mut missing = command(["--rclone-config", "/nonexistent/rclone.conf", "ls", "other:x"]);
    run_with(b"", &mut missing).fails(2, &["/nonexistent/rclone.conf"]);
}

/// Bash asks the binary what could stand where a place does.
#[test]
fn bash_completes_places() {
    let scratch = Scratch::new();
    let directory = format!("complete/{}", std::process::id());
    let place = format!("s3://{BUCKET}/{directory}/");
    for name in ["apple pie", "april/1", "banana"] {
        let mut put = with_keys(&["put", &format!("{place}{name}")]);
        run_with(b"1", put.env("AWS_ENDPOINT_URL", &moto().endpoint)).ok();
    }
    let config = scratch.write("c.toml", "[backends.nas]\nkind = 'file'\nroot = '/'\n");
    let script = scratch.write("script", run_with(b"", &mut command(["completions", "bash"])).ok().stdout);
    let completed = |line: &str| -> Vec<String> {
        let complete = r#"source "$1"; COMP_LINE="$2"; COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<< "$2"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _omnistorage_with_places omnistorage "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}""#;
        let binary = std::path::Path::new(crate::command::BINARY).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut bash = crate::command::program("bash");
        bash.args(["-c", complete, "bash"]).arg(&script).arg(line).env("PATH", path);
        bash.env("AWS_ENDPOINT_URL", &moto().endpoint).env("AWS_ACCESS_KEY_ID", ACCESS_KEY);
        bash.env("AWS_SECRET_ACCESS_KEY", SECRET_KEY).env("OMNISTORAGE_CONFIG", &config);
        run_with(b"", &mut bash).ok().lines().into_iter().map(ToOwned::to_owned).collect()
    };
    let bucket = format!("//{BUCKET}/");
    assert!(completed("omnistorage ls s3://").contains(&bucket));
    let keys = [format!("{bucket}{directory}/apple\\ pie"), format!("{bucket}{directory}/april/")];
    assert_eq!(completed(&format!("omnistorage ls {place}ap")), keys);
    assert!(completed("omnistorage ls na").contains(&"nas:".to_owned()));
    assert!(completed("omnistorage sy").contains(&"sync".to_owned()));
    assert!(completed("omnistorage ls s3://no-such-bucket/").iter().all(String::is_empty));
}

/// The scripts of zsh and fish ask the binary, too, wherever an argument is a place.
#[test]
fn zsh_and_fish_complete_places() {
    let script = |shell: &str| run_with(b"", &mut command(["completions", shell])).ok().text().to_owned();
    let zsh = script("zsh");
    assert!(zsh.starts_with("#compdef omnistorage\n"));
    let places = zsh.matches(":_omnistorage_places'").count();
    // More than one for each command that takes a place; no other argument asks for them.
    assert!(places > 40 && !zsh.contains(":_urls"), "{places}");
    assert!(zsh.contains(":source -- The object:_omnistorage_places'"));
    assert!(zsh.contains(":shell -- Whose:(bash elvish fish powershell zsh)'"));
    let fish = script("fish");
    assert_eq!(fish.matches("omnistorage complete-place").count(), 1);
}

/// Where directories are only prefixes that keys share.
#[test]
fn keys_are_looked_at_as_files_are() {
    let directory = format!("looking-{}", std::process::id());
    let run = |input: &[u8], arguments: &[&str]| -> Run {
        run_with(input, with_keys(arguments).env("AWS_ENDPOINT_URL", &moto().endpoint))
    };
    let at = |below: &str| format!("s3://{BUCKET}/{directory}/{below}");
    for name in ["a.gz", "b.txt", "d.gz/x", "d/e/f.gz", "d/g.txt"] {
        run(b"12345", &["put", &at(name)]).ok();
    }
    let listed = |options: &[&str], below: &str| -> Vec<String> {
        let place = at(below);
        let arguments: Vec<_> = ["ls"].iter().chain(options).copied().chain([place.as_str()]).collect();
        run(b"", &arguments).ok().lines().into_iter().map(ToOwned::to_owned).collect()
    };
    assert_eq!(listed(&[], ""), ["a.gz", "b.txt", "d/", "d.gz/"]);
    assert_eq!(listed(&[], "*.gz"), ["a.gz", "d.gz/"]);
    assert_eq!(listed(&[], "**.gz"), ["a.gz", "d/e/f.gz"]);
    assert_eq!(listed(&["--max-depth", "2"], ""), ["a.gz", "b.txt", "d.gz/x", "d/g.txt"]);
    assert_eq!(listed(&["-r", "--include", "*.txt"], ""), ["b.txt", "d/g.txt"]);
    assert_eq!(listed(&["-r", "--exclude", "d/**"], ""), ["a.gz", "b.txt", "d.gz/x"]);
    assert_eq!(listed(&["--format", "path,size"], "a.gz"), ["a.gz;5"]);
    assert_eq!(
        listed(&["-r", "--full", "--format", "path,type", "--include", "/a.gz"], ""),
        ["a.gz;application/octet-stream"]
    );
    let tree = run(b"", &["tree", "--max-depth", "1", &at("")]).ok();
    assert_eq!(
        tree.lines()[1..],
        ["├── a.gz", "├── b.txt", "├── d/", "└── d.gz/", "", "2 directories, 2 objects"]
    );
    assert_eq!(run(b"", &["du", &at("")]).ok().lines(), ["5\td.gz/", "10\td/", "25\t."]);
    assert_eq!(run(b"", &["tail", "-c", "2", &at("a.gz")]).ok().text(), "45");

    // Renamed by the store, and deleted by a wildcard.
    run(b"", &["moveto", &at("b.txt"), &at("d/new name.txt")]).ok();
    run(b"", &["copyto", &at("a.gz"), &at("d")]).fails(6, &["directory", "`copy`"]); // although there may be both
    assert_eq!(run(b"", &["cat", &at("d/new name.txt")]).ok().text(), "12345");
    run(b"", &["cat", &at("b.txt")]).fails(4, &["b.txt"]);
    assert!(run(b"", &["rm", &at("*.gz")]).ok().stderr.ends_with("deleted 1 object\n"));
    assert_eq!(listed(&["-r"], ""), ["d.gz/x", "d/e/f.gz", "d/g.txt", "d/new name.txt"]);
    assert!(
        run(b"", &["rm", "-r", "--include", "*.txt", &at("")]).ok().stderr.ends_with("deleted 2 objects\n")
    );
    assert_eq!(listed(&["-r"], ""), ["d.gz/x", "d/e/f.gz"]);
}

#[test]
fn buckets_of_google_are_made_in_a_project() {
    let bucket = format!("made-gcs-{}", std::process::id());
    let place = format!("gs://{bucket}");
    let line = format!("{bucket}/");
    let scratch = Scratch::new();
    let with = |input: &[u8], arguments: &[&str], variables: &[(&str, &str)]| -> Run {
        let mut command = command(arguments);
        command.env_remove("GOOGLE_CLOUD_PROJECT").env_remove("GOOGLE_APPLICATION_CREDENTIALS");
        command.env("STORAGE_EMULATOR_HOST", &fake_gcs().endpoint).envs(variables.iter().copied());
        run_with(input, &mut command)
    };
    let run = |input: &[u8], arguments: &[&str]| with(input, arguments, &[("GOOGLE_CLOUD_PROJECT", "test")]);
    assert!(!run(b"", &["ls", "gs://"]).ok().lines().contains(&line.as_str()));
    for name in ["ls", "rmdir"] {
        run(b"", &[name, &place]).fails(3, &[&bucket, &format!("`omnistorage mkdir {place}`")]);
    }
    // Whose they are has to be known.
    for arguments in [["mkdir", &place], ["ls", "gs://"]] {
        with(b"", &arguments, &[]).fails(2, &["project", "GOOGLE_CLOUD_PROJECT"]);
    }
    run(b"", &["mkdir", &place]).ok();
    run(b"", &["mkdir", &place]).ok(); // it is ours already
    assert!(run(b"", &["ls", "gs://"]).ok().lines().contains(&line.as_str()));
    assert!(run(b"", &["ls", "-l", "gs://"]).ok().text().contains("Z  made-gcs-"));
    assert_eq!(run(b"", &["ls", &place]).ok().text(), "");
    let key = scratch.write("key.json", "{\"project_id\":\"test\"}");
    let key = [("GOOGLE_APPLICATION_CREDENTIALS", key.to_str().unwrap())];
    assert!(with(b"", &["ls", "gs://"], &key).ok().lines().contains(&line.as_str()));
    with(b"", &["ls", "gs://"], &[("OMNISTORAGE_GCS_PROJECT", "test")]).ok();
    with(b"", &["ls", "gs://?project=test"], &[]).ok();
    with(b"", &["mkdir", &format!("gs://{bucket}-2?project=test")], &[]).ok();
    with(b"", &["rmdir", &format!("gs://{bucket}-2")], &[]).ok();
    let unreadable = [("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")];
    with(b"", &["ls", "gs://"], &unreadable).fails(2, &["/nonexistent/key.json"]);

    run(b"x", &["put", &format!("{place}/deep/a")]).ok();
    run(b"", &["rmdir", &place]).fails(6, &[&bucket, "objects"]);
    assert_eq!(run(b"", &["cat", &format!("{place}/deep/a")]).ok().stdout, b"x");
    run(b"", &["ls", "-r", "gs://"]).fails(2, &["name the bucket"]);
    run(b"x", &["put", "gs://"]).fails(2, &["name"]);
    run(b"", &["rm", "-r", &format!("{place}/deep")]).ok();
    run(b"", &["rmdir", &place]).ok();
    assert!(!run(b"", &["ls", "gs://"]).ok().lines().contains(&line.as_str()));
}
