//! The state: without a good one nothing is done, and who is refused learns what to do.

use omnistorage::{ErrorCode, runtime::BisyncOptions};

use super::{bisync, delete, memories, resync, run, state, write};
use crate::setup::{at, put, tree};

async fn contents(both: &super::Both) -> String {
    tree(&*both.state).await.pop().unwrap().1
}

#[tokio::test]
async fn the_first_run_must_be_asked_for() {
    let both = memories();
    put(&both.storage, "first", &[("a", "1")]).await;
    let error = bisync(&both.storage, &Default::default()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PreconditionFailed);
    assert!(error.message().contains("resync"), "{error}");
    assert_eq!(tree(&*both.second).await, []);
}

#[tokio::test]
async fn a_state_that_was_damaged_is_not_believed() {
    let both = memories();
    put(&both.storage, "first", &[("a", "1"), ("b", "2")]).await;
    run(&both, &resync()).await;
    let good = contents(&both).await;
    delete(&*both.first, "a").await;
    for bad in [
        good[..good.len() - 1].to_owned(),
        good[..good.len() / 2].to_owned(),
        good.replacen("\"a\"", "\"b\"", 1),
        good.replacen("\"size\":1", "\"size\":2", 1),
        good.replacen("\"version\":1", "\"version\":9", 1),
        String::new(),
        "something else\n".to_owned(),
    ] {
        put(&both.storage, "state", &[("pair.state", &bad)]).await;
        let error = bisync(&both.storage, &Default::default()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PreconditionFailed, "{bad}");
        assert!(error.message().contains("resync"), "{error}");
        assert_eq!(tree(&*both.second).await.len(), 2);
    }
    put(&both.storage, "state", &[("pair.state", &good)]).await;
    assert_eq!(run(&both, &Default::default()).await, ["deleted a on second"]);
}

#[tokio::test]
async fn a_state_is_of_two_places_in_their_order() {
    let both = memories();
    put(&both.storage, "first", &[("d/a", "1")]).await;
    let names = |first: &str, second: &str| Some((first.to_owned(), second.to_owned()));
    run(&both, &BisyncOptions { names: names("/a", "/b"), ..resync() }).await;
    for other in [None, names("/b", "/a"), names("/a", "/c")] {
        let error =
            bisync(&both.storage, &BisyncOptions { names: other, ..Default::default() }).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PreconditionFailed);
        assert!(error.message().contains("`/a` and `/b`"), "{error}");
    }
    let same = BisyncOptions { names: names("/a", "/b"), ..Default::default() };
    assert_eq!(run(&both, &same).await, [""; 0]);
}

#[tokio::test]
async fn it_is_replaced_even_where_only_the_state_has_to_change() {
    let both = memories();
    put(&both.storage, "first", &[("a", "1"), ("b", "2")]).await;
    run(&both, &resync()).await;
    delete(&*both.first, "a").await;
    delete(&*both.second, "a").await;
    assert_eq!(run(&both, &Default::default()).await, [""; 0]);
    assert!(!contents(&both).await.contains("\"a\""));
    // So that it is new when it comes again.
    write(&*both.second, "a", "1", 1).await;
    assert_eq!(run(&both, &Default::default()).await, ["transferred a on first"]);
}

#[tokio::test]
async fn it_is_what_the_format_says() {
    let both = memories();
    write(&*both.first, "a\n\"b", "1", -2).await;
    run(&both, &resync()).await;
    let text = contents(&both).await;
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines[0]["state"].as_str(), lines[0]["version"].as_u64()),
        (Some("omnistorage bisync"), Some(1))
    );
    assert_eq!(lines[0]["first"], "first:");
    assert_eq!(lines[1]["path"], "a\n\"b");
    assert_eq!(lines[1]["second"]["modified"], serde_json::json!([-2, 0]));
    assert_eq!(lines[2]["records"], 1);
    // It lies where it was asked for.
    assert_eq!(
        both.storage.stat(&at("state", state().path.as_str())).await.unwrap().size,
        Some(text.len() as u64)
    );
}
