//! What works with a target's credentials, found out by calls that change nothing.

use std::time::{Duration, SystemTime};

use indexmap::IndexMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::args::CheckArgs;
use super::{Exit, open};
use crate::cases::{Actor, Base, Isolation, Suite};
use crate::collaborators::Listener;
use crate::plan::{Decision, Demand, Lease, LeaseTable, Plan};
use crate::reference::Server;
use crate::run::{Asked, Session, ask};
use crate::target::{Making, Pool, Provider, Target, embedded_world};
use crate::wire::FailureKind;

/// Further off than this, the clock makes signatures worthless: AWS allows five
/// minutes.
const MOST_SKEW: Duration = Duration::from_secs(5 * 60);

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Worth knowing, and no fault.
    Note,
    /// It does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) state: State,
    /// The pool that it is about, if it is about one.
    pub(super) pool: Option<String>,
    pub(super) what: String,
    pub(super) detail: String,
}

/// What was found out of a target.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) target: String,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) lines: Vec<Line>,
    /// Ids of the identities that credentials were had for.
    pub(super) identities: Vec<String>,
    /// Cases of the suite.
    pub(super) cases: usize,
    /// Of which so many can be run.
    pub(super) runnable: usize,
    /// Why the others cannot, and how many for each reason.
    pub(super) skipped: IndexMap<String, usize>,
}

impl Checked {
    pub(super) fn is_well(&self) -> bool {
        self.runnable > 0 && self.lines.iter().all(|line| line.state != State::Problem)
    }

    fn add(&mut self, state: State, what: impl Into<String>, detail: impl Into<String>) {
        self.lines.push(Line { state, pool: None, what: what.into(), detail: detail.into() });
    }

    fn add_of(&mut self, pool: &Pool, state: State, what: &str, detail: impl Into<String>) {
        let pool = Some(pool.id.clone());
        self.lines.push(Line { state, pool, what: what.to_owned(), detail: detail.into() });
    }
}

/// Looks at the target that was named, or at the embedded server.
pub(super) async fn examine(args: &CheckArgs, suite: &Suite) -> Result<Checked, Exit> {
    let server: Option<Server>;
    let named = match open::named(&args.target)? {
        Some(target) => {
            server = None;
            target
        }
        None => {
            let started = open::start(embedded_world()).await?;
            let target = open::embedded(&started.endpoint());
            server = Some(started);
            target
        }
    };
    let mut checked = Checked {
        target: named.name.clone(),
        endpoint: named.endpoint.clone(),
        region: named.region.clone(),
        lines: Vec::new(),
        identities: Vec::new(),
        cases: suite.cases.len(),
        runnable: 0,
        skipped: IndexMap::new(),
    };
    let making = if args.make_identities { Making::Allowed } else { Making::Forbidden };
    let ended = look(&mut checked, &named, making, suite, args.timeout.length()).await;
    let made = named.made_identities();
    let left = named.remove_made_identities().await;
    if !made.is_empty() && left.is_empty() {
        checked.add(State::Ok, "identities", format!("{} made, and deleted again", made.len()));
    }
    for left in left {
        checked.add(State::Problem, "left behind", left);
    }
    if let Some(server) = server {
        server.shutdown().await;
    }
    ended.map(|()| checked)
}

async fn look(
    checked: &mut Checked,
    named: &Target,
    making: Making,
    suite: &Suite,
    timeout: Duration,
) -> Result<(), Exit> {
    let resolved = named.clone().resolve(making).await;
    let can_sign = resolved.is_ok();
    // Without credentials, there is still an endpoint to look at.
    let target = resolved.as_ref().map_or_else(|_| unsigned(named), Clone::clone);
    let session = open::session(target.clone(), timeout, false)?;
    let answers = endpoint(checked, &session, suite).await;
    if let Err(error) = &resolved {
        checked.add(State::Problem, "credentials", error.to_string());
    }
    developer(checked, named, &target);
    let mut leases = leases(&target);
    for (index, pool) in target.pools.iter().enumerate() {
        identities(checked, pool, &target, making);
        if let Some(lease) = leases.iter().position(|lease| lease.pool == index)
            && answers
            && can_sign
        {
            calls(checked, &session, &leases.swap_remove(lease), suite).await;
        }
    }
    named_and_lacking(checked, &target);
    played(checked, &target).await;
    plan(checked, named, &target, making, suite)
}

/// The target as it is when nobody can sign.
fn unsigned(named: &Target) -> Target {
    let mut target = Target { developer: None, ..named.clone() };
    target.pools.iter_mut().for_each(|pool| pool.identities.clear());
    target
}

