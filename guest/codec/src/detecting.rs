//! A decoder for input of a codec that its first bytes tell.

use omnistorage_core::codec::{Codec, CodecError, CodecErrorKind, Coder, DecoderLimits, decoder};

/// Waits for the first bytes, then decodes them and what follows.
pub(crate) struct Detecting {
    limits: DecoderLimits,
    decoder: Option<Box<dyn Coder>>,
    /// The first bytes, as far as the decoder has not taken them.
    head: Vec<u8>,
}

impl Detecting {
    pub(crate) const fn new(limits: DecoderLimits) -> Self {
        Self { limits, decoder: None, head: Vec::new() }
    }

    /// The decoder, once it has all of the first bytes; `None` while the output is full before.
    fn ready(&mut self, output: &mut Vec<u8>) -> Result<Option<&mut dyn Coder>, CodecError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            decoder => decoder.insert(detected(&self.head, self.limits)?),
        };
        if !self.head.is_empty() {
            let taken = decoder.push(&self.head, output)?;
            self.head.drain(..taken);
        }
        Ok(self.head.is_empty().then_some(&mut **decoder))
    }
}

impl Coder for Detecting {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut taken = 0;
        if self.decoder.is_none() {
            taken = input.len().min(Codec::HEAD - self.head.len());
            self.head.extend_from_slice(&input[..taken]);
            if self.head.len() < Codec::HEAD {
                return Ok(taken);
            }
        }
        if let Some(decoder) = self.ready(output)? {
            taken += decoder.push(&input[taken..], output)?;
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        match self.ready(output)? {
            Some(decoder) => decoder.finish(output),
            None => Ok(false),
        }
    }
}

/// A decoder of the codec that the first bytes show.
pub(crate) fn detected(head: &[u8], limits: DecoderLimits) -> Result<Box<dyn Coder>, CodecError> {
    let kind = Codec::from_magic(head).ok_or_else(|| CodecError {
        kind: CodecErrorKind::Corrupted,
        offset: 0,
        message: format!("the first bytes are of no known compression ({})", Codec::names()).into(),
    })?;
    Ok(decoder(kind, limits))
}
