//! The ranges of a run: they tile that of its options.

use futures::{StreamExt, stream::FuturesOrdered};

use crate::{
    Error, ErrorCode, KeyRange, Location, ObjectKind, Path, Result,
    ranges::directories::above,
    runtime::{Storage, SyncOptions},
};

/// Borders that are looked at at once.
const LOOKS: usize = 16;

/// Ranges one after the other, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tiles {
    whole: KeyRange,
    borders: Vec<Path>,
}

impl Tiles {
    /// Of borders that are sorted; those that cut nothing off are left out.
    pub(crate) fn new(whole: KeyRange, borders: impl IntoIterator<Item = Path>) -> Self {
        // The end of the range ends its last part anyway.
        let cuts = |border: &Path| whole.spans(border.as_str()) && whole.until.as_ref() != Some(border);
        let borders = borders.into_iter().filter(cuts).collect();
        Self { whole, borders }
    }

    /// Cuts the source of a run into about so many ranges, by some requests.
    ///
    /// # Errors
    /// As [`Storage::plan`], and those of the target.
    pub(crate) async fn cut(
        storage: &Storage,
        [source, target]: [&Location; 2],
        options: &SyncOptions,
        ranges: u32,
    ) -> Result<Self> {
        let borders = storage.plan(source, &options.range(), ranges).await?;
        let tiles = Self::new(options.range(), borders);
        if !storage.features(&target.backend).await?.features.directories {
            return Ok(tiles);
        }
        let mut borders = Vec::with_capacity(tiles.borders.len());
        for some in tiles.borders.chunks(LOOKS) {
            let mut looks = FuturesOrdered::new();
            for border in some {
                looks.push_back(usable(storage, [source, target], border));
            }
            while let Some(usable) = looks.next().await {
                borders.extend(usable?.cloned());
            }
        }
        Ok(Self { borders, ..tiles })
    }

    /// The range that all of them tile.
    pub(crate) fn whole(&self) -> &KeyRange {
        &self.whole
    }

    /// Where one ends and the next begins.
    pub(crate) fn borders(&self) -> &[Path] {
        &self.borders
    }

    /// How many there are, at least one.
    pub(crate) fn count(&self) -> usize {
        self.borders.len() + 1
    }

    /// The index of the one in which a path lies.
    pub(crate) fn index_of(&self, path: &Path) -> usize {
        self.borders.partition_point(|border| border < path)
    }

    /// All of them, in their order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = KeyRange> {
        let borders = || self.borders.iter().cloned().map(Some);
        let begins = std::iter::once(self.whole.after.clone()).chain(borders());
        let ends = borders().chain([self.whole.until.clone()]);
        begins.zip(ends).map(|(after, until)| KeyRange { after, until })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] if there is none of that index.
    pub(crate) fn range(&self, index: usize) -> Result<KeyRange> {
        let missing = || Error::new(ErrorCode::Corrupted, format!("the run has no range {index}"));
        self.ranges().nth(index).ok_or_else(missing)
    }
}

/// A border, unless it would part an object from a directory that stands in its place on the other side: one waits for what
/// is behind the border to go.
async fn usable<'a>(
    storage: &Storage,
    [source, target]: [&Location; 2],
    border: &'a Path,
) -> Result<Option<&'a Path>> {
    for path in above(border) {
        let Some(there) = look(storage, target, &path).await? else { continue };
        let here = look(storage, source, &path).await?;
        let is_directory = |kind: ObjectKind| kind == ObjectKind::Directory;
        if here.is_some_and(|here| is_directory(here) != is_directory(there)) {
            return Ok(None);
        }
    }
    Ok(Some(border))
}

/// What stands at a path of a side.
pub(super) async fn look(storage: &Storage, side: &Location, path: &Path) -> Result<Option<ObjectKind>> {
    let at = Location { backend: side.backend.clone(), path: side.path.join(path)? };
    match storage.stat(&at).await {
        Ok(info) => Ok(Some(info.kind)),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::NotDirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses places of which no range can be told.
///
/// # Errors
/// [`ErrorCode::Unsupported`].
pub(crate) async fn require_sorted(storage: &Storage, sides: [&Location; 2]) -> Result<()> {
    for side in sides {
        if !storage.features(&side.backend).await?.features.sorted_list {
            let message =
                format!("`{}` does not list in byte order, and no range of it can be told", side.backend);
            return Err(Error::new(ErrorCode::Unsupported, message));
        }
    }
    Ok(())
}

/// Whether names are flat on both sides. Then a range may end anywhere, and so it may end earlier while it is at work. Among
/// directories a border parts some from what is in them, and is looked at first.
///
/// # Errors
/// [`ErrorCode::NotFound`] for a backend that there is not.
pub(crate) async fn are_flat(storage: &Storage, sides: [&Location; 2]) -> Result<bool> {
    for side in sides {
        if storage.features(&side.backend).await?.features.directories {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn ranges_tile_the_whole() {
        let whole = KeyRange { after: Some(path("b")), until: Some(path("p")) };
        let tiles = Tiles::new(whole.clone(), ["a", "b", "d", "m", "p", "z"].map(path));
        assert_eq!(tiles.borders(), ["d", "m"].map(path));
        let ranges: Vec<_> = (0..tiles.count()).map(|index| tiles.range(index).unwrap()).collect();
        assert_eq!(KeyRange::joined(ranges).unwrap(), whole);
        assert_eq!(["c", "d", "e", "z"].map(|at| tiles.index_of(&path(at))), [0, 0, 1, 2]);
        assert_eq!(tiles.range(3).unwrap_err().code(), ErrorCode::Corrupted);
    }
}
