//! The harness as the services that the target's server calls.

use std::net::SocketAddr;
use std::time::Duration;

use indexmap::IndexMap;
use toml::Spanned;

use super::Target;
use super::file::TargetFile;
use super::load::Loader;
use crate::reference::World;

/// The account of what is played, unless a target file names another.
const ACCOUNT: &str = "123456789012";

/// How many times faster than the service the embedded server gives a function up.
const EMBEDDED_TIME_SCALE: u32 = 3;

/// The greatest factor: a delay is then hardly one any more.
const MOST_TIME_SCALE: u32 = 1000;

/// The platform of the applications that are played.
const PLATFORM: &str = "GCM";

/// How the harness plays the services that the target's server calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collaborators {
    /// Where it listens while a run lasts.
    pub listen: SocketAddr,
    /// The account in the ARNs of what is played.
    pub account_id: String,
    /// How many times faster than the service the server gives a function up; at
    /// least 1.
    pub time_scale: u32,
}

impl Collaborators {
    /// Time of the service as it passes on this target.
    pub fn scaled(&self, time: Duration) -> Duration {
        time / self.time_scale.max(1)
    }

    /// What placeholders stand for: a function, a stream and an application of this
    /// name, and roles that nobody looks at.
    pub fn resources(&self, region: &str, name: &str) -> [(&'static str, String); 6] {
        let account = &self.account_id;
        [
            ("stream-name", name.to_owned()),
            ("stream-role-arn", format!("arn:aws:iam::{account}:role/syncspec-streams")),
            ("application-arn", format!("arn:aws:sns:{region}:{account}:app/{PLATFORM}/{name}")),
            ("push-role-arn", format!("arn:aws:iam::{account}:role/syncspec-push")),
            ("platform", PLATFORM.to_owned()),
            ("function-arn", format!("arn:aws:lambda:{region}:{account}:function:{name}")),
        ]
    }
}

impl Target {
    /// The same embedded server, told by [`calling`] to call the harness, which listens
    /// there.
    #[must_use]
    pub fn called_back(self, world: &World, listen: SocketAddr) -> Self {
        let time_scale = EMBEDDED_TIME_SCALE;
        let collaborators = Collaborators { listen, account_id: world.account_id.clone(), time_scale };
        // Those names would lead nowhere now.
        let resources = IndexMap::new();
        Self { collaborators: Some(collaborators), resources, ..self }
    }
}

/// The same world, whose server calls the other services at `endpoint`, and waits for
/// them less long than the service does.
#[must_use]
pub fn calling(world: World, endpoint: &str) -> World {
    let mut called = world.collaborators.clone();
    for place in [&mut called.lambda, &mut called.kinesis, &mut called.sns, &mut called.s3] {
        *place = Some(endpoint.to_owned());
    }
    called.times.function /= EMBEDDED_TIME_SCALE;
    World { collaborators: called, ..world }
}

impl Loader<'_> {
    pub(super) fn collaborators(&self, file: &TargetFile) -> Option<Collaborators> {
        let raw = file.collaborators.as_ref()?.get_ref();
        let real =
            [("kinesis", file.kinesis.is_some()), ("sns", file.sns.is_some()), ("lambda", file.lambda.is_some())];
        for (table, _) in real.into_iter().filter(|(_, named)| *named) {
            let message = format!("the harness plays what [{table}] names: leave one of the two out");
            self.problem(file.collaborators.as_ref()?, message);
        }
        let listen = self.text(&raw.listen);
        let listen = listen.parse().unwrap_or_else(|_| {
            // That it is missing was said already.
            if !listen.is_empty() {
                self.problem(&raw.listen, format!("`{listen}` is no ADDRESS:PORT, such as 127.0.0.1:4600"));
            }
            SocketAddr::from(([127, 0, 0, 1], 0))
        });
        Some(Collaborators {
            listen,
            account_id: raw.account_id.as_ref().map_or_else(|| ACCOUNT.to_owned(), |raw| self.account(raw)),
            time_scale: raw.time_scale.as_ref().map_or(1, |raw| self.time_scale(raw)),
        })
    }

    fn account(&self, raw: &Spanned<String>) -> String {
        let account = self.text(raw);
        // That it is missing was said already.
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !account.is_empty() && !is_account {
            self.problem(raw, format!("`{account}` is no account, which has 12 digits"));
        }
        account
    }

    fn time_scale(&self, raw: &Spanned<u32>) -> u32 {
        let scale = *raw.get_ref();
        if !(1..=MOST_TIME_SCALE).contains(&scale) {
            self.problem(raw, format!("a time scale is a whole number from 1 to {MOST_TIME_SCALE}"));
        }
        scale
    }
}
