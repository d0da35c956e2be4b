//! The city's own small authority: certificates for those who talk to its brokers.

use super::{AUTHORITY, CERTIFICATE, KEY, read, write};
use crate::clock::Now;
use crate::config::pem;
use crate::wire::sha256_hex;
use anyhow::Context;
use jiff::civil::Date;
use jiff::{ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::path::Path;

/// How long the authority's certificate holds: longer than boxes hang on walls.
const AUTHORITY_YEARS: i16 = 20;

/// How long the others hold. Not shorter: an expired one darkens no board, but ends its numbers, and
/// somebody has to go there with a card.
const YEARS: i16 = 5;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A node, a ticketing system, the hub.
    Client,
    /// A broker.
    Server,
}

/// Signs certificates.
#[derive(Debug)]
pub(super) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Takes the authority in a folder, or makes one there.
    pub(super) fn open(dir: &Path, now: Now) -> anyhow::Result<Self> {
        let (cert_at, key_at) = (dir.join("authority.pem"), dir.join("authority.key"));
        let (certificate, key) = if cert_at.exists() || key_at.exists() {
            (read(&cert_at)?, read(&key_at)?)
        } else {
            let (certificate, key) = found(now)?;
            write(&key_at, &key, true)?;
            write(&cert_at, &certificate, false)?;
            (certificate, key)
        };
        let key = key_pair(&key).with_context(|| key_at.display().to_string())?;
        // Its name and all else that signing needs is made of the key: the certificate itself is
        // only handed on.
        let issuer = Issuer::new(params(&key), key);
        ensure_pair(&certificate, issuer.key())
            .with_context(|| format!("{} and {}", cert_at.display(), key_at.display()))?;
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// Puts a certificate for a name, its key and the authority's certificate into a folder. What is
    /// there already stays, unless it is to be renewed.
    pub(super) fn issue(
        &self,
        dir: &Path,
        name: &str,
        purpose: Purpose,
        renew: bool,
        now: Now,
    ) -> anyhow::Result<()> {
        write(&dir.join(AUTHORITY), &self.certificate, false)?;
        let (cert_at, key_at) = (dir.join(CERTIFICATE), dir.join(KEY));
        if !renew && cert_at.exists() && key_at.exists() {
            return Ok(());
        }
        let (certificate, key) = self
            .sign(name, purpose, now)
            .with_context(|| format!("cannot make a certificate for {name}"))?;
        write(&key_at, &key, true)?;
        write(&cert_at, &certificate, false)
    }

    fn sign(
        &self,
        name: &str,
        purpose: Purpose,
        now: Now,
    ) -> Result<(String, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        holds(&mut params, YEARS, now);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// The authority's key. What rcgen says of one that it cannot read repeats lines of it.
fn key_pair(text: &str) -> anyhow::Result<KeyPair> {
    let key = pem::private_key(text.as_bytes())?.found;
    KeyPair::try_from(&key).map_err(|_| {
        anyhow::anyhow!("a key that cannot be used: expected one as provision makes it")
    })
}

/// A new authority: its certificate and key.
fn found(now: Now) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params(&key);
    holds(&mut params, AUTHORITY_YEARS, now);
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// What an authority is called and may do. Its name is made of its key, so that another authority
/// is not taken for this one.
fn params(key: &KeyPair) -> CertificateParams {
    let print = sha256_hex(key.public_key_raw());
    let mut params = CertificateParams::default();
    let name = format!("yobiban authority {}", &print[..12]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Whether a certificate is that of a key.
fn ensure_pair(certificate: &str, key: &KeyPair) -> anyhow::Result<()> {
    let found = pem::certificates(certificate.as_bytes())?.found;
    let public = key.public_key_raw();
    let der = found.first().map(|der| der.as_ref()).unwrap_or_default();
    let holds = der.windows(public.len()).any(|part| part == public);
    anyhow::ensure!(holds, "expected the certificate of this very key");
    Ok(())
}

/// From the day before, for clocks that are a little behind.
fn holds(params: &mut CertificateParams, years: i16, now: Now) {
    let at = |day: Date| {
        // Months and days of a date are small and positive.
        let (month, day_of) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        rcgen::date_time_ymd(day.year().into(), month, day_of)
    };
    let today = day(now);
    params.not_before = at(today.saturating_sub(1.day()));
    params.not_after = at(today.saturating_add(i64::from(years).years()));
}

fn day(now: Now) -> Date {
    now.wall.to_zoned(TimeZone::UTC).date()
}
