//! Holes Salt had, and why this crate cannot have them: for readers, there is no code here.
//!
//! Each row names the type or check that closes the hole and the test that would fail if it opened again. Holes that
//! other crates decide (shells, templates, file modes, TLS) are not listed.
//!
//! | Hole | Why not here | Test |
//! |---|---|---|
//! | CVE-2020-11651: any method of the master's clear class could be called by its name | [`ClearCommand`] and [`MinionCommand`] are closed enums; handlers of the latter take a [`MinionRequest`], which only [`request::open`] makes | `cve_2020_11651_*` |
//! | CVE-2020-11652, 2021-25282, 2024-22231, 2024-22232, 2024-38824, 2025-22240: names from the wire became paths | [`ids`]: each is validated once, where it is parsed | `cve_2020_11652_*`, `cve_2024_22231_*` |
//! | CVE-2025-22242: a job id became a path | [`Jid`] | `cve_2025_22242_*` |
//! | CVE-2021-25284: secrets in logs | [`AesKey`], [`PrivateKey`], [`Credentials`] do not print | `cve_2021_25284_*` |
//! | CVE-2022-22934: pillars were not signed | [`pillar::open`] demands signature, key and nonce | `cve_2022_22934_*` |
//! | CVE-2022-22935: auth replies were not signed | [`AuthAttempt::finish`] verifies before it believes, and tells whether a known master spoke | `cve_2022_22935_*` |
//! | CVE-2022-22936: jobs and file replies could be replayed | [`MinionChannel::open`] demands the request's nonce, [`PublishReceiver::open`] a rising counter | `cve_2022_22936_*` |
//! | CVE-2023-20897: an exception ended the connection | every error of [`Envelope`] has a reply, nothing panics | `cve_2023_20897_*`, the fuzz targets |
//! | CVE-2024-38822: the token was not always checked | there is one way to a [`MinionRequest`], and it checks | `cve_2024_38822_*` |
//! | CVE-2024-38823: requests could be replayed | [`ReplayWindow`] | `cve_2024_38823_*` |
//! | CVE-2025-22236, 2025-22239: minions fired any event | [`tags::minion_may_fire`], and the proved id is put into each event | `cve_2025_22236_*`, `cve_2025_22239_*` |
//! | CVE-2025-62349: the protocol version could be lowered | [`version_floor`], [`VersionRatchet`] | `cve_2025_62349_*` |
//! | sessions were made for any id before authentication | [`RequestKeys::session`] never makes one, [`Verdict::Accept`] is the only place to | `weakness_no_session_*` |
//! | holders of the global key could forge jobs | [`PublishReceiver`] demands signatures once it saw one | `weakness_global_key_*` |
//! | any minion could return for another | [`ReturnLoad::parse`] takes the proved id | `weakness_returns_*` |
//! | padding was not validated | [`AesKey::decrypt`] | `padding_is_validated_*` |
//!
//! The `rsa` crate carries RUSTSEC-2023-0071 (timing of private operations). All of ours go through its blinded
//! paths (base, exponent and primes are blinded with fresh randomness), and no reply tells whether a token decrypted
//! before the minion's key was accepted.
//!
//! [`ClearCommand`]: crate::command::ClearCommand
//! [`MinionCommand`]: crate::command::MinionCommand
//! [`MinionRequest`]: crate::request::MinionRequest
//! [`request::open`]: crate::request::open
//! [`ids`]: crate::ids
//! [`Jid`]: crate::ids::Jid
//! [`AesKey`]: crate::crypt::AesKey
//! [`AesKey::decrypt`]: crate::crypt::AesKey::decrypt
//! [`PrivateKey`]: crate::crypt::PrivateKey
//! [`Credentials`]: crate::auth::minion::Credentials
//! [`pillar::open`]: crate::pillar::open
//! [`AuthAttempt::finish`]: crate::auth::minion::AuthAttempt::finish
//! [`MinionChannel::open`]: crate::channel::MinionChannel::open
//! [`PublishReceiver`]: crate::message::publish::PublishReceiver
//! [`PublishReceiver::open`]: crate::message::publish::PublishReceiver::open
//! [`Envelope`]: crate::envelope::Envelope
//! [`ReplayWindow`]: crate::replay::ReplayWindow
//! [`tags::minion_may_fire`]: crate::message::tags::minion_may_fire
//! [`version_floor`]: crate::envelope::version_floor
//! [`VersionRatchet`]: crate::replay::VersionRatchet
//! [`RequestKeys::session`]: crate::request::RequestKeys::session
//! [`Verdict::Accept`]: crate::auth::master::Verdict::Accept
//! [`ReturnLoad::parse`]: crate::message::returns::ReturnLoad::parse
