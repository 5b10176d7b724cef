//! Records in parts: what comes of them, one after the other, is what the whole gives, wherever the parts are cut.

use omnistorage_engine::Engine;
use omnistorage_types::{
    CsvDialect, Encoding, Format, Outline, Part, PartReport, Path, Result, WriteOptions,
};

use crate::{
    Check, at, ended, engine, ensure, faults,
    port::{Faults, Stores},
    store::Kind,
    world::World,
};

/// What is converted.
#[derive(Clone)]
struct Work {
    from: Encoding,
    /// `None`: it is only counted.
    to: Option<Encoding>,
}

/// One conversion as a whole, and one in parts, perhaps with faults, or of an object that changes meanwhile.
pub(crate) fn run(world: &World) -> Check {
    let kinds = (world.one_of(&Kind::ALL), world.one_of(&Kind::ALL));
    let stores = Stores::new(world.clone(), &[("from", kinds.0), ("to", kinds.1)]);
    let is_csv = world.happens(600);
    let source = if is_csv { rows(world) } else { lines(world) };
    let work = work(world, is_csv);
    world.tell(|| format!("{:?} to {:?}: {:?}", work.from.format, work.to, String::from_utf8_lossy(&source)));
    put(world, &stores, source.clone())?;
    let whole = convert_whole(world, &stores, &work)?;
    if world.happens(300) {
        stores.set_faults(faults(world));
    }
    let changes = world.happens(100);
    let parts = convert_in_parts(world, &stores, &work, source.len() as u64, changes)?;
    stores.set_faults(Faults::default());
    match (parts, whole) {
        (Some(Ok(parts)), Ok(whole)) => ensure(!changes && parts == whole, || {
            format!("the parts come to {parts:?} instead of {whole:?}, and changes: {changes}")
        }),
        (Some(Ok(parts)), Err(why)) => {
            Err(format!("the parts come to {parts:?}, and the whole fails: {why}"))
        }
        (Some(Err(_)) | None, Err(_)) | (None, Ok(_)) => Ok(()),
        // A fault, a change, or a later column.
        (Some(Err(why)), Ok(_)) => {
            let has_reason = why.may_pass()
                || (!is_csv
                    && matches!(work.to.as_ref().and_then(|to| to.format.as_ref()), Some(Format::Csv(_))));
            ensure(has_reason || changes, || format!("the whole goes well, and a part fails: {why}"))
        }
    }
}

/// How many records, and their bytes.
type Converted = (u64, Vec<u8>);

fn convert_whole(world: &World, stores: &Stores, work: &Work) -> Check<Result<Converted>> {
    let (engine, work, stores_of) = (engine(stores), work.clone(), stores.clone());
    let run = async move {
        let to = work.to.clone().unwrap_or_else(|| format(Format::Ndjson));
        let report = engine.convert(at("from", "records"), work.from.clone(), at("to", "whole"), to).await?;
        Ok((report.records, if work.to.is_some() { written(&stores_of, "whole") } else { Vec::new() }))
    };
    ended(world.run(run, None))?.ok_or_else(|| "it was not to be killed".to_owned())
}

/// The same in parts; `None` if there is no outline.
fn convert_in_parts(
    world: &World,
    stores: &Stores,
    work: &Work,
    size: u64,
    changes: bool,
) -> Check<Option<Result<Converted>>> {
    let length = world.chance(|rng| rng.u64(1..=size.max(1)));
    let (engine, work) = (engine(stores), work.clone());
    let (world_of, stores_of) = (world.clone(), stores.clone());
    let run = async move {
        let target = work.to.as_ref().and_then(|to| to.format.clone());
        let outline = match engine.read_outline(at("from", "records"), work.from.clone(), target).await {
            Ok(Some(outline)) => outline,
            Ok(None) | Err(_) => return Ok(None),
        };
        if changes {
            put(&world_of, &stores_of, b"{\"other\":1}\n".repeat(9))?;
        }
        Ok(Some(each(&engine, &stores_of, &work, &outline, (size, length)).await))
    };
    ended(world.run(run, None))?.ok_or_else(|| "it was not to be killed".to_owned())?
}

