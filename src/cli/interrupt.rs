//! Being asked to stop: by the keyboard, or by whoever supervises the program.

use std::io;

/// Waits until the program is asked to stop.
///
/// # Errors
///
/// When signals cannot be listened to.
pub(super) async fn asked_to_stop() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
