//! Objects: what a stored state is called, and how its bytes are packed.
//!
//! A name says everything a person without `tf` needs: lineage, serial, and the SHA-256 of the bytes
//! that `gunzip` will give. It is a function of the bytes, so the same state is stored once.
//!
//! Nothing decoded here is trusted: decoding stops at a given length, and what comes out is compared
//! with the bytes or the digest that were wanted.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use crate::model::operation::{Image, Source};
use crate::model::state::{Digest, StateImage};

/// From this length on speed counts more than size.
const LARGE_BYTES: usize = 32 << 20;

/// Names an object in `objects/`. It can only be made from a state or by parsing, so it is always a
/// single path component without anything odd in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName {
    /// The whole name.
    text: String,
    /// The digest in it.
    digest: Digest,
}

impl ObjectName {
    /// The name for a state: `<lineage8>.<serial10>.<id>.json.gz`. What is no state is
    /// `none.invalid.<id>.raw.gz`; a state without lineage has `none` in its place. An encrypted state
    /// shows lineage and serial to those who have no key, and is named by them.
    pub(crate) fn of(image: &StateImage) -> Self {
        let digest = image.digest();
        let text = match image.header() {
            None => format!("none.invalid.{digest}.raw.gz"),
            Some(header) => {
                let lineage = header.lineage.as_ref().map_or_else(
                    || "none".to_owned(),
                    |lineage| {
                        let hash = Digest::of(lineage.as_str().as_bytes()).to_string();
                        hash.chars().take(8).collect()
                    },
                );
                format!("{lineage}.{:010}.{digest}.json.gz", header.serial.0)
            }
        };
        Self { text, digest }
    }

    /// Parses a name found in a directory or a record; none where it is not one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let [lineage, serial, id, form, "gz"] = *text.split('.').collect::<Vec<_>>() else {
            return None;
        };
        let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let lineage_fits = lineage == "none" || (lineage.len() == 8 && hex(lineage));
        let digits = serial.bytes().all(|b| b.is_ascii_digit());
        let serial_fits = serial == "invalid" || (serial.len() >= 10 && digits);
        let fits = lineage_fits && serial_fits && matches!(form, "json" | "raw");
        let digest = id.parse().ok().filter(|_| fits && hex(id))?;
        Some(Self { text: text.to_owned(), digest })
    }

    /// The name as it stands in the directory.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The digest of the plain bytes.
    #[cfg(test)]
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }
}

/// Where the bytes of a state are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Name of the object.
    pub(crate) name: String,
    /// Length of the object.
    pub(crate) bytes: u64,
    /// SHA-256 of the object's file.
    pub(crate) sha256: Digest,
    /// Whether another file stood under this name, was not what the name says, and lies in
    /// `quarantine/` now.
    pub(crate) quarantined: bool,
}

impl Stored {
    /// Describes a state together with the place where its bytes are kept.
    pub(crate) fn image(&self, state: &StateImage, source: Source) -> Image {
        Image {
            stored: Some(self.name.clone()),
            stored_bytes: Some(self.bytes),
            stored_sha256: Some(self.sha256),
            ..describe(state, source)
        }
    }
}

/// Describes a state whose bytes are kept nowhere.
pub(crate) fn describe(state: &StateImage, source: Source) -> Image {
    let header = state.header();
    Image {
        source: Some(source),
        lineage: header.and_then(|header| header.lineage.clone()),
        serial: header.map(|header| header.serial),
        digest: Some(state.digest()),
        bytes: state.bytes().len().try_into().unwrap_or(u64::MAX),
        resources: header.map(|header| header.resources),
        terraform_version: header.and_then(|header| header.terraform_version.clone()),
        ..Image::without_bytes(state.status())
    }
}

/// Packs bytes. Takes as much additional memory as the result is long.
///
/// # Errors
/// The compressor fails.
pub(super) fn encode(plain: &[u8]) -> io::Result<Vec<u8>> {
    let level = if plain.len() > LARGE_BYTES { 3 } else { 6 };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain)?;
    encoder.finish()
}

/// Whether unpacking gives exactly these bytes and nothing follows. Constant memory.
pub(super) fn is_encoding_of(encoded: &[u8], plain: &[u8]) -> bool {
    let mut decoder = GzDecoder::new(encoded);
    let mut buffer = vec![0; 128 << 10];
    let mut rest = plain;
    loop {
        let length = match decoder.read(&mut buffer) {
            Ok(0) => return rest.is_empty() && decoder.into_inner().is_empty(),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return false,
        };
        let (Some(piece), Some((head, tail))) =
            (buffer.get(..length), rest.split_at_checked(length))
        else {
            return false;
        };
        if piece != head {
            return false;
        }
        rest = tail;
    }
}

