//! Sends what takes something back.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::debt::{Debt, Kind};
use super::restore;
use crate::cases::{Bases, Save};
use crate::client::{BackOff, Client, SignedPayload, Signing, SigningForm, bind, sign};
use crate::spec::{Credentials as Who, Service};
use crate::target::{Provider, Redactor, Target};
use crate::wire::{FailureKind, Request, Response};

/// The resource of operations that concern a whole pool, as IAM calls it.
const POOL: &str = "identitypool";

/// Takes things back on a target.
#[derive(Debug, Clone, Copy)]
pub struct Payer<'p> {
    /// The service, as data.
    pub service: &'p Service,
    /// How things are taken back.
    pub bases: &'p Bases,
    /// Whose credentials sign.
    pub target: &'p Target,
    /// Sends to the target.
    pub client: &'p Client,
    /// How long throttled requests give way.
    pub back_off: BackOff,
    /// Knows the target's secrets, which no reason may hold.
    pub redactor: &'p Redactor,
}

/// What became of a debt that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paid {
    /// It was taken back, or written back.
    Done {
        /// What that could not bring back, in sentences.
        notes: Vec<String>,
    },
    /// There was nothing to take back.
    NothingThere {
        /// As for [`Paid::Done`].
        notes: Vec<String>,
    },
}

/// Why something could not be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpaid {
    /// Why, in words that follow on a colon.
    pub reason: String,
    /// Whether nobody answered.
    pub is_unanswered: bool,
}

impl Unpaid {
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
    fn because(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), is_unanswered: false }
    }
}

