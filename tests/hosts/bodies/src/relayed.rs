//! Ways through the application: it takes a body from the library and hands it back.

use omnistorage_application::{
    Body, Error, Location, WriteOptions,
    compression::{self, Codec, DecompressOptions},
    multi::{self, Mode},
    objects,
};

use crate::{holds, on, opened, put, zstd};

const BOTH: [bool; 2] = [false, true];

/// All of them; gives their number.
pub(crate) async fn ways(one: &str, two: &str, is_relayed: bool) -> Result<usize, String> {
    let relay = |body: Body| if is_relayed { body.relay() } else { body };
    let mut ways = 0;
    for (from, to) in [(one, one), (one, two), (two, one)] {
        for (from_coded, to_coded) in BOTH.map(|from| BOTH.map(|to| (from, to))).concat() {
            let source = Location::new(from, format!("application/source-{from_coded}"));
            let target = Location::new(to, format!("application/target-{to_coded}"));
            let way = format!("{from} coded={from_coded} to {to} coded={to_coded}");
            on(&way, copied(&source, from_coded, &target, to_coded, relay).await)?;
            on(&format!("tee of {way}"), teed(&source, from_coded, &target, to_coded, relay).await)?;
            ways += 2;
        }
    }
    let at = Location::new(one, "application/source-false");
    on("decompress of compress", recoded(&at, relay).await)?;
    Ok(ways + 1)
}

async fn copied(
    source: &Location,
    from_coded: bool,
    target: &Location,
    to_coded: bool,
    relay: impl Fn(Body) -> Body,
) -> Result<(), Error> {
    put(source, from_coded).await?;
    let body = relay(opened(source, from_coded).await?);
    objects::write(target.clone(), body, WriteOptions::default(), zstd(to_coded)).await?;
    holds(target, to_coded).await
}

async fn teed(
    source: &Location,
    from_coded: bool,
    target: &Location,
    to_coded: bool,
    relay: impl Fn(Body) -> Body,
) -> Result<(), Error> {
    let beside = Location::new(target.backend.clone(), format!("{}-beside", target.path));
    let body = relay(opened(source, from_coded).await?);
    let targets = vec![target.clone(), beside.clone()];
    let teed = multi::tee(targets, body, WriteOptions::default(), zstd(to_coded), Mode::All).await;
    teed.map_err(|failure| failure.error)?;
    holds(target, to_coded).await?;
    holds(&beside, to_coded).await
}

/// Through both codecs, and into storage as what it was.
async fn recoded(at: &Location, relay: impl Fn(Body) -> Body) -> Result<(), Error> {
    let packed = compression::compress(relay(opened(at, false).await?), Codec::Gzip, None, None).await?;
    let unpacked = compression::decompress(relay(packed), DecompressOptions::default()).await?;
    let target = Location::new(at.backend.clone(), "application/recoded");
    objects::write(target.clone(), relay(unpacked), WriteOptions::default(), None).await?;
    holds(&target, false).await
}
