//! What a rule about objects says of directories: which of them must be looked into at all.

use super::glob::{Glob, Token};

/// Directories derived of one pattern. Of a deeper one they would be many and long, and little is left out by them.
const MAX_DIRECTORIES: usize = 64;

impl Glob {
    /// `/**`: all there is.
    pub(super) fn everything() -> Self {
        Self { anchored: true, tokens: vec![Token::DoubleStar] }
    }

    /// Whether it is a rule about a directory: it ends with `/`.
    pub(super) fn names_directory(&self) -> bool {
        matches!(self.tokens.last(), None | Some(Token::Slash))
    }

    /// Whether `**` makes it a rule about objects and directories alike.
    pub(super) fn has_double_star(&self) -> bool {
        self.tokens.iter().any(Token::has_double_star)
    }

    /// Whether it is `*`, which every object matches.
    pub(super) fn is_star(&self) -> bool {
        !self.anchored && self.tokens == [Token::Star]
    }

    /// The directories that may hold what matches, each with a `/` at its end, deepest first; the root goes without
    /// saying. Where braces or a regular expression may match a `/`, that is any directory. As in rclone, a pattern
    /// that is not anchored names the directories next to its matches, not those above them.
    pub(super) fn directories(&self) -> Vec<Self> {
        let fixed = |token: &Token| match token {
            Token::AnyOf(_) | Token::Regexp(_) => !token.spans_segments(),
            _ => true,
        };
        let splits = self.tokens.iter().filter(|token| matches!(token, Token::Slash | Token::DoubleStar));
        if splits.count() > MAX_DIRECTORIES || !self.tokens.iter().all(fixed) {
            return vec![Self::everything()];
        }
        let mut directories: Vec<Self> = Vec::new();
        for (index, token) in self.tokens.iter().enumerate().rev() {
            let prefix = match token {
                Token::Slash => self.tokens.iter().take(index),
                Token::DoubleStar => self.tokens.iter().take(index + 1),
                _ => continue,
            };
            let tokens = prefix.cloned().chain([Token::Slash]).collect();
            let directory = Self { anchored: self.anchored, tokens };
            if directories.last() != Some(&directory) {
                directories.push(directory);
            }
        }
        if directories.is_empty() && !self.anchored {
            directories.push(Self::everything());
        }
        directories
    }
}

#[cfg(test)]
mod tests {
    use super::super::{glob::parse, pattern::Pattern};
    use super::*;

    /// What is derived, as patterns.
    #[track_caller]
    fn derives(pattern: &str, directories: &[&str]) {
        let expected: Vec<_> = directories.iter().map(|directory| parse(directory).unwrap()).collect();
        assert_eq!(parse(pattern).unwrap().directories(), expected, "{pattern}");
    }

    #[test]
    fn the_directories_of_a_pattern() {
        for pattern in ["*", "*.jpg", "name", "{a,b/c}", "x/{a,a**b}/y", "/a{{b|c}}", "{a,{b,/c}}"] {
            derives(pattern, &["/**"]);
        }
        for pattern in ["/*", "//*.jpg", "/name", "/a[bc]?", "/{a,b}"] {
            derives(pattern, &[]);
        }
        derives("/a/*.jpg", &["/a/"]);
        derives("/a///b//*.jpg", &["/a/b/", "/a/"]);
        derives("a/b/", &["a/b/", "a/"]);
        derives("*/*/*.jpg", &["*/*/", "*/"]);
        derives("/a/{b,{c,d}}/*.{jpg,png}", &["/a/{b,{c,d}}/", "/a/"]);
        derives("**", &["**/"]);
        derives("a**b", &["a**/"]);
        derives("a**b**c", &["a**b**/", "a**/"]);
        derives("a**b/c**d", &["a**b/c**/", "a**b/", "a**/"]);
        derives("/var/spool/**/x", &["/var/spool/**/", "/var/spool/", "/var/"]);
        derives("var/spool/**/x/", &["var/spool/**/x/", "var/spool/**/", "var/spool/", "var/"]);
    }

    #[test]
    fn no_derived_directory_is_too_narrow() {
        // Whatever an anchored pattern matches, each directory above it is derived.
        for (pattern, path) in [
            ("/a/*/c", "a/b/c"),
            ("/a**", "a/b/c/d"),
            ("/**/x", "a/b/x"),
            ("/{a,b}/c/?", "b/c/d"),
            ("/a{,/b}/c", "a/b/c"),
        ] {
            let glob = parse(pattern).unwrap();
            assert!(Pattern::new(&glob, false).unwrap().matches(path), "{pattern}");
            for (slash, _) in path.match_indices('/') {
                let directory = &path[..=slash];
                let derived = glob.directories();
                let any = |glob: &Glob| Pattern::new(glob, false).unwrap().matches(directory);
                assert!(derived.iter().any(any), "{pattern} {directory}");
            }
        }
    }
}
