//! A password in a URL, which is not repeated: what is refused may end up in a log.

use std::borrow::Cow;

/// A text with `***` in the place of each password, as in `scheme://user:***@host`.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    /// What ends the host of a URL in a sentence.
    const ENDS: [char; 4] = ['/', '\'', '`', '"'];

    let mut masked = Cow::Borrowed(text);
    let mut from = 0;
    while let Some(scheme) = masked[from..].find("://") {
        let start = from + scheme + "://".len();
        let host = &masked[start..];
        let host =
            &host[..host.find(|end: char| end.is_whitespace() || ENDS.contains(&end)).unwrap_or(host.len())];
        from = start;
        if let Some((user, _)) = host.rsplit_once('@')
            && let Some(colon) = user.find(':')
        {
            let password = start + colon + 1..start + user.len();
            masked.to_mut().replace_range(password, "***");
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_and_the_rest_stays() {
        for (text, expected) in [
            ("a `webdavs://me:secret@host/x`", "a `webdavs://me:***@host/x`"),
            ("sftp://me:s:e@c@host", "sftp://me:***@host"),
            ("'a://b:c@d' and a://b:c@d:22/e", "'a://b:***@d' and a://b:***@d:22/e"),
            ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
            ("https://host:80/x me:you@there", "https://host:80/x me:you@there"),
            ("sftp://me@host:22/x", "sftp://me@host:22/x"),
            ("://", "://"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
