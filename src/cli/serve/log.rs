//! The access log: one line for each request, on standard error.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;

use crate::cli::serve_args::LogFormat;
use crate::reference::{Access, AccessLog};

/// Lines that may wait for a slow reader; those beyond are left out and counted, since
/// no server should wait for its log.
const WAITING_MAX: usize = 16_384;

/// How long the last lines may take at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

const TIME: &[BorrowedFormatItem<'_>] =
    time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Writes lines from a thread of its own.
pub(super) struct Log {
    lines: SyncSender<String>,
    left_out: Arc<AtomicU64>,
    writing: JoinHandle<()>,
}

impl Log {
    /// None when nothing is to be told.
    pub(super) fn start(format: LogFormat, several_accounts: bool) -> Option<(AccessLog, Self)> {
        let line: fn(&Access, bool) -> String = match format {
            LogFormat::Off => return None,
            LogFormat::Short => short,
            LogFormat::Json => |access, _| json(access),
        };
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let left_out = Arc::new(AtomicU64::new(0));
        let writing = std::thread::spawn({
            let left_out = Arc::clone(&left_out);
            move || write_all(&waiting, &left_out)
        });
        let log = Self { lines: lines.clone(), left_out: Arc::clone(&left_out), writing };
        let tell = move |access: &Access| {
            if let Err(TrySendError::Full(_)) = lines.try_send(line(access, several_accounts)) {
                left_out.fetch_add(1, Ordering::Relaxed);
            }
        };
        Some((Arc::new(tell), log))
    }

    /// Waits for the last lines, unless nobody reads them. To be called when the server
    /// has ended, so that none comes after.
    pub(super) fn end(self) {
        let Self { lines, left_out, writing } = self;
        drop((lines, left_out));
        let begun = std::time::Instant::now();
        while !writing.is_finished() && begun.elapsed() < LAST_LINES {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn write_all(waiting: &Receiver<String>, left_out: &AtomicU64) {
    for line in waiting {
        let mut stderr = io::stderr().lock();
        // Whoever closed standard error does not want to hear of anything.
        let _ = writeln!(stderr, "{line}");
        let left_out = left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            let _ = writeln!(stderr, "({left_out} requests are not told of: standard error is read too slowly)");
        }
    }
}

fn time(access: &Access) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(access.at_millis) * 1_000_000);
    at.ok().and_then(|at| at.format(TIME).ok()).unwrap_or_default()
}

/// Such as `2026-01-31T12:00:00.000Z 409 0.8 ms UpdateRecords …00000003 POST /path
/// ResourceConflictException`.
fn short(access: &Access, several_accounts: bool) -> String {
    let caller = match (&access.account_id, &access.identity_id) {
        (None, _) => "-".to_owned(),
        (Some(_), Some(identity)) => {
            let from = identity.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
            format!("…{}", &identity[from..])
        }
        (Some(account), None) if several_accounts => format!("developer:{account}"),
        (Some(_), None) => "developer".to_owned(),
    };
    let Access { method, target, .. } = access;
    let status = access.status.map_or_else(|| "cut".to_owned(), |status| status.to_string());
    let milliseconds = access.duration.as_secs_f64() * 1_000.0;
    let operation = access.operation.as_deref().unwrap_or("-");
    let error = access.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
    let fault = if access.faults.is_empty() { String::new() } else { format!(" (fault {})", access.faults.join(" ")) };
    format!("{} {status} {milliseconds:.1} ms {operation} {caller} {method} {target}{error}{fault}", time(access))
}

fn json(access: &Access) -> String {
    let caller = access.account_id.as_ref().map(|_| access.identity_id.as_ref().map_or("developer", |_| "identity"));
    let line = json!({
        "time": time(access),
        "status": access.status,
        "duration-us": u64::try_from(access.duration.as_micros()).unwrap_or(u64::MAX),
        "operation": access.operation,
        "caller": caller,
        "account": access.account_id,
        "identity": access.identity_id,
        "method": access.method,
        "target": access.target,
        "error": access.error,
        "request-id": access.request_id,
        "faults": access.faults,
    });
    line.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{json, short};
    use crate::reference::Access;

    fn access() -> Access {
        Access {
            at_millis: 1_700_000_000_123,
            method: "POST".to_owned(),
            target: "/identitypools/p".to_owned(),
            operation: Some("UpdateRecords".to_owned()),
            account_id: Some("111122223333".to_owned()),
            identity_id: Some("us-east-1:1dc0de00-0000-4000-8000-000000000003".to_owned()),
            status: Some(409),
            error: Some("ResourceConflictException".to_owned()),
            request_id: Some("id".to_owned()),
            duration: Duration::from_micros(840),
            faults: Vec::new(),
        }
    }

    #[test]
    fn a_short_line_tells_who_did_what() {
        let identity = "2023-11-14T22:13:20.123Z 409 0.8 ms UpdateRecords …00000003 POST /identitypools/p \
                        ResourceConflictException";
        assert_eq!(short(&access(), false), identity);
        let developer = Access { identity_id: None, error: None, status: Some(200), ..access() };
        assert!(short(&developer, false).contains(" UpdateRecords developer POST "));
        assert!(short(&developer, true).ends_with(" developer:111122223333 POST /identitypools/p"));
        let nobody = Access { account_id: None, identity_id: None, operation: None, ..access() };
        assert!(short(&nobody, true).contains(" ms - - POST "));
    }

    #[test]
    fn a_line_of_json_has_it_all() {
        let line: serde_json::Value = serde_json::from_str(&json(&access())).expect("it is JSON");
        assert_eq!((line["caller"].as_str(), line["duration-us"].as_u64()), (Some("identity"), Some(840)));
        let nobody = json(&Access { account_id: None, identity_id: None, ..access() });
        assert!(nobody.contains(r#""caller":null"#), "{nobody}");
    }
}
