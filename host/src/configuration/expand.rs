//! `~` and variables in a path of the configuration.

/// Puts the home directory for a `~` at the front, and for `$NAME` and `${NAME}` what `variable` says; `$$` is a dollar
/// sign. What is not set, or empty, is an error: half a path would be another place.
pub(super) fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let value = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("the variable `{name}` is not set; write `$$` for a dollar sign"))
    };
    let (mut expanded, mut rest) = match text.strip_prefix('~') {
        None => (String::new(), text),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = variable("HOME").filter(|home| !home.is_empty());
            (home.ok_or("`~` is the home directory, and the variable `HOME` is not set")?, rest)
        }
        Some(_) => {
            return Err("`~` stands for your own home directory alone: write `~/...`, or `./~...`".to_owned());
        }
    };
    while let Some((before, after)) = rest.split_once('$') {
        expanded += before;
        rest = match after.strip_prefix('{') {
            Some(braced) => {
                let (name, after) = braced.split_once('}').ok_or("a `${` has no `}`")?;
                if name_length(name) != name.len() || name.is_empty() {
                    return Err("what stands in `${...}` is no name of a variable".to_owned());
                }
                expanded += &value(name)?;
                after
            }
            None if after.starts_with('$') => {
                expanded.push('$');
                after.get(1..).unwrap_or_default()
            }
            None => match after.split_at(name_length(after)) {
                ("", _) => {
                    return Err(
                        "no name of a variable follows a `$`; write `$$` for a dollar sign".to_owned()
                    );
                }
                (name, after) => {
                    expanded += &value(name)?;
                    after
                }
            },
        };
    }
    Ok(expanded + rest)
}

/// How long the name of a variable is that a text begins with (POSIX, 3.216 Name).
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        expand(text, |name| {
            let known = [("HOME", "/home/me"), ("DATA", "/srv"), ("EMPTY", ""), ("a_1", "x$DATA~")];
            known.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        })
    }

    #[test]
    fn paths_are_filled_in_once() {
        for (text, path) in [
            ("/srv/a", "/srv/a"),
            ("~", "/home/me"),
            ("~/a~b", "/home/me/a~b"),
            ("$DATA", "/srv"),
            ("$DATA/a", "/srv/a"),
            ("/mnt/${DATA}b$DATA", "/mnt//srvb/srv"),
            ("${a_1}", "x$DATA~"),
            ("/a/$$RECYCLE.BIN", "/a/$RECYCLE.BIN"),
            ("", ""),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(path), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_an_error() {
        for (text, part) in [
            ("$NOPE/a", "`NOPE` is not set"),
            ("${NOPE}", "`NOPE` is not set"),
            ("${EMPTY}/a", "`EMPTY` is not set"),
            ("${DATA", "no `}`"),
            ("${}", "no name"),
            ("${DATA:-x}", "no name"),
            ("a$", "`$$`"),
            ("$1", "`$$`"),
            ("~you/a", "`~`"),
        ] {
            let refused = expanded(text).unwrap_err();
            assert!(refused.contains(part), "{text}: {refused}");
        }
        assert!(expand("~/a", |_| None).unwrap_err().contains("HOME"));
    }
}
