//! The other services, as far as there are any.

use std::time::Duration;

use super::kinesis::{Kinesis, Refusal};
use super::lambda::Lambda;
use super::s3::S3;
use super::send::{Sender, base};
use super::settings::Collaborators;
use super::sns::Sns;
use crate::reference::altered::{Departure, Switch, Telling};
use crate::reference::model::{
    Effect, EndpointRequest, Invocation, Notification, ServiceError, StreamRecord, StreamTarget, Untaken, Wanted,
};

/// The other services, as far as there are any.
#[derive(Debug)]
pub(in crate::reference) struct Outside {
    /// None when there is nobody to send to: servers without collaborators are started
    /// by the thousand.
    sender: Option<Sender>,
    lambda: Option<Lambda>,
    kinesis: Option<Kinesis>,
    sns: Option<Sns>,
}

/// What another service must answer before a request can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reference) enum Question {
    /// What does this function make of an update?
    Function(Invocation),
    /// What is the platform endpoint of this device?
    Endpoint(EndpointRequest),
    /// Are these taken? Only altered servers ask before they make an update.
    Effects(Vec<Effect>),
}

/// What the other service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reference) enum Reply {
    /// What the function wants.
    Wanted(Wanted),
    /// ARN of the endpoint.
    Endpoint(String),
    /// The first effect that was not taken, if one was not.
    Told(Option<Untaken>),
}

impl Outside {
    /// The collaborators, who are in this region, and how the server departs from what
    /// it should tell them.
    ///
    /// # Errors
    ///
    /// When an address cannot be used, or the platform's certificates are needed and
    /// cannot be loaded.
    pub(in crate::reference) fn new(
        collaborators: &Collaborators,
        region: &str,
        departure: &Departure,
    ) -> Result<Self, String> {
        let Collaborators { lambda, kinesis, sns, s3, bucket, times, .. } = collaborators;
        let s3 = base(s3.as_ref())?.map(|endpoint| S3 { endpoint, bucket: bucket.clone() });
        let telling = Telling::of(departure);
        let limit = match () {
            () if telling.switches.has(Switch::FunctionWaitedFor) => Duration::from_secs(60),
            () if telling.switches.has(Switch::FunctionGivenLittle) => times.function / 10,
            () => times.function,
        };
        Ok(Self {
            sender: collaborators.are_any().then(|| Sender::new(collaborators, region)).transpose()?,
            lambda: base(lambda.as_ref())?.map(|endpoint| Lambda { endpoint, limit, telling: telling.clone() }),
            kinesis: base(kinesis.as_ref())?.map(|endpoint| Kinesis {
                endpoint,
                times: *times,
                s3,
                telling: telling.clone(),
            }),
            sns: base(sns.as_ref())?.map(|endpoint| Sns { endpoint, limit: times.call, telling }),
        })
    }

    /// Whether any other service is called.
    pub(in crate::reference) fn is_anybody(&self) -> bool {
        self.sender.is_some()
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// What the request that needs the answer is refused with.
    pub(in crate::reference) async fn ask(&self, question: &Question) -> Result<Reply, ServiceError> {
        match (question, &self.sender, &self.lambda, &self.sns) {
            (Question::Function(invocation), Some(sender), Some(lambda), _) => {
                lambda.invoke(sender, invocation).await.map(Reply::Wanted)
            }
            (Question::Endpoint(request), Some(sender), _, Some(sns)) => {
                sns.create(sender, request).await.map(Reply::Endpoint)
            }
            (Question::Effects(effects), ..) => Ok(Reply::Told(self.tell(effects).await)),
            // The model asks only whom there is.
            _ => Err(ServiceError::new("InternalErrorException", "There is nobody to ask")),
        }
    }

    /// Sees to all of these up to the first that is not taken.
    async fn tell(&self, effects: &[Effect]) -> Option<Untaken> {
        for effect in effects {
            let told = match effect {
                Effect::Stream(target, record) => {
                    self.put(target, record).await.map_err(|refusal| (refusal.why, refusal.throttled))
                }
                Effect::Notify(notification) => self.notify(notification).await.map_err(|why| (why, false)),
                Effect::Publish(_) => Ok(()),
            };
            if let Err((why, throttled)) = told {
                return Some(Untaken { effect: effect.clone(), why, throttled });
            }
        }
        None
    }

    /// Puts a record into a stream. Fails for good.
    pub(super) async fn put(&self, target: &StreamTarget, record: &StreamRecord) -> Result<(), Refusal> {
        match (&self.kinesis, &self.sender) {
            (Some(kinesis), Some(sender)) => kinesis.put(sender, target, record).await,
            _ => Ok(()),
        }
    }

    /// Sends a silent message to a device. Fails with a sentence.
    pub(super) async fn notify(&self, notification: &Notification) -> Result<(), String> {
        match (&self.sns, &self.sender) {
            (Some(sns), Some(sender)) => sns.publish(sender, notification).await,
            _ => Ok(()),
        }
    }
}
