//! Extensions of certificates as text: what stock 3006.28 makes of those that are usual, by the Python library `cryptography`. Of others
//! the bytes are shown.

use super::names::usage;
use brine_core::Value;
use brine_core::text::python_repr;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::asn1_rs::{FromDer, Oid};
use x509_parser::extensions::{GeneralName, KeyUsage, ParsedExtension, X509Extension};

pub(super) fn value(extension: &X509Extension<'_>) -> String {
    match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(basic) => {
            let ca = if basic.ca { "CA:TRUE" } else { "CA:FALSE" };
            basic.path_len_constraint.map_or_else(|| ca.to_owned(), |length| format!("{ca}, pathlen:{length}"))
        }
        ParsedExtension::SubjectAlternativeName(names) => general(&names.general_names),
        ParsedExtension::IssuerAlternativeName(names) => general(&names.general_names),
        ParsedExtension::KeyUsage(usage) => key_usage(usage),
        ParsedExtension::ExtendedKeyUsage(_) => {
            let list = Vec::<Oid<'_>>::from_der(extension.value).map(|(_, list)| list).unwrap_or_default();
            let shown: Vec<String> = list
                .iter()
                .map(|oid| oid.to_id_string())
                .map(|oid| format!("<ObjectIdentifier(oid={oid}, name={})>", usage(&oid)))
                .collect();
            format!("<ExtendedKeyUsage([{}])>", shown.join(", "))
        }
        ParsedExtension::SubjectKeyIdentifier(id) => {
            format!("<SubjectKeyIdentifier(digest={})>", python_repr(&Value::Bytes(id.0.to_vec())))
        }
        ParsedExtension::AuthorityKeyIdentifier(id) if id.authority_cert_issuer.is_none() => {
            let key = id.key_identifier.as_ref().map_or(Value::Nil, |key| Value::Bytes(key.0.to_vec()));
            format!(
                "<AuthorityKeyIdentifier(key_identifier={}, authority_cert_issuer=None, authority_cert_serial_number=None)>",
                python_repr(&key)
            )
        }
        _ => extension.value.iter().map(|b| format!("{b:02x}")).collect(),
    }
}

fn general(names: &[GeneralName<'_>]) -> String {
    let one = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::RFC822Name(name) => format!("email:{name}"),
        GeneralName::URI(name) => format!("URI:{name}"),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(four), _) => format!("IP:{}", Ipv4Addr::from(four)),
            (_, Ok(six)) => format!("IP:{}", Ipv6Addr::from(six)),
            _ => format!("IP:{}", python_repr(&Value::Bytes(bytes.to_vec()))),
        },
        GeneralName::DirectoryName(name) => format!("DirectoryName:<Name({name})>"),
        other => other.to_string(),
    };
    names.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn key_usage(usage: &KeyUsage) -> String {
    let agrees = usage.key_agreement();
    let flags = [
        ("digital_signature", usage.digital_signature()),
        ("content_commitment", usage.non_repudiation()),
        ("key_encipherment", usage.key_encipherment()),
        ("data_encipherment", usage.data_encipherment()),
        ("key_agreement", agrees),
        ("key_cert_sign", usage.key_cert_sign()),
        ("crl_sign", usage.crl_sign()),
        ("encipher_only", agrees && usage.encipher_only()),
        ("decipher_only", agrees && usage.decipher_only()),
    ];
    let shown: Vec<String> =
        flags.iter().map(|(name, on)| format!("{name}={}", if *on { "True" } else { "False" })).collect();
    format!("<KeyUsage({})>", shown.join(", "))
}
