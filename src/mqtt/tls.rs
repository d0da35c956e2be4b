//! TLS settings from files.
//!
//! Read anew for every attempt to connect, so that a certificate that was renewed on disk is used
//! without a restart.

use crate::config::TlsConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Says which file does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read or is no PEM of the wanted kind.
    #[error("{}: {problem}: expected {expected}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// No certificate authority of the system could be read.
    #[error("no certificate authorities on this system: set `ca` to a PEM file")]
    NoSystemRoots,
    /// Certificate and key do not go together, or are of an unsupported kind.
    #[error("client certificate and key cannot be used: {0}")]
    Client(rustls::Error),
    /// The TLS library refuses its own defaults.
    #[error("tls cannot be set up: {0}")]
    Setup(rustls::Error),
}

fn certificates(
    path: &Path,
    expected: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |problem: String| TlsError::File {
        path: path.to_owned(),
        problem,
        expected,
    };
    let pem = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| wrong(e.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("no certificate in it".into()));
    }
    Ok(certificates)
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            const EXPECTED: &str = "certificates of authorities as PEM";
            for certificate in certificates(path, EXPECTED)? {
                roots.add(certificate).map_err(|e| TlsError::File {
                    path: path.to_owned(),
                    problem: e.to_string(),
                    expected: EXPECTED,
                })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoSystemRoots);
            }
        }
    }
    Ok(roots)
}

/// Makes the settings of a client from its files.
///
/// # Errors
/// [`TlsError`] naming the file that is missing or wrong. Whether a certificate has expired shows
/// only when connecting: that depends on the time.
pub fn client_config(config: &TlsConfig) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(roots(config.ca.as_deref())?);
    let client = match &config.client {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates(cert, "the client's certificate chain as PEM")?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| TlsError::File {
                path: key.clone(),
                problem: e.to_string(),
                expected: "the client's private key as PEM",
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(TlsError::Client)?
        }
    };
    Ok(Arc::new(client))
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let config = TlsConfig {
            ca: Some(path.clone()),
            client: None,
        };
        check(&config, "ca.pem");
        std::fs::write(&path, "no certificate").unwrap();
        check(
            &config,
            "no certificate in it: expected certificates of authorities as PEM",
        );

        let ca = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&path, ca.cert.pem()).unwrap();
        assert!(client_config(&config).is_ok());

        let key = dir.path().join("key.pem");
        std::fs::write(&key, "no key").unwrap();
        let config = TlsConfig {
            client: Some((path, key.clone())),
            ..config
        };
        check(&config, "key.pem");
        let other = rcgen::KeyPair::generate().unwrap();
        std::fs::write(&key, other.serialize_pem()).unwrap();
        check(&config, "cannot be used");
        std::fs::write(&key, ca.signing_key.serialize_pem()).unwrap();
        assert!(client_config(&config).is_ok());
    }
}