/// Unpacks bytes of a known length, and stops where more come.
///
/// # Errors
/// One short sentence: what is wrong.
pub(super) fn decode(encoded: &[u8], length: u64) -> Result<Vec<u8>, &'static str> {
    let mut decoder = GzDecoder::new(encoded);
    // A recorded length is no reason to take memory in advance: deflate packs at most 1 to 1032.
    let likely = length.min(u64::try_from(encoded.len()).unwrap_or(u64::MAX).saturating_mul(1032));
    let mut plain = Vec::new();
    plain
        .try_reserve_exact(usize::try_from(likely).map_err(|_| "it is too long")?)
        .map_err(|_| "it is too long")?;
    decoder
        .by_ref()
        .take(length)
        .read_to_end(&mut plain)
        .map_err(|_| "it cannot be decompressed")?;
    if u64::try_from(plain.len()).ok() != Some(length) {
        return Err("it is shorter than recorded");
    }
    // Reading on to the end also checks the checksum of the compressor.
    match decoder.read(&mut [0; 1]) {
        Ok(0) if decoder.into_inner().is_empty() => Ok(plain),
        Ok(_) => Err("it is longer than recorded"),
        Err(_) => Err("it cannot be decompressed"),
    }
}

/// The most that an object of so many plain bytes can be long: gzip adds 5 bytes per block where it
/// cannot compress, and a header. Whatever is longer is not ours and not read.
pub(super) fn longest_encoding(plain: u64) -> u64 {
    plain.saturating_add(plain / 256).saturating_add(64 << 10)
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests fail loudly")]
mod tests {
    use super::*;

    fn state() -> StateImage {
        StateImage::new(br#"{"version":4,"serial":7,"lineage":"a-b","resources":[]}"#.to_vec())
    }

    #[test]
    fn names_are_parsed_back_and_nothing_else_is() {
        for image in
            [state(), StateImage::new(Vec::new()), StateImage::new(b"{\"version\":4}".to_vec())]
        {
            let name = ObjectName::of(&image);
            assert_eq!(ObjectName::parse(name.as_str()).as_ref(), Some(&name));
            assert_eq!(name.digest(), image.digest());
        }
        let good = ObjectName::of(&state()).as_str().to_owned();
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "identity.json",
            &good.to_uppercase(),
            &format!("{good}.gz"),
            &good.replace("json", "../json"),
            &good.replacen('.', "/", 1),
            &format!(".tmp-{good}"),
        ] {
            assert_eq!(ObjectName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let plain = state().bytes().to_vec();
        let length = u64::try_from(plain.len()).unwrap();
        let encoded = encode(&plain).unwrap();
        assert!(is_encoding_of(&encoded, &plain));
        assert_eq!(decode(&encoded, length).unwrap(), plain);
        for bit in 0..encoded.len() * 8 {
            let mut flipped = encoded.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // The header's time and system bytes carry nothing; the right bytes come out then.
            assert!(
                decode(&flipped, length).is_ok_and(|out| out == plain)
                    || decode(&flipped, length).is_err()
            );
        }
        for cut in 0..encoded.len() {
            assert!(decode(&encoded[..cut], length).is_err());
            assert!(!is_encoding_of(&encoded[..cut], &plain));
        }
        let longer = [encoded.as_slice(), b"x"].concat();
        assert!(decode(&longer, length).is_err() && !is_encoding_of(&longer, &plain));
    }

    #[test]
    fn a_bomb_is_left_at_the_recorded_length() {
        let bomb = encode(&vec![b' '; 40 << 20]).unwrap();
        assert_eq!(decode(&bomb, 1000), Err("it is longer than recorded"));
        assert!(!is_encoding_of(&bomb, b"    "));
    }

    #[test]
    fn incompressible_bytes_fit_the_longest_encoding() {
        let mut noise = Vec::new();
        let mut hash = Digest::of(b"seed");
        while noise.len() < 1 << 20 {
            hash = Digest::of(hash.to_string().as_bytes());
            noise.extend(hash.to_string().bytes().map(|b| b.wrapping_mul(37)));
        }
        let encoded = encode(&noise).unwrap();
        assert!(u64::try_from(encoded.len()).unwrap() <= longest_encoding(1 << 20));
    }
}
