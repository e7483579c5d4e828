//! Knows secrets in every form in which they may show up, and takes them out of texts.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::Target;
use crate::spec::Service;
use crate::wire::{Exchange, json, signatures};

/// Stands where a secret was, in everything that is recorded, printed or written.
pub const REDACTED: &str = "<redacted>";

/// Shorter values are not taken for secrets: they would be found everywhere.
pub const SHORTEST_SECRET: usize = 8;

/// Longest value that is shown, in characters.
const LONGEST_VALUE: usize = 2_000;

/// Most secrets that are learned from what crossed the wire in one case: several
/// times what the longest case carries. An endpoint that sends more would keep us
/// looking for them for ever; of such a case nothing is shown.
const MOST_LEARNED: usize = 500;

/// Most bytes of secrets that are learned from the wire and looked for in every form;
/// what comes after that is looked for in its common forms only.
const MOST_BYTES: usize = 64 * 1024;

/// From so many bytes of text times forms on, making what finds all forms at once is
/// quicker than looking for one after the other.
const WORTH_A_FINDER: usize = 256 * 1024;

/// How often every byte of a text may be read once more since a form was found there.
/// Secrets that overlap each other everywhere were made to keep us busy: all of a text
/// that holds them is taken for secret.
const MOST_AGAIN: usize = 16;

/// Longest body that is looked through for secrets, in bytes, which takes a while for
/// each of them. A full dataset is about half as long.
pub const MOST_SEARCHED: usize = 2 * 1024 * 1024;

/// Headers and query parameters whose whole value is secret, by lower-case name.
const SECRET_NAMES: [&str; 2] = ["x-amz-security-token", "x-amz-signature"];

/// Knows secrets in every form in which they may show up: plain, in any letter case,
/// percent-encoded (also twice), escaped as JSON or as HTML, in hex, and in Base64 of
/// both alphabets wherever they stand in what was encoded.
///
/// Clones share what was known when they were made, and learn apart.
#[derive(Clone)]
pub struct Redactor {
    /// Names of members whose values are secret.
    members: Vec<String>,
    /// The target's own secrets.
    own: Arc<Own>,
    /// What was learned since.
    learned: Known,
    /// How many more can be learned; none if there were more than that.
    room: Option<usize>,
}

impl fmt::Debug for Redactor {
    /// Says how many secrets it knows, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.own.secrets.len() + self.learned.secrets.len();
        f.debug_struct("Redactor").field("secrets", &secrets).finish_non_exhaustive()
    }
}

/// Secrets that are all known from the beginning. Most runs have nothing to look for them
/// in, so what finds them is made when it is asked for.
struct Own {
    secrets: BTreeSet<String>,
    known: OnceLock<Known>,
    /// How much was searched so far, in bytes of text times forms.
    searched: AtomicUsize,
}

impl Own {
    fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let known = self.known.get_or_init(|| {
            let mut known = Known::default();
            self.secrets.iter().for_each(|secret| known.add(secret, usize::MAX));
            known
        });
        let before = self.searched.fetch_add(text.len() * known.forms.len(), Ordering::Relaxed);
        known.find(text, before, found);
    }
}

/// Secrets, and what finds them.
#[derive(Clone, Default)]
struct Known {
    secrets: BTreeSet<String>,
    /// Those that are looked for in every form, together this many bytes.
    bytes: usize,
    /// Their forms in lower case.
    forms: Vec<String>,
    /// Bytes of the shortest of them; none without any.
    shortest: Option<usize>,
    /// Common forms of those for which there was no room, longest first.
    rest: Vec<String>,
    /// Finds the forms; made when it is asked for.
    finder: OnceLock<Option<AhoCorasick>>,
}

impl Known {
    fn add(&mut self, secret: &str, most_bytes: usize) {
        self.secrets.insert(secret.to_owned());
        if self.bytes + secret.len() > most_bytes {
            self.rest.extend(common_forms(secret));
            self.rest.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            return;
        }
        self.bytes += secret.len();
        for form in common_forms(secret).into_iter().chain(encoded_forms(secret)) {
            self.shortest = self.shortest.into_iter().chain([form.len()]).min();
            self.forms.push(form.to_ascii_lowercase());
        }
        self.finder = OnceLock::new();
    }