async fn each(
    engine: &Engine,
    stores: &Stores,
    work: &Work,
    outline: &Outline,
    (size, length): (u64, u64),
) -> Result<Converted> {
    let (mut border, mut records, mut bytes) = (0, 0, Vec::new());
    for start in (0..size).step_by(length as usize) {
        let part = Part { start, end: size.min(start + length), starts_record: start == 0 };
        let guessed = one(engine, work, outline, part).await;
        if part.end <= border {
            continue;
        }
        let report = match guessed {
            Ok(report) if report.border == Some(border) => report,
            _ => one(engine, work, outline, Part { start: border, starts_record: true, ..part }).await?,
        };
        assert_eq!(report.border, Some(border));
        (border, records) = (report.end, records + report.records);
        if work.to.is_some() {
            bytes.extend(written(stores, "part"));
        }
    }
    assert_eq!(border, size);
    Ok((records, bytes))
}

async fn one(engine: &Engine, work: &Work, outline: &Outline, part: Part) -> Result<PartReport> {
    let source = (at("from", "records"), work.from.clone());
    match work.to.clone() {
        Some(to) => engine.convert_part(source, outline, part, (at("to", "part"), to)).await,
        None => engine.count_part(source.0, source.1, outline, part).await,
    }
}

fn written(stores: &Stores, name: &str) -> Vec<u8> {
    let path = Path::parse(name).unwrap_or_default();
    stores.store("to").borrow().object(&path).map(|object| object.contents.clone()).unwrap_or_default()
}

fn put(world: &World, stores: &Stores, contents: Vec<u8>) -> Check {
    let path = Path::parse("records").unwrap_or_default();
    let put = stores.store("from").borrow_mut().put(&path, contents, &WriteOptions::default(), world.clock());
    put.map(drop).map_err(|error| error.to_string())
}

fn format(format: Format) -> Encoding {
    Encoding { format: Some(format), ..Encoding::default() }
}

fn work(world: &World, is_csv: bool) -> Work {
    let dialect = || CsvDialect {
        header: world.happens(800),
        columns: world.happens(200).then(|| vec!["a".to_owned(), "b".to_owned()]),
        infer: world.happens(300),
        lenient: world.happens(300),
        ..CsvDialect::default()
    };
    let from = format(if is_csv { Format::Csv(dialect()) } else { Format::Ndjson });
    let to = match world.chance(|rng| rng.u32(0..5)) {
        0 => None,
        1 => Some(format(Format::Ndjson)),
        2 => Some(format(Format::JsonArray)),
        _ => Some(format(Format::Csv(dialect()))),
    };
    Work { from, to }
}

/// Rows, most of them right; in quotes there is anything.
fn rows(world: &World) -> Vec<u8> {
    let mut text = if world.happens(200) { "\u{feff}a,b".to_owned() } else { "a,b".to_owned() };
    let ends: &[&str] = world.one_of(&[&["\n"][..], &["\r\n"], &["\n", "\r\n", "\n\n", "\r"]]);
    for _ in 0..world.chance(|rng| rng.u32(0..40)) {
        text += world.one_of(ends);
        for field in 0..2 {
            text += if field == 0 { "" } else { "," };
            text += world.one_of(&[
                "x",
                "1",
                "",
                "y z",
                "\"\"",
                "\"q\"",
                "\"p\nq\"",
                "\"p,q\r\nr,s\nt\"",
                "\"\"\"\n\"\"\"",
                "\"\u{feff}\n\"",
                "long enough to be cut",
            ]);
        }
        if world.happens(5) {
            text += world.one_of(&[",more", "\"", "x\"y"]);
        }
    }
    if world.happens(700) {
        text += world.one_of(ends);
    }
    text.into_bytes()
}

/// Objects, mostly of the same keys.
fn lines(world: &World) -> Vec<u8> {
    let mut text = if world.happens(200) { "\u{feff}".to_owned() } else { String::new() };
    let end = world.one_of(&["\n", "\r\n", "\n\n", "\n \n"]);
    for number in 0..world.chance(|rng| rng.u32(0..40)) {
        text += match world.chance(|rng| rng.u32(0..400)) {
            0 => "[1,2]",
            1 => "no JSON",
            2..5 => "{\"b\":1,\"late\":2}",
            5..100 => "{\"a\":\"x, \\n y\",\"b\":[1,2]}",
            100..200 => "{\"b\":null}",
            _ if number % 7 == 0 => "{\"a\":\"something longer than the others, with an é\",\"b\":true}",
            _ => "{\"a\":1,\"b\":2}",
        };
        text += end;
    }
    if world.happens(200) {
        text.truncate(text.trim_end().len());
    }
    text.into_bytes()
}
