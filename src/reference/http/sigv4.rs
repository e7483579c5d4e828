//! Verifies signatures of the AWS Signature Version 4.
//!
//! Written from the public description of the algorithm and apart from the library
//! that the harness signs with, so that one mistake cannot hide in both.
//!
//! Choices: keys are looked up before the clock is compared; a request that is
//! signed in its headers and in its query counts as signed in its headers; the
//! path may have been normalised before signing, as the SDKs do, or not; a
//! presigned request that has expired is an invalid signature like any other.

use std::collections::{BTreeMap, HashMap};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::canonical;
use super::careless;
use super::claim::{Claim, Form};
use super::refusal::Refusal;
use crate::reference::altered::{Switch, Switches};
use crate::reference::model::{Caller, Timestamp};
use crate::reference::world::{Keys, World};
use crate::wire::Request;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE_FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
    time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");

/// How far a signer's clock may be off.
const CLOCK_WINDOW: Duration = Duration::minutes(5);

/// Knows everybody's keys and for what requests must be signed.
pub(super) struct Verifier {
    region: String,
    service: String,
    keys: HashMap<String, (Keys, Caller)>,
    switches: Switches,
}

impl Verifier {
    /// For all keys of `world`. `service` is the name in the credential scope.
    pub(super) fn new(world: &World, service: &str, switches: Switches) -> Self {
        let mut keys = HashMap::new();
        keys.insert(world.developer.access_key_id.clone(), (world.developer.clone(), Caller::Developer));
        for pool in &world.pools {
            for identity in &pool.identities {
                let caller = Caller::Identity {
                    identity_pool_id: pool.identity_pool_id.clone(),
                    identity_id: identity.identity_id.clone(),
                };
                keys.insert(identity.keys.access_key_id.clone(), (identity.keys.clone(), caller));
            }
        }
        Self { region: world.region.clone(), service: service.to_owned(), keys, switches }
    }

    /// Whose key this is.
    pub(super) fn owner(&self, access_key_id: &str) -> Option<&Caller> {
        self.keys.get(access_key_id).map(|(_, caller)| caller)
    }

    /// Whose signature the request carries.
    pub(super) fn verify(&self, request: &Request, now: Timestamp) -> Result<&Caller, Refusal> {
        let mut claim = Claim::read(request)?;
        if self.switches.has(Switch::ScopeUnread) {
            let day = claim.date.get(..8).unwrap_or_default().to_owned();
            claim.scope = vec![day, self.region.clone(), self.service.clone(), "aws4_request".to_owned()];
        }
        if self.switches.has(Switch::QuerySignatureUnread) && claim.form != Form::Header {
            return Err(Refusal::missing_authentication_token());
        }
        let date = self.check_scope(&claim)?;
        let Some((keys, caller)) = self.keys.get(&claim.access_key_id) else {
            let accepted = self.switches.has(Switch::UnknownKeyAccepted);
            return if accepted { Ok(&Caller::Developer) } else { Err(Refusal::unrecognized_client()) };
        };
        let right_token = claim.session_token.as_deref() == keys.session_token.as_deref();
        if !right_token && !self.switches.has(Switch::SessionTokenUnchecked) {
            return Err(Refusal::unrecognized_client());
        }
        self.check_clock(date, now, claim.form)?;
        self.check_signature(request, &claim, keys)?;
        Ok(caller)
    }

    /// The credential scope fits this server and the request's own date.
    fn check_scope(&self, claim: &Claim) -> Result<OffsetDateTime, Refusal> {
        let date = PrimitiveDateTime::parse(&claim.date, DATE_FORMAT)
            .map_err(|_| Refusal::incomplete_signature("Date must be in ISO-8601 'basic format'."))?
            .assume_utc();
        let [day, region, service, terminator] = claim.scope.as_slice() else {
            return Err(Refusal::incomplete_signature("Credential must have a scope of exactly 4 parts."));
        };
        let mut wrong = Vec::new();
        if *day != claim.date[..8] {
            wrong.push(format!("Date in Credential scope does not match the date of the request, {}.", claim.date));
        }
        if *region != self.region && !self.switches.has(Switch::RegionUnchecked) {
            wrong.push("Credential should be scoped to a valid region.".to_owned());
        }
        if *service != self.service && !self.switches.has(Switch::ServiceUnchecked) {
            wrong.push(format!("Credential should be scoped to correct service: '{}'.", self.service));
        }
        if terminator != "aws4_request" {
            wrong.push("Credential should be scoped with a valid terminator: 'aws4_request'.".to_owned());
        }
        if wrong.is_empty() { Ok(date) } else { Err(Refusal::invalid_signature(wrong.join(" "))) }
    }

