//! Azure Blob Storage by `az://`: trees to it, from it and within it.

use std::{fs, path::Path};

use omnistorage_test_servers::{AZURE_ACCOUNT, AZURE_KEY, BUCKET, OTHER_BUCKET, azurite};

use crate::{
    command::{Run, command, run_with},
    tree::{Scratch, assert_equal, contents},
};

/// Runs with the store, as the tools of Azure find theirs.
fn run(arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    command
        .env_remove("AZURE_STORAGE_CONNECTION_STRING")
        .env("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT)
        .env("AZURE_STORAGE_KEY", AZURE_KEY)
        .env("AZURE_STORAGE_SERVICE_ENDPOINT", &azurite().endpoint);
    run_with(b"", &mut command)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn sync(source: &str, target: &str, transferred: usize) {
    let summary = run(&["sync", source, target, "--json"]).ok().summary();
    let counted = (summary["transferred"].as_u64(), summary["errors"].as_u64());
    assert_eq!(counted, (Some(transferred as u64), Some(0)), "{source} to {target}: {summary}");
}

#[test]
fn a_tree_goes_up_and_comes_down() {
    let scratch = Scratch::new();
    let source = scratch.odd_tree("source");
    // Names that the service does not take are told, and the rest goes on.
    let up = format!("az://{BUCKET}/a b/tree");
    let refused = run(&["sync", text(&source), &up]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(
        refused.stderr.contains("ends with a dot") && refused.stderr.contains("backslash"),
        "{}",
        refused.stderr
    );
    for name in ["new\nline", "tab\tbed", "a\\b", "..."] {
        fs::remove_file(source.join(name)).unwrap();
        fs::remove_dir_all(source.join(format!("in {name}"))).unwrap();
    }
    let files = contents(&source).len();
    sync(text(&source), &up, 0);
    run(&["check", text(&source), &up]).ok();
    run(&["check", "--download", text(&source), &up]).ok();
    let down = scratch.path("down");
    sync(&up, text(&down), files);
    assert_equal(&source, &down);
    sync(&up, text(&down), 0);

    // From container to container on the server.
    let other = format!("az://{OTHER_BUCKET}/other");
    sync(&up, &other, files);
    run(&["check", &up, &other]).ok();
    let remote = format!(":azureblob:{OTHER_BUCKET}/other");
    let checked: Run = azurite().rclone(&["check", text(&source), &remote]).output().unwrap().into();
    checked.ok();
    run(&["move", &other, text(&scratch.path("moved"))]).ok();
    assert_equal(&source, &scratch.path("moved"));
    assert_eq!(run(&["ls", "-r", &format!("az://{OTHER_BUCKET}")]).ok().lines(), [""; 0]);
}

#[test]
fn places_say_which_account_and_never_a_key() {
    // A slash ends the settings.
    let endpoint = azurite().endpoint.replace(&format!("/{AZURE_ACCOUNT}"), &format!("%2F{AZURE_ACCOUNT}"));
    let typed = |account: &str| {
        format!("az://{BUCKET}?account={account}&endpoint={endpoint}&instance_metadata=false/none")
    };
    run(&["cat", &typed(AZURE_ACCOUNT)]).fails(4, &["none"]);
    run(&["cat", &format!("az://{BUCKET}?key=hush/x")]).fails_with(2, &["secret"]);
    run(&["ls", "az://nobody-made-it/x"]).fails(3, &["no container `nobody-made-it`"]);
    run(&["ls", "az://Big/x"]).fails(2, &["`Big`"]);
    // The key of the environment is of the account there.
    run(&["cat", &typed("other")]).fails(6, &["no credentials"]);

    let scratch = Scratch::new();
    let remotes = scratch.write(
        "rclone.conf",
        format!(
            "[azure]\ntype = azureblob\naccount = {AZURE_ACCOUNT}\nkey = {AZURE_KEY}\nendpoint = {}\n",
            azurite().endpoint
        ),
    );
    let by_remote = |arguments: &[&str], input: &[u8]| -> Run {
        run_with(input, command(arguments).env("RCLONE_CONFIG", &remotes))
    };
    by_remote(&["put", &format!("azure:{BUCKET}/by remote/a")], b"hello").ok();
    assert_eq!(run(&["cat", &format!("az://{BUCKET}/by remote/a")]).ok().text(), "hello");
}
