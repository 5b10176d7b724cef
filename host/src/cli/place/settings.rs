//! Settings of a store in a place: `s3://bucket?region=eu-west-1&anonymous=true/key`.
//!
//! They stand behind the name of the bucket, which holds no `?`, while a key may. A `/` ends them, but for the two of an
//! `://`; in a value it is written `%2F`. Secrets are refused: others see the command line of a process.

use std::fmt;

use percent_encoding::percent_decode_str;

#[cfg(not(target_family = "wasm"))]
use crate::Config;

/// Whether the value of a setting is secret, judged by the last word of its name.
pub(crate) fn is_secret(key: &str) -> bool {
    let word = key.rsplit(['_', '.', '-']).next().unwrap_or(key);
    matches!(word, "secret" | "key" | "token" | "password" | "json" | "delegation")
}

/// Settings by their names in the configuration.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(Vec<(String, String)>);

impl Settings {
    /// What follows the `://` of a bucket, in three parts: the name, the settings, what is behind the slash.
    ///
    /// # Errors
    /// A setting that is malformed, given twice, or a secret.
    pub(super) fn split(rest: &str) -> Result<(&str, Self, &str), String> {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let Some(behind) = behind.strip_prefix('?') else {
            return Ok((name, Self::default(), behind.strip_prefix('/').unwrap_or(behind)));
        };
        let is_end = |at: &usize| {
            let (before, after) = behind.split_at(*at);
            let is_of_scheme = before.ends_with(":/") || (before.ends_with(':') && after.starts_with("//"));
            !is_of_scheme
        };
        let end = behind.match_indices('/').map(|(at, _)| at).find(is_end).unwrap_or(behind.len());
        let (settings, key) = behind.split_at(end);
        Ok((name, Self::parse(settings)?, key.strip_prefix('/').unwrap_or(key)))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut settings: Vec<(String, String)> = Vec::new();
        for setting in text.split('&') {
            let (key, value) = setting
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or("settings are written `?KEY=VALUE&KEY=VALUE` behind the bucket")?;
            if is_secret(key) {
                return Err(format!(
                    "`{key}` is a secret, and others see the command line: set it in the environment, or in the configuration \
                     (`omnistorage config`)"
                ));
            }
            if settings.iter().any(|(known, _)| known == key) {
                return Err(format!("the setting `{key}` is given twice"));
            }
            let value =
                percent_decode_str(value).decode_utf8().map_err(|_| format!("`{key}` is not UTF-8"))?;
            settings.push((key.to_owned(), value.into_owned()));
        }
        Ok(Self(settings))
    }

    /// Of another origin than the command line.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn of(settings: Vec<(String, String)>) -> Self {
        Self(settings)
    }

    /// For the registry.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn config(&self) -> Config {
        self.added_to(Config::new())
    }

    /// The same, with what else is known.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn added_to(&self, config: Config) -> Config {
        self.0.iter().fold(config, |config, (key, value)| config.with(key.as_str(), value.as_str()))
    }

    /// As they are typed, to tell places apart. Secrets are left out.
    pub(crate) fn identity(&self) -> String {
        let told = self.0.iter().filter(|(key, _)| !is_secret(key));
        let told: Vec<_> = told.map(|(key, value)| format!("{key}={value}")).collect();
        if told.is_empty() { String::new() } else { format!("?{}", told.join("&")) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.identity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_between_the_bucket_and_the_key() {
        for (rest, name, settings, key) in [
            ("b", "b", "", ""),
            ("b/k?a=b", "b", "", "k?a=b"),
            ("b?region=x", "b", "?region=x", ""),
            ("b?region=x&anonymous=true/k/l?m", "b", "?region=x&anonymous=true", "k/l?m"),
            ("b?endpoint=http://127.0.0.1:9000/k", "b", "?endpoint=http://127.0.0.1:9000", "k"),
            ("?endpoint=http://h:9", "", "?endpoint=http://h:9", ""),
            ("b?role_arn=a%2Fb/k", "b", "?role_arn=a/b", "k"),
        ] {
            let (found, parsed, rest) = Settings::split(rest).unwrap();
            assert_eq!((found, parsed.identity().as_str(), rest), (name, settings, key));
        }
        for rest in ["b?", "b?x", "b?=x", "b?a=1&a=2", "b?secret_access_key=hush", "b?session_token=x/k"] {
            let refused = Settings::split(rest).unwrap_err();
            assert!(!refused.contains("hush"), "{refused}");
        }
    }
}
