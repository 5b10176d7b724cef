//! The Debian package and the tarball.

use std::{fs, path::Path};

use crate::{BINARY, Parts, REPOSITORY, VERSION, assert_starts_at_once, is_left_out, run};

/// The manual page of a command, and what completes it, are those of the binary.
fn assert_complete(prefix: &Path, manual: &str) {
    assert_eq!(
        run(prefix.join("bin/omnistorage"), &["--version"], prefix).trim(),
        format!("omnistorage {VERSION}")
    );
    assert!(prefix.join("share/man/man1").join(manual).is_file());
    for (shell, file) in [
        ("bash", "bash-completion/completions/omnistorage"),
        ("zsh", "zsh/vendor-completions/_omnistorage"),
        ("fish", "fish/vendor_completions.d/omnistorage.fish"),
    ] {
        let installed = fs::read_to_string(prefix.join("share").join(file)).unwrap();
        assert!(installed == run(BINARY, &["completions", shell], prefix), "{shell}");
    }
}

/// It needs dpkg and dpkg-dev; `OMNISTORAGE_WITHOUT=debian` leaves it out on purpose.
#[test]
fn debian_package() {
    if is_left_out("debian") {
        return;
    }
    let parts = Parts::new();
    let script = format!("{REPOSITORY}/host/packaging/deb.sh");
    let out = parts.directory("out");
    let made = run(&script, &[&parts.binary, &parts.third_party, "1.2.3-rc.1", out.to_str().unwrap()], &out);
    let package = made.trim();
    assert!(package.contains("omnistorage_1.2.3~rc.1_"), "{package}");

    let field = |name| run("dpkg-deb", &["--field", package, name], &out);
    assert_eq!(field("Package").trim(), "omnistorage");
    assert_eq!(field("Version").trim(), "1.2.3~rc.1");
    assert!(field("Depends").contains("libc6 (>= 2."), "{}", field("Depends"));
    let contents = run("dpkg-deb", &["--contents", package], &out);
    for line in contents.lines() {
        assert!(line.contains(" root/root "), "{line}");
    }
    for file in ["copyright", "changelog.gz", "THIRD-PARTY.txt.gz"] {
        assert!(contents.contains(&format!("./usr/share/doc/omnistorage/{file}\n")), "{file}: {contents}");
    }

    let unpacked = parts.directory("unpacked");
    run("dpkg-deb", &["--extract", package, unpacked.to_str().unwrap()], &out);
    assert_complete(&unpacked.join("usr"), "omnistorage-sync.1.gz");
    assert_starts_at_once(&unpacked.join("usr"), &out);
}

#[test]
fn tarball() {
    let parts = Parts::new();
    let script = format!("{REPOSITORY}/host/packaging/tarball.sh");
    let make = |name: &str| {
        let out = parts.directory(name);
        let arguments = [&parts.binary, &parts.third_party, VERSION, "machine", out.to_str().unwrap()];
        fs::read(run(&script, &arguments, &out).trim()).unwrap()
    };
    let tarball = make("out");
    assert!(tarball == make("again"), "the same parts give other bytes");

    let unpacked = parts.directory("unpacked");
    let name = format!("omnistorage-{VERSION}-machine");
    run("tar", &["xzf", &format!("../out/{name}.tar.gz")], &unpacked);
    let prefix = unpacked.join(name);
    let sums = run("sha256sum", &["--check", "--strict", "SHA256SUMS"], &prefix);
    for file in
        ["bin/omnistorage", "share/doc/omnistorage/THIRD-PARTY.txt", "share/doc/omnistorage/LICENSE-MIT"]
    {
        assert!(sums.contains(&format!("./{file}: OK\n")), "{file}: {sums}");
    }
    assert_complete(&prefix, "omnistorage-sync.1");
    assert_starts_at_once(&prefix, &unpacked);
}