/// Whether the endpoint answers, how it is reached, and its clock.
async fn endpoint(checked: &mut Checked, session: &Session, suite: &Suite) -> bool {
    let endpoint = session.client.endpoint();
    if let Err(failure) = session.client.probe().await {
        let what = if failure.kind == FailureKind::Tls { "TLS" } else { "endpoint" };
        checked.add(State::Problem, what, failure.to_string());
        return false;
    }
    let trusted = if session.target.ca_file.is_some() { "by ca-file" } else { "by the platform" };
    match (endpoint.is_secure(), endpoint.is_loopback()) {
        (true, _) => checked.add(State::Ok, "TLS", format!("the certificate is trusted {trusted}")),
        (false, true) => checked.add(State::Ok, "TLS", "none, and none is needed on this machine"),
        (false, false) => checked.add(State::Note, "TLS", "none: who is on the way can read and alter everything"),
    }
    let Some((operation, base)) = reads(suite, session).next() else { return true };
    let Some(lease) = leases(&session.target).into_iter().next() else { return true };
    let asked = match ask(session, &lease, operation, base, Actor::None).await {
        Ok(asked) => asked,
        // Its request needs what is not there; those that are signed tell more.
        Err(_) => return true,
    };
    let Some(response) = &asked.exchange.response else {
        checked.add(State::Problem, "endpoint", asked.said);
        return false;
    };
    let milliseconds = asked.exchange.duration_us / 1000;
    checked.add(State::Ok, "endpoint", format!("answers in {milliseconds} ms; unsigned, a request is {}", asked.said));
    let date = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("date"));
    clock(checked, date.and_then(|(_, date)| OffsetDateTime::parse(date, &Rfc2822).ok()));
    true
}

fn clock(checked: &mut Checked, date: Option<OffsetDateTime>) {
    let Some(date) = date else {
        return checked.add(State::Note, "clock", "the endpoint sends no date to compare with");
    };
    let here = OffsetDateTime::from(SystemTime::now());
    let seconds = (here - date).whole_seconds();
    let state = if seconds.unsigned_abs() > MOST_SKEW.as_secs() { State::Problem } else { State::Ok };
    let advice = if state == State::Problem { "; signatures are refused beyond 300 s: set the clock" } else { "" };
    let detail = match seconds {
        // The header has whole seconds, and the answer may have taken some.
        -5..=5 => "in step with the endpoint's".to_owned(),
        6.. => format!("{seconds} s ahead of the endpoint's{advice}"),
        _ => format!("{} s behind the endpoint's{advice}", seconds.unsigned_abs()),
    };
    checked.add(state, "clock", detail);
}

/// Where the developer's credentials come from.
fn developer(checked: &mut Checked, named: &Target, target: &Target) {
    match (&named.developer, &target.developer, &target.shortfalls.developer) {
        (None, ..) => checked.add(State::Note, "developer", "the target file has no [developer] credentials"),
        (_, Some(developer), _) => checked.add(State::Ok, "developer", shown(developer)),
        (_, None, Some(why)) => checked.add(State::Problem, "developer", why),
        // Told of with the rest, where nobody can sign.
        (_, None, None) => {}
    }
}

fn shown(provider: &Provider) -> String {
    let id = provider.last().map_or_else(|| "nothing fetched".to_owned(), |keys| keys.shown_id());
    format!("{id} ({})", provider.describe())
}

/// A pool's identities, and how many of those that it should have.
fn identities(checked: &mut Checked, pool: &Pool, target: &Target, making: Making) {
    checked.identities.extend(pool.identities.iter().map(|identity| identity.id.clone()));
    let wanted = pool.cognito.as_ref().map_or(pool.identities.len(), |cognito| cognito.identities);
    let waits = making == Making::Forbidden && pool.cognito.as_ref().is_some_and(|cognito| cognito.ids.is_empty());
    match pool.identities.first() {
        None if waits => {
            let detail = format!("{wanted} are given when a run begins; --make-identities tries it");
            checked.add_of(pool, State::Note, "identities", detail);
        }
        None => checked.add_of(pool, State::Problem, "identities", reasons(target, "none")),
        Some(first) if pool.identities.len() == wanted => {
            let detail = format!("{wanted}, the first with {}", shown(&first.credentials));
            checked.add_of(pool, State::Ok, "identities", detail);
        }
        Some(_) => {
            let some = format!("{} of {wanted}", pool.identities.len());
            checked.add_of(pool, State::Problem, "identities", reasons(target, &some));
        }
    }
}

fn reasons(target: &Target, what: &str) -> String {
    match target.shortfalls.identities.as_slice() {
        [] => what.to_owned(),
        reasons => format!("{what}: {}", reasons.join("; ")),
    }
}