impl Payer<'_> {
    /// Takes back what is owed. `is_certain` says that the request which made it is
    /// known to have succeeded.
    ///
    /// # Errors
    ///
    /// When it could not be taken back, or nobody answered.
    pub async fn pay(&self, debt: &Debt, is_certain: bool) -> Result<Paid, Unpaid> {
        match debt.kind {
            Kind::Undo => self.undo(debt, is_certain).await,
            Kind::Restore => self.restore(debt).await,
        }
    }

    async fn undo(&self, debt: &Debt, is_certain: bool) -> Result<Paid, Unpaid> {
        let (response, said) = self.exchange(&debt.call, &debt.input).await?;
        if response.is_success() {
            return Ok(Paid::Done { notes: Vec::new() });
        }
        let name = response.error_name();
        let undo = self.bases.operations.get(&debt.made_by).and_then(|base| base.undo.as_ref());
        let says = |name: &String| undo.is_some_and(|undo| undo.gone.contains(name));
        // A server that does not know the operation says nothing of what is there.
        let knows = |name: &String| !self.service.framework_errors.contains_key(name);
        let is_gone = name.as_ref().is_some_and(says) || response.status == 404 && name.as_ref().is_none_or(knows);
        let was_refused = !is_certain && (400..500).contains(&response.status) && !self.is_of_target(debt);
        match is_gone || was_refused {
            true => Ok(Paid::NothingThere { notes: Vec::new() }),
            false => Err(Unpaid::because(said)),
        }
    }

    /// Whether it concerns a pool, and identity, of the target. A request that reached
    /// for others was to be refused, and what takes it back is refused for the same
    /// reason.
    fn is_of_target(&self, debt: &Debt) -> bool {
        let of_pool = self.service.operations.get(&debt.call).is_some_and(|operation| operation.resource == POOL);
        let named = |id: &str| debt.input.values().any(|value| value == id);
        let mut pools = self.target.pools.iter().filter(|pool| named(&pool.id));
        pools.any(|pool| of_pool || pool.identities.iter().any(|identity| named(&identity.id)))
    }

    async fn restore(&self, debt: &Debt) -> Result<Paid, Unpaid> {
        let save = self.bases.operations.get(&debt.call).and_then(|base| base.save.as_ref());
        let save = save.ok_or_else(|| {
            Unpaid::because(format!("_base.toml does not say how what {} replaces is kept", debt.call))
        })?;
        let now = self.read(&debt.call, save, &debt.input).await?;
        let restore::Restoring { input, notes } = restore::restoring(save, &debt.saved, &now);
        if input.is_empty() {
            return Ok(Paid::NothingThere { notes });
        }
        let input = debt.input.clone().into_iter().chain(input).collect();
        let (response, said) = self.exchange(&debt.call, &input).await?;
        match response.is_success() {
            true => Ok(Paid::Done { notes }),
            false => Err(Unpaid::because(said)),
        }
    }

    /// What an operation would replace, read now. `input` says what it belongs to.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn read(
        &self,
        changing: &str,
        save: &Save,
        input: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Unpaid> {
        let (response, said) = self.exchange(&save.operation, input).await?;
        if !response.is_success() {
            return Err(Unpaid::because(format!("{} {said}", save.operation)));
        }
        let Some(Value::Object(answer)) = response.json() else {
            return Err(Unpaid::because(format!(
                "{} answered {} without a JSON object",
                save.operation, response.status
            )));
        };
        Ok(restore::kept(self.service, changing, save, &answer))
    }

    /// Calls an operation; again after a pause, when the endpoint wants fewer requests.
    /// The identity that the input names signs, or else the developer.
    ///
    /// # Errors
    ///
    /// When the request cannot be made, or nobody answers.
    pub async fn call(&self, operation: &str, input: &Map<String, Value>) -> Result<Response, Unpaid> {
        self.exchange(operation, input).await.map(|(response, _)| response)
    }

    /// As [`Payer::call`]; with the answer in words, unless it is good.
    async fn exchange(&self, operation: &str, input: &Map<String, Value>) -> Result<(Response, String), Unpaid> {
        let mut giving_way = self.client.give_way(self.back_off);
        loop {
            self.client.turn().await;
            let exchange = self.client.send(self.request(operation, input).await?).await;
            match &exchange.outcome {
                Ok(response) if response.is_throttled() && giving_way.again(self.client, response).await => continue,
                Ok(response) if response.is_success() => return Ok((response.clone(), String::new())),
                _ => {}
            }
            // An endpoint may say in its answer what it was sent.
            let mut redactor = self.redactor.clone();
            redactor.learn(&exchange);
            let response = exchange.outcome.map_err(|failure| Unpaid {
                is_unanswered: !matches!(failure.kind, FailureKind::Request | FailureKind::TooLarge),
                reason: redactor.sentence(&failure.to_string()),
            })?;
            let said = redactor.sentence(&response.answered());
            return Ok((response, said));
        }
    }

    async fn request(&self, operation: &str, input: &Map<String, Value>) -> Result<Request, Unpaid> {
        let known = self.service.operations.get(operation);
        let known = known.ok_or_else(|| Unpaid::because(format!("the service has no operation {operation}")))?;
        let credentials = self.signer(known.credentials, input)?.get().await.map_err(Unpaid::because)?.credentials;
        let mut request = bind(known, input).map_err(Unpaid::because)?;
        let endpoint = self.client.endpoint();
        endpoint.address(&mut request);
        let signing = Signing {
            credentials: &credentials,
            region: &self.target.region,
            service: &self.service.signing_name,
            time: SystemTime::now(),
            form: SigningForm::Header,
            payload: SignedPayload::Hashed,
            without_headers: &[],
        };
        sign(&mut request, &endpoint.host_header(), &signing).map_err(Unpaid::because)?;
        Ok(request)
    }

    /// The identity that the request names, if the target has its credentials and the
    /// operation takes them, else the developer.
    fn signer(&self, who: Who, input: &Map<String, Value>) -> Result<&Provider, Unpaid> {
        let identities = self.target.pools.iter().flat_map(|pool| &pool.identities);
        let mut named = identities.filter(|identity| input.values().any(|value| *value == *identity.id));
        let identity = named.next().filter(|_| who != Who::DeveloperOnly).map(|identity| &identity.credentials);
        let signer = identity.or(self.target.developer.as_ref());
        signer.ok_or_else(|| Unpaid::because("the target file has no credentials for it"))
    }
}
