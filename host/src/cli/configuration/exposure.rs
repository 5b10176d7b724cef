//! A configuration file that is open to others.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{Configuration, cli::place::is_secret};

/// The warning about a file that others can change, so that they choose where data goes, or that they can read while it
/// holds a secret. It never contains the secret.
pub(super) fn warning(file: &Path, backends: &Configuration) -> Option<String> {
    let others = others(file)?;
    let secret = backends.backends().find_map(|(name, _)| {
        let secret = backends.config(name)?.keys().find(|key| is_secret(key))?;
        Some(format!("`{secret}` of `{name}`"))
    });
    let what = match (others, secret) {
        (Others { write: true, .. }, _) => "others can change what it says".to_owned(),
        (Others { read: true, .. }, Some(secret)) => format!("others can read {secret} in it"),
        _ => return None,
    };
    let file = file.display();
    Some(format!("`{file}`: {what}; `chmod go= {file}` takes that from them"))
}

/// What everybody on this system may do with a file.
struct Others {
    read: bool,
    write: bool,
}

fn others(file: &Path) -> Option<Others> {
    let found = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    let mode = found.permissions().mode();
    Some(Others { read: mode & 0o004 != 0, write: mode & 0o002 != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(mode: u32, settings: &str) -> Option<String> {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("c.toml");
        let text = format!("[backends.nas]\nkind = 's3'\n{settings}");
        fs::write(&file, &text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        warning(&file, &Configuration::parse("c.toml", &text).unwrap())
    }

    #[test]
    fn what_others_can_change_or_read_a_secret_in_is_told_without_it() {
        const SECRET: &str = "secret_access_key = 'hush'";
        for mode in [0o602, 0o622, 0o606] {
            assert!(
                warned(mode, "").is_some_and(|told| told.contains("change") && told.contains("c.toml")),
                "{mode:o}"
            );
        }
        let told = warned(0o644, SECRET).unwrap();
        assert!(told.contains("`secret_access_key` of `nas`") && !told.contains("hush"), "{told}");
        for (mode, settings) in
            [(0o600, SECRET), (0o660, SECRET), (0o644, ""), (0o644, "access_key_id = 'x'")]
        {
            assert_eq!(warned(mode, settings), None, "{mode:o} {settings}");
        }
    }

    #[test]
    fn secrets_are_told_by_the_last_word() {
        for key in [
            "secret_access_key",
            "session_token",
            "credentials_json",
            "access_token",
            "account_key",
            "password",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["access_key_id", "token_endpoint", "credentials", "root", "retry.attempts"] {
            assert!(!is_secret(key), "{key}");
        }
    }
}
