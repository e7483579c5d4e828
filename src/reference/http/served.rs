//! A request's way around the service: to this program's own paths, into the faults that
//! it shall meet, to its account, and out again when what it changed is kept.

use std::sync::Arc;

use tokio::time::sleep;

use super::access::AccessLog;
use super::accounts::{Account, Accounts};
use super::fault::{End, Faults, Met};
use super::handler::{Moment, Step};
use super::own;
use super::refusal::Refusal;
use crate::reference::clock::Clock;
use crate::reference::store::Store;
use crate::wire::{Request, Response};

/// What the connections of a server share.
pub(super) struct Served {
    pub(super) accounts: Accounts,
    pub(super) store: Option<Arc<Store>>,
    pub(super) log: Option<AccessLog>,
    pub(super) own_paths: bool,
    pub(super) faults: Faults,
    pub(super) clock: Clock,
}

/// What a request comes to.
pub(super) struct Answer {
    /// None when there is none.
    pub(super) response: Option<Response>,
    /// Whether the connection ends before it is sent.
    pub(super) is_cut: bool,
    /// Whether the service looked at the request, and at who signed it.
    pub(super) is_of_service: bool,
    /// The faults that it met, as they were written.
    pub(super) faults: Vec<String>,
}

impl Answer {
    /// What is sent; nothing when the connection ends instead.
    pub(super) fn sent(self) -> Option<Response> {
        self.response.filter(|_| !self.is_cut)
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self { response: Some(response), is_cut: false, is_of_service: true, faults: Vec::new() }
    }
}