    fn check_signature(&self, request: &Request, claim: &Claim, keys: &Keys) -> Result<(), Refusal> {
        if careless::leaves_unchecked(request, claim.form, &self.switches) {
            return Ok(());
        }
        let covers_host = claim.signed_headers.iter().any(|name| name == "host");
        if !covers_host && !self.switches.has(Switch::UnsignedHostAccepted) {
            return Err(Refusal::invalid_signature("'Host' must be a 'SignedHeader' in the AWS Authorization."));
        }
        let body_hash = careless::believed_hash(request, &self.switches);
        let body_hash = body_hash.unwrap_or_else(|| hex(&Sha256::digest(&request.body)));
        let mut stated = request.headers.get_all("x-amz-content-sha256");
        if stated.any(|stated| stated != body_hash.as_bytes()) {
            return Err(mismatch());
        }
        let signature = unhex(&claim.signature).ok_or_else(mismatch)?;
        let key = signing_key(&keys.secret_access_key, &claim.scope);
        let headers = canonical::headers(&request.headers, &claim.signed_headers).ok_or_else(mismatch)?;
        let fits = |request: &Request| {
            let query = canonical::query(request.query().unwrap_or_default(), claim.form != Form::Header);
            careless::paths(request.path(), &self.switches).into_iter().any(|path| {
                let list = claim.signed_headers.join(";");
                let canonical = format!("{}\n{path}\n{query}\n{headers}\n{list}\n{body_hash}", request.method);
                let hash = hex(&Sha256::digest(canonical.as_bytes()));
                let to_sign = format!("{ALGORITHM}\n{}\n{}\n{hash}", claim.date, claim.scope.join("/"));
                // Compares in constant time.
                keyed(&key, to_sign.as_bytes()).verify_slice(&signature).is_ok()
            })
        };
        let verified = fits(request) || careless::taken_for(request, &self.switches).iter().any(fits);
        if verified { Ok(()) } else { Err(mismatch()) }
    }

    /// The request was signed close enough to now, and has not expired.
    fn check_clock(&self, date: OffsetDateTime, now: Timestamp, form: Form) -> Result<(), Refusal> {
        let now = OffsetDateTime::from_unix_timestamp(now.millis().div_euclid(1_000))
            .map_err(|_| Refusal::internal("the server's clock is out of range"))?;
        let text = |moment: OffsetDateTime| moment.format(DATE_FORMAT).unwrap_or_default();
        let window = careless::clock_window(&self.switches).unwrap_or(CLOCK_WINDOW);
        let minutes = format!("{} min.", window.whole_minutes());
        let (limit, allowance) = match form {
            Form::Header => (now - window, minutes.as_str()),
            Form::Query { expires_seconds } => (now - Duration::seconds(expires_seconds), "X-Amz-Expires"),
        };
        let unlimited = match form {
            Form::Header => Switch::ClockBehindUnchecked,
            Form::Query { .. } => Switch::QuerySignatureLasts,
        };
        if date < limit && !self.switches.has(unlimited) {
            let (date, limit, now) = (text(date), text(limit), text(now));
            let message = format!("Signature expired: {date} is now earlier than {limit} ({now} - {allowance})");
            return Err(Refusal::invalid_signature(message));
        }
        let limit = now + window;
        if date > limit && !self.switches.has(Switch::ClockAheadUnchecked) {
            let (date, limit, now) = (text(date), text(limit), text(now));
            let message = format!("Signature not yet current: {date} is still later than {limit} ({now} + {minutes})");
            return Err(Refusal::invalid_signature(message));
        }
        Ok(())
    }
}

fn mismatch() -> Refusal {
    Refusal::invalid_signature(
        "The request signature we calculated does not match the signature you provided. \
         Check the secret key and what is signed.",
    )
}

fn keyed(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac
}

fn signing_key(secret: &str, scope: &[String]) -> Vec<u8> {
    let first = format!("AWS4{secret}").into_bytes();
    scope.iter().fold(first, |key, part| keyed(&key, part.as_bytes()).finalize().into_bytes().to_vec())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// Lower-case hex only, as signatures are written.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The parameters of a presigned URL, or the parts of a header, by name.
pub(super) type Parts = BTreeMap<String, String>;

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
