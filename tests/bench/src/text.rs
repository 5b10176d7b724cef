//! Text with about the entropy of what is stored in earnest, made from a seed: log lines, source code, rows of orders.

/// A kind of text.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// NDJSON with times, addresses and durations.
    Logs,
    /// Something like Rust.
    Source,
    /// CSV with names, prices and times.
    Orders,
}

impl Text {
    pub(crate) const ALL: [Self; 3] = [Self::Logs, Self::Source, Self::Orders];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Source => "source",
            Self::Orders => "orders",
        }
    }

    /// At least so many bytes of it.
    pub(crate) fn generate(self, size: usize) -> Vec<u8> {
        let (mut random, mut text) = (Random(0x6f6d_6e69), String::with_capacity(size + 4096));
        let words = Words::new(&mut random);
        while text.len() < size {
            match self {
                Self::Logs => log_line(&mut text, &mut random, &words),
                Self::Source => function(&mut text, &mut random, &words),
                Self::Orders => order(&mut text, &mut random, &words),
            }
        }
        text.into_bytes()
    }
}

fn log_line(text: &mut String, random: &mut Random, words: &Words) {
    let level = ["info", "info", "info", "info", "debug", "debug", "warn", "error"][random.below(8)];
    let (second, millisecond) = (text.len() / 4000, random.below(1000));
    let (minute, second) = (second / 60, second % 60);
    text.push_str(&format!(
        "{{\"time\":\"2026-03-14T{:02}:{:02}:{second:02}.{millisecond:03}Z\",\"level\":\"{level}\",\"service\":\"{}\",\
         \"request\":\"{:016x}\",\"client\":\"10.{}.{}.{}\",\"method\":\"{}\",\"path\":\"/{}/{}/{}\",\"status\":{},\
         \"bytes\":{},\"duration_us\":{},\"message\":\"{} {} {} {}\"}}\n",
        minute / 60,
        minute % 60,
        words.pick_of(12, random),
        random.next(),
        random.below(4),
        random.below(256),
        random.below(256),
        ["GET", "GET", "GET", "PUT", "POST"][random.below(5)],
        words.pick_of(20, random),
        words.pick(random),
        random.below(100_000),
        [200, 200, 200, 200, 204, 304, 404, 500][random.below(8)],
        random.spread(16),
        random.spread(16),
        words.pick(random),
        words.pick(random),
        words.pick(random),
        words.pick(random),
    ));
}

fn function(text: &mut String, random: &mut Random, words: &Words) {
    text.push_str(&format!("    /// {}", words.pick(random)));
    for _ in 0..random.below(12) {
        text.push_str(&format!(" {}", words.pick(random)));
    }
    let (name, kind) = (words.pick(random), words.pick_of(60, random));
    text.push_str(&format!(
        ".\n    pub(crate) fn {name}_{}(&mut self, {}: &{kind}) -> Result<{}, Error> {{\n",
        words.pick_of(40, random),
        words.pick_of(80, random),
        words.pick_of(60, random)
    ));
    for _ in 0..2 + random.below(14) {
        let (a, b, c) = (words.pick(random), words.pick(random), words.pick_of(80, random));
        match random.below(5) {
            0 => text.push_str(&format!("        let {c} = self.{a}.{b}({c})?;\n")),
            1 => text.push_str(&format!(
                "        if {c}.is_empty() {{\n            return Err(Error::{a});\n        }}\n"
            )),
            2 => text.push_str(&format!("        self.{a} += {c}.{b}() as u64;\n")),
            3 => text.push_str(&format!("        // {a} {b} {c} {}\n", words.pick(random))),
            _ => text.push_str(&format!("        {c}.{a}(&{b}, {});\n", random.below(100))),
        }
    }
    text.push_str("        Ok(())\n    }\n\n");
}

fn order(text: &mut String, random: &mut Random, words: &Words) {
    let quoted = random.below(12) == 0;
    let quote = if quoted { "\"" } else { "" };
    let comma = if quoted { ", " } else { " " };
    text.push_str(&format!(
        "{},2026-0{}-{:02}T{:02}:{:02}:{:02},{},{}@example.com,{quote}{}{comma}{}{quote},{},{}.{:02},{},{},{}\n",
        1_000_000 + text.len() / 101,
        1 + random.below(9),
        1 + random.below(28),
        random.below(24),
        random.below(60),
        random.below(60),
        random.below(250_000),
        words.pick(random),
        words.pick(random),
        words.pick(random),
        1 + random.below(9),
        random.below(1000),
        random.below(100),
        ["EUR", "EUR", "USD", "GBP"][random.below(4)],
        ["paid", "paid", "sent", "returned"][random.below(4)],
        words.pick_of(200, random),
    ));
}

/// A vocabulary, of which the first words are used most.
struct Words(Vec<String>);

impl Words {
    fn new(random: &mut Random) -> Self {
        const SYLLABLES: [&str; 24] = [
            "ra", "con", "te", "st", "ing", "re", "mo", "der", "li", "ant", "per", "so", "ob", "ject", "str",
            "eam", "key", "lo", "cat", "ion", "ver", "si", "ta", "ble",
        ];
        let word = |_| (0..2 + random.below(3)).map(|_| SYLLABLES[random.below(24)]).collect();
        Self((0..4000).map(word).collect())
    }

    fn pick(&self, random: &mut Random) -> &str {
        self.pick_of(self.0.len(), random)
    }

    /// One of the first `count` words: the product of two throws leans towards the start, as language does.
    fn pick_of(&self, count: usize, random: &mut Random) -> &str {
        let most = 1 + random.below(count);
        &self.0[random.below(most)]
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Of any magnitude below `2^(4 + bits)`, small ones as likely as large ones.
    fn spread(&mut self, bits: usize) -> usize {
        let limit = 1 << (4 + self.below(bits));
        self.below(limit)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
