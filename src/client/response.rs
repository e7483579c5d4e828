//! Reads one response from a byte stream, as it came: names keep their letter
//! case, headers their order and duplicates.
//!
//! What the server sends is bounded in size here, and in time by the caller.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::failure::{broken, failure, root_cause};
use crate::wire::{Failure, FailureKind, Headers, Response};

/// Bytes of a response's head, or of a chunked body's trailers, that are read at
/// most.
const MAX_HEAD_BYTES: usize = 256 * 1024;

/// Headers of a response that are read at most, on either path.
pub(super) const MAX_HEADERS: usize = 256;

/// Reads the response to a request. Interim responses are skipped, trailers
/// dropped, transfer coding undone.
///
/// `bodiless` says that the request's method allows no body in the response.
/// A body that neither length nor chunks delimit ends with the connection.
///
/// # Errors
///
/// [`FailureKind::Broken`] when the stream ends early, fails, or holds no HTTP;
/// [`FailureKind::TooLarge`] when head or body exceed what is read.
pub(super) async fn read<R: AsyncRead + Unpin>(io: R, bodiless: bool, max_body: u64) -> Result<Response, Failure> {
    let mut reader = Reader { io, buffer: BytesMut::new(), max_body };
    loop {
        let (status, headers) = reader.head().await?;
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let framing = if bodiless { Framing::None } else { Framing::of(status, &headers)? };
        let body = reader.body(&framing).await?;
        return Ok(Response { status, headers, body: body.into() });
    }
}

/// Where a body ends (RFC 9112, section 6.3).
#[derive(Debug, PartialEq, Eq)]
enum Framing {
    None,
    /// After this many bytes.
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

impl Framing {
    fn of(status: u16, headers: &Headers) -> Result<Self, Failure> {
        if matches!(status, 101 | 204 | 304) {
            return Ok(Self::None);
        }
        if let Some(coding) = headers.get_all("transfer-encoding").last() {
            let last = coding.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            return Ok(if last.trim_ascii().eq_ignore_ascii_case(b"chunked") { Self::Chunked } else { Self::Close });
        }
        let mut lengths = (headers.get_all("content-length")).flat_map(|value| value.split(|byte| *byte == b','));
        let Some(first) = lengths.next() else { return Ok(Self::Close) };
        let first = first.trim_ascii();
        if lengths.any(|other| other.trim_ascii() != first) {
            return Err(broken("the response states several content-lengths"));
        }
        let digits = std::str::from_utf8(first).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.and_then(|text| text.parse().ok()) {
            Some(length) => Ok(Self::Length(length)),
            None => Err(broken("the response's content-length is no number")),
        }
    }
}

struct Reader<R> {
    io: R,
    /// Read but not yet used.
    buffer: BytesMut,
    /// Bytes of a body that are read at most.
    max_body: u64,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads more into the buffer; false at the end of the stream. A TLS stream
    /// cut without notice ends too: many servers end it that way.
    async fn fill(&mut self) -> Result<bool, Failure> {
        self.buffer.reserve(16 * 1024);
        match self.io.read_buf(&mut self.buffer).await {
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(broken(format!("reading the response failed: {}", root_cause(&error)))),
        }
    }

    async fn head(&mut self) -> Result<(u16, Headers), Failure> {
        loop {
            if let Some((status, headers, length)) = parse_head(&self.buffer)? {
                self.buffer.advance(length);
                return Ok((status, headers));
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(failure(
                    FailureKind::TooLarge,
                    format!("the response's head is longer than {MAX_HEAD_BYTES} bytes"),
                ));
            }
            let silent = self.buffer.is_empty();
            if !self.fill().await? {
                return Err(broken(if silent {
                    "the server closed the connection without a response"
                } else {
                    "the server closed the connection within the response's head"
                }));
            }
        }
    }

    async fn body(&mut self, framing: &Framing) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        match *framing {
            Framing::None => {}
            Framing::Length(length) => {
                self.allow(length)?;
                self.take(length, &mut body).await?;
            }
            Framing::Chunked => self.chunks(&mut body).await?,
            Framing::Close => loop {
                body.extend_from_slice(&self.buffer.split());
                self.allow(body.len() as u64)?;
                if !self.fill().await? {
                    break;
                }
            },
        }
        Ok(body)
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), Failure> {
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                return self.trailers().await;
            }
            self.allow(size.saturating_add(body.len() as u64))?;
            self.take(size, body).await?;
            let mut end = Vec::new();
            self.take(2, &mut end).await?;
            if end != b"\r\n" {
                return Err(broken("a chunk of the response is not as long as it says"));
            }
        }
    }

    async fn chunk_size(&mut self) -> Result<u64, Failure> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((length, size))) => {
                    self.buffer.advance(length);
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD_BYTES => self.more().await?,
                Ok(httparse::Status::Partial) | Err(_) => {
                    return Err(broken("a chunk of the response states no valid size"));
                }
            }
        }
    }

    /// Skips what follows the last chunk, up to and including the empty line.
    async fn trailers(&mut self) -> Result<(), Failure> {
        let mut skipped = 0;
        loop {
            match self.buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = self.buffer.split_to(end + 1);
                    if line.trim_ascii().is_empty() {
                        return Ok(());
                    }
                    skipped += line.len();
                }
                None => self.more().await?,
            }
            if skipped + self.buffer.len() > MAX_HEAD_BYTES {
                return Err(failure(
                    FailureKind::TooLarge,
                    format!("the response's trailers are longer than {MAX_HEAD_BYTES} bytes"),
                ));
            }
        }
    }

    /// Moves exactly `count` bytes to `body`.
    async fn take(&mut self, count: u64, body: &mut Vec<u8>) -> Result<(), Failure> {
        let mut missing = count;
        while missing > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let there = usize::try_from(missing).map_or(self.buffer.len(), |missing| missing.min(self.buffer.len()));
            body.extend_from_slice(&self.buffer.split_to(there));
            missing -= there as u64;
        }
        Ok(())
    }

    /// Reads more of a body that is not complete yet.
    async fn more(&mut self) -> Result<(), Failure> {
        let more = self.fill().await?;
        if more { Ok(()) } else { Err(broken("the server closed the connection within the response's body")) }
    }

    fn allow(&self, length: u64) -> Result<(), Failure> {
        if length > self.max_body { Err(body_too_large(self.max_body)) } else { Ok(()) }
    }
}