    /// Where in a text a form of a secret stands. `before` is how much was searched for the
    /// same forms before, in bytes of text times forms.
    fn find(&self, text: &str, before: usize, found: &mut Vec<Range<usize>>) {
        let longer = self.shortest.is_none_or(|shortest| shortest > text.len());
        if !longer && before + text.len() * self.forms.len() < WORTH_A_FINDER {
            let text = text.to_ascii_lowercase();
            for form in self.forms.iter().filter(|form| form.len() <= text.len()) {
                every(&text, found, |from| place(&text, form, from));
            }
        } else if !longer {
            let finder = self.finder.get_or_init(|| {
                let mut builder = AhoCorasick::builder();
                builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true);
                // A table of all transitions takes longer to make than it is used.
                builder.kind(Some(AhoCorasickKind::ContiguousNFA)).build(&self.forms).ok()
            });
            match finder {
                Some(finder) => {
                    every(text, found, |from| finder.find(Input::new(text).range(from..)).map(|found| found.range()));
                }
                // They are too many to be found: all of the text may be secret.
                None => found.push(0..text.len()),
            }
        }
        for form in &self.rest {
            every(text, found, |from| place(text, form, from));
        }
    }
}

/// Where a form stands next, from this byte on.
fn place(text: &str, form: &str, from: usize) -> Option<Range<usize>> {
    text[from..].find(form).map(|at| from + at..from + at + form.len())
}

/// Adds every place that `next` finds from a byte on. Another may begin within one: what
/// follows is looked for from its second character on.
fn every(text: &str, found: &mut Vec<Range<usize>>, next: impl Fn(usize) -> Option<Range<usize>>) {
    let (mut from, mut again) = (0, 0);
    while let Some(place) = next(from) {
        from = text.ceil_char_boundary(place.start + 1);
        again += place.len();
        if again > text.len() * MOST_AGAIN {
            found.push(0..text.len());
            return;
        }
        match found.last_mut().filter(|last| last.start <= place.start && place.start < last.end) {
            Some(last) => last.end = last.end.max(place.end),
            None => found.push(place),
        }
    }
}

/// The forms in which a secret stands in addresses, JSON and markup.
fn common_forms(secret: &str) -> BTreeSet<String> {
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    // As it stands in a query whose writer leaves unreserved characters alone.
    let lenient = encoded.replace("%2D", "-").replace("%2E", ".").replace("%5F", "_").replace("%7E", "~");
    let json = Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let slashes = json.replace('/', "\\/");
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let twice = [encoded.replace('%', "%25"), lenient.replace('%', "%25")];
    [secret.to_owned(), encoded, lenient, json, slashes, html].into_iter().chain(twice).collect()
}

/// The forms in which a secret stands within hex and Base64.
fn encoded_forms(secret: &str) -> Vec<String> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![hex];
    for before in 0..3 {
        // Characters that are made of other bytes too may be any.
        let first = [0, 2, 3][before];
        let last = (before + secret.len()) * 8 / 6;
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        for engine in [STANDARD, URL_SAFE] {
            forms.push(engine.encode(&bytes)[first..last].to_owned());
        }
    }
    forms.retain(|form| form.len() >= SHORTEST_SECRET);
    forms
}

impl Redactor {
    /// Knows the target's secrets and which members are sensitive.
    pub fn new(service: &Service, target: &Target) -> Self {
        let members = service.sensitive_names().into_iter().map(str::to_owned).collect();
        let secrets = target.secrets().map(|secret| secret.expose().to_owned());
        let secrets = secrets.filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
        let own = Own { secrets, known: OnceLock::new(), searched: AtomicUsize::new(0) };
        Self { members, own: Arc::new(own), learned: Known::default(), room: Some(MOST_LEARNED) }
    }

    /// Learns a secret.
    pub fn add(&mut self, secret: &str) {
        let Some(room) = self.room else { return };
        let known = self.own.secrets.contains(secret) || self.learned.secrets.contains(secret);
        if secret.len() < SHORTEST_SECRET || known {
            return;
        }
        self.room = room.checked_sub(1);
        if self.room.is_some() {
            self.learned.add(secret, MOST_BYTES);
        }
    }

