//! The memo: what was written is read, what was damaged is not believed, and what a run finds comes in order.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use omnistorage_core::{
    Path,
    entry::{Entry, ObjectKind, Timestamp},
    sync::memo::{Fact, Header, Identity, Ledger, Lookup, MemoError, Reader, Sought, Writer},
};
use proptest::prelude::*;

fn header() -> Header {
    Header { source: "/a".to_owned(), target: "s3://b/c".to_owned(), way: String::new() }
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn identity(size: u64, etag: &str) -> Identity {
    Identity { size, etag: etag.to_owned(), modified: None }
}

fn fact(at: &str, target: &str) -> Fact {
    Fact { path: path(at), source: identity(3, "\"s\""), target: identity(3, target) }
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let segment = "[^/\0]{1,6}".prop_filter("a name", |name| name != "." && name != "..");
    let path = prop::collection::vec(segment, 1..4).prop_map(|path| path.join("/"));
    let etag = || "[^W].{0,20}";
    let modified = prop::option::of((any::<i64>(), 0_u32..1_000_000_000))
        .prop_map(|time| time.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds }));
    let of = (any::<u64>(), etag(), modified, any::<u64>(), etag());
    prop::collection::btree_map(path, of, 0..20).prop_map(|all: BTreeMap<String, _>| {
        let fact = |(path, (size, etag, modified, other, target)): (String, _)| Fact {
            path: Path::parse(path).unwrap(),
            source: Identity { size, etag, modified },
            target: Identity { size: other, etag: target, modified: None },
        };
        all.into_iter().map(fact).collect()
    })
}

fn written(header: &Header, facts: &[Fact]) -> Vec<u8> {
    let (mut writer, mut file) = (Writer::new(header), Vec::new());
    facts.iter().for_each(|fact| writer.write(fact, &mut file));
    writer.finish(&mut file);
    file
}

