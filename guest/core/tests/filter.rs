//! Filters: rclone's rules, vector by vector.
#![allow(clippy::unwrap_used)]

use omnistorage_core::{
    Path,
    entry::{Entry, ObjectKind, Timestamp},
    sync::{
        filter::{Filter, FilterError, FilterErrorKind, FilterOptions, RuleKind, RuleSource, Ruling},
        merge::Step,
    },
};
use proptest::prelude::*;

fn source(kind: RuleKind, text: &str) -> RuleSource {
    RuleSource { kind, text: text.to_owned(), file: None }
}

fn file(kind: RuleKind, text: &str) -> RuleSource {
    RuleSource { file: Some("rules".to_owned()), ..source(kind, text) }
}

fn try_filter(rules: Vec<RuleSource>, ignore_case: bool) -> Result<Filter, FilterError> {
    Filter::new(FilterOptions { rules, ignore_case, ..FilterOptions::default() })
}

/// A filter of ordered rules.
fn rules(rules: &[&str]) -> Filter {
    try_filter(rules.iter().map(|rule| source(RuleKind::Filter, rule)).collect(), false).unwrap()
}

fn bounds(options: FilterOptions) -> Filter {
    Filter::new(options).unwrap()
}

fn entry(path: &str) -> Entry {
    Entry::new(Path::parse(path).unwrap(), ObjectKind::Object)
}

fn directory(path: &str) -> Entry {
    Entry { kind: ObjectKind::Directory, ..entry(path) }
}

fn includes(filter: &Filter, path: &str) -> bool {
    filter.ruling(&entry(path)).is_included()
}

fn looks_into(filter: &Filter, path: &str) -> bool {
    filter.ruling_on_directory(&Path::parse(path).unwrap()).is_included()
}

/// Included by its rules, and all directories above it are looked into.
fn reaches(filter: &Filter, path: &str) -> bool {
    filter.excluded_above(&Path::parse(path).unwrap()).is_none() && includes(filter, path)
}

#[test]
fn without_rules_everything_is_included() {
    let filter = Filter::default();
    assert!(includes(&filter, "a/b") && looks_into(&filter, "a") && !filter.prunes());
    assert_eq!(filter.ruling(&entry("a")), Ruling::NoRule);
}

