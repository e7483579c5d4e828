//! The reference server as a target, and a target file that leads to it.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::world::Worlds;
use super::{Credentials, DEFAULT_PREFIX, Identity, Lack, MadeIdentities, Pool, Provider, Secret, Shortfalls, Target};
use crate::reference::{Keys, World};

/// The set of snapshots that were recorded from the reference server.
pub const EMBEDDED_SNAPSHOTS: &str = "reference";

/// Names that the reference server takes without asking anybody about them. The ARNs
/// are those of the standard world.
const RESOURCES: [(&str, &str); 6] = [
    ("stream-name", "syncspec-stream"),
    ("stream-role-arn", "arn:aws:iam::123456789012:role/syncspec-streams"),
    ("application-arn", "arn:aws:sns:us-east-1:123456789012:app/GCM/syncspec"),
    ("push-role-arn", "arn:aws:iam::123456789012:role/syncspec-push"),
    ("platform", "GCM"),
    ("function-arn", "arn:aws:lambda:us-east-1:123456789012:function:syncspec"),
];

/// What the reference server lacks.
const LACKS: [&str; 1] = ["lasting-bulk-publish"];

/// What the reference server offers.
const OFFERS: [&str; 1] = ["legacy-rpc"];

/// Pools of the embedded server: so many cases that need a pool to themselves can
/// run at a time, and so many bulk publishes in a run.
pub const EMBEDDED_POOLS: usize = 16;

/// Identities in each of its pools.
pub const EMBEDDED_IDENTITIES: usize = 6;

/// What the embedded server, and `syncspec serve`, begin with.
pub fn embedded_world() -> World {
    World::standard(EMBEDDED_POOLS, EMBEDDED_IDENTITIES)
}

impl Target {
    /// A reference server with this world, reached at `endpoint`.
    pub fn embedded(world: &World, endpoint: &str) -> Self {
        let pool = |pool: &crate::reference::WorldPool| Pool {
            id: pool.identity_pool_id.clone(),
            identities: pool
                .identities
                .iter()
                .map(|identity| Identity {
                    id: identity.identity_id.clone(),
                    credentials: Provider::fixed(Credentials::from(&identity.keys)),
                })
                .collect(),
            cognito: None,
            is_taken: false,
        };
        Self {
            name: "embedded".to_owned(),
            endpoint: endpoint.to_owned(),
            region: world.region.clone(),
            ca_file: None,
            prefix: DEFAULT_PREFIX.to_owned(),
            requests_per_second: None,
            pools: world.pools.iter().map(pool).collect(),
            developer: Some(Provider::fixed(Credentials::from(&world.developer))),
            lacks: LACKS.map(Lack::from).to_vec(),
            offers: OFFERS.map(str::to_owned).to_vec(),
            resources: RESOURCES
                .into_iter()
                .map(|(name, value)| (name.to_owned(), of(world, value)))
                .collect::<IndexMap<_, _>>(),
            scripted_function: false,
            collaborators: None,
            known_failures: Vec::new(),
            snapshots: is_standard(world).then(|| EMBEDDED_SNAPSHOTS.to_owned()),
            shortfalls: Shortfalls::default(),
            made: MadeIdentities::default(),
        }
    }
}

impl From<&Keys> for Credentials {
    fn from(keys: &Keys) -> Self {
        Self {
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: Secret::new(keys.secret_access_key.clone()),
            session_token: keys.session_token.clone().map(Secret::new),
        }
    }
}

/// Whether the snapshots are of such a world: they hold ARNs with region and account.
fn is_standard(world: &World) -> bool {
    RESOURCES.iter().all(|(_, value)| of(world, value) == *value)
}

/// A name or an ARN, in this world's region and account.
fn of(world: &World, resource: &str) -> String {
    let standard = ":us-east-1:123456789012:";
    let arn = resource.replace(standard, &format!(":{}:{}:", world.region, world.account_id));
    arn.replace("::123456789012:", &format!("::{}:", world.account_id))
}

/// The target file for one account of a reference server. Pools without identities are
/// left out, since no case could use them.
pub fn to_file(worlds: &Worlds, world: &World, endpoint: &str) -> String {
    let mut text = String::from("# A syncspec reference server. Its keys open nothing else.\nname = \"reference\"\n");
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(format_args!("endpoint = {endpoint:?}\nregion = {:?}", world.region));
    line(format_args!("lacks = {LACKS:?}\noffers = {OFFERS:?}"));
    if is_standard(world) {
        line(format_args!("snapshots = {EMBEDDED_SNAPSHOTS:?}"));
    }
    line(format_args!("\n[developer]\n{}", keys(worlds, &world.developer)));
    let [stream, stream_role, application, push_role, _, function] = RESOURCES.map(|(_, value)| of(world, value));
    line(format_args!("[kinesis]\nstream-name = {stream:?}\nrole-arn = {stream_role:?}\n"));
    line(format_args!("[sns]\napplication-arn = {application:?}\nrole-arn = {push_role:?}\n"));
    line(format_args!("[lambda]\nfunction-arn = {function:?}"));
    for pool in world.pools.iter().filter(|pool| !pool.identities.is_empty()) {
        line(format_args!("\n[[pool]]\nidentity-pool-id = {:?}", pool.identity_pool_id));
        for identity in &pool.identities {
            line(format_args!(
                "\n[[pool.identity]]\nidentity-id = {:?}\n{}",
                identity.identity_id,
                keys(worlds, &identity.keys).trim_end()
            ));
        }
    }
    text
}

fn keys(worlds: &Worlds, keys: &Keys) -> String {
    let token = keys.session_token.as_ref().map(|token| format!("session-token = {:?}\n", worlds.written(token)));
    let secret = worlds.written(&keys.secret_access_key);
    let token = token.unwrap_or_default();
    format!("access-key-id = {:?}\nsecret-access-key = {secret:?}\n{token}", keys.access_key_id)
}

#[cfg(test)]
mod tests {
    use super::{Target, to_file};
    use crate::reference::World;
    use crate::target::{Worlds, load};

    #[test]
    fn the_file_leads_to_the_same_target() {
        let world = World::standard(2, 2);
        let embedded = Target::embedded(&world, "http://127.0.0.1:1");
        let text = to_file(&Worlds::from(world.clone()), &world, "http://127.0.0.1:1");
        let mut read = load::from_text("t.toml", &text, &|_| None).expect("the file is valid");
        read.name.clone_from(&embedded.name);
        assert_eq!(format!("{read:?}"), format!("{embedded:?}"));
        assert!(read.secrets().eq(embedded.secrets()));
    }
}
