//! Certificates and private keys as PEM (RFC 7468), forgiving what editors do to such files.
//!
//! A byte order mark, ends of lines of any system and blanks around lines do no harm. What is wrong is
//! said in our own words: a parser's error repeats the line at fault, which may be the key.

use super::text::{self, BOM};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;

/// What a file of certificates or with a key holds.
#[derive(Debug)]
pub struct Found<T> {
    /// What was looked for.
    pub found: T,
    /// Whether a byte order mark in front was passed over.
    pub bom: bool,
}

/// Why a file cannot be used. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing of the wanted kind; what there is instead, where that is known.
    Missing(Wanted, Option<Instead>),
    /// DER, PKCS #12 and the like.
    Binary,
    /// UTF-16.
    Utf16,
    /// BEGIN or END do not stand on lines of their own.
    LineEnds,
    /// BEGIN without END.
    CutOff,
    /// Something else between BEGIN and END than base 64.
    Damaged,
    /// A key that asks for a passphrase.
    Encrypted,
}

/// What was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One certificate or more.
    Certificates,
    /// A private key.
    Key,
}

/// What was found instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A certificate.
    Certificate,
    /// A private key.
    PrivateKey,
    /// A public key.
    PublicKey,
    /// A request for a certificate.
    Request,
    /// A key of SSH.
    Ssh,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Missing(wanted, instead) = self {
            write!(f, "no {} in it", wanted.label())?;
            if let Some(instead) = instead {
                write!(f, " but {}", instead.words())?;
            }
        }
        f.write_str(match self {
            Self::Missing(..) => ": expected a PEM file",
            Self::Binary => {
                "it is binary (DER or PKCS #12): expected a PEM file, as openssl x509, pkey or pkcs12 writes it"
            }
            Self::Utf16 => "it is saved as UTF-16: expected a PEM file saved as UTF-8",
            Self::LineEnds => {
                "its line ends are lost: expected the lines of BEGIN and END each on its own, as the file was made"
            }
            Self::CutOff => "it is cut off: expected a line of BEGIN before each part and one of END after it",
            Self::Damaged => "it is damaged: expected base 64 between BEGIN and END",
            Self::Encrypted => {
                "the key asks for a passphrase: expected one without, as openssl pkey writes it"
            }
        })
    }
}

impl std::error::Error for Flaw {}

impl Wanted {
    fn label(self) -> &'static str {
        match self {
            Self::Certificates => "CERTIFICATE",
            Self::Key => "PRIVATE KEY",
        }
    }
}

impl Instead {
    fn words(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::PrivateKey => "a private key",
            Self::PublicKey => "a public key",
            Self::Request => "a request for a certificate",
            Self::Ssh => "a key of SSH",
        }
    }
}

/// The certificates of a file, in its order; never none.
///
/// # Errors
/// [`Flaw`] where there is none, or one is damaged.
pub fn certificates(bytes: &[u8]) -> Result<Found<Vec<CertificateDer<'static>>>, Flaw> {
    let (clean, bom) = cleaned(bytes)?;
    let found = CertificateDer::pem_slice_iter(clean.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(Found { found, bom }),
        // The parser's error is left aside: it repeats what it read.
        found => Err(flaw(&clean, Wanted::Certificates, found.is_ok())),
    }
}

/// The first private key of a file.
///
/// # Errors
/// [`Flaw`] where there is none, or it is damaged.
pub fn private_key(bytes: &[u8]) -> Result<Found<PrivateKeyDer<'static>>, Flaw> {
    let (clean, bom) = cleaned(bytes)?;
    let found = PrivateKeyDer::pem_slice_iter(clean.as_bytes()).next();
    match found {
        Some(Ok(found)) if !is_encrypted(&clean) => Ok(Found { found, bom }),
        found => Err(flaw(&clean, Wanted::Key, found.is_none())),
    }
}

/// The text with each line trimmed, and whether a byte order mark stood in front.
fn cleaned(bytes: &[u8]) -> Result<(String, bool), Flaw> {
    let (text, bom) = match text::decode(bytes) {
        Ok(text) => (text.text, text.bom),
        Err(e) if e.encoding == text::Encoding::Utf16 && !is_der(bytes) => return Err(Flaw::Utf16),
        // Comments beside the parts may be in any encoding.
        Err(_) => (String::from_utf8_lossy(bytes).into_owned(), false),
    };
    if !text.contains("-----BEGIN") && (is_der(bytes) || text.contains('\u{fffd}')) {
        return Err(Flaw::Binary);
    }
    let mut clean = String::with_capacity(text.len());
    for line in text.split(['\n', '\r']) {
        let line = line.trim_matches(|c: char| c.is_whitespace() || c == BOM);
        // Files that were joined where the last line of one had no end.
        clean += &line.replace("----------BEGIN ", "-----\n-----BEGIN ");
        clean.push('\n');
    }
    Ok((clean, bom))
}