    /// Learns the secrets that an exchange carries.
    pub fn learn(&mut self, exchange: &Exchange) {
        let bodies = [Some(&exchange.request.body), exchange.outcome.as_ref().ok().map(|response| &response.body)];
        for body in bodies.into_iter().flatten() {
            match json(body) {
                Some(value) => self.learn_from(&value, false),
                // Of longer bodies nothing is ever shown.
                None => self.learn_from_text(&String::from_utf8_lossy(&body[..body.len().min(MOST_SEARCHED)])),
            }
        }
        for pair in exchange.request.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if (self.is_sensitive(name) || is_secret_name(name))
                && let Ok(value) = percent_decode_str(value).decode_utf8()
            {
                self.add(&value);
            }
        }
        // A server may say in its body what it was sent.
        let headers = &exchange.request.headers;
        for value in headers.get_all("authorization") {
            if let Some((_, signature)) = String::from_utf8_lossy(value).split_once("Signature=") {
                self.add(signature);
            }
        }
        for value in SECRET_NAMES.into_iter().flat_map(|name| headers.get_all(name)) {
            self.add(&String::from_utf8_lossy(value));
        }
    }

    /// Whether the values of members with this name are secret.
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.eq_ignore_ascii_case(name))
    }

    /// `sensitive` says that the value stands below a sensitive name.
    fn learn_from(&mut self, value: &Value, sensitive: bool) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let sensitive = sensitive || self.is_sensitive(name);
                    self.learn_from(value, sensitive);
                }
            }
            Value::Array(list) => list.iter().for_each(|entry| self.learn_from(entry, sensitive)),
            Value::String(text) if sensitive => self.add(text),
            Value::String(text) => signatures(text).iter().for_each(|secret| self.add(secret)),
            Value::Number(number) if sensitive => self.add(&number.to_string()),
            _ => {}
        }
    }

    /// Learns from what was meant as JSON: texts that follow a sensitive name, and what
    /// opens addresses.
    fn learn_from_text(&mut self, text: &str) {
        let mut found = signatures(text);
        for member in &self.members {
            for (at, name) in text.match_indices(&format!("\"{member}\"")) {
                let rest = text[at + name.len()..].trim_start();
                let value = rest.strip_prefix(':').and_then(|rest| rest.trim_start().strip_prefix('"'));
                found.extend(value.map(|value| value.split('"').next().unwrap_or(value).to_owned()));
            }
        }
        found.iter().for_each(|secret| self.add(secret));
    }

    /// Text without secrets, cut to a length that a person can read.
    pub fn sentence(&self, text: &str) -> String {
        let text = self.text(text);
        match text.char_indices().nth(LONGEST_VALUE) {
            Some((end, _)) => format!("{}… ({} characters in all)", &text[..end], text.chars().count()),
            None => text,
        }
    }

    /// Text without secrets. Where one is spelt with escapes that no list foresees, the
    /// text comes back unescaped.
    pub fn text(&self, text: &str) -> String {
        if self.room.is_none() {
            return REDACTED.to_owned();
        }
        let mut redacted = self.replaced(text).unwrap_or_else(|| text.to_owned());
        for unescape in [percent_unescaped, json_unescaped, markup_unescaped] {
            if let Some(clean) = unescape(&redacted).and_then(|plain| self.replaced(&plain)) {
                redacted = clean;
            }
        }
        redacted
    }

    /// The text with its secrets replaced; none when it holds none.
    fn replaced(&self, text: &str) -> Option<String> {
        let mut found = Vec::new();
        self.own.find(text, &mut found);
        self.learned.find(text, 0, &mut found);
        if found.is_empty() {
            return None;
        }
        found.sort_unstable_by_key(|range| range.start);
        let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
        for range in found {
            // Where two overlap, both go.
            if range.start >= end {
                clean.push_str(&text[end..range.start]);
                clean.push_str(REDACTED);
            }
            end = end.max(range.end);
        }
        clean.push_str(&text[end..]);
        Some(clean)
    }

    /// Blanks what still holds a secret: sensitive members, and known secrets in names
    /// and other texts; whether there were any. `sensitive` says that the value stands
    /// below a sensitive name.
    pub fn blank(&self, value: &mut Value, sensitive: bool) -> bool {
        let redacted = match value {
            Value::Object(object) => {
                let mut found = false;
                let members = std::mem::take(object);
                for (name, mut value) in members {
                    found |= self.blank(&mut value, sensitive || self.is_sensitive(&name));
                    let clean = self.text(&name);
                    found |= clean != name;
                    object.insert(clean, value);
                }
                return found;
            }
            Value::Array(list) => {
                return list.iter_mut().fold(false, |found, entry| self.blank(entry, sensitive) | found);
            }
            Value::String(text) if sensitive && text.len() >= SHORTEST_SECRET => REDACTED.to_owned(),
            Value::String(text) => self.text(text),
            Value::Number(number) if sensitive && number.to_string().len() >= SHORTEST_SECRET => REDACTED.to_owned(),
            _ => return false,
        };
        let found = value.as_str() != Some(&redacted);
        if found {
            *value = Value::String(redacted);
        }
        found
    }
}

