//! The binary beside rclone: random trees, options and filters, each run by both, must end in the same trees and in the
//! same class of exit code. Intended differences stand where the cases are made (`case.rs`), and in `host/docs/rclone.md`.
//!
//! By default some fixed cases are run. `OMNISTORAGE_DIFFERENTIAL_CASES=1000` runs as many random ones.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this crate is tests")]

mod case;
mod combinations;
mod contenders;
mod documented;
mod metadata;
mod options;
#[path = "../command-line/tree.rs"]
#[expect(dead_code, reason = "it has more than is used here")]
mod tree;

use std::env;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::{case::Case, contenders::Contender};

/// Cases of the default run: what fits into some seconds.
const CASES: u32 = 40;

fn runner() -> TestRunner {
    let asked = env::var("OMNISTORAGE_DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    }
}

#[test]
fn both_do_the_same() {
    let outcome = runner().run(&case::case(), |case: Case| {
        let (rclone, ours) = (case.run(Contender::Rclone), case.run(Contender::Ours));
        if rclone == ours {
            return Ok(());
        }
        let (said, we_said) = (&rclone.messages, &ours.messages);
        Err(TestCaseError::fail(format!("rclone: {rclone:#?}\n{said}\nours: {ours:#?}\n{we_said}")))
    });
    if let Err(TestError::Fail(why, case)) = outcome {
        panic!("{case:#?}\n{}\n{why}", case.command_line());
    }
    outcome.unwrap();
}

#[test]
fn both_understand_the_same_patterns() {
    for pattern in [
        "a",
        "/a",
        "a/",
        "a//b",
        "*",
        "**",
        "***",
        "a**b",
        "?",
        "[a-z]",
        "[^a]",
        "[z-a]",
        "[]",
        "[a",
        "a]",
        "[[:alpha:]]",
        "[[:nope:]]",
        "{a,b}",
        "{a,b",
        "a}",
        "{a,{b}",
        "{}",
        "{{a}}",
        "{{a",
        "{{(}}",
        "{{a{2}}}",
        r"\*",
        "a,b",
        "(a",
        "a|b",
        "^a$",
        "+",
        "a b",
        "\u{e9}",
    ] {
        let understood = |contender: Contender| contender.understands(pattern);
        assert_eq!(understood(Contender::Ours), understood(Contender::Rclone), "{pattern}");
    }
}