impl Served {
    /// The answer, when it may leave.
    pub(super) async fn answer(&self, request: &Request, moment: &Moment) -> Answer {
        let is_sound = self.store.as_ref().is_none_or(|store| store.is_sound());
        if self.own_paths
            && let Some(response) = own::answer(request, &self.accounts, is_sound, &self.faults)
        {
            return response.into();
        }
        // Which operation it is takes a look at its route.
        let operation = if self.faults.are_any() { self.accounts.any_handler().operation(request) } else { None };
        let Met { delay, end, told } = operation.map(|name| self.faults.meet(name)).unwrap_or_default();
        let is_cut = matches!(end, Some(End::CutBefore | End::CutAfter));
        let is_of_service = matches!(end, None | Some(End::CutAfter));
        let response = match end {
            None | Some(End::CutAfter) => Some(self.serve(request, moment, is_sound).await),
            Some(End::CutBefore) => None,
            Some(End::Refused(refusal)) => Some(self.accounts.any_handler().refuse_unseen(request, &refusal, moment)),
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        Answer { response, is_cut, is_of_service, faults: told }
    }

    async fn serve(&self, request: &Request, moment: &Moment, is_sound: bool) -> Response {
        let Account { handler, outside, .. } = self.accounts.account(request);
        let unwritten = || handler.refuse_unseen(request, &Refusal::internal("The state cannot be written"), moment);
        // The memory is ahead of the disk, and must not be seen any more.
        if !is_sound {
            return unwritten();
        }
        let response = match handler.answer(request, moment) {
            Step::Answered(response) => response,
            // No older change that could still be lost is shown to anybody.
            Step::Asks(_) if !self.is_kept().await => return unwritten(),
            Step::Asks(pending) => {
                let reply = outside.ask(&pending.question).await;
                // Time has passed, but the luck of the request is not used up yet.
                handler.finish(request, *pending, reply, &Moment { now: self.clock.now(), ..*moment })
            }
        };
        if self.is_kept().await { response } else { unwritten() }
    }

    /// Waits until everything that was changed before is kept; false if it never will be.
    async fn is_kept(&self) -> bool {
        match &self.store {
            Some(store) => store.settled().await.is_ok(),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use rstest::rstest;

    use super::Served;
    use crate::reference::altered::Departure;
    use crate::reference::clock::Clock;
    use crate::reference::http::accounts::Accounts;
    use crate::reference::http::fault::{Fault, Faults};
    use crate::reference::http::handler::Moment;
    use crate::reference::http::testing::{Signing, at};
    use crate::reference::store::tests::faulty_state;
    use crate::reference::world::World;
    use crate::spec::Service;
    use crate::wire::{Headers, Request};

    const EVENTS: &str = "/identitypools/us-east-1:9001c0de-0000-4000-8000-000000000000/events";

    #[tokio::test]
    async fn nobody_is_answered_from_a_memory_that_is_not_kept() {
        let service = Service::embedded_shared();
        let world = World::standard(1, 1);
        let accounts = Accounts::new(&service, std::slice::from_ref(&world), &Departure::default(), [5; 32], at(0));
        let accounts = accounts.expect("the world is one");
        let (state, fails) = faulty_state();
        let (store, _) = accounts.restore(state, at(0)).expect("it is empty");
        let (faults, clock) = (Faults::new(service, Vec::new(), false), Clock::default());
        let served = Served { accounts, store: Some(store), log: None, own_paths: true, faults, clock };
        let call = async |method: &str, body: &str| {
            let request = Signing::new(&world.developer).sign(method, EVENTS, &[], body.as_bytes());
            let answer = served.answer(&request, &Moment { now: at(0), request_id: [1; 16], random: [2; 16] }).await;
            let response = answer.response.expect("no fault is set");
            (response.status, response.error_name(), String::from_utf8_lossy(&response.body).into_owned())
        };
        let health = async || {
            let (method, target) = ("GET".to_owned(), "/_syncspec/health".to_owned());
            let request = Request { method, target, headers: Headers::new(), body: Vec::new().into() };
            let answer = served.answer(&request, &Moment { now: at(0), request_id: [1; 16], random: [2; 16] }).await;
            answer.response.expect("no fault is set").status
        };
        assert_eq!(call("POST", r#"{"Events":{"SyncTrigger":"a"}}"#).await.0, 200);
        assert_eq!(health().await, 200);
        fails.store(true, Ordering::SeqCst);
        let error = Some("InternalErrorException".to_owned());
        let (status, name, _) = call("POST", r#"{"Events":{"SyncTrigger":"b"}}"#).await;
        assert_eq!((status, &name), (500, &error));
        let (status, name, body) = call("GET", "").await;
        assert_eq!((status, &name), (500, &error), "{body}");
        assert!(!body.contains("\"b\""), "{body}");
        assert_eq!(health().await, 503);
    }

    const TARGET: &str = "com.amazonaws.cognito.sync.model.AWSCognitoSyncService.ListRecords";
    const TOLD: &str = r#"{"__type":"com.amazonaws.cognito.sync.model#TooManyRequestsException","message":"The server was told to fail: TooManyRequestsException"}"#;

    /// What a server that fails on purpose answers to `POST /` with this body.
    async fn failing(fault: &str, body: &str) -> crate::wire::Response {
        let service = Service::embedded_shared();
        let world = World::standard(1, 1);
        let accounts = Accounts::new(&service, std::slice::from_ref(&world), &Departure::default(), [5; 32], at(0));
        let fault = Fault::parse(fault, &service).expect("it is one");
        let (faults, clock) = (Faults::new(service, vec![fault], false), Clock::default());
        let accounts = accounts.expect("the world is one");
        let served = Served { accounts, store: None, log: None, own_paths: true, faults, clock };
        let headers: Headers = [("x-amz-target", TARGET)].into_iter().collect();
        let (method, target) = ("POST".to_owned(), "/".to_owned());
        let request = Request { method, target, headers, body: body.to_owned().into() };
        let answer = served.answer(&request, &Moment { now: at(0), request_id: [1; 16], random: [2; 16] }).await;
        answer.response.expect("nothing is cut")
    }

    #[rstest]
    #[case::bare(r#"{"IdentityId":"i"}"#, TOLD.to_owned())]
    #[case::in_an_envelope(r#"{"Operation":"o","Service":"s","Input":{}}"#, format!(r#"{{"Output":{TOLD},"Version":"1.0"}}"#))]
    #[case::unread("", format!(r#"{{"Output":{TOLD},"Version":"1.0"}}"#))]
    #[tokio::test]
    async fn a_fault_has_the_form_of_the_protocol_that_is_spoken(#[case] body: &str, #[case] expected: String) {
        let response = failing("TooManyRequestsException", body).await;
        assert_eq!((response.status, String::from_utf8_lossy(&response.body).into_owned()), (429, expected));
        assert!(!response.headers.contains("x-amzn-errortype"));
        assert_eq!(response.headers.get("content-type"), Some("application/json"));
    }

    #[tokio::test]
    async fn a_fault_of_the_framework_says_so_in_every_protocol() {
        let response = failing("ThrottlingException", "{}").await;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        assert!(body.starts_with(r#"{"__type":"com.amazon.coral.service#ThrottlingException""#), "{body}");
    }
}
