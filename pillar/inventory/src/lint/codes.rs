//! A table of every code of a finding, with what it means and what to do.

/// One code.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The word.
    pub code: &'static str,
    /// What it means, and what to do about it.
    pub text: &'static str,
}

const fn code(code: &'static str, text: &'static str) -> Code {
    Code { code, text }
}

/// All of them, by name.
#[rustfmt::skip]
pub const CODES: &[Code] = &[
    code("address-outside-network", "An interface is linked with a network that its address is not of. DHCP servers refuse such a reservation. Correct the link, or the name of the interface."),
    code("alias-not-alone", "An alias (net.dns.cname, net.dns.alias) has the name of something else in the same zone; name servers refuse the zone. Give one of them another name."),
    code("binary", "A number written with base 2 (0b11) becomes a decimal one. Put it in quotes if it is meant as text."),
    code("boolean-word", "Yes, no, on and off are truth values of YAML 1.1, and become \"true\" and \"false\". Put them in quotes if they are meant as words."),
    code("box-not-a-mapping", "A box must hold a mapping; Pallet Jack stops at any other. Make keys and values of it."),
    code("complex-key", "A key of a mapping is a list or a mapping; no path leads to such a key. Make it a text."),
    code("concatenate-not-a-list", "The transform concatenate joins lists, and the value is none; Pallet Jack stops there. Make it a list, or leave the transform."),
    code("dangling-link", "A link leads to nothing; Pallet Jack stops there. Make the pallet, or remove the link."),
    code("deep-hierarchy", "A pallet lies in two or more others. Here that works; Pallet Jack looks for its parent under a wrong name, and stops."),
    code("duplicate-address", "Two interfaces have one address. Remove one of them, or correct what overrides its net.ipv4.address."),
    code("duplicate-fqdn", "Two systems have one full name, so they would be one minion, with the pillar of one of them. Rename one, or link it with another domain."),
    code("duplicate-key", "A mapping has a key twice, and the last one counts. Remove one."),
    code("duplicate-menu", "Two pallets ask for one menu of PXELINUX (host.pxelinux.config). Give one of them another name."),
    code("duplicate-name", "Addresses of different systems have one full name: the name leads to both. Allow it if that is meant."),
    code("duplicate-network", "Two pallets are the same network. Remove one of them."),
    code("duplicate-subnet-id", "Two networks of one DHCP server have one net.dhcp.subnet-id, which Kea refuses. Give one of them another."),
    code("empty-box", "A box has nothing in it; Pallet Jack stops at it, without saying which. Write something into it, or remove it."),
    code("gateway-outside-network", "The gateway of a network has an address that is not of the network, so its machines do not reach it."),
    code("hexadecimal", "A number written with base 16 (0x1F) becomes a decimal one. Put it in quotes if it is meant as text."),
    code("link-cycle", "Links lead in a circle; Pallet Jack stops with a stack that is too deep. Here one of them counts for nothing. Remove one."),
    code("list-in-text", "A transform puts a list into a text. It stands there as Ruby prints it, which is of little use. Name one value."),
    code("mapping-in-text", "A transform puts a mapping into a text. It stands there as Ruby prints it, which is of no use. Name one value of it."),
    code("missing-subtree", "A system has no value for a key that _config/PalletJack2Salt selects for minions. Here it is left out; palletjack2salt stops. Give the value, or select something else."),
    code("more-documents", "A file holds several YAML documents, and only the first counts. Make files of the others."),
    code("no-fqdn", "A system has no full name (net.dns.fqdn), so it is no minion and gets no pillar. Link it with a domain."),
    code("no-kernel", "A way to install has no host.pxelinux.kernel or host.pxelinux.append, so there is no menu of it."),
    code("no-menu", "A system is to start with a menu (host.pxelinux.config) that no os and no netinstall makes, so its card has no link."),
    code("no-name", "An interface in a domain has no net.dns.name, so no zone tells of it."),
    code("no-name-server", "A domain names no server (net.dns.ns); name servers refuse a zone without one."),
    code("no-settings", "A service has no settings of the program whose configuration is made of it."),
    code("no-soa", "A domain says something of its zone, and lacks net.dns.soa-ns or net.dns.soa-contact, so none is made of it and of its networks."),
    code("no-transforms", "A warehouse needs a file transforms.yaml, which holds a list; without, it is none for Pallet Jack."),
    code("null-word", "The word null is nothing to YAML, and becomes empty text. Put it in quotes if it is meant as a word."),
    code("number-rewritten", "A number is written in another way than it is printed: 1_000 becomes 1000, and 1.10 becomes 1.1. Put it in quotes if it is a version or a name."),
    code("object-tag", "A tag asks for an object of a programming language. Pallet Jack would make it, which lets whoever writes a box run code; here the value is refused."),
    code("octal", "A number that begins with 0 is one of base 8: 0042 becomes 34. Put it in quotes if it is meant as text."),
    code("order-of-boxes", "Two boxes of one pallet give a key different values. Here the box with the later name wins, for Pallet Jack the one that the file system tells last. Say it once."),
    code("order-of-links", "Two links bring different values of a key. Here the link with the later name wins, for Pallet Jack the one that the file system tells last. Say the value in the pallet itself, or remove a link."),
    code("outside-link", "A link leads out of the warehouse, or to something that is no pallet. It counts for nothing; Pallet Jack stops there. Links lead to ../../KIND/NAME."),
    code("recursive-alias", "An alias of YAML stands within what it names, so there is no end of it."),
    code("regexp", "A regular expression cannot be understood. It is one of Ruby's, with named groups: (?<name>...)."),
    code("regexp-too-slow", "A regular expression of a transform takes too long on a value. Make it simpler: no repetition within a repetition."),
    code("repeated-group", "A regular expression has two groups of one name, of which Ruby takes the last; here only one is possible. Rename one."),
    code("second-address", "A network card has two addresses of one network, and DHCP servers reserve only one for a card. The first is reserved."),
    code("sexagesimal", "Digits with colons are a number of base 60: 12:30:45 becomes 45045. MAC addresses without letters become such. Put it in quotes."),
    code("source-not-text", "A transform takes a list or a mapping apart with a regular expression. Name a text."),
    code("symbol", "A text that begins with a colon is a symbol of Ruby's, and loses the colon: ::1 becomes :1. Put it in quotes."),
    code("syntax", "The file is no YAML. Values after the error are missing."),
    code("time-rewritten", "A date or time is printed in another way than it is written. Put it in quotes if it is meant as text."),
    code("too-deep", "Values lie within each other too deep."),
    code("too-large", "A file is too large to be read."),
    code("too-many-values", "A file has too many values, mostly since aliases repeat others."),
    code("transform-in-the-way", "A transform cannot put its value below a key that has a value itself."),
    code("transform-not-a-list", "The steps of a transform stand in a mapping. Pallet Jack takes its pairs one after another; a list says that."),
    code("transform-order", "A transform may make another value in Pallet Jack, which transforms some heirs before those they inherit from. Here ancestors come first, always. Write the transform so that it needs nothing of an ancestor's transforms, or allow it."),
    code("two-addresses", "A system has two addresses on one interface. Here its pillar has both; palletjack2salt keeps only one."),
    code("two-systems", "One network card is of two systems with different menus of PXELINUX."),
    code("unfit-value", "A value is not of the kind that a server's configuration needs at this place, so nothing is made of it."),
    code("unknown-alias", "An alias of YAML names nothing that comes before it."),
    code("unknown-comment", "A comment that begins with pj: is not understood: # pj: allow CODE, CODE."),
    code("unknown-transform", "A step of a transform is none that there is: synthesize, synthesize_regexp, inherit, concatenate. Pallet Jack leaves it out without a word."),
    code("unreadable", "A file or folder cannot be read."),
    code("value-too-long", "A transform makes a text that is too long."),
    code("wrong-transform", "A transform is not of the form that is needed: a mapping of one key, and of a list of steps."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn sources(dir: &Path, out: &mut String) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, out);
            } else {
                out.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_code_that_is_found_is_explained_and_none_besides() {
        let mut text = String::new();
        let own = include_str!("codes.rs");
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        let text = text.replace(own, "");
        let calls = r#"(?:error|warning|tell|about|say)\(\s*(?:[*&]?[a-z_.]+(?:\(\))?,\s*){0,3}"([a-z]+(?:-[a-z]+)+)""#;
        let fields = r#"(?m)(?:code: |Some\(\()"([a-z]+(?:-[a-z]+)+)"(?:,$|, ["S])"#;
        let mut found = BTreeSet::new();
        for pattern in [calls, fields] {
            let pattern = fancy_regex::Regex::new(pattern).unwrap();
            found
                .extend(pattern.captures_iter(&text).map(|c| c.unwrap().get(1).unwrap().as_str().to_owned()));
        }
        assert!(found.len() > 40, "{found:?}");
        let explained: BTreeSet<String> = CODES.iter().map(|c| c.code.to_owned()).collect();
        assert_eq!(found.difference(&explained).collect::<Vec<_>>(), Vec::<&String>::new());
        let idle: Vec<&str> =
            CODES.iter().map(|c| c.code).filter(|c| !text.contains(&format!("\"{c}\""))).collect();
        assert_eq!(idle, Vec::<&str>::new());
        assert!(CODES.is_sorted_by_key(|c| c.code));
    }
}
