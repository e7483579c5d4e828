//! Being asked to stop: by the keyboard, or by whoever supervises the program.

use std::io;

use tokio::sync::watch;

use super::output::Output;

/// The signals that ask the program to stop; caught from the moment this is made.
struct Signals {
    #[cfg(unix)]
    interrupted: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminated: tokio::signal::unix::Signal,
}

impl Signals {
    /// Fails when signals cannot be listened to.
    fn catch() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { interrupted: signal(SignalKind::interrupt())?, terminated: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next one.
    async fn next(&mut self) -> io::Result<()> {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = self.interrupted.recv() => Ok(()),
                _ = self.terminated.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    }
}

/// Turns true at the first interruption after this call; the second one ends the
/// program, after printing `last_words`. It never does when signals cannot be listened to, and the system's own
/// handling ends the program then.
pub(super) fn interruption(last_words: Option<String>) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let signals = Signals::catch();
    tokio::spawn(async move {
        let Ok(mut signals) = signals else { return sender.closed().await };
        if signals.next().await.is_ok() {
            sender.send_replace(true);
        }
        if signals.next().await.is_ok() {
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
