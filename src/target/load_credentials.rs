//! What a target file says of credentials: the developer's, and those of pools.

use toml::Spanned;

use super::chain::Chain;
use super::file::{RawCognitoIdentity, RawDeveloper, RawIdentity, TargetFile};
use super::load::Loader;
use super::{CognitoIdentity, Credentials, Identity, Pool, Provider};

/// Identities of a pool when the target file does not say how many: two for a case
/// that wants two to itself, one for one that fills an identity, and one that the
/// others share meanwhile. More would hardly be used, and each costs three requests.
pub(super) const DEFAULT_IDENTITIES: u16 = 4;

/// Most identities of a pool.
const MOST_IDENTITIES: u16 = 100;

/// The only `source` of developer credentials.
const DEFAULT_CHAIN: &str = "default-chain";

impl Loader<'_> {
    /// The developer's credentials: keys, a profile, or the default chain.
    pub(super) fn developer(&self, file: &TargetFile, region: &str) -> Option<Provider> {
        let raw = file.developer.as_ref()?;
        let RawDeveloper { access_key_id, secret_access_key, session_token, profile, source } = raw.get_ref();
        let keys = [access_key_id, secret_access_key, session_token];
        let forms = [keys.iter().any(|key| key.is_some()), profile.is_some(), source.is_some()];
        match (forms, access_key_id, secret_access_key) {
            ([true, false, false], Some(id), Some(secret)) => {
                Some(Provider::fixed(self.keys(id, secret, session_token.as_ref())))
            }
            ([true, false, false], ..) => {
                let missing = if access_key_id.is_none() { "access-key-id" } else { "secret-access-key" };
                self.problem(raw, format!("[developer] has keys, but no `{missing}`"));
                None
            }
            ([false, true, false], ..) => {
                let profile = profile.as_ref().map(|profile| self.text(profile));
                Some(Provider::fetched(Chain::new(profile, region.to_owned())))
            }
            ([false, false, true], ..) => {
                let source = source.as_ref()?;
                let named = self.text(source);
                if named != DEFAULT_CHAIN && !named.is_empty() {
                    self.problem(source, format!("there is no source `{named}`; the only one is `{DEFAULT_CHAIN}`"));
                }
                Some(Provider::fetched(Chain::new(None, region.to_owned())))
            }
            (forms, ..) => {
                let what = if forms.contains(&true) { "says more than one of these" } else { "is empty" };
                let choose = "give keys, or `profile`, or `source = \"default-chain\"`";
                self.problem(raw, format!("[developer] {what}: {choose}"));
                None
            }
        }
    }

    pub(super) fn pools(&self, file: &TargetFile) -> Vec<Pool> {
        let mut pools = Vec::new();
        let cognito = file.cognito_identity.as_ref();
        match &file.identity_pool_id {
            Some(id) => pools.push(self.pool(file, id, &file.identity, cognito)),
            None => {
                let needs_pool = |what: &str| format!("{what} needs a pool: name it in `identity-pool-id`");
                if let Some(identity) = file.identity.first() {
                    self.problem(&identity.identity_id, needs_pool("an identity"));
                }
                if let Some(cognito) = cognito {
                    self.problem(cognito, needs_pool("[cognito-identity]"));
                }
                if file.pool.is_empty() {
                    self.problem(&file.name, "the target names no pool: give `identity-pool-id` or a `[[pool]]`");
                }
            }
        }
        pools.extend(
            file.pool
                .iter()
                .map(|pool| self.pool(file, &pool.identity_pool_id, &pool.identity, pool.cognito_identity.as_ref())),
        );
        self.no_duplicates(file);
        pools
    }

    /// No pool or identity is named twice: a case that is to be alone on it would
    /// not be.
    fn no_duplicates(&self, file: &TargetFile) {
        let identities = file.identity.iter().chain(file.pool.iter().flat_map(|pool| &pool.identity));
        let cognito = file.cognito_identity.iter().chain(file.pool.iter().flat_map(|pool| &pool.cognito_identity));
        let identities = identities
            .map(|identity| &identity.identity_id)
            .chain(cognito.flat_map(|cognito| &cognito.get_ref().identity_ids));
        let pools = file.identity_pool_id.iter().chain(file.pool.iter().map(|pool| &pool.identity_pool_id));
        for (what, ids) in [("pool", pools.collect::<Vec<_>>()), ("identity", identities.collect())] {
            for (index, id) in ids.iter().enumerate() {
                if ids[..index].iter().any(|earlier| earlier.get_ref() == id.get_ref()) {
                    self.problem(id, format!("this {what} is named twice, so no case could have it alone"));
                }
            }
        }
    }

    fn pool(
        &self,
        file: &TargetFile,
        id: &Spanned<String>,
        identities: &[RawIdentity],
        cognito: Option<&Spanned<RawCognitoIdentity>>,
    ) -> Pool {
        match (identities.is_empty(), cognito) {
            (true, None) => self.problem(
                id,
                "the pool has no `[[identity]]` and no `[cognito-identity]`: cases need at least one identity, and two \
                 for isolation",
            ),
            (false, Some(cognito)) => self.problem(
                cognito,
                "the pool has `[[identity]]` entries too: give identities with their keys, or let Cognito Identity \
                 give them",
            ),
            _ => {}
        }
        let identity = |raw: &RawIdentity| Identity {
            id: self.text(&raw.identity_id),
            credentials: Provider::fixed(self.keys(
                &raw.access_key_id,
                &raw.secret_access_key,
                raw.session_token.as_ref(),
            )),
        };
        Pool {
            id: self.text(id),
            identities: identities.iter().map(identity).collect(),
            cognito: cognito.map(|raw| self.cognito_identity(file, raw)),
            is_taken: false,
        }
    }

    fn cognito_identity(&self, file: &TargetFile, raw: &Spanned<RawCognitoIdentity>) -> CognitoIdentity {
        let RawCognitoIdentity { endpoint, identities, identity_ids, developer_provider } = raw.get_ref();
        let ids: Vec<_> = identity_ids.iter().map(|id| self.text(id)).collect();
        if let Some(number) = identities {
            if !(1..=MOST_IDENTITIES).contains(number.get_ref()) {
                self.problem(number, format!("a pool takes 1 to {MOST_IDENTITIES} identities"));
            }
            if !ids.is_empty() {
                self.problem(number, "`identity-ids` says already how many identities there are");
            }
        }
        if let Some(provider) = developer_provider
            && file.developer.is_none()
        {
            self.problem(provider, "users of a developer provider are signed in by the developer: give `[developer]`");
        }
        let wanted = identities.as_ref().map_or(DEFAULT_IDENTITIES, |number| *number.get_ref());
        CognitoIdentity {
            endpoint: endpoint.as_ref().map(|endpoint| self.address(endpoint)),
            identities: if ids.is_empty() { wanted.into() } else { ids.len() },
            ids,
            developer_provider: developer_provider.as_ref().map(|provider| self.text(provider)),
        }
    }

    /// An address that credentials are asked for at.
    fn address(&self, raw: &Spanned<String>) -> String {
        let address = self.text(raw).trim_end_matches('/').to_owned();
        let usable = address.parse::<http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && uri.query().is_none()
        });
        // That it is missing was said already. What stands there may be a password.
        if !usable && !address.is_empty() {
            self.problem(raw, "this is no address: http://HOST[:PORT] or https://HOST[:PORT], without user and query");
        }
        address
    }

    fn keys(&self, id: &Spanned<String>, secret: &Spanned<String>, token: Option<&Spanned<String>>) -> Credentials {
        Credentials {
            access_key_id: self.text(id),
            secret_access_key: self.secret(secret),
            session_token: token.map(|token| self.secret(token)),
        }
    }
}