#[test]
fn patterns_match_as_documented() {
    for (pattern, matching, others) in [
        ("file.jpg", &["file.jpg", "d/file.jpg"][..], &["afile.jpg", "d/afile.jpg", "file.jpg/x"][..]),
        ("/file.jpg", &["file.jpg"], &["afile.jpg", "d/file.jpg"]),
        ("*.jpg", &["file.jpg", "d/file.jpg", ".jpg"], &["file.jpg/anotherfile.png", "jpg"]),
        ("/*.jpg", &["file.jpg"], &["d/file.jpg"]),
        ("dir/**", &["dir/a", "dir/a/b", "x/dir/a"], &["adir/a", "dir"]),
        ("/dir/**", &["dir/a/b"], &["x/dir/a", "dirs/a"]),
        ("dir/*", &["dir/a", "x/dir/a"], &["dir/a/b", "dirs/a"]),
        ("?at", &["cat", "x/bat"], &["at"]),
        ("a?c", &["abc", "a\u{e9}c"], &["a/c", "ac"]),
        ("**b", &["b", "ab", "a/b", "x/a/b"], &["bc"]),
        ("a**/b", &["a/b", "ax/b", "a/x/b", "x/a/y/b"], &["b"]),
        ("[ab]x", &["ax", "bx"], &["cx", "abx"]),
        ("[^ab]x", &["cx"], &["ax", "bx"]),
        ("[a-c0-9]x", &["bx", "7x"], &["dx"]),
        ("[[:digit:]_-]", &["7", "_", "-"], &["a"]),
        ("[*?{,}]", &["*", "?", "{", ",", "}"], &["a"]),
        ("*.{jpg,png}", &["a.jpg", "d/a.png"], &["a.gif", "a.jpgpng"]),
        ("{a,b{c,d}}", &["a", "bc", "bd"], &["b", "ac"]),
        ("a{,b}c", &["ac", "abc"], &["abbc"]),
        ("{a/b,c}/d", &["a/b/d", "c/d", "x/c/d"], &["a/d"]),
        (r"\*\?\[\]\{\}\\", &[r"*?[]{}\"], &["xx[]{}x"]),
        ("a,b", &["a,b"], &["a", "b"]),
        ("a+(b)|^$.", &["a+(b)|^$."], &["aab"]),
        (r"{{\d{2}}}", &["42", "x/42"], &["4", "423"]),
        ("/{{.*}}.txt", &["a.txt", "a/b.txt"], &["a.txtx"]),
        ("x{{a|b}}y", &["xay", "xby"], &["xa", "by"]),
        ("*.{{(?i)jpg}}", &["a.JPG", "a.jpg"], &["a.JPGX"]),
        ("a//b", &["a/b"], &["ab"]),
        ("**", &["a", "a/b", "new\nline"], &[]),
        ("\u{1f600}?", &["\u{1f600}x"], &["x"]),
        (" a ", &[" a "], &["a"]),
    ] {
        let filter = rules(&[&format!("- {pattern}")]);
        for path in matching {
            assert!(!includes(&filter, path), "{pattern} must match {path}");
        }
        for path in others {
            assert!(includes(&filter, path), "{pattern} must not match {path}");
        }
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let filter = rules(&[
        "+ cleared",
        "!",
        "- /file1.jpg",
        "+ /file2.png",
        "+ /*.jpg",
        "- /*.png",
        "- /potato",
        "+ /sausage1",
        "+ /sausage2*",
        "+ /sausage3**",
        "+ /a/*.jpg",
        "- *",
    ]);
    for path in ["file2.png", "file3.jpg", "sausage1", "sausage2potato", "sausage3/potato", "a/one.jpg"] {
        assert!(includes(&filter, path), "{path}");
    }
    for path in [
        "cleared",
        "file1.jpg",
        "FILE2.png",
        "afile2.png",
        "file4.png",
        "potato",
        "sausage1/potato",
        "sausage2/potato",
        "a/one.png",
        "unicorn",
    ] {
        assert!(!includes(&filter, path), "{path}");
    }
    for path in ["sausage3", "sausage3/sub", "sausage3/sub/dir", "a"] {
        assert!(looks_into(&filter, path), "{path}");
    }
    for path in ["sausage1", "sausage2", "sausage2/sub", "SAUSAGE3", "sausage4"] {
        assert!(!looks_into(&filter, path), "{path}");
    }
    assert!(filter.prunes());
}

#[test]
fn rules_about_objects_come_to_rules_about_directories() {
    let only = |rule: &str| rules(&[rule, "- *"]);
    // An object to include may be anywhere, or where its pattern says.
    for (rule, within, without) in [
        ("+ x", &["a", "a/b"][..], &[][..]),
        ("+ a/b/c/d", &["a", "a/b", "a/b/c", "x/a"], &["b", "c", "a/b/x"]),
        ("+ /a/b/*", &["a", "a/b"], &["b", "x/a", "a/c"]),
        ("+ {a/b,c}", &["q"], &[]),
        ("+ dir/", &["dir", "x/dir"], &["dirs", "x"]),
        ("+ /d/**", &["d", "d/e", "d/e/f"], &["x"]),
    ] {
        let filter = only(rule);
        assert!(within.iter().all(|path| looks_into(&filter, path)), "{rule}");
        assert!(!without.iter().any(|path| looks_into(&filter, path)), "{rule}");
    }
    // To exclude an object tells nothing of directories, to exclude a directory all.
    for rule in ["- x", "- /x/y", "- *.tmp", "- /*"] {
        assert!(!rules(&[rule]).prunes() && looks_into(&rules(&[rule]), "x"), "{rule}");
    }
    for rule in ["- x/", "- x/**", "- x{,/**}", "- *"] {
        assert!(rules(&[rule]).prunes() && !looks_into(&rules(&[rule]), "x"), "{rule}");
    }
    let filter = rules(&["- /x/"]);
    assert!(!includes(&filter, "x/a") && includes(&filter, "x") && looks_into(&filter, "y/x"));
    // What is looked into everywhere prunes nothing.
    assert!(!rules(&["+ *.jpg", "- *"]).prunes());
}

/// An object in a directory that is excluded is not reached, whatever the rules say of it.
#[test]
fn a_directory_decides_for_what_is_in_it() {
    let filter = rules(&["+ /a/b/x", "- /a/b/", "+ **"]);
    assert!(reaches(&filter, "a/b/x") && !reaches(&filter, "a/b/y"));
    let filter = rules(&["- .git/", "+ **"]);
    assert!(!reaches(&filter, ".git/objects/ab/cd") && !reaches(&filter, "x/.git/HEAD"));
    let (path, ruling) = filter.excluded_above(&Path::parse("x/.git/objects/y").unwrap()).unwrap();
    assert_eq!((path.as_str(), ruling.to_string().as_str()), ("x/.git", "excluded by `- .git/`"));
}

#[test]
fn includes_leave_out_the_rest() {
    let filter = try_filter(vec![source(RuleKind::Include, "*.jpg")], false).unwrap();
    assert!(includes(&filter, "a/b.jpg") && !includes(&filter, "a/b.png"));
    let listed = file(RuleKind::Include, "# comment\n*.jpg\n\n*.png\n");
    let filter = try_filter(vec![source(RuleKind::Filter, "- b*"), listed], false).unwrap();
    // Includes go first, as in rclone.
    assert!(includes(&filter, "b.png") && !includes(&filter, "a.gif"));
    let filter = try_filter(vec![file(RuleKind::Exclude, "*.jpg\n; no\n")], false).unwrap();
    assert!(!includes(&filter, "b.jpg") && includes(&filter, "a.gif"));
    let empty = try_filter(vec![file(RuleKind::Include, "# nothing\n")], false).unwrap();
    assert!(!includes(&empty, "a"));
}

#[test]
fn rules_of_files_say_where_they_stand() {
    let filter = try_filter(vec![file(RuleKind::Filter, "# first\n\n- *.tmp\n  + keep  \n")], false).unwrap();
    assert_eq!(filter.ruling(&entry("a.tmp")).to_string(), "excluded by `- *.tmp` (`rules`, line 3)");
    assert_eq!(filter.ruling(&entry("keep")).to_string(), "included by `+ keep` (`rules`, line 4)");
    let error = try_filter(vec![file(RuleKind::Filter, "- a\n- b[\n")], false).unwrap_err();
    assert_eq!(error.to_string(), "`rules`, line 2: the pattern `b[`: `[` is not closed (character 2)");
}

#[test]
fn either_case_on_request() {
    let both = |rules: &[&str]| rules.iter().map(|rule| source(RuleKind::Filter, rule)).collect::<Vec<_>>();
    let with = ["+ /File2.PNG", "+ /sausage3**", "+ [ab]x", "+ \u{c4}rger", "+ [\u{e9}]", "- *"];
    let filter = try_filter(both(&with), true).unwrap();
    for path in ["file2.png", "FILE2.png", "SAUSAGE3/x", "Ax", "BX", "\u{e4}RGER", "\u{c9}"] {
        assert!(includes(&filter, path), "{path}");
    }
    assert!(looks_into(&filter, "SAUSAGE3"));
    let filter = try_filter(both(&with), false).unwrap();
    assert!(!includes(&filter, "FILE2.png") && !includes(&filter, "\u{e4}RGER"));
}

#[test]
fn a_malformed_pattern_is_an_error_that_says_where() {
    for (pattern, message) in [
        ("", "the pattern is empty"),
        ("***", "write `*` or `**`, not more stars (character 1)"),
        ("a***b", "not more stars (character 2)"),
        ("ab]c", "`]` closes nothing: write `\\]` for the character (character 3)"),
        ("ab}c", "`}` closes nothing: write `\\}` for the character (character 3)"),
        ("ab{}}cd", "`}` closes nothing: write `\\}` for the character (character 5)"),
        ("ab[c", "`[` is not closed (character 3)"),
        ("ab[", "`[` is not closed (character 3)"),
        ("ab[a-", "`[` is not closed (character 3)"),
        ("ab{c", "`{` is not closed (character 3)"),
        ("{a,{b}", "`{` is not closed (character 1)"),
        ("ab{{cd", "`{{` is not closed (character 3)"),
        ("ab{{cd}", "`{{` is not closed (character 3)"),
        ("[]", "the class is empty (character 1)"),
        ("[^]", "the class is empty (character 1)"),
        ("\u{e9}[z-a]", "the range `z-a` is the wrong way round (character 3)"),
        ("[[:nope:]]", "there is no class `[:nope:]` (character 2)"),
        ("[[:alpha", "`[:` is not closed (character 2)"),
        ("a\\", "`\\` escapes nothing: write `\\\\` (character 2)"),
        (r"\d", r"`\d` is no escape outside of `{{regexp}}`: write `d` (character 1)"),
        ("x{{(}}", "not a regular expression"),
        ("{{a)(b}}", "not a regular expression"),
        ("{{a{99999}}}", "not a regular expression"),
    ] {
        for kind in [RuleKind::Include, RuleKind::Exclude] {
            let error = try_filter(vec![source(kind, pattern)], false).unwrap_err();
            let FilterErrorKind::Pattern { error, .. } = &error.kind else { panic!("{error}") };
            assert!(error.to_string().contains(message), "{pattern}: {error}");
        }
    }
    let deep = "{a".repeat(100_000);
    assert!(try_filter(vec![source(RuleKind::Exclude, &deep)], false).is_err());
    let long = |segments| vec![source(RuleKind::Include, &("a/".repeat(segments) + "x"))];
    assert!(try_filter(long(1_000), false).is_ok() && try_filter(long(1_000_000), false).is_err());
    for rule in ["x", "-x", "+", "- ", "+*", "!!", "* x"] {
        let error = try_filter(vec![source(RuleKind::Filter, rule)], false).unwrap_err().to_string();
        assert!(error.contains("`+ PATTERN`") || error.contains("pattern is empty"), "{rule}: {error}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let refused = |options| Filter::new(options).unwrap_err().kind;
    let sources = |sources| FilterOptions { rules: sources, ..FilterOptions::default() };
    let mixed = sources(vec![source(RuleKind::Include, "a"), source(RuleKind::Exclude, "b")]);
    assert_eq!(refused(mixed), FilterErrorKind::Mixed);
    for kind in [RuleKind::Files, RuleKind::FilesRaw] {
        for other in [RuleKind::Include, RuleKind::Exclude] {
            let options = sources(vec![file(kind, "a"), source(other, "b")]);
            assert_eq!(refused(options), FilterErrorKind::FilesAndMore);
        }
        let filter = vec![source(RuleKind::Filter, "- b"), file(kind, "a")];
        assert_eq!(refused(sources(filter)), FilterErrorKind::FilesAndMore);
        let sized = FilterOptions { min_size: Some(1), ..sources(vec![file(kind, "a")]) };
        assert_eq!(refused(sized), FilterErrorKind::FilesAndMore);
        assert!(Filter::new(sources(vec![file(kind, "a")])).is_ok());
    }
    let time = |seconds| Some(Timestamp { seconds, nanoseconds: 0 });
    let none = FilterOptions::default;
    let sizes = FilterOptions { min_size: Some(2), max_size: Some(1), ..none() };
    assert_eq!(refused(sizes), FilterErrorKind::SizeBounds);
    let times = FilterOptions { modified_from: time(2), modified_until: time(1), ..none() };
    assert_eq!(refused(times), FilterErrorKind::TimeBounds);
    assert_eq!(refused(FilterOptions { max_depth: Some(0), ..none() }), FilterErrorKind::Depth);
}

#[test]
fn a_list_of_files_names_them_exactly() {
    let listed =
        "file1.jpg\n/file2.jpg\n# comment\n  path/to/dir/file3.png  \n/path/to/file4.png/\npath/dir2/x\n";
    let filter = try_filter(vec![file(RuleKind::Files, listed)], false).unwrap();
    for path in ["file1.jpg", "file2.jpg", "path/to/dir/file3.png", "path/to/file4.png", "path/dir2/x"] {
        assert!(reaches(&filter, path), "{path}");
    }
    for path in ["x/file2.jpg", "file3.jpg", "path", "path/to/dir/file3.pngx"] {
        assert!(!includes(&filter, path), "{path}");
    }
    for path in ["path", "path/to", "path/to/dir", "path/dir2"] {
        assert!(looks_into(&filter, path), "{path}");
    }
    for path in ["path/too", "four", "path/to/file4.png"] {
        assert!(!looks_into(&filter, path), "{path}");
    }
    assert!(filter.prunes());
    let raw = try_filter(vec![file(RuleKind::FilesRaw, "# not a comment\r\n blank \n")], false).unwrap();
    assert!(includes(&raw, "# not a comment") && includes(&raw, " blank ") && !includes(&raw, "blank"));
    let two = vec![file(RuleKind::Files, "a"), file(RuleKind::FilesRaw, "b")];
    assert!(includes(&try_filter(two, false).unwrap(), "b"));
    let error = try_filter(vec![file(RuleKind::Files, "ok\n./x\n")], false).unwrap_err().to_string();
    assert!(error.starts_with("`rules`, line 2: no file can be called `./x`"), "{error}");
}

#[test]
fn bounds_are_inclusive_and_what_is_unknown_passes() {
    let sized = |size| Entry { size, ..entry("a") };
    let filter =
        bounds(FilterOptions { min_size: Some(100), max_size: Some(200), ..FilterOptions::default() });
    for (size, included) in [
        (Some(99), false),
        (Some(100), true),
        (Some(200), true),
        (Some(201), false),
        (None, true),
        (Some(0), false),
    ] {
        assert_eq!(filter.ruling(&sized(size)).is_included(), included, "{size:?}");
    }
    let time = |seconds| Timestamp { seconds, nanoseconds: 0 };
    let filter = bounds(FilterOptions {
        modified_from: Some(time(1_440_000_002)),
        modified_until: Some(time(1_440_000_003)),
        ..FilterOptions::default()
    });
    for (seconds, included) in
        [(1_440_000_001, false), (1_440_000_002, true), (1_440_000_003, true), (1_440_000_004, false)]
    {
        let entry = Entry { modified: Some(time(seconds)), ..entry("a") };
        assert_eq!(filter.ruling(&entry).is_included(), included, "{seconds}");
    }
    assert!(filter.ruling(&entry("a")).is_included() && filter.ruling(&directory("d")).is_included());
    assert!(!filter.prunes());
}

#[test]
fn the_depth_counts_levels() {
    let filter = bounds(FilterOptions { max_depth: Some(2), ..FilterOptions::default() });
    assert!(includes(&filter, "a") && includes(&filter, "a/b") && !includes(&filter, "a/b/c"));
    assert!(looks_into(&filter, "a") && !looks_into(&filter, "a/b") && filter.prunes());
    assert_eq!(filter.ruling(&entry("a/b/c")), Ruling::TooDeep(2));
}

/// What is left of a pair of both sides.
fn screened(filter: &Filter, source: Option<Entry>, target: Option<Entry>) -> &'static str {
    let step: Step = match (source, target) {
        (Some(source), Some(target)) => Step::Both { source, target },
        (Some(source), None) => Step::SourceOnly(source),
        (None, Some(target)) => Step::TargetOnly(target),
        (None, None) => Step::End,
    };
    match filter.screen(step) {
        Some(Step::Both { .. }) => "both",
        Some(Step::SourceOnly(_)) => "source",
        Some(Step::TargetOnly(_)) => "target",
        Some(_) => "end",
        None => "nothing",
    }
}

#[test]
fn what_is_excluded_is_protected_on_the_target_unless_it_is_to_be_deleted() {
    let options = |delete_excluded| FilterOptions {
        rules: vec![source(RuleKind::Filter, "- *.tmp")],
        max_size: Some(10),
        max_depth: Some(2),
        delete_excluded,
        ..FilterOptions::default()
    };
    let (keep, delete) = (bounds(options(false)), bounds(options(true)));
    let object = |path: &str, size| Some(Entry { size: Some(size), ..entry(path) });
    for (source, target, kept, deleted) in [
        (object("a", 1), object("a", 2), "both", "both"),
        (object("a", 1), None, "source", "source"),
        (None, object("a", 1), "target", "target"),
        (object("x.tmp", 1), object("x.tmp", 1), "nothing", "target"),
        (object("x.tmp", 1), None, "nothing", "nothing"),
        (None, object("x.tmp", 1), "nothing", "target"),
        // The source is judged: what passes is compared with whatever is there.
        (object("a", 1), object("a", 99), "both", "both"),
        (object("a", 99), object("a", 1), "nothing", "target"),
        (None, object("a", 99), "nothing", "target"),
        // Too deep to be looked at on either side.
        (None, object("d/e/f", 1), "nothing", "nothing"),
        (None, None, "end", "end"),
    ] {
        let what = format!("{source:?} {target:?}");
        assert_eq!(screened(&keep, source.clone(), target.clone()), kept, "{what}");
        assert_eq!(screened(&delete, source, target), deleted, "{what}");
    }
    let target = delete.for_target();
    assert!(target.prunes() && includes(&target, "x.tmp") && !looks_into(&target, "d/e"));
}

/// Patterns of all kinds.
fn pattern() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", "ab", "*", "**", "?", "/", "[ab]", "[^a]", "{a,b}", "{a,/b}", "{{a+}}", ".", r"\*",
    ]);
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_it_panic(text in "[\\PC\n]{0,40}", path in "[ab*{}\\[\\]]{1,10}", ignore_case: bool) {
        for kind in [RuleKind::Filter, RuleKind::Include, RuleKind::Exclude, RuleKind::Files] {
            for source in [source(kind, &text), file(kind, &text)] {
                if let Ok(filter) = try_filter(vec![source], ignore_case) {
                    let _ = includes(&filter, &path);
                }
            }
        }
    }

    /// An anchored pattern to include never leaves out a directory in which something matches.
    #[test]
    fn pruning_loses_nothing(pattern in pattern(), path in "[ab*.]{1,2}(/[ab.*]{1,2}){0,3}") {
        let include = source(RuleKind::Include, &format!("/{pattern}"));
        let (Ok(filter), Ok(_)) = (try_filter(vec![include], false), Path::parse(path.as_str())) else {
            return Ok(());
        };
        // A class may match a `/`, of which rclone's rules about directories know nothing.
        if includes(&filter, &path) && !pattern.contains("[^") {
            prop_assert!(reaches(&filter, &path), "{:?}", filter.excluded_above(&Path::parse(path.as_str()).unwrap()));
        }
    }

    /// A pattern without wildcards matches its text, and what is excluded by it is what is included by it.
    #[test]
    fn a_plain_name_matches_itself_at_any_depth(name in "[a-z .+()|^$,-]{1,8}", above in "[a-z]{1,3}") {
        let (include, exclude) = (source(RuleKind::Include, &name), source(RuleKind::Exclude, &name));
        let include = try_filter(vec![include], false).unwrap();
        let exclude = try_filter(vec![exclude], false).unwrap();
        for path in [name.clone(), format!("{above}/{name}"), format!("{above}{name}"), format!("{name}{above}")] {
            if Path::parse(path.as_str()).is_ok() {
                prop_assert_ne!(includes(&include, &path), includes(&exclude, &path), "{}", path);
                let matches = path == name || path.ends_with(&format!("/{name}"));
                prop_assert_eq!(includes(&include, &path), matches, "{}", path);
            }
        }
    }
}

#[test]
fn a_directory_and_an_object_of_one_path_are_judged_by_themselves() {
    let rules = |rule: &str| {
        bounds(FilterOptions { rules: vec![source(RuleKind::Filter, rule)], ..FilterOptions::default() })
    };
    for (rule, object_on_target, directory_on_target) in [
        ("- *.tmp", "both", "both"),
        // The directory alone.
        ("- /x/", "target", "both"),
        // The object alone.
        ("- /x", "source", "target"),
    ] {
        let filter = rules(rule);
        let (object, directory) = (|| Some(entry("x")), || Some(directory("x")));
        assert_eq!(screened(&filter, directory(), object()), object_on_target, "{rule}");
        assert_eq!(screened(&filter, object(), directory()), directory_on_target, "{rule}");
    }
}