/// A SEQUENCE with a length of more than one byte: what DER of certificates and keys begins with.
fn is_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, 0x80..=0x84, ..])
        || matches!(bytes, [0x30, n, rest @ ..] if usize::from(*n) == rest.len() && rest.first() == Some(&2))
}

/// Headers of PEM as it was before RFC 7468 (RFC 1421, 4.6.1.1).
fn is_encrypted(clean: &str) -> bool {
    clean.contains("\nProc-Type: 4,ENCRYPTED") || clean.contains("-----BEGIN ENCRYPTED PRIVATE KEY")
}

/// Says what is wrong with a text in which what was wanted is not, or not whole.
fn flaw(clean: &str, wanted: Wanted, in_order: bool) -> Flaw {
    if wanted == Wanted::Key && is_encrypted(clean) {
        return Flaw::Encrypted;
    }
    let marks = |word: &str| {
        let whole = |line: &&str| line.starts_with(word) && line.ends_with("-----");
        let alone = |line: &&str| line.matches("-----").count() == 2;
        let whole = clean.lines().filter(whole).filter(alone).count();
        (whole, clean.matches(word).count())
    };
    let (begins, all_begins) = marks("-----BEGIN ");
    let (ends, all_ends) = marks("-----END ");
    if begins < all_begins || ends < all_ends {
        return Flaw::LineEnds;
    }
    if ends != begins {
        return Flaw::CutOff;
    }
    if !in_order {
        return Flaw::Damaged;
    }
    let has = |label: &str| clean.contains(&format!("-----BEGIN {label}-----\n"));
    let instead = if has("OPENSSH PRIVATE KEY") {
        Some(Instead::Ssh)
    } else if has("CERTIFICATE REQUEST") || has("NEW CERTIFICATE REQUEST") {
        Some(Instead::Request)
    } else if has("CERTIFICATE") {
        Some(Instead::Certificate)
    } else if clean.contains("PRIVATE KEY-----\n") {
        Some(Instead::PrivateKey)
    } else if has("PUBLIC KEY") {
        Some(Instead::PublicKey)
    } else {
        None
    };
    Flaw::Missing(wanted, instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn what_editors_do_to_a_file_does_no_harm() {
        let (certificate, key) = pair();
        let both = |text: &str| format!("{}{text}", text.trim_end());
        for change in [
            |t: &str| format!("\u{feff}{t}"),
            |t: &str| t.replace('\n', "\r\n"),
            |t: &str| t.replace('\n', "\r"),
            |t: &str| t.replace('\n', " \t\n"),
            |t: &str| t.replace('\n', "\n    "),
            |t: &str| format!("Bag Attributes\n  friendlyName: n1\n{t}"),
        ] {
            let found = certificates(change(&certificate).as_bytes()).expect("in order");
            assert_eq!(found.found.len(), 1);
            assert_eq!(found.bom, change(&certificate).starts_with(BOM));
            private_key(change(&key).as_bytes()).expect("in order");
        }
        let joined = certificates(both(&certificate).as_bytes()).expect("in order");
        assert_eq!(joined.found.len(), 2, "the second is not lost");
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_of_it_repeated() {
        let (certificate, key) = pair();
        let utf16: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let der = rcgen::KeyPair::generate().expect("made").serialize_der();
        let in_key = |bytes: &[u8]| private_key(bytes).expect_err("wrong");
        let missing = |instead| Flaw::Missing(Wanted::Key, instead);
        for (bytes, flaw) in [
            (key.replace('\n', " ").into_bytes(), Flaw::LineEnds),
            (key.replace('\n', "").into_bytes(), Flaw::LineEnds),
            (key.replace('\n', "\\n").into_bytes(), Flaw::LineEnds),
            (
                key.replace("-----END", "----END").into_bytes(),
                Flaw::CutOff,
            ),
            (key.as_bytes()[..key.len() / 2].to_vec(), Flaw::CutOff),
            (key.split_once('\n').expect("lines").1.into(), Flaw::CutOff),
            (key.replacen("\nM", "\n?", 1).into_bytes(), Flaw::Damaged),
            (
                key.replace("PRIVATE", "ENCRYPTED PRIVATE").into_bytes(),
                Flaw::Encrypted,
            ),
            (
                key.replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1)
                    .into_bytes(),
                Flaw::Encrypted,
            ),
            (utf16, Flaw::Utf16),
            (der, Flaw::Binary),
            (
                certificate.clone().into_bytes(),
                missing(Some(Instead::Certificate)),
            ),
            (
                key.replace("PRIVATE", "OPENSSH PRIVATE").into_bytes(),
                missing(Some(Instead::Ssh)),
            ),
            (Vec::new(), missing(None)),
            (b"geheim".to_vec(), missing(None)),
        ] {
            assert_eq!(in_key(&bytes), flaw, "{}", bytes.escape_ascii());
        }
        let found = certificates(key.as_bytes()).map(|_| ());
        let wanted = Flaw::Missing(Wanted::Certificates, Some(Instead::PrivateKey));
        assert_eq!(found, Err(wanted));
    }
}
