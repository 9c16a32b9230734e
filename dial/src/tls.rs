//! What TLS is asked to check: whole certificates, chains alone, or nothing, and who the client is.

use crate::Fault;
use brine_core::Value;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;

/// What of a server's certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// All: who signed it, its time, and the server's name.
    #[default]
    Full,
    /// All but the name.
    Chain,
    /// Nothing: only where an option asks for that.
    Nothing,
}

/// How TLS is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that are trusted, instead of the system's. All of these are files.
    pub ca: Option<PathBuf>,
    /// Those that are not trusted any more.
    pub crl: Option<PathBuf>,
    /// The client's own certificate, with its chain.
    pub cert: Option<PathBuf>,
    /// Its key, if it is not in `cert`.
    pub key: Option<PathBuf>,
    /// What is checked.
    pub check: Check,
}

pub(crate) fn name(host: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.to_owned()).map_err(|e| e.to_string())
}

fn unreadable(path: &std::path::Path, e: impl std::fmt::Display) -> Fault {
    Fault::Connect(path.display().to_string(), e.to_string())
}

impl Tls {
    /// As stock's `verify` says: `False` checks nothing, a text is a file of certificates, all else is the system's.
    pub fn verify(verify: Option<&Value>) -> Self {
        match verify {
            Some(Value::Bool(false)) => Self { check: Check::Nothing, ..Self::default() },
            Some(Value::Str(file)) => Self { ca: Some(file.into()), ..Self::default() },
            _ => Self::default(),
        }
    }

    /// The certificates that are trusted: those of the file, else the system's.
    pub fn trusted(&self) -> Result<Vec<CertificateDer<'static>>, Fault> {
        let Some(ca) = &self.ca else {
            return Ok(rustls_native_certs::load_native_certs().certs);
        };
        let read = CertificateDer::pem_file_iter(ca).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        read.map_err(|e| unreadable(ca, e))
    }

    /// The certificate chain and the key of the client, if it has any.
    pub fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Fault> {
        let Some(cert) = &self.cert else { return Ok(None) };
        let key = self.key.as_ref().unwrap_or(cert);
        let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|e| unreadable(cert, e))?;
        Ok(Some((chain, PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable(key, e))?)))
    }

    /// All of it, as the TLS library takes it.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Fault> {
        let failed = |e: Error| Fault::Connect("TLS".into(), e.to_string());
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
        let verifier: Arc<dyn ServerCertVerifier> = match self.check {
            Check::Nothing => Arc::new(Unchecked(provider)),
            check => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(self.trusted()?);
                let mut verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
                if let Some(crl) = &self.crl {
                    let lists = CertificateRevocationListDer::pem_file_iter(crl)
                        .and_then(Iterator::collect::<Result<Vec<_>, _>>);
                    verifier = verifier.with_crls(lists.map_err(|e| unreadable(crl, e))?);
                }
                let verifier = verifier.build().map_err(|e| Fault::Connect("TLS".into(), e.to_string()))?;
                if check == Check::Full { verifier } else { Arc::new(ChainOnly(verifier)) }
            }
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Arc::new(match self.identity()? {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(failed)?,
        }))
    }
}

type Verified = Result<ServerCertVerified, Error>;
type Signed = Result<HandshakeSignatureValid, Error>;

#[derive(Debug)]
struct ChainOnly(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for ChainOnly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Verified {
        // The name is looked at last: an error about it says that all else is well.
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Signed {
        self.0.verify_tls12_signature(m, c, d)
    }

    fn verify_tls13_signature(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Signed {
        self.0.verify_tls13_signature(m, c, d)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Verified {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Signed {
        rustls::crypto::verify_tls12_signature(m, c, d, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(&self, m: &[u8], c: &CertificateDer<'_>, d: &DigitallySignedStruct) -> Signed {
        rustls::crypto::verify_tls13_signature(m, c, d, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
