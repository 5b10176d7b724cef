//! Appends what is mostly short, without a call.

/// Appends bytes. Up to 64 of them are two overlapping copies of a length that is known here: any other copy calls the
/// host of a component, which takes longer than most copies.
#[inline]
pub(in crate::record) fn append(bytes: &mut Vec<u8>, more: &[u8]) {
    match more.len() {
        0..2 => more.first().into_iter().for_each(|byte| bytes.push(*byte)),
        2..4 => append_by_ends::<2>(bytes, more),
        4..8 => append_by_ends::<4>(bytes, more),
        8..16 => append_by_ends::<8>(bytes, more),
        16..32 => append_by_ends::<16>(bytes, more),
        32..=64 => append_by_ends::<32>(bytes, more),
        _ => bytes.extend_from_slice(more),
    }
}

/// Appends from `N` to `2 * N` bytes.
#[inline]
fn append_by_ends<const N: usize>(bytes: &mut Vec<u8>, more: &[u8]) {
    if let (Some(first), Some(last)) = (more.first_chunk::<N>(), more.last_chunk::<N>()) {
        let end = bytes.len() + more.len();
        bytes.extend_from_slice(first);
        bytes.truncate(end - N);
        bytes.extend_from_slice(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_are_appended_whole() {
        let more: Vec<u8> = (0..=200).collect();
        for length in 0..=more.len() {
            let mut bytes = b"before".to_vec();
            append(&mut bytes, &more[..length]);
            assert_eq!(bytes, [b"before", &more[..length]].concat(), "{length}");
        }
    }
}