/// Whether headers and query parameters of this name hold nothing but a secret.
pub fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

fn percent_unescaped(text: &str) -> Option<String> {
    text.contains('%').then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// The text with `\u0041`, `\x41` and `\/` undone.
fn json_unescaped(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let code = |rest: &str, digits: usize| {
        let code = rest.get(1..=digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        char::from_u32(u32::from_str_radix(code, 16).ok()?)
    };
    Some(unescaped(text, '\\', |rest| {
        let (taken, c) = match rest.chars().next()? {
            'u' => (5, code(rest, 4)?),
            'x' => (3, code(rest, 2)?),
            c @ ('/' | '"' | '\\') => (1, c),
            _ => return None,
        };
        Some((taken, c))
    }))
}

/// The text with `&#65;` and `&#x41;` undone.
fn markup_unescaped(text: &str) -> Option<String> {
    if !text.contains("&#") {
        return None;
    }
    Some(unescaped(text, '&', |rest| {
        let (number, _) = rest.strip_prefix('#')?.split_once(';').filter(|(number, _)| number.len() < 8)?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        Some((number.len() + 2, char::from_u32(code.ok()?)?))
    }))
}

/// The text with every escape undone. `read` is told what follows `sign`, and says how
/// many bytes of it belong to the escape, and what that means.
fn unescaped(text: &str, sign: char, read: impl Fn(&str) -> Option<(usize, char)>) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(sign) {
        plain.push_str(&rest[..at]);
        let after = &rest[at + sign.len_utf8()..];
        match read(after) {
            Some((taken, c)) => {
                plain.push(c);
                rest = &after[taken..];
            }
            None => {
                plain.push(sign);
                rest = after;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    use bytes::Bytes;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use rstest::rstest;

    use super::Redactor;
    use crate::reference::World;
    use crate::spec::Service;
    use crate::target::Target;
    use crate::wire::{Exchange, Headers, Request, Response};

    const SECRET: &str = "canary/secret+0123=456\"789";

    fn redactor() -> Redactor {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let mut redactor = Redactor::new(Service::embedded(), &target);
        redactor.add(SECRET);
        redactor
    }

    #[test]
    fn the_debug_form_shows_no_secret() {
        let shown = format!("{:?}", redactor());
        assert!(!shown.contains("canary") && !shown.contains("public") && shown.contains("secrets: 4"), "{shown}");
    }

    fn percent(text: &str) -> String {
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
    }

    #[rstest]
    #[case::plain(SECRET.to_owned())]
    #[case::upper(SECRET.to_uppercase())]
    #[case::lower(SECRET.to_lowercase())]
    #[case::percent(percent(SECRET))]
    #[case::percent_lower(percent(SECRET).to_lowercase())]
    #[case::percent_in_part(SECRET.replace('/', "%2f"))]
    #[case::percent_twice(percent(&percent(SECRET)))]
    #[case::percent_all(SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect())]
    #[case::json(serde_json::to_string(SECRET).expect("can be written"))]
    #[case::json_codes(SECRET.bytes().map(|byte| format!("\\u{byte:04x}")).collect())]
    #[case::json_in_json(serde_json::to_string(&serde_json::to_string(SECRET).expect("written")).expect("written"))]
    #[case::html(SECRET.replace('"', "&quot;"))]
    #[case::html_codes(SECRET.replace('/', "&#x2F;").replace('+', "&#43;"))]
    #[case::hex(SECRET.bytes().map(|byte| format!("{byte:02x}")).collect())]
    #[case::hex_upper(SECRET.bytes().map(|byte| format!("{byte:02X}")).collect())]
    #[case::base64(STANDARD.encode(SECRET))]
    #[case::base64_without_padding(STANDARD_NO_PAD.encode(SECRET))]
    #[case::base64_url(URL_SAFE.encode(SECRET))]
    #[case::base64_after_one(STANDARD.encode(format!("x{SECRET}y")))]
    #[case::base64_after_two(STANDARD.encode(format!("xy{SECRET}yy")))]
    #[case::base64_after_more(STANDARD.encode(format!("Signature={SECRET}, more")))]
    fn a_secret_is_found_in_every_form(#[case] form: String) {
        let clean = redactor().text(&format!("({form})"));
        assert!(clean.contains("<redacted>"), "{form} in {clean}");
        // What is left is too little to tell anything.
        assert!(clean.len() < "(<redacted>)".len() + 24, "{form} in {clean}");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "canary", "100 %25 \\u0041 &#65; &amp; 50%", "Y2FuYXJ5", "ä\\ö&#x;"] {
            assert_eq!(redactor().text(text), text);
        }
    }

    #[test]
    fn overlapping_secrets_go_together() {
        let mut redactor = redactor();
        redactor.add("abcdefghij");
        redactor.add("abcdefghij/klmnopq");
        assert_eq!(redactor.text("1abcdefghij/klmnopq2abcdefghij/3"), "1<redacted>2<redacted>/3");
    }

    /// Little text is searched for one form after the other, much of it for all at once.
    #[rstest]
    #[case::one_begins_inside_another("1abcdefghijklmnopq2", "1<redacted>2")]
    #[case::one_holds_another("1abcdefghijk2", "1<redacted>2")]
    #[case::one_begins_inside_itself("1oto/oto/oto/oto/oto2", "1<redacted>2")]
    #[case::one_after_the_other("1abcdefghijkabcdefghijk2", "1<redacted><redacted>2")]
    #[case::in_another_case("1ABCDefghIJKLmnopq2", "1<redacted>2")]
    #[case::of_more_bytes("1äöüäöüäöüäöü2", "1<redacted>2")]
    #[case::in_hex("616263646566676869 6a6b 6c6d6e6f7071", "<redacted> 6a6b 6c6d6e6f7071")]
    #[case::in_part("1abcdefg hijklmnopq2", "1abcdefg hijklmnopq2")]
    fn overlapping_secrets_go_wherever_they_are_looked_for(#[case] text: &str, #[case] expected: &str) {
        let mut redactor = redactor();
        for secret in ["abcdefghijk", "bcdefghi", "efghijkl/", "ghijklmnopq", "oto/oto/oto", "äöüäöüäöü", "abcdefghi"]
        {
            redactor.add(secret);
        }
        let filler = " ".repeat(super::WORTH_A_FINDER);
        assert_eq!(redactor.text(text), expected);
        assert_eq!(redactor.text(&format!("{text}{filler}")), format!("{expected}{filler}"));
    }

    #[rstest]
    #[case::little(90)]
    #[case::much(200_000)]
    fn secrets_that_overlap_everywhere_keep_nobody_busy(#[case] length: usize) {
        let mut redactor = redactor();
        (8..200).for_each(|length| redactor.add(&"a".repeat(length)));
        assert_eq!(redactor.text(&"a".repeat(length)), "<redacted>");
    }

    #[test]
    fn what_is_too_long_for_every_form_is_found_in_the_common_ones() {
        let mut redactor = redactor();
        let long = "long/secret".repeat(10_000);
        redactor.add(&long);
        assert_eq!(redactor.text(&format!("a {long} {}", percent(&long))), "a <redacted> <redacted>");
        assert!(redactor.text(SECRET) == "<redacted>" && redactor.learned.bytes < 100);
    }

    #[rstest]
    #[case::json(r#"{"Data":[{"at":"https://h/k?X-Amz-Signature=canary%2B1234"}]}"#)]
    #[case::markup("<p>https://h/k?a=1&amp;X-Amz-Signature=canary%2B1234</p>")]
    fn what_opens_an_address_is_a_secret(#[case] body: &'static str) {
        let (headers, method, target) = (Headers::new(), "GET".to_owned(), "/".to_owned());
        let request = Request { method, target, headers: headers.clone(), body: Bytes::new() };
        let outcome = Ok(Response { status: 200, headers, body: Bytes::from_static(body.as_bytes()) });
        let mut redactor = redactor();
        redactor.learn(&Exchange { request, outcome, duration: Duration::ZERO });
        assert!(!redactor.text(body).contains("canary"), "{}", redactor.text(body));
        assert_eq!(redactor.text("canary+1234"), "<redacted>");
    }

    #[test]
    fn clones_learn_apart() {
        let first = redactor();
        let mut second = first.clone();
        second.add("another-secret");
        assert_eq!((&*first.text("another-secret"), &*second.text("another-secret")), ("another-secret", "<redacted>"));
    }
}
