//! The behaviours, as data.

/// One way to misbehave.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    /// What the server does, for the table in `docs/hostile.md`.
    pub(crate) about: &'static str,
    pub(crate) act: Act,
    /// Requests that are answered well before it begins.
    pub(crate) good: usize,
    /// The endpoint is `https`, which this server does not speak.
    pub(crate) secure: bool,
    pub(crate) expected: Expected,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Exit code 1 or 3.
    Bad,
    /// Exit code 3: nothing is said against the endpoint's answers, since none came.
    NotJudged,
    /// Exit code 0: it is odd, and no more.
    Good,
}

/// What is done to a connection.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// As soon as it is accepted.
    Accepted(Say),
    /// After each request.
    Asked(Say),
    /// After each other request; the rest is answered well.
    Half(Say),
    /// After every third request.
    Third(Say),
    /// After requests whose target holds this.
    Some(&'static str, Say),
    /// Answers well, each time so many milliseconds later than the time before.
    Slower(u64),
    /// Answers well, so many milliseconds late.
    Late(u64),
    /// Answers with what the request before, from anybody, asked for.
    Swapped,
    /// Answers well and sends another answer in the same breath.
    Doubled(&'static str),
    /// Sends the client to another server with this status.
    Redirect(u16),
}

/// What is sent, and what becomes of the connection.
#[derive(Clone, Copy)]
pub(crate) struct Say(pub(crate) &'static str, pub(crate) Then);

/// What becomes of a connection.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    /// It takes the next request.
    Keep,
    Close,
    /// It is reset.
    Reset,
    /// Nothing more is sent.
    Hang,
    /// This again and again, so many times, as fast as it goes; then it is closed.
    Repeat(&'static [u8], usize),
    /// This byte by byte, one in a second, again and again.
    Drip(&'static [u8]),
    /// A numbered header line again and again.
    Headers(usize),
}

use Expected::{Bad, Good, NotJudged};
use Then::{Close, Drip, Hang, Headers, Keep, Repeat, Reset};

const FOR_EVER: usize = usize::MAX;

const fn new(name: &'static str, about: &'static str, act: Act) -> Behaviour {
    Behaviour { name, about, act, good: 0, secure: false, expected: Bad }
}

const fn silent(name: &'static str, about: &'static str, act: Act) -> Behaviour {
    Behaviour { expected: NotJudged, ..new(name, about, act) }
}

const fn after(good: usize, behaviour: Behaviour) -> Behaviour {
    Behaviour { good, ..behaviour }
}

const fn asked(first: &'static str, then: Then) -> Act {
    Act::Asked(Say(first, then))
}

const fn accepted(first: &'static str, then: Then) -> Act {
    Act::Accepted(Say(first, then))
}

const OK_CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
const OK_OPEN: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
const HALF_A_BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"a\":";
const EMPTY_OBJECT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const THROTTLED: &str =
    "HTTP/1.1 429 Too Many\r\nx-amzn-errortype: TooManyRequestsException\r\ncontent-length: 2\r\n\r\n{}";
const KIB: [u8; 1024] = [b'a'; 1024];
const NULS: [u8; 1024] = [0; 1024];
const BAD_UTF8: [u8; 1024] = [0xff; 1024];
/// Begins a stream of gzip whose blocks are stored zeros: what unpacks them never ends.
const GZIP: &str = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\u{1f}";
/// A handshake message of TLS, as a server would begin it.
const TLS_ALERT: &str = "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}";

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    // ---- silence
    silent("hangs-on-accept", "accepts and neither reads nor writes", accepted("", Hang)),
    silent("hangs-before-headers", "reads the request and says nothing", asked("", Hang)),
    silent("hangs-in-status-line", "stops within the status line", asked("HTTP/1.1 2", Hang)),
    silent("hangs-in-headers", "stops within the headers", asked("HTTP/1.1 200 OK\r\ncontent-le", Hang)),
    silent("hangs-in-body", "stops within the body", asked(HALF_A_BODY, Hang)),
    after(4, silent("falls-silent", "stops to answer after 4 good answers", asked("", Hang))),
    after(4, silent("falls-silent-in-body", "stops within bodies after 4 good answers", asked(HALF_A_BODY, Hang))),
    // ---- drips
    silent(
        "drips-head",
        "one byte of the head in a second",
        asked("", Drip(b"HTTP/1.1 200 OK\r\nx: y\r\nx: y\r\nx: y\r\n")),
    ),
    silent("drips-body", "one byte of the body in a second", asked(HALF_A_BODY, Drip(b" "))),
    // ---- no end
    new("endless-body", "a body without length and without end", asked(OK_OPEN, Repeat(&KIB, FOR_EVER))),
    new("endless-chunks", "chunks without end", asked(OK_CHUNKED, Repeat(b"10\r\n0123456789012345\r\n", FOR_EVER))),
    new("endless-headers", "headers without end", asked("HTTP/1.1 200 OK\r\n", Headers(FOR_EVER))),
    new("endless-header", "one header without end", asked("HTTP/1.1 200 OK\r\nx-a: ", Repeat(&KIB, FOR_EVER))),
    silent(
        "endless-interim",
        "interim responses without end",
        asked("", Repeat(b"HTTP/1.1 100 Continue\r\n\r\n", FOR_EVER)),
    ),
    new(
        "endless-trailers",
        "trailers without end",
        asked("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", Headers(FOR_EVER)),
    ),
    // ---- lies about lengths
    silent(
        "length-too-long",
        "states a longer body than it sends, and closes",
        asked("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}", Close),
    ),
    new(
        "length-too-short",
        "sends more than it states, on a kept connection",
        asked("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{}{}{}{}", Keep),
    ),
    new(
        "two-lengths",
        "two content-lengths that differ",
        asked("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\n{}xxxxx", Keep),
    ),
    silent(
        "negative-length",
        "a negative content-length",
        asked("HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}", Keep),
    ),
    silent(
        "huge-length",
        "a content-length beyond 64 bits",
        asked("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}", Keep),
    ),
    silent(
        "bad-chunk-size",
        "a chunk without a valid size",
        asked("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n{}\r\n", Close),
    ),
    new(
        "huge-chunk-size",
        "a chunk of 2^64 - 1 bytes",
        asked("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n", Repeat(&KIB, FOR_EVER)),
    ),
    silent(
        "chunk-extensions",
        "a chunk extension without end",
        asked("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=", Repeat(&KIB, FOR_EVER)),
    ),
    // ---- size
    new(
        "error-of-100-mb",
        "an error with a body of 100 MB",
        asked("HTTP/1.1 500 Oops\r\ncontent-length: 104857600\r\n\r\n", Repeat(&KIB, 102_400)),
    ),
    new("error-of-100-mb-open", "the same without a length", asked("HTTP/1.1 500 Oops\r\n\r\n", Repeat(&KIB, 102_400))),
    new(
        "one-byte-too-many",
        "a body of 8 MiB and a byte, in chunks",
        asked("HTTP/1.1 200 OK\r\n\r\n{", Repeat(&KIB, 8_192)),
    ),
    new(
        "largest-body",
        "a body of nearly 8 MiB, none of it JSON",
        asked("HTTP/1.1 200 OK\r\ncontent-length: 8387584\r\n\r\n", Repeat(&KIB, 8_191)),
    ),
    new(
        "million-values",
        "a body of nearly 8 MiB, four million values in it",
        asked("HTTP/1.1 200 OK\r\n\r\n[", Repeat(b"0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,", 250_000)),
    ),
    new("gzip-bomb", "content-encoding gzip, and what would unpack without end", asked(GZIP, Repeat(&NULS, 8_000))),
    new("million-headers", "1,000,000 headers", asked("HTTP/1.1 200 OK\r\n", Headers(1_000_000))),
    new("many-headers", "255 headers of 1 KB", asked("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: ", Repeat(&KIB, 250))),
    new(
        "set-cookie-flood",
        "cookies without end",
        asked("HTTP/1.1 200 OK\r\n", Repeat(b"set-cookie: a=b; Path=/; Secure\r\n", FOR_EVER)),
    ),
    // ---- nonsense
    new("no-utf-8", "a body of bytes that are no UTF-8", asked("HTTP/1.1 200 OK\r\n\r\n", Repeat(&BAD_UTF8, 4_096))),
    new("nuls", "a body of NULs", asked("HTTP/1.1 200 OK\r\n\r\n", Repeat(&NULS, 1_024))),
    silent(
        "nuls-in-headers",
        "NULs in a header",
        asked("HTTP/1.1 200 OK\r\nx-a: \0\0\r\ncontent-length: 2\r\n\r\n{}", Keep),
    ),
    new("deep-json", "JSON nested a million deep", asked("HTTP/1.1 200 OK\r\n\r\n", Repeat(&[b'['; 1024], 1_024))),
    new(
        "huge-number",
        "a number of a million digits",
        asked("HTTP/1.1 200 OK\r\n\r\n{\"Dataset\":1", Repeat(&[b'9'; 1024], 1_024)),
    ),
    new(
        "huge-string",
        "a text of six million characters that is no dataset",
        asked("HTTP/1.1 200 OK\r\n\r\n{\"Datasets\":\"", Repeat(&KIB, 6_000)),
    ),
    new(
        "terminal-codes",
        "escape sequences in an error's message",
        asked(
            "HTTP/1.1 400 Oops\r\ncontent-length: 46\r\n\r\n{\"message\":\"\\u001b[2J\\u001b]0;x\\u0007\\u202e\"}",
            Keep,
        ),
    ),
    new(
        "odd-dates",
        "date headers that are none",
        asked(
            "HTTP/1.1 200 OK\r\ndate: the day after tomorrow\r\nlast-modified: -1\r\nretry-after: 1e99\r\ncontent-length: 2\r\n\r\n{}",
            Keep,
        ),
    ),
    new(
        "duplicate-headers",
        "headers twice, and not the same",
        asked(
            "HTTP/1.1 400 Oops\r\nx-amzn-errortype: A\r\nx-amzn-errortype: B\r\ncontent-type: text/html\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            Keep,
        ),
    ),
    // ---- another protocol
    silent("ssh", "greets as an SSH server does", accepted("SSH-2.0-OpenSSH_9.9\r\n", Hang)),
    silent("http-2", "speaks HTTP/2", accepted("\0\0\u{12}\u{4}\0\0\0\0\0\0\u{3}\0\0\0\u{64}", Hang)),
    silent("tls-on-plain", "speaks TLS where none is spoken", asked(TLS_ALERT, Close)),
    Behaviour {
        secure: true,
        ..silent(
            "plain-on-tls",
            "speaks no TLS where it should",
            accepted("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", Close),
        )
    },
    Behaviour { secure: true, ..silent("hangs-in-tls", "says nothing where TLS should begin", accepted("", Hang)) },
    silent("http-0.9", "sends a page without a head", asked("<html>hello</html>", Close)),
    new(
        "switches-protocols",
        "101, and then something else",
        asked("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n\0\u{1}\u{2}", Hang),
    ),
    new(
        "204-with-body",
        "204 with a body on a kept connection",
        asked("HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n{}", Keep),
    ),
    // ---- closing
    silent("closes-on-accept", "closes at once", accepted("", Close)),
    silent("closes-before-headers", "closes after the request", asked("", Close)),
    silent("closes-in-headers", "closes within the headers", asked("HTTP/1.1 200 OK\r\nconte", Close)),
    silent("closes-in-body", "closes within the body", asked(HALF_A_BODY, Close)),
    silent("resets", "resets the connection after the request", asked("", Reset)),
    silent("resets-in-body", "resets it within the body", asked(HALF_A_BODY, Reset)),
    after(4, silent("resets-later", "resets connections after 4 good answers", asked("", Reset))),
    // ---- elsewhere
    new("redirect-301", "redirects to another host with 301", Act::Redirect(301)),
    new("redirect-307", "the same with 307", Act::Redirect(307)),
    new("redirect-308", "the same with 308", Act::Redirect(308)),
    after(4, new("redirect-later", "redirects after 4 good answers", Act::Redirect(307))),
    // ---- order
    new("answers-swapped", "gives each request the answer to the one before", Act::Swapped),
    Behaviour {
        expected: Good,
        ..new("two-answers", "answers well, and sends a second answer with it", Act::Doubled(EMPTY_OBJECT))
    },
    new("answers-unasked", "answers before it was asked", accepted(EMPTY_OBJECT, Hang)),
    // ---- now and then
    silent("half-hangs", "every second request hangs", Act::Half(Say("", Hang))),
    silent("half-resets", "every second request resets its connection", Act::Half(Say("", Reset))),
    silent("one-operation-hangs", "one operation hangs", Act::Some("/datasets?", Say("", Hang))),
    new("grows-slow", "each answer comes 20 ms later than the one before", Act::Slower(20)),
    Behaviour { expected: Good, ..new("merely-slow", "each answer takes 300 ms", Act::Late(300)) },
    silent("throttles-for-ever", "throttles every request", asked(THROTTLED, Keep)),
    Behaviour {
        expected: Good,
        ..new("throttles-each-third", "throttles every third request", Act::Third(Say(THROTTLED, Keep)))
    },
];
