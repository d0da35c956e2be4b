//! TLS settings from files: what `check` looks at and what connects go one and the same way.
//!
//! No error repeats what stands in a file, and none hands on a library's text about one.

use super::TlsConfig;
use super::pem::{self, Flaw, Found};
use super::text::read_bytes;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, InconsistentKeys, OtherError, RootCertStore};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// More than any chain, key or list of authorities needs.
const MAX_BYTES: u64 = 1024 * 1024;

/// Says which file does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read or is no PEM of the wanted kind.
    #[error("{}: {problem}", path.display())]
    File {
        path: PathBuf,
        /// What is wrong and what is expected.
        problem: Problem,
    },
    /// No certificate authority of the system could be read.
    #[error("no certificate authorities on this system: set `ca` to a PEM file")]
    NoSystemRoots,
    /// Certificate and key do not go together, or are of an unsupported kind.
    #[error("client certificate and key cannot be used: {0}")]
    Client(Unusable),
    /// The TLS library refuses its own defaults.
    #[error("tls cannot be set up")]
    Setup,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// It is no PEM of the wanted kind.
    #[error(transparent)]
    Pem(#[from] Flaw),
    /// A certificate in it is none.
    #[error("a certificate in it is damaged or of an unknown kind: expected X.509")]
    Certificate,
}

/// Why a certificate and a key cannot be used though each is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The key of another certificate.
    #[error("the key is not that of the certificate: expected the key it was made with")]
    Pair,
    /// A key that no library takes.
    #[error("a key of an unknown kind or damaged: expected RSA, ECDSA (P-256 or P-384) or Ed25519")]
    Key,
    /// A certificate that no library takes.
    #[error("the certificate {0}")]
    Certificate(CertificateFlaw),
}

/// What is wrong with a certificate, ours or another's, in words that go on from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFlaw {
    /// Made without extensions, as `openssl x509 -req` does unless told otherwise.
    Version1,
    /// Damaged, or not X.509.
    Unreadable,
}

impl fmt::Display for CertificateFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version1 => {
                "is of version 1: expected version 3 with a subjectAltName (openssl x509 -req -extfile)"
            }
            Self::Unreadable => "is damaged or of an unknown kind: expected X.509",
        })
    }
}

/// Whether a library refuses a certificate for its version.
#[must_use]
pub fn is_version_1(error: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(inner)) = error else {
        return false;
    };
    let inner: Option<&webpki::Error> = inner.downcast_ref();
    inner.is_some_and(|e| matches!(e, webpki::Error::UnsupportedCertVersion))
}

fn at(path: &Path, problem: impl Into<Problem>) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    read_bytes(path, MAX_BYTES).map_err(|e| at(path, Problem::Unreadable(e)))
}

/// Reads those who may sign another's certificate.
///
/// # Errors
/// [`TlsError::File`].
pub(super) fn authorities(path: &Path) -> Result<Found<RootCertStore>, TlsError> {
    let Found { found, bom } = chain(path)?;
    let mut roots = RootCertStore::empty();
    for certificate in found {
        roots
            .add(certificate)
            .map_err(|_| at(path, Problem::Certificate))?;
    }
    Ok(Found { found: roots, bom })
}

/// Reads an own certificate and those between it and its authority.
pub(super) fn chain(path: &Path) -> Result<Found<Vec<CertificateDer<'static>>>, TlsError> {
    pem::certificates(&read(path)?).map_err(|flaw| at(path, flaw))
}

/// Reads an own key.
pub(super) fn key(path: &Path) -> Result<Found<PrivateKeyDer<'static>>, TlsError> {
    pem::private_key(&read(path)?).map_err(|flaw| at(path, flaw))
}

/// Makes the settings of a client from its files.
///
/// # Errors
/// [`TlsError`] naming the file that is missing or wrong. Whether a certificate has expired shows
/// only when connecting: that depends on the time.
pub fn client_config(config: &TlsConfig) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match &config.ca {
        Some(path) => authorities(path)?.found,
        None => system()?,
    };
    let own = match &config.client {
        Some((cert, path)) => Some((chain(cert)?.found, key(path)?.found)),
        None => None,
    };
    client(roots, own)
}

/// Makes the settings of a client from what its files hold.
///
/// # Errors
/// [`TlsError::Client`] where certificate and key cannot be used together.
pub(super) fn client(
    roots: RootCertStore,
    own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Setup)?
        .with_root_certificates(roots);
    Ok(Arc::new(match own {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|e| TlsError::Client(unusable(&e)))?,
    }))
}

fn system() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(TlsError::NoSystemRoots);
    }
    Ok(roots)
}

fn unusable(error: &rustls::Error) -> Unusable {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Unusable::Pair,
        rustls::Error::InvalidCertificate(e) if is_version_1(e) => {
            Unusable::Certificate(CertificateFlaw::Version1)
        }
        rustls::Error::InvalidCertificate(_) => Unusable::Certificate(CertificateFlaw::Unreadable),
        _ => Unusable::Key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &TlsConfig, said: &str) {
        let error = client_config(config).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }

    #[test]
    fn wrong_files_are_named_with_what_is_expected() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("ca.pem");
        let config = TlsConfig {
            ca: Some(path.clone()),
            client: None,
        };
        check(&config, "ca.pem: cannot read it: no such file");
        std::fs::write(&path, "no certificate").expect("written");
        check(&config, "no CERTIFICATE in it: expected a PEM file");

        let ca = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        std::fs::write(&path, ca.cert.pem()).expect("written");
        assert!(client_config(&config).is_ok());

        let key = dir.path().join("key.pem");
        std::fs::write(&key, "no key").expect("written");
        let config = TlsConfig {
            client: Some((path, key.clone())),
            ..config
        };
        check(&config, "key.pem: no PRIVATE KEY in it");
        std::fs::write(&key, ca.cert.pem()).expect("written");
        check(&config, "no PRIVATE KEY in it but a certificate");
        let other = rcgen::KeyPair::generate().expect("made");
        std::fs::write(&key, other.serialize_pem()).expect("written");
        check(&config, "the key is not that of the certificate");
        std::fs::write(&key, ca.signing_key.serialize_pem()).expect("written");
        assert!(client_config(&config).is_ok());
    }
}
