//! What is an answer, and what is none.

use super::{
    super::xml::{Answer, Document, required},
    read, read_refusal,
};
use crate::{ErrorCode, Result};

#[derive(Debug, PartialEq)]
struct Pair(String, u64);

impl Answer for Pair {
    const ROOT: &'static str = "PairResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut name, mut number) = (None, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Name" => name = Some(document.text()?.into_owned()),
                "Number" => number = Some(document.value("Number")?),
                _ => document.skip(&element)?,
            }
        }
        Ok(Self(required(name, "Name")?, required(number, "Number")?))
    }
}

fn pair(body: &str) -> Result<Pair> {
    read("b", body.as_bytes())
}

#[test]
fn an_answer_is_read_whatever_stands_around_it() {
    for body in [
        "<PairResult><Name>a</Name><Number>1</Number></PairResult>",
        "\u{feff}<?xml version=\"1.0\"?>\n\n  <!-- x --><PairResult xmlns=\"y\">\n <Other><Name>z</Name></Other>\
         <Number> 1 </Number>\n<Name>a</Name> </PairResult>\n",
        "<PairResult><Name><![CDATA[a]]></Name><Number>1</Number></PairResult>",
        "<PairResult><Name>&#x61;</Name><Number>&#49;</Number></PairResult>",
    ] {
        assert_eq!(pair(body).unwrap(), Pair("a".to_owned(), 1), "{body}");
    }
}

#[test]
fn text_is_kept_to_the_byte() {
    for (text, kept) in [
        (" a ", " a "),
        ("&quot;x&quot;", "\"x\""),
        ("a &amp;amp; b", "a &amp; b"),
        ("&lt;Error&gt;", "<Error>"),
        ("", ""),
    ] {
        let body = format!("<PairResult><Name>{text}</Name><Number>1</Number></PairResult>");
        assert_eq!(pair(&body).unwrap().0, kept, "{text}");
    }
    assert_eq!(pair("<PairResult><Name/><Number>1</Number></PairResult>").unwrap().0, "");
}

#[test]
fn a_cut_answer_is_told_from_that_of_another_service() {
    let whole = "<?xml version=\"1.0\"?>\n<PairResult><Name>a</Name><Number>1</Number></PairResult>";
    for end in 1..whole.len() {
        let error = pair(&whole[..end]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable, "{end}: {error}");
    }
}

#[test]
fn another_document_is_no_answer() {
    let full = "<Name>a</Name><Number>1</Number>";
    for body in [
        "",
        " ",
        "OK",
        "{}",
        "<!DOCTYPE html><html><head><meta></head></html>",
        "<html><body></body></html>",
        "<Maintenance/>",
        "<PairResult/>",
        "<PairResult><Name>a</Name></PairResult>",
        "<PairResult><Name>a</Name><Number/></PairResult>",
        "<PairResult><Name>a</Name><Number>one</Number></PairResult>",
        "<PairResult><Name>a</Name><Number>1</Number>text</PairResult>",
        "<PairResult><Name>a<b/></Name><Number>1</Number></PairResult>",
        "<PairResult><Name>a&custom;</Name><Number>1</Number></PairResult>",
        &format!("<pairresult>{full}</pairresult>"),
        &format!("<x:PairResult xmlns:x=\"y\">{full}</x:PairResult>"),
        &format!("<Other><PairResult>{full}</PairResult></Other>"),
        &format!("<PairResult>{full}</PairResult><Error/>"),
        "<error><code>AccessDenied</code></error>",
        "<s:Error xmlns:s=\"x\"><s:Code>AccessDenied</s:Code></s:Error>",
        "<Errors/>",
    ] {
        let error = pair(body).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Other, "{body}: {error}");
    }
}

#[test]
fn a_refusal_is_one_behind_anything() {
    let refusal = "<Error><Code>AccessDenied</Code></Error>";
    for before in [
        "",
        "\u{feff}",
        "\n\n  ",
        "<?xml version=\"1.0\"?>",
        "<!-- proxy -->",
        "<?xml version=\"1.0\"?><?x?> ",
    ] {
        let error = pair(&format!("{before}{refusal}")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PermissionDenied, "{before}: {error}");
    }
    assert!(read_refusal(b"<ListBucketResult><Key>&lt;Error</Key></ListBucketResult>").is_none());
    assert!(read_refusal(b"").is_none());
}
