//! An element of an array while it comes: how far it goes, and its text on one line.

use memchr::memchr2;

/// The text of an element as far as it is there.
#[derive(Default)]
pub(super) struct Element {
    text: Vec<u8>,
    /// The brackets and braces that are open.
    depth: u64,
    place: Place,
}

/// Where in the element it is.
#[derive(Clone, Copy, Default)]
enum Place {
    /// Between tokens or in one that is no string.
    #[default]
    Plain,
    /// In whitespace that begins at this place of the text; whether it holds a line break.
    Space {
        start: usize,
        breaks: bool,
    },
    String,
    /// In a string, behind a backslash.
    Escape,
}

/// What ends an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The comma before the next one.
    Comma,
    /// The bracket that ends the array.
    Bracket,
    /// It is longer than it may be.
    TooLong,
    /// Two values that nothing but whitespace is between.
    Joined,
    /// A brace that closes nothing.
    Unopened,
}

impl Element {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Begins the next one.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        (self.depth, self.place) = (0, Place::Plain);
    }

    /// Ends it where there is nothing more; returns whether it is whole.
    pub(super) fn close(&mut self) -> bool {
        if let Place::Space { start, .. } = self.place {
            self.text.truncate(start);
            self.place = Place::Plain;
        }
        self.depth == 0 && matches!(self.place, Place::Plain)
    }

    /// Takes input up to the end of the element, which is taken too. Returns how many bytes that are, and the end if it
    /// is there. No more than `limit` bytes of text are kept, but for whitespace.
    pub(super) fn take(&mut self, input: &[u8], limit: usize) -> (usize, Option<End>) {
        let mut at = 0;
        while let Some(byte) = input.get(at) {
            if let Place::String = self.place {
                let length = memchr2(b'"', b'\\', &input[at..]);
                let part = &input[at..length.map_or(input.len(), |length| at + length + 1)];
                if self.text.len() + part.len() > limit {
                    return (at, Some(End::TooLong));
                }
                self.text.extend_from_slice(part);
                at += part.len();
                match part.last().filter(|_| length.is_some()) {
                    Some(b'"') => self.place = Place::Plain,
                    Some(_) => self.place = Place::Escape,
                    None => {}
                }
                continue;
            }
            if let Some(end) = self.step(*byte, limit) {
                return (at + usize::from(matches!(end, End::Comma | End::Bracket)), Some(end));
            }
            at += 1;
        }
        (at, None)
    }

    /// Takes a byte that is in no string, or behind a backslash.
    fn step(&mut self, byte: u8, limit: usize) -> Option<End> {
        match self.place {
            Place::Escape => {
                self.place = Place::String;
                return self.push(byte, limit);
            }
            _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => {
                self.space(byte, limit);
                return None;
            }
            Place::Space { start, breaks } => {
                let before = self.text.get(..start).and_then(<[u8]>::last);
                let is_joined = before.is_some_and(|before| ends_value(*before)) && begins_value(byte);
                if is_joined {
                    return Some(End::Joined);
                }
                let ends = self.depth == 0 && matches!(byte, b',' | b']');
                if breaks || ends {
                    self.text.truncate(start);
                }
                self.place = Place::Plain;
            }
            _ => {}
        }
        match byte {
            b',' if self.depth == 0 => return Some(End::Comma),
            b']' if self.depth == 0 => return Some(End::Bracket),
            b'}' if self.depth == 0 => return Some(End::Unopened),
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth -= 1,
            b'"' => self.place = Place::String,
            _ => {}
        }
        self.push(byte, limit)
    }

    fn push(&mut self, byte: u8, limit: usize) -> Option<End> {
        if self.text.len() >= limit {
            return Some(End::TooLong);
        }
        self.text.push(byte);
        None
    }

    /// Takes whitespace: none before the element, and a run of it that holds a line break goes.
    fn space(&mut self, byte: u8, limit: usize) {
        if self.text.is_empty() {
            return;
        }
        let (start, breaks) = match self.place {
            Place::Space { start, breaks } => (start, breaks),
            _ => (self.text.len(), false),
        };
        let breaks = breaks || matches!(byte, b'\r' | b'\n');
        // What is beyond the limit counts if something follows that it is kept before.
        if !breaks && self.text.len() <= limit {
            self.text.push(byte);
        }
        self.place = Place::Space { start, breaks };
    }
}

/// Whether a byte may be the last one of a value.
const fn ends_value(byte: u8) -> bool {
    !matches!(byte, b'[' | b'{' | b',' | b':')
}

/// Whether a byte may be the first one of a value.
const fn begins_value(byte: u8) -> bool {
    !matches!(byte, b']' | b'}' | b',' | b':')
}