/// What can be believed of a file, and why no more.
fn read(file: &[u8], piece: usize) -> (Vec<Fact>, Result<(), MemoError>) {
    let (mut reader, mut facts) = (Reader::new(header()), Vec::new());
    for piece in file.chunks(piece) {
        if let Err(why) = reader.push(piece, &mut facts) {
            return (facts, Err(why));
        }
    }
    (facts, reader.finish())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(facts in facts(), piece in 1_usize..200) {
        let file = written(&header(), &facts);
        prop_assert_eq!(read(&file, piece), (facts, Ok(())));
    }

    #[test]
    fn of_one_that_is_cut_off_the_beginning_is_believed(facts in facts(), at in any::<prop::sample::Index>()) {
        let file = written(&header(), &facts);
        let cut = at.index(file.len());
        let (known, outcome) = read(&file[..cut], 64);
        prop_assert_eq!(&known[..], &facts[..known.len()]);
        let is_whole = cut == 0 || file[cut - 1] == b'\n';
        prop_assert_eq!(outcome, if is_whole { Ok(()) } else { Err(MemoError::Truncated) });
    }

    #[test]
    fn nothing_is_believed_that_was_not_written(
        facts in facts(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut file = written(&header(), &facts);
        let at = at.index(file.len());
        let is_other = std::mem::replace(&mut file[at], byte) != byte;
        let (known, outcome) = read(&file, 64);
        prop_assert_eq!(&known[..], &facts[..known.len()]);
        prop_assert_eq!(outcome.is_err(), is_other);
    }

    #[test]
    fn noise_is_no_memo(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = noise.clone();
        file.push(b'\n');
        prop_assert_eq!(read(&file, 16), (vec![], Err(MemoError::Foreign)));
    }
}

#[test]
fn what_a_memo_says_of_others_is_not_believed_here() {
    let other = Header { target: "s3://b/d".to_owned(), ..header() };
    assert_eq!(read(&written(&other, &[fact("a", "1")]), 64).1, Err(MemoError::Elsewhere));
    // Not even line by line.
    let (ours, theirs) = (written(&header(), &[fact("a", "1")]), written(&other, &[fact("b", "2")]));
    let line = theirs.split_inclusive(|byte| *byte == b'\n').nth(1).unwrap();
    let both = [&ours[..], line].concat();
    assert_eq!(read(&both, 64), (vec![fact("a", "1")], Err(MemoError::Damaged { line: 3 })));
    assert_eq!(read(b"", 64), (vec![], Ok(())));
}

#[test]
fn facts_come_in_order_and_once() {
    for wrong in [["b", "a"], ["a", "a"]] {
        let file = written(&header(), &wrong.map(|path| fact(path, "1")));
        let (known, outcome) = read(&file, 64);
        assert_eq!((known.len(), outcome), (1, Err(MemoError::Damaged { line: 3 })));
    }
}

#[test]
fn later_versions_are_left_alone() {
    let later = String::from_utf8(written(&header(), &[])).unwrap().replace("\"version\":1", "\"version\":2");
    assert_eq!(read(later.as_bytes(), 64).1, Err(MemoError::Version(2)));
}

#[test]
fn a_fact_is_about_one_pair_and_no_other() {
    let mut source = Entry::new(path("a"), ObjectKind::Object);
    source.size = Some(3);
    source.etag = Some("\"s\"".to_owned());
    source.modified = Some(Timestamp { seconds: 1000, nanoseconds: 5 });
    let target = Entry { etag: Some("\"t\"".to_owned()), ..source.clone() };
    let identity = Identity::of_source(&source).unwrap();
    let fact = Fact { path: path("a"), source: identity, target: Identity::of_target(&target).unwrap() };
    assert!(fact.holds(&source, &target));
    // When a target is listed as written tells nothing.
    assert!(fact.holds(&source, &Entry { modified: None, ..target.clone() }));
    let etag = |etag: &str| Some(etag.to_owned());
    for other in [
        Entry { size: Some(4), ..source.clone() },
        Entry { size: None, ..source.clone() },
        Entry { etag: etag("\"t\""), ..source.clone() },
        Entry { etag: None, ..source.clone() },
        Entry { etag: etag("W/\"s\""), ..source.clone() },
        Entry { modified: None, ..source.clone() },
        Entry { modified: Some(Timestamp { seconds: 1000, nanoseconds: 6 }), ..source.clone() },
    ] {
        assert!(!fact.holds(&other, &target), "{other:?}");
    }
    for other in [
        Entry { size: Some(4), ..target.clone() },
        Entry { etag: etag("\"s\""), ..target.clone() },
        Entry { etag: None, ..target.clone() },
    ] {
        assert!(!fact.holds(&source, &other), "{other:?}");
    }
    for weak in ["W/\"s\"", ""] {
        assert_eq!(Identity::of_source(&Entry { etag: etag(weak), ..source.clone() }), None);
    }
}

#[test]
fn what_is_looked_up_in_order_is_found() {
    let mut lookup = Lookup::default();
    let mut passed = Vec::new();
    assert_eq!(lookup.seek(&path("a"), &mut passed), Sought::Need);
    lookup.push(["b", "c", "e"].map(|path| fact(path, "1")).into());
    assert_eq!(lookup.seek(&path("a"), &mut passed), Sought::Nothing);
    assert_eq!(lookup.seek(&path("c"), &mut passed), Sought::Fact(fact("c", "1")));
    assert_eq!(passed, [fact("b", "1")]);
    assert_eq!(lookup.seek(&path("b"), &mut passed), Sought::Nothing, "it comes late");
    assert_eq!(lookup.seek(&path("f"), &mut passed), Sought::Need);
    assert_eq!(passed.len(), 2);
    lookup.end();
    assert_eq!(lookup.seek(&path("f"), &mut passed), Sought::Nothing);
}

#[test]
fn a_ledger_gives_what_was_settled_in_order() {
    let mut ledger = Ledger::default();
    let source = || identity(3, "\"s\"");
    ledger.keep(fact("a", "old"));
    ledger.meet(path("b"), source(), Some(identity(3, "listed")));
    ledger.meet(path("c"), source(), None);
    ledger.keep(fact("d", "old"));
    ledger.keep(fact("e", "old"));
    assert_eq!(ledger.pop(), Some(fact("a", "old")));
    assert_eq!(ledger.pop(), None, "`b` is open");
    // What is written anew is what was written.
    ledger.reopen(&path("d"));
    ledger.write(&path("d"), identity(3, "new"));
    ledger.write(&path("c"), identity(3, "first"));
    ledger.confirm(&path("b"));
    ledger.forget(&path("e"));
    assert_eq!([ledger.pop(), ledger.pop()], [Some(fact("b", "listed")), Some(fact("c", "first"))]);
    assert_eq!([ledger.pop(), ledger.pop()], [Some(fact("d", "new")), None]);
    // Behind what was written nothing comes in.
    ledger.keep(fact("b", "late"));
    assert_eq!(ledger.finish(), None);
}

#[test]
fn what_did_not_arrive_and_what_cannot_be_told_is_not_remembered() {
    let mut ledger = Ledger::default();
    ledger.keep(fact("a", "old"));
    ledger.reopen(&path("a"));
    ledger.meet(path("b"), identity(3, "\"s\""), None);
    ledger.confirm(&path("b"));
    ledger.write(&path("nobody"), identity(3, "1"));
    assert_eq!(ledger.pop(), None);
    assert_eq!(ledger.finish(), None);
}

#[test]
fn many_do_not_wait_for_one() {
    let mut ledger = Ledger::default();
    ledger.meet(path("a"), identity(3, "\"s\""), None);
    let mut given = 0;
    for number in 0..20_000 {
        ledger.keep(fact(&format!("b{number:05}"), "1"));
        while ledger.pop().is_some() {
            given += 1;
        }
    }
    assert!(given > 0);
    ledger.write(&path("a"), identity(3, "1"));
    while let Some(fact) = ledger.finish() {
        assert_ne!(fact.path, path("a"), "it came too late");
        given += 1;
    }
    assert_eq!(given, 20_000);
}
