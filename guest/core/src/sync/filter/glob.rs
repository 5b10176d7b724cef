//! The grammar of patterns: rclone's globs, as tokens.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any characters but `/`, or none |
//! | `**` | any characters, `/` too, or none |
//! | `?` | one character but `/` |
//! | `[a-z]`, `[^a-z]`, `[[:digit:]]` | one character of a class, or one outside it |
//! | `{a,b}` | any of the patterns; they may nest |
//! | `{{regexp}}` | a regular expression |
//! | `\*` | the character itself, of all that is neither a letter nor a digit |
//! | `/` in front | starts at the root; without it the pattern may start after any `/` |
//!
//! A run of `/` counts as one, for no path has an empty segment.

use std::{fmt, iter::Peekable, str::CharIndices};

use regex_lite::Regex;

/// Braces within braces: far more than anyone writes, far less than a stack holds.
const MAX_DEPTH: usize = 32;

/// The classes that have a name (POSIX).
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// A pattern, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// Whether it starts at the root.
    pub(super) anchored: bool,
    pub(super) tokens: Vec<Token>,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(char),
    Slash,
    Star,
    DoubleStar,
    AnyCharacter,
    Class(Class),
    AnyOf(Vec<Vec<Token>>),
    Regexp(String),
}

/// One character of, or outside, a class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) negated: bool,
    /// First and last.
    pub(super) ranges: Vec<(char, char)>,
    /// As they are written: `[:alpha:]`.
    pub(super) named: Vec<String>,
}

impl Token {
    /// Whether it may match more than one segment of a path, or part of several.
    pub(super) fn spans_segments(&self) -> bool {
        match self {
            Self::Slash | Self::DoubleStar | Self::Regexp(_) => true,
            Self::AnyOf(branches) => branches.iter().flatten().any(Self::spans_segments),
            Self::Literal(_) | Self::Star | Self::AnyCharacter | Self::Class(_) => false,
        }
    }

    /// Whether there is a `**` in it.
    pub(super) fn has_double_star(&self) -> bool {
        match self {
            Self::DoubleStar => true,
            Self::AnyOf(branches) => branches.iter().flatten().any(Self::has_double_star),
            _ => false,
        }
    }
}

/// Why a pattern cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Characters before what is wrong.
    pub at: usize,
    /// What is wrong.
    pub kind: PatternErrorKind,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// There is none.
    Empty,
    /// `***` or more.
    TooManyStars,
    /// `[`, `{` or `{{` without its end.
    Unclosed(&'static str),
    /// `]` or `}` without its beginning.
    Unopened(char),
    /// `[]`.
    EmptyClass,
    /// `[z-a]`.
    ReversedRange(char, char),
    /// `[[:name:]]` of an unknown name.
    UnknownClass(String),
    /// `\` at the end.
    TrailingBackslash,
    /// `\` before a letter or a digit.
    Escape(char),
    /// Braces within braces, too deep.
    TooDeep,
    /// What stands between `{{` and `}}`, or the pattern as a whole: not a regular expression, or too large a one.
    Regexp(String),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PatternErrorKind::Empty => return f.write_str("the pattern is empty"),
            PatternErrorKind::TooManyStars => f.write_str("write `*` or `**`, not more stars")?,
            PatternErrorKind::Unclosed(open) => write!(f, "`{open}` is not closed")?,
            PatternErrorKind::Unopened(close) => {
                write!(f, "`{close}` closes nothing: write `\\{close}` for the character")?;
            }
            PatternErrorKind::EmptyClass => f.write_str("the class is empty")?,
            PatternErrorKind::ReversedRange(first, last) => {
                write!(f, "the range `{first}-{last}` is the wrong way round")?;
            }
            PatternErrorKind::UnknownClass(name) => write!(f, "there is no class `[:{name}:]`")?,
            PatternErrorKind::TrailingBackslash => f.write_str("`\\` escapes nothing: write `\\\\`")?,
            PatternErrorKind::Escape(character) => {
                write!(f, "`\\{character}` is no escape outside of `{{{{regexp}}}}`: write `{character}`")?;
            }
            PatternErrorKind::TooDeep => write!(f, "braces nest deeper than {MAX_DEPTH}")?,
            PatternErrorKind::Regexp(why) => write!(f, "not a regular expression: {why}")?,
        }
        write!(f, " (character {})", self.at + 1)
    }
}

impl std::error::Error for PatternError {}

/// Understands a pattern.
pub(super) fn parse(pattern: &str) -> Result<Glob, PatternError> {
    let mut parser = Parser { pattern, rest: pattern.char_indices().peekable() };
    if pattern.is_empty() {
        return Err(parser.error(0, PatternErrorKind::Empty));
    }
    let anchored = parser.slashes();
    let (tokens, _) = parser.sequence(0)?;
    Ok(Glob { anchored, tokens })
}

struct Parser<'p> {
    pattern: &'p str,
    rest: Peekable<CharIndices<'p>>,
}

/// What ended a sequence of tokens.
#[derive(PartialEq, Eq)]
enum End {
    Comma,
    Brace,
    Pattern,
}

