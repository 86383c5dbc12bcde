//! zstd, a piece at a time. Without it, bytes stay as they are.

use std::io::{self, Write as _};

use zstd::stream::raw::{Decoder, Operation as _};
use zstd::stream::write::Encoder;

/// Fast, and text becomes about a tenth.
const LEVEL: i32 = 3;
/// How what is compressed begins.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes that come out at a time.
const PIECE: usize = 64 * 1_024;

/// Compresses, or passes bytes on.
pub struct Compressor(Compressing);

enum Compressing {
    None(Vec<u8>),
    Zstd(Encoder<'static, Vec<u8>>),
}

impl Compressor {
    /// Compresses by zstd, or passes bytes on.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(is_compressed: bool) -> io::Result<Self> {
        if !is_compressed {
            return Ok(Self(Compressing::None(Vec::new())));
        }
        let mut encoder = Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self(Compressing::Zstd(encoder)))
    }

    /// Takes bytes.
    ///
    /// # Errors
    /// Those of zstd.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Compressing::None(out) => out.write_all(bytes),
            Compressing::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// What is ready.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.0 {
            Compressing::None(out) => std::mem::take(out),
            Compressing::Zstd(encoder) => std::mem::take(encoder.get_mut()),
        }
    }

    /// Makes all of it ready, so that it can be read though nothing follows.
    ///
    /// # Errors
    /// Those of zstd.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Compressing::None(_) => Ok(()),
            Compressing::Zstd(encoder) => encoder.flush(),
        }
    }

    /// What is left.
    ///
    /// # Errors
    /// Those of zstd.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.0 {
            Compressing::None(out) => Ok(out),
            Compressing::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// Decompresses, or passes bytes on.
pub struct Decompressor(Decompressing);

enum Decompressing {
    None,
    Zstd(Box<Zstd>),
}

struct Zstd {
    decoder: Decoder<'static>,
    piece: Vec<u8>,
    /// Whether more may come of what was taken.
    is_full: bool,
    is_at_end: bool,
}

impl Decompressor {
    /// For what begins so.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn of(beginning: &[u8]) -> io::Result<Self> {
        if !beginning.starts_with(&MAGIC) {
            return Ok(Self(Decompressing::None));
        }
        let (decoder, piece) = (Decoder::new()?, vec![0; PIECE]);
        Ok(Self(Decompressing::Zstd(Box::new(Zstd {
            decoder,
            piece,
            is_full: false,
            is_at_end: true,
        }))))
    }

    /// Appends to `out` what some of `bytes` mean: a piece of a bounded size, however well it is
    /// compressed. Returns how many bytes it took.
    ///
    /// # Errors
    /// When the bytes are none of zstd's.
    pub fn step(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<usize> {
        match &mut self.0 {
            Decompressing::None => {
                let piece = bytes.get(..PIECE).unwrap_or(bytes);
                out.extend_from_slice(piece);
                Ok(piece.len())
            }
            Decompressing::Zstd(zstd) => zstd.step(bytes, out),
        }
    }

    /// Whether another step takes none of further bytes, and yet has a result.
    #[must_use]
    pub fn has_more(&self) -> bool {
        matches!(&self.0, Decompressing::Zstd(zstd) if zstd.is_full)
    }

    /// Whether nothing is missing at the end.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        match &self.0 {
            Decompressing::None => true,
            Decompressing::Zstd(zstd) => zstd.is_at_end,
        }
    }
}

impl Zstd {
    fn step(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<usize> {
        let status = self.decoder.run_on_buffers(bytes, &mut self.piece)?;
        out.extend_from_slice(self.piece.get(..status.bytes_written).unwrap_or_default());
        self.is_full = status.bytes_written == self.piece.len();
        self.is_at_end = status.remaining == 0;
        if self.is_at_end {
            // Another frame may follow.
            self.decoder.reinit()?;
            self.is_full = false;
        }
        Ok(status.bytes_read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(pieces: &[Vec<u8>], flush: bool) -> Vec<u8> {
        let mut compressor = Compressor::new(true).unwrap();
        let mut out = Vec::new();
        for piece in pieces {
            compressor.add(piece).unwrap();
            if flush {
                compressor.flush().unwrap();
            }
            out.extend(compressor.take());
        }
        out.extend(compressor.finish().unwrap());
        out
    }

    fn decompressed(bytes: &[u8], step: usize) -> (Vec<u8>, bool) {
        let mut decompressor = Decompressor::of(bytes).unwrap();
        let mut out = Vec::new();
        for mut piece in bytes.chunks(step) {
            while !piece.is_empty() || decompressor.has_more() {
                let before = out.len();
                let taken = decompressor.step(piece, &mut out).unwrap();
                assert!(out.len() - before <= PIECE);
                piece = &piece[taken..];
            }
        }
        (out, decompressor.is_at_end())
    }

    proptest! {
        #[test]
        fn everything_comes_back(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            step in 1..50_usize,
            flush: bool,
        ) {
            let bytes = compressed(&pieces, flush);
            prop_assert_eq!(decompressed(&bytes, step), (pieces.concat(), true));
        }
    }

    #[test]
    fn what_is_cut_is_known_to_be() {
        let text = vec![b'x'; 10 * PIECE];
        let bytes = compressed(std::slice::from_ref(&text), false);
        assert!(bytes.len() < 1_000, "{}", bytes.len());
        assert_eq!(decompressed(&bytes, 1 << 20), (text, true));
        assert!(!decompressed(&bytes[..bytes.len() - 1], 1 << 20).1);
    }

    #[test]
    fn what_was_flushed_can_be_read_though_nothing_follows() {
        let mut compressor = Compressor::new(true).unwrap();
        compressor.add(b"first").unwrap();
        compressor.flush().unwrap();
        assert_eq!(decompressed(&compressor.take(), 7), (b"first".to_vec(), false));
    }
}