/// The operations that only read, with their valid requests.
fn reads<'s>(suite: &'s Suite, session: &Session) -> impl Iterator<Item = (&'s str, &'s Base)> {
    let operations = &session.service.operations;
    let reads = |name: &str| operations.get(name).is_some_and(|operation| operation.method == "GET");
    let bases = suite.bases.operations.iter().map(|(name, base)| (name.as_str(), base));
    bases.filter(move |(name, base)| reads(name) && base.effect.is_none())
}

/// Makes every call that only reads, signed by whom its base request names.
async fn calls(checked: &mut Checked, session: &Session, lease: &Lease, suite: &Suite) {
    let pool = &session.target.pools[lease.pool];
    for (actor, who) in [(Actor::Developer, "developer"), (Actor::Identity, "identity")] {
        let can = match actor {
            Actor::Developer => session.target.developer.is_some(),
            _ => !lease.identities.is_empty(),
        };
        let (mut fine, mut refused) = (Vec::new(), Vec::new());
        for (operation, base) in reads(suite, session).filter(|(_, base)| can && base.credentials == actor) {
            match ask(session, lease, operation, base, actor).await {
                Ok(asked) if works(&asked) => fine.push(operation),
                Ok(asked) => refused.push(format!("{operation} {}", asked.said)),
                Err(why) => refused.push(format!("{operation}: {why}")),
            }
        }
        let what = format!("reads by the {who}");
        if !fine.is_empty() {
            checked.add_of(pool, State::Ok, &what, fine.join(", "));
        }
        for refused in refused {
            checked.add_of(pool, State::Problem, &what, refused);
        }
    }
}

/// Whether the credentials served their purpose: what is asked for need not be there.
fn works(asked: &Asked) -> bool {
    asked.status().is_some_and(|status| (200..300).contains(&status) || status == 404)
}

/// A lease of each pool, with an identity where there is one.
fn leases(target: &Target) -> Vec<Lease> {
    let mut table = LeaseTable::new(target, 1);
    let mut leases = Vec::new();
    for identities in [1, 0] {
        let demand = Demand { isolation: Isolation::Pool, identities, datasets: 0, developer: true };
        leases.extend(std::iter::from_fn(|| table.acquire(demand)));
    }
    leases.sort_unstable_by_key(|lease| lease.pool);
    leases
}

fn named_and_lacking(checked: &mut Checked, target: &Target) {
    let named: Vec<_> = target.resources.iter().map(|(name, value)| format!("{name} {value}")).collect();
    match (&target.collaborators, named.is_empty()) {
        (Some(_), true) => {}
        (None, true) => checked.add(State::Note, "resources", "none named"),
        (_, false) => checked.add(State::Note, "resources", named.join(", ")),
    }
    if target.scripted_function {
        checked.add(State::Note, "function, by declaration", "the one that `syncspec target function` prints");
    }
    if !target.lacks.is_empty() {
        let lacks: Vec<_> = target.lacks.iter().map(|lack| lack.need.as_str()).collect();
        checked.add(State::Note, "lacks, by declaration", lacks.join(", "));
    }
    if !target.offers.is_empty() {
        checked.add(State::Note, "offers, by declaration", target.offers.join(", "));
    }
}

/// Whether the other services can be played where the target's server calls them. The
/// embedded server is told where when a run begins.
async fn played(checked: &mut Checked, target: &Target) {
    const WHAT: &str = "other services";
    let Some(played) = &target.collaborators else { return };
    if played.listen.port() == 0 {
        return checked.add(State::Ok, WHAT, "played by the harness while a run lasts");
    }
    match Listener::start(played.listen).await {
        Ok(_) => {
            let detail = format!(
                "{} is free for the harness to play them on; that the server calls there shows in a run only, which \
                 changes a pool for it",
                played.listen
            );
            checked.add(State::Ok, WHAT, detail);
        }
        Err(error) => {
            let detail = format!("the harness cannot listen on {}: {error}", played.listen);
            checked.add(State::Problem, WHAT, detail);
        }
    }
}

/// How many cases can be run, and what the others lack.
fn plan(checked: &mut Checked, named: &Target, target: &Target, making: Making, suite: &Suite) -> Result<(), Exit> {
    let mut target = target.clone();
    if making == Making::Forbidden {
        // A run will have them.
        for (pool, assumed) in target.pools.iter_mut().zip(named.clone().assumed().pools) {
            if pool.cognito.as_ref().is_some_and(|cognito| cognito.ids.is_empty()) {
                pool.identities = assumed.identities;
            }
        }
    }
    let plan = Plan::new(suite, &[], &target).map_err(Exit::usage)?;
    for planned in plan.cases {
        match planned.decision {
            Decision::Run(_) => checked.runnable += 1,
            Decision::Skip { reason } => *checked.skipped.entry(reason).or_default() += 1,
        }
    }
    checked.skipped.sort_by(|_, a, _, b| b.cmp(a));
    Ok(())
}