impl Parser<'_> {
    /// An error at a byte of the pattern.
    fn error(&self, byte: usize, kind: PatternErrorKind) -> PatternError {
        let at = self.pattern.char_indices().take_while(|&(index, _)| index < byte).count();
        PatternError { at, kind }
    }

    /// Takes a run of `/`; says whether there was any.
    fn slashes(&mut self) -> bool {
        let mut any = false;
        while self.rest.next_if(|&(_, character)| character == '/').is_some() {
            any = true;
        }
        any
    }

    /// Tokens up to the end, or up to what ends a branch within braces.
    fn sequence(&mut self, depth: usize) -> Result<(Vec<Token>, End), PatternError> {
        let mut tokens = Vec::new();
        while let Some((at, character)) = self.rest.next() {
            tokens.push(match character {
                '/' => {
                    self.slashes();
                    Token::Slash
                }
                '*' => self.stars(at)?,
                '?' => Token::AnyCharacter,
                '[' => Token::Class(self.class(at)?),
                '{' if self.rest.next_if(|&(_, next)| next == '{').is_some() => self.regexp(at)?,
                '{' if depth == MAX_DEPTH => return Err(self.error(at, PatternErrorKind::TooDeep)),
                '{' => self.any_of(at, depth + 1)?,
                ',' if depth > 0 => return Ok((tokens, End::Comma)),
                '}' if depth > 0 => return Ok((tokens, End::Brace)),
                ']' | '}' => return Err(self.error(at, PatternErrorKind::Unopened(character))),
                '\\' => match self.escaped(at)? {
                    '/' => Token::Slash,
                    character => Token::Literal(character),
                },
                _ => Token::Literal(character),
            });
        }
        Ok((tokens, End::Pattern))
    }

    fn stars(&mut self, at: usize) -> Result<Token, PatternError> {
        let mut more = 0;
        while self.rest.next_if(|&(_, character)| character == '*').is_some() {
            more += 1;
        }
        match more {
            0 => Ok(Token::Star),
            1 => Ok(Token::DoubleStar),
            _ => Err(self.error(at, PatternErrorKind::TooManyStars)),
        }
    }

    fn escaped(&mut self, at: usize) -> Result<char, PatternError> {
        match self.rest.next() {
            None => Err(self.error(at, PatternErrorKind::TrailingBackslash)),
            Some((_, character)) if character.is_ascii_alphanumeric() => {
                Err(self.error(at, PatternErrorKind::Escape(character)))
            }
            Some((_, character)) => Ok(character),
        }
    }

    fn any_of(&mut self, open: usize, depth: usize) -> Result<Token, PatternError> {
        let mut branches = Vec::new();
        loop {
            let (branch, end) = self.sequence(depth)?;
            branches.push(branch);
            match end {
                End::Comma => {}
                End::Brace => return Ok(Token::AnyOf(branches)),
                End::Pattern => return Err(self.error(open, PatternErrorKind::Unclosed("{"))),
            }
        }
    }

    /// Up to the last of the first run of closing braces, so that `{{a{2}}}` is `a{2}`.
    fn regexp(&mut self, open: usize) -> Result<Token, PatternError> {
        let start = open + "{{".len();
        let section = self.pattern.get(start..).unwrap_or_default();
        let Some(first) = section.find("}}") else {
            return Err(self.error(open, PatternErrorKind::Unclosed("{{")));
        };
        let braces = section.get(first..).unwrap_or_default();
        let more = braces.len() - braces.trim_start_matches('}').len() - "}}".len();
        let section = section.get(..first + more).unwrap_or_default();
        let end = start + section.len() + "}}".len();
        while self.rest.next_if(|&(index, _)| index < end).is_some() {}
        match Regex::new(section) {
            Ok(_) => Ok(Token::Regexp(section.to_owned())),
            Err(why) => Err(self.error(start, PatternErrorKind::Regexp(why.to_string()))),
        }
    }

    fn class(&mut self, open: usize) -> Result<Class, PatternError> {
        let mut class =
            Class { negated: self.rest.next_if(|&(_, c)| c == '^').is_some(), ..Class::default() };
        loop {
            let Some((at, character)) = self.rest.next() else {
                return Err(self.error(open, PatternErrorKind::Unclosed("[")));
            };
            let first = match character {
                ']' if class.ranges.is_empty() && class.named.is_empty() => {
                    return Err(self.error(open, PatternErrorKind::EmptyClass));
                }
                ']' => return Ok(class),
                '[' if self.rest.next_if(|&(_, c)| c == ':').is_some() => {
                    class.named.push(self.named(at)?);
                    continue;
                }
                '\\' => self.escaped(at)?,
                _ => character,
            };
            let last = self.range_end(first)?;
            if last < first {
                return Err(self.error(at, PatternErrorKind::ReversedRange(first, last)));
            }
            class.ranges.push((first, last));
        }
    }

    /// The other end of a range that may start here. A `-` before `]` is the character.
    fn range_end(&mut self, first: char) -> Result<char, PatternError> {
        let mut ahead = self.rest.clone();
        if ahead.next().is_none_or(|(_, c)| c != '-') || ahead.peek().is_none_or(|&(_, c)| c == ']') {
            return Ok(first);
        }
        self.rest = ahead;
        match self.rest.next() {
            Some((at, '\\')) => self.escaped(at),
            Some((_, last)) => Ok(last),
            None => Ok(first),
        }
    }

    /// The rest of `[:name:]`.
    fn named(&mut self, open: usize) -> Result<String, PatternError> {
        let rest = self.pattern.get(open + "[:".len()..).unwrap_or_default();
        let Some(length) = rest.find(":]") else {
            return Err(self.error(open, PatternErrorKind::Unclosed("[:")));
        };
        let name = rest.get(..length).unwrap_or_default();
        if !NAMED.contains(&name.trim_start_matches('^')) {
            return Err(self.error(open, PatternErrorKind::UnknownClass(name.to_owned())));
        }
        let end = open + "[:".len() + length + ":]".len();
        while self.rest.next_if(|&(index, _)| index < end).is_some() {}
        Ok(format!("[:{name}:]"))
    }
}
