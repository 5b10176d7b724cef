//! A report for people: one page, which loads nothing from elsewhere and runs no scripts.

use indicatif::{HumanBytes, HumanCount};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    End,
    gathered::{Gathered, Kind, Line, Total},
};
use crate::cli::{escape::printable, time::seconds};

/// Directories that are shown.
const DIRECTORIES: usize = 40;

/// The picture of the time, in its own units.
const WIDTH: usize = 960;
const HEIGHT: usize = 120;

/// What the run was about.
pub(super) struct Heading {
    pub(super) command: &'static str,
    /// As the user calls them.
    pub(super) places: [String; 2],
    pub(super) dry_run: bool,
    /// When it began.
    pub(super) started: String,
}

pub(super) fn render(heading: &Heading, gathered: &Gathered, end: &End) -> String {
    let [first, second] = heading.places.each_ref().map(|place| printable(place));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (heading.command) ": " (first) " and " (second) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                main {
                    (top(heading, [&first, &second], end))
                    (tiles(gathered, end))
                    (times(gathered, end))
                    @for (name, kind) in gathered.kinds.iter().filter(|(_, kind)| kind.is_failure) {
                        section.failures { h2 { (of_kind(name)) } (lines(kind)) }
                    }
                    (directories(gathered))
                    @for (name, kind) in &gathered.kinds {
                        @if !kind.is_failure && !kind.lines.is_empty() {
                            details {
                                summary { (of_kind(name)) " " span.soft { (HumanCount(kind.total.objects)) } }
                                (lines(kind))
                            }
                        }
                    }
                    footer { "omnistorage " (env!("CARGO_PKG_VERSION")) ". This page loads nothing and runs no scripts." }
                }
            }
        }
    };
    page.into_string()
}

fn top(heading: &Heading, [first, second]: [&str; 2], end: &End) -> Markup {
    html! {
        header {
            h1 { (heading.command) " " (first) " " span.arrow { "→" } " " (second) }
            p {
                @if end.is_success { span.badge.good { "done" } } @else { span.badge.bad { "incomplete" } }
                @if heading.dry_run { span.badge { "dry run: nothing was changed" } }
                " " (printable(&end.sentence))
            }
            p.soft { "Started at " (heading.started) ", took " (seconds(end.elapsed)) "." }
        }
    }
}

/// How many of each kind of event there were.
fn tiles(gathered: &Gathered, end: &End) -> Markup {
    let bytes = gathered.transferred();
    let rate = bytes as f64 / end.elapsed.as_secs_f64().max(0.001);
    html! {
        section.tiles {
            @for (name, kind) in &gathered.kinds {
                div.tile.bad[kind.is_failure] {
                    b { (HumanCount(kind.total.objects)) } (of_kind(name))
                    @if kind.total.bytes > 0 { span.soft { ", " (HumanBytes(kind.total.bytes)) } }
                }
            }
            @if gathered.kinds.is_empty() { div.tile { b { "0" } "nothing to do" } }
            div.tile { b { (seconds(end.elapsed)) } "time" }
            @if bytes > 0 { div.tile { b { (HumanBytes(rate as u64)) "/s" } "throughput" } }
        }
    }
}

/// Events over time: bars of objects, failures in another colour.
fn times(gathered: &Gathered, end: &End) -> Markup {
    let totals = gathered.times.totals();
    let most = totals.iter().map(|total| total.objects).max().unwrap_or(0);
    // A run that was over at once has no course.
    if totals.len() < 3 || most == 0 {
        return html! {};
    }
    let step = WIDTH as f64 / totals.len() as f64;
    // What happened is seen, however little it is beside the rest.
    let height = |objects: u64| match objects {
        0 => 0.0,
        _ => (objects as f64 * HEIGHT as f64 / most as f64).max(2.0),
    };
    let bar = |index: usize, class: &str, from: f64, height: f64| {
        html! {
            rect class=(class) x=(format!("{:.1}", index as f64 * step)) y=(format!("{:.1}", HEIGHT as f64 - from - height))
                width=(format!("{:.1}", (step - 1.0).max(1.0))) height=(format!("{height:.1}")) {}
        }
    };
    let label =
        format!("Objects over time: at most {} in {}", HumanCount(most), seconds(gathered.times.span()));
    html! {
        section {
            h2 { "Over time" }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
                @for (index, total) in totals.iter().enumerate().filter(|(_, total)| total.objects > 0) {
                    (bar(index, "failed", 0.0, height(total.failed)))
                    (bar(index, "done", height(total.failed), height(total.objects - total.failed)))
                }
            }
            div.axis { span { "0 s" } span { (label) } span { (seconds(end.elapsed)) } }
        }
    }
}

fn directories(gathered: &Gathered) -> Markup {
    let (largest, others) = gathered.directories.largest(DIRECTORIES);
    let has_bytes = largest.iter().any(|(_, total)| total.bytes > 0);
    let measure = |total: &Total| if has_bytes { total.bytes } else { total.objects };
    let most = largest.iter().map(|(_, total)| measure(total)).max().unwrap_or(0).max(1);
    // One directory says nothing that is not said above.
    if largest.len() < 2 {
        return html! {};
    }
    html! {
        section {
            h2 { "By directory" }
            div.scroll {
                table {
                    tr {
                        th { "Directory" } th.number { "Objects" }
                        @if has_bytes { th.number { "Bytes" } }
                        th.number { "Failed" } th.bar {}
                    }
                    @for (directory, total) in &largest {
                        tr {
                            td.path { @if directory.is_empty() { "." } @else { (printable(directory)) } }
                            (numbers(total, has_bytes))
                            td.bar { i style=(format!("width: {:.1}%", measure(total) as f64 * 100.0 / most as f64)) {} }
                        }
                    }
                    @if others.objects > 0 {
                        tr { td.soft { "others" } (numbers(&others, has_bytes)) td.bar {} }
                    }
                }
            }
        }
    }
}

fn numbers(total: &Total, has_bytes: bool) -> Markup {
    html! {
        td.number { (HumanCount(total.objects)) }
        @if has_bytes { td.number { (HumanBytes(total.bytes)) } }
        td.number { @if total.failed > 0 { (HumanCount(total.failed)) } }
    }
}

/// The paths of one kind of event.
fn lines(kind: &Kind) -> Markup {
    let shown = kind.lines.len() as u64;
    html! {
        div.scroll {
            table {
                @for Line { path, size, why } in &kind.lines {
                    tr {
                        td.path { (printable(path)) }
                        td { @if let Some(why) = why { (printable(why)) } }
                        td.number { @if let Some(size) = size { (HumanBytes(*size)) } }
                    }
                }
            }
        }
        @if shown < kind.total.objects {
            p.soft { "The first " (HumanCount(shown)) " of " (HumanCount(kind.total.objects)) "." }
        }
    }
}

/// The name of an event, for a person.
fn of_kind(event: &str) -> String {
    match event {
        "updated-time" => "time set".to_owned(),
        "source-removed" => "removed from the source".to_owned(),
        "differ" => "different".to_owned(),
        "missing-on-source" => "only in the target".to_owned(),
        "missing-on-target" => "only in the source".to_owned(),
        "error" => "could not be compared".to_owned(),
        name => name.replace('-', " "),
    }
}
