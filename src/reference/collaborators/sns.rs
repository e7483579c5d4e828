//! SNS' CreatePlatformEndpoint and Publish.

use std::time::Duration;

use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use serde_json::{Value, json};

use super::send::{Answer, Lost, Outgoing, Sender, UNRESERVED, refused};
use crate::reference::altered::{Switch, Telling, Told};
use crate::reference::model::{EndpointRequest, Notification, ServiceError};

/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What stands before application and token of an endpoint that is made later.
const LATE: &str = "late ";

/// SNS at an endpoint.
#[derive(Debug)]
pub(super) struct Sns {
    pub(super) endpoint: String,
    pub(super) limit: Duration,
    pub(super) telling: Telling,
}

impl Sns {
    /// Creates a platform endpoint for a device and gives its ARN.
    pub(super) async fn create(&self, sender: &Sender, request: &EndpointRequest) -> Result<String, ServiceError> {
        if self.telling.switches.has(Switch::EndpointsMadeLate) {
            return Ok([LATE, &request.application_arn, " ", &request.token].concat());
        }
        self.create_now(sender, request).await
    }

    async fn create_now(&self, sender: &Sender, request: &EndpointRequest) -> Result<String, ServiceError> {
        let asked = json!({ "PlatformApplicationArn": request.application_arn, "Token": request.token });
        let asked = self.telling.told(Told::Endpoint, asked).unwrap_or_default();
        let part = |name: &'static str| (name, asked[name].as_str().unwrap_or_default());
        let parameters = [part("PlatformApplicationArn"), part("Token")];
        let internal = |message: String| ServiceError::new("InternalErrorException", format!("SNS {message}"));
        let answer = self.call(sender, "CreatePlatformEndpoint", &parameters).await;
        let answer = answer.map_err(|lost| internal(lost.in_words()))?;
        let text = answer.text();
        let part = |name| tag(&text, name).unwrap_or_default();
        if answer.is_ok() {
            return tag(&text, "EndpointArn").ok_or_else(|| internal("named no endpoint".to_owned()));
        }
        let (code, message) = (part("Code"), part("Message"));
        let said = format!("SNS {}", refused(answer.status, &code, &message));
        Err(match code.as_str() {
            "Throttling" | "ThrottledException" => ServiceError::new("TooManyRequestsException", said),
            "InvalidParameter" if message.contains("Token") => ServiceError::new("InvalidParameterException", said),
            _ if answer.status == 429 => ServiceError::new("TooManyRequestsException", said),
            _ if answer.status >= 500 => ServiceError::new("InternalErrorException", said),
            _ => ServiceError::new("InvalidConfigurationException", said),
        })
    }

    /// Sends a silent message to a device. Fails with a sentence.
    pub(super) async fn publish(&self, sender: &Sender, notification: &Notification) -> Result<(), String> {
        let Some(message) = message(notification, &self.telling) else { return Ok(()) };
        let message = message.to_string();
        let endpoint_arn = self.made(sender, &notification.endpoint_arn).await;
        let parameters = [("TargetArn", endpoint_arn.as_str()), ("MessageStructure", "json"), ("Message", &message)];
        match self.call(sender, "Publish", &parameters).await {
            Ok(answer) if answer.is_ok() => Ok(()),
            Ok(answer) => Err(format!("SNS refused a message with status {}", answer.status)),
            Err(lost) => Err(format!("SNS {}", lost.in_words())),
        }
    }

    /// The endpoint, which an altered server makes only now.
    async fn made(&self, sender: &Sender, endpoint_arn: &str) -> String {
        let late = endpoint_arn.strip_prefix(LATE).and_then(|late| late.split_once(' '));
        let Some((application_arn, token)) = late else { return endpoint_arn.to_owned() };
        let (application_arn, token) = (application_arn.to_owned(), token.to_owned());
        self.create_now(sender, &EndpointRequest { application_arn, token }).await.unwrap_or_default()
    }

    async fn call(&self, sender: &Sender, action: &str, parameters: &[(&str, &str)]) -> Result<Answer, Lost> {
        let mut form = format!("Action={action}&Version=2010-03-31");
        for (name, value) in parameters {
            form.extend(["&", name, "="]);
            form.extend(utf8_percent_encode(value, UNRESERVED));
        }
        let request = Outgoing {
            service: "sns",
            method: Method::POST,
            url: format!("{}/", self.endpoint),
            headers: &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: form.into_bytes(),
            limit: self.limit,
            most: ANSWER_BYTES_MAX,
        };
        sender.send(request).await
    }
}

/// One text for each kind of endpoint: the form of the device's platform, and a default
/// that SNS wants to be there. None when nothing is to be said.
fn message(notification: &Notification, telling: &Telling) -> Option<Value> {
    let Notification { platform, place, sync_count, .. } = notification;
    let data = json!({
        "source": "cognito-sync",
        "identityPoolId": place.identity_pool_id,
        "identityId": place.identity_id,
        "datasetName": place.dataset_name,
        "syncCount": sync_count.to_string(),
    });
    let form = match platform.as_str() {
        // No alert, no sound: the application is woken and nobody notices.
        "APNS" | "APNS_SANDBOX" => json!({ "aps": { "content-available": 1 }, "data": data }),
        // What stands under `data` is at the top level of what the application gets.
        _ => json!({ "data": data }),
    };
    let form = telling.told(Told::Message(platform), form)?;
    Some(json!({ "default": data.to_string(), platform: form.to_string() }))
}

/// The text of the first element of this name in an XML document.
pub(super) fn tag(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text.trim().to_owned(), |text, (entity, character)| text.replace(entity, character)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Telling, message, tag};
    use crate::reference::model::{DatasetPlace, Notification};

    #[rstest]
    #[case::gcm("GCM", "/data")]
    #[case::adm("ADM", "/data")]
    #[case::apns("APNS", "/data")]
    #[case::sandbox("APNS_SANDBOX", "/data")]
    fn a_message_has_the_form_of_its_platform(#[case] platform: &str, #[case] at: &str) {
        let place = DatasetPlace {
            identity_pool_id: "p".to_owned(),
            identity_id: "i".to_owned(),
            dataset_name: "d".to_owned(),
        };
        let notification =
            Notification { endpoint_arn: "e".to_owned(), platform: platform.to_owned(), place, sync_count: 7 };
        let said = message(&notification, &Telling::default()).expect("something is said");
        let parse = |text: &Value| -> Value { serde_json::from_str(text.as_str().expect("a text")).expect("JSON") };
        let expected = json!({
            "source": "cognito-sync", "identityPoolId": "p", "identityId": "i", "datasetName": "d", "syncCount": "7",
        });
        let form = parse(&said[platform]);
        assert_eq!(form.pointer(at), Some(&expected));
        assert_eq!(form.pointer("/aps/content-available").is_some(), platform.starts_with("APNS"));
        assert_eq!(parse(&said["default"]), expected);
    }

    #[test]
    fn the_text_of_an_element_is_found() {
        let document = "<a><Code>No &amp;lt;</Code><Code>x</Code>\n<Message> y </Message></a>";
        assert_eq!(tag(document, "Code").as_deref(), Some("No &lt;"));
        assert_eq!(tag(document, "Message").as_deref(), Some("y"));
        assert_eq!(tag(document, "Type"), None);
    }
}
