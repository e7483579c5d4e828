//! Lambda's Invoke: a function is called and waited for.

use std::time::Duration;

use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use serde_json::Value;

use super::send::{Lost, Outgoing, Sender, UNRESERVED, refused, shortened};
use super::trigger;
use crate::reference::altered::{Switch, Telling, Told};
use crate::reference::model::{Invocation, ServiceError, Wanted};

/// Most bytes of a function's answer: what Lambda itself allows.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;

/// Lambda at an endpoint.
#[derive(Debug)]
pub(super) struct Lambda {
    pub(super) endpoint: String,
    pub(super) limit: Duration,
    pub(super) telling: Telling,
}

impl Lambda {
    /// Calls the function and reads what it wants.
    pub(super) async fn invoke(&self, sender: &Sender, invocation: &Invocation) -> Result<Wanted, ServiceError> {
        let event = trigger::event(invocation, &sender.signer.region);
        let event = self.telling.told(Told::Event, event).unwrap_or_default();
        let wanted = self.invoke_with(sender, invocation, &event).await;
        let wanted = match wanted {
            Ok(_) if self.telling.switches.has(Switch::FunctionCalledTwice) => {
                self.invoke_with(sender, invocation, &event).await
            }
            wanted => wanted,
        };
        match wanted {
            Err(_) if self.telling.switches.has(Switch::FunctionFailureIgnored) => Ok(Wanted::default()),
            wanted => wanted,
        }
    }

    async fn invoke_with(
        &self,
        sender: &Sender,
        invocation: &Invocation,
        event: &Value,
    ) -> Result<Wanted, ServiceError> {
        let arn = utf8_percent_encode(&invocation.function_arn, UNRESERVED);
        let answer = sender.send(Outgoing {
            service: "lambda",
            method: Method::POST,
            url: format!("{}/2015-03-31/functions/{arn}/invocations", self.endpoint),
            headers: &[("content-type", "application/json"), ("x-amz-invocation-type", "RequestResponse")],
            body: event.to_string().into_bytes(),
            limit: self.limit,
            most: ANSWER_BYTES_MAX,
        });
        let answer = answer.await.map_err(|lost| self.lost(&lost))?;
        if answer.status == 429 {
            return Err(ServiceError::new("LambdaThrottledException", "AWS Lambda throttled the function"));
        }
        if answer.status >= 500 {
            return Err(ServiceError::new("InternalErrorException", "AWS Lambda failed"));
        }
        if !answer.is_ok() {
            let (name, message) = answer.json_error();
            return Err(invalid(format!("AWS Lambda {}", refused(answer.status, &name, &message))));
        }
        if answer.headers.contains_key("x-amz-function-error") {
            let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let message = said["errorMessage"].as_str().unwrap_or_default();
            return Err(invalid(format!("The function ended with an error: {}", shortened(message))));
        }
        trigger::wanted(&answer.body, event, &self.telling).map_err(invalid)
    }

    fn lost(&self, lost: &Lost) -> ServiceError {
        match lost {
            Lost::TimedOut => {
                let message = format!("The function did not answer within {} ms", self.limit.as_millis());
                ServiceError::new("LambdaSocketTimeoutException", message)
            }
            Lost::TooLarge => invalid("The function's answer is too large"),
            Lost::Broken(_) => ServiceError::new("InternalErrorException", format!("AWS Lambda {}", lost.in_words())),
        }
    }
}

/// The error that blames the function.
pub(in crate::reference) fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidLambdaFunctionOutputException", message)
}
