//! Rules are understood or refused, whatever their text; and one that says it prunes nothing prunes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnistorage_core::{
    Path,
    entry::{Entry, ObjectKind},
    sync::filter::{Filter, FilterOptions, RuleKind, RuleSource},
};

fuzz_target!(|input: (u8, bool, bool, &str, &str)| {
    let (kind, of_file, ignore_case, text, path) = input;
    let kind = match kind % 5 {
        0 => RuleKind::Filter,
        1 => RuleKind::Include,
        2 => RuleKind::Exclude,
        3 => RuleKind::Files,
        _ => RuleKind::FilesRaw,
    };
    let source = RuleSource { kind, text: text.to_owned(), file: of_file.then(|| "file".to_owned()) };
    let options = FilterOptions { rules: vec![source], ignore_case, ..FilterOptions::default() };
    let (Ok(filter), Ok(path)) = (Filter::new(options), Path::parse(path)) else { return };
    let included = filter.ruling(&Entry::new(path.clone(), ObjectKind::Object)).is_included();
    let above = filter.excluded_above(&path);
    assert!(above.is_none() || filter.prunes(), "{above:?}, and it says that it prunes nothing ({included})");
});
