//! Patterns that match paths: a glob as a regular expression.

use regex_lite::{Regex, RegexBuilder};

use super::glob::{Class, Glob, PatternError, PatternErrorKind, Token};

/// Memory that one pattern may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// Part of every path that matches, so that most others are told by a search for it. Empty where none is known.
    required: String,
}

impl Pattern {
    /// Compiles a glob.
    pub(super) fn new(glob: &Glob, ignore_case: bool) -> Result<Self, PatternError> {
        let mut text = String::from(if ignore_case { "(?i)" } else { "" });
        text.push_str(if glob.anchored { "^" } else { "(?:^|/)" });
        push_all(&mut text, &glob.tokens, ignore_case);
        text.push('$');
        let too_large =
            |why: regex_lite::Error| PatternError { at: 0, kind: PatternErrorKind::Regexp(why.to_string()) };
        let regex = RegexBuilder::new(&text).size_limit(SIZE_LIMIT).build().map_err(too_large)?;
        let required = if ignore_case { String::new() } else { longest_literal(&glob.tokens) };
        Ok(Self { regex, required })
    }

    /// Whether the whole path matches, or the rest of it after any `/` if the pattern does not start at the root.
    pub(super) fn matches(&self, path: &str) -> bool {
        path.contains(&self.required) && self.regex.is_match(path)
    }
}

/// The longest run of literal characters that every match contains.
fn longest_literal(tokens: &[Token]) -> String {
    let literal = |token: &Token| matches!(token, Token::Literal(_) | Token::Slash);
    let runs = tokens.split(|token| !literal(token));
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    let character = |token: &Token| match token {
        Token::Literal(character) => *character,
        _ => '/',
    };
    longest.iter().map(character).collect()
}

fn push_all(text: &mut String, tokens: &[Token], ignore_case: bool) {
    for token in tokens {
        match token {
            Token::Literal(character) => push_literal(text, *character, ignore_case),
            Token::Slash => text.push('/'),
            Token::Star => text.push_str("[^/]*"),
            Token::DoubleStar => text.push_str("(?s:.*)"),
            Token::AnyCharacter => text.push_str("[^/]"),
            Token::Class(class) => push_class(text, class, ignore_case),
            Token::AnyOf(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    text.push_str(if index == 0 { "(?:" } else { "|" });
                    push_all(text, branch, ignore_case);
                }
                text.push(')');
            }
            Token::Regexp(regexp) => {
                text.push_str("(?:");
                text.push_str(regexp);
                text.push(')');
            }
        }
    }
}

fn push_literal(text: &mut String, character: char, ignore_case: bool) {
    if ignore_case && !character.is_ascii() {
        text.push('[');
        push_cases(text, character);
        text.push(']');
    } else {
        push_escaped(text, character);
    }
}

fn push_class(text: &mut String, class: &Class, ignore_case: bool) {
    text.push_str(if class.negated { "[^" } else { "[" });
    for &(first, last) in &class.ranges {
        if ignore_case && first == last {
            push_cases(text, first);
            continue;
        }
        push_escaped(text, first);
        if first != last {
            text.push('-');
            push_escaped(text, last);
        }
    }
    class.named.iter().for_each(|name| text.push_str(name));
    text.push(']');
}

/// A character in both cases: the engine knows those of ASCII alone.
fn push_cases(text: &mut String, character: char) {
    push_escaped(text, character);
    let (lower, upper) = (character.to_lowercase(), character.to_uppercase());
    // What becomes several characters is no character of a class.
    let single = (lower.len() == 1).then_some(lower).into_iter().flatten();
    for other in single.chain((upper.len() == 1).then_some(upper).into_iter().flatten()) {
        push_escaped(text, other);
    }
}

fn push_escaped(text: &mut String, character: char) {
    text.push_str(&regex_lite::escape(character.encode_utf8(&mut [0; 4])));
}
