//! Being asked to stop: by the keyboard, or by whoever supervises the program.

use std::io;

use tokio::sync::watch;

use super::output::Output;

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

/// Turns true at the first interruption; the second one ends the program, after
/// printing `last_words`.
pub(super) fn interruption(last_words: Option<String>) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if asked_to_stop().await.is_ok() {
            sender.send_replace(true);
        }
        if asked_to_stop().await.is_ok() {
            if let Some(words) = last_words {
                Output::default().note(&words);
            }
            leave();
        }
    });
    receiver
}

/// Ends the program at once, as an interruption does that nobody handles.
#[expect(clippy::exit, reason = "whoever interrupts twice does not want to wait for cases under way")]
fn leave() {
    std::process::exit(130);
}