/// The failure of a body beyond the limit, on either path.
pub(super) fn body_too_large(max_body: u64) -> Failure {
    failure(FailureKind::TooLarge, format!("the response's body is longer than {max_body} bytes"))
}

/// Status, headers and length of a head, once it is complete.
fn parse_head(buffer: &[u8]) -> Result<Option<(u16, Headers, usize)>, Failure> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut slots);
    match parsed.parse(buffer) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let headers = parsed.headers.iter().map(|header| (header.name, header.value)).collect();
            Ok(Some((parsed.code.unwrap_or_default(), headers, length)))
        }
        Err(httparse::Error::TooManyHeaders) => {
            Err(failure(FailureKind::TooLarge, format!("the response has more than {MAX_HEADERS} headers")))
        }
        Err(error) => Err(broken(format!("what came is no HTTP response: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{MAX_HEAD_BYTES, read};
    use crate::wire::{Failure, FailureKind, Response};

    async fn read_all(text: &str, bodiless: bool) -> Result<Response, Failure> {
        read(text.as_bytes(), bodiless, 100).await
    }

    #[rstest]
    #[case::length("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc", 200, "ab")]
    #[case::length_said_twice("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\ncontent-length:2\r\n\r\nabc", 200, "ab")]
    #[case::close("HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc")]
    #[case::chunked(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nx: y\r\n\r\n",
        200,
        "abc"
    )]
    #[case::chunked_beats_length(
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: x, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        200,
        "a"
    )]
    #[case::other_coding("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc", 200, "abc")]
    #[case::interim("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\na: b\r\n\r\nHTTP/1.1 400 x\r\n\r\nno", 400, "no")]
    #[case::no_content("HTTP/1.1 204 x\r\ncontent-length: 5\r\n\r\nabcde", 204, "")]
    #[case::not_modified("HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n", 304, "")]
    #[case::old("HTTP/1.0 200 OK\r\n\r\nabc", 200, "abc")]
    #[case::no_reason("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", 200, "")]
    #[tokio::test]
    async fn a_body_ends_where_it_should(#[case] text: &str, #[case] status: u16, #[case] body: &str) {
        let response = read_all(text, false).await.unwrap();
        assert_eq!((response.status, &response.body[..]), (status, body.as_bytes()));
    }

    #[tokio::test]
    async fn a_method_that_allows_no_body_gets_none() {
        let response = read_all("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", true).await.unwrap();
        assert!(response.body.is_empty());
    }

    #[tokio::test]
    async fn headers_keep_case_order_and_duplicates() {
        let response = read_all("HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A:\r\nX-B:  2 \r\n\r\n", false).await.unwrap();
        let seen: Vec<_> = response.headers.iter().collect();
        assert_eq!(seen, [("X-b", &b"1"[..]), ("x-A", b""), ("X-B", b"2")]);
    }

    #[rstest]
    #[case::nothing("", "without a response")]
    #[case::half_a_head("HTTP/1.1 200 OK\r\ncontent-le", "within the response's head")]
    #[case::garbage("SSH-2.0-x\r\n\r\n", "no HTTP response")]
    #[case::short_body("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "within the response's body")]
    #[case::short_chunk("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", "within the response's body")]
    #[case::no_last_chunk(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n",
        "within the response's body"
    )]
    #[case::bad_size("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "no valid size")]
    #[case::bad_end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n", "not as long as it says")]
    #[case::two_lengths(
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "several content-lengths"
    )]
    #[case::bad_length("HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na", "no number")]
    #[tokio::test]
    async fn what_is_no_complete_response_is_broken(#[case] text: &str, #[case] detail: &str) {
        let failure = read_all(text, false).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Broken);
        assert!(failure.detail.contains(detail), "{failure}");
    }

    #[rstest]
    #[case::length(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX))]
    #[case::close(format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(101)))]
    #[case::chunks(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n64\r\n{}\r\n", "a".repeat(100)))]
    #[case::huge_chunk("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nffffffffffffffff\r\n".to_owned())]
    #[case::many_headers(format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(257)))]
    #[case::long_header(format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(MAX_HEAD_BYTES)))]
    #[case::trailers(
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n{}", "a: b\r\n".repeat(MAX_HEAD_BYTES / 6 + 1))
    )]
    #[tokio::test]
    async fn what_is_beyond_the_bounds_is_not_read(#[case] text: String) {
        let failure = read_all(&text, false).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
    }

    #[tokio::test]
    async fn a_body_as_long_as_allowed_is_read() {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}", "a".repeat(100));
        assert_eq!(read_all(&text, false).await.unwrap().body.len(), 100);
    }
}
