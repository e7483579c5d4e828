//! SNS: platform endpoints and messages to them, in its query protocol.

use serde_json::{Value, json};

use super::desk::{Addressee, Desk};
use super::mailbox::{Endpoint, State};
use super::route::answer as reply;
use super::script::{PushAnswer, PushCall, Role, nth};
use crate::wire::{self, Request, Response};

/// Errors whose status is not 400.
const STATUSES: [(&str, u16); 5] = [
    ("NotFound", 404),
    ("AuthorizationError", 403),
    ("Throttled", 429),
    ("InternalError", 500),
    ("InternalFailure", 500),
];

pub(super) async fn answer(desk: &Desk, form: &[(String, String)], request: Request) -> Response {
    let of = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let action = of("Action");
    let (arn, call) = match action {
        "CreatePlatformEndpoint" => (of("PlatformApplicationArn"), Some(PushCall::Create)),
        "Publish" => {
            (if of("TargetArn").is_empty() { of("TopicArn") } else { of("TargetArn") }, Some(PushCall::Publish))
        }
        "GetEndpointAttributes" | "SetEndpointAttributes" | "DeleteEndpoint" => (of("EndpointArn"), None),
        _ => {
            desk.stray(&format!("{action} of SNS, which is not played"));
            return error("InvalidAction", None, &format!("syncspec does not play {action}"));
        }
    };
    let post = match desk.addressee(application(arn)) {
        Addressee::Open(post) => post,
        Addressee::Closed => return done(action, "<EndpointArn>closed</EndpointArn><MessageId>closed</MessageId>"),
        Addressee::Nobody => {
            desk.stray(&format!("{action} of SNS with `{arn}`"));
            return error("NotFound", None, "PlatformApplication does not exist");
        }
    };
    let count = |state: &mut State| match call {
        Some(PushCall::Create) => counted(&mut state.creations),
        Some(PushCall::Publish) => counted(&mut state.publications),
        None => 0,
    };
    let token = of("Token");
    let note = |state: &mut State| {
        if !token.is_empty() && !state.tokens.iter().any(|known| known == token) {
            state.tokens.push(token.to_owned());
        }
    };
    let (number, hearing) = post.hear(Role::Push, request, count, note);
    let scripted = |call| post.scripts.push.iter().filter(move |answer| answer.on.is_none_or(|on| on == call));
    let script = call.and_then(|call| {
        let answers: Vec<&PushAnswer> = scripted(call).collect();
        nth(&answers, number).map(|answer| (*answer).clone())
    });
    let script = script.unwrap_or_default();
    hearing.pause(script.delay).await;
    // An endpoint is one with that of the same token, so the answer needs the state.
    hearing.answered(|state| {
        let refusal = script.refusal.as_ref();
        if let Some(refusal) = refusal {
            state.refused_pushes += 1;
            return error(&refusal.error, refusal.status, refusal.message());
        }
        match call {
            Some(PushCall::Create) => created(state, action, arn, of("Token")),
            Some(PushCall::Publish) => published(state, action, arn, of("Message"), of("MessageStructure")),
            None => {
                let token = state.endpoints.iter().find(|known| known.arn == arn).map(|known| &known.token);
                let unknown = || error("NotFound", None, "Endpoint does not exist");
                token.map_or_else(unknown, |token| attributes(action, token))
            }
        }
    })
}

fn published(state: &mut State, action: &str, arn: &str, text: &str, structure: &str) -> Response {
    if !state.endpoints.iter().any(|endpoint| endpoint.arn == arn) {
        state.refused_pushes += 1;
        let message = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified";
        return error("InvalidParameter", None, message);
    }
    let message = message(text, structure);
    let structure = (!structure.is_empty()).then_some(structure);
    if state.keeps {
        state.messages.push(json!({ "target": arn, "message-structure": structure, "message": message }));
    }
    done(action, "<MessageId>00000000-0000-4000-8000-000000000001</MessageId>")
}

fn counted(count: &mut usize) -> usize {
    *count += 1;
    *count - 1
}

/// The name of the application in its ARN, or in that of one of its endpoints.
fn application(arn: &str) -> &str {
    let rest = arn.split_once(":app/").or_else(|| arn.split_once(":endpoint/")).map_or("", |(_, rest)| rest);
    rest.split('/').nth(1).unwrap_or_default()
}

/// The endpoint of a token, which is made when there is none.
fn created(state: &mut State, action: &str, application: &str, token: &str) -> Response {
    let known = state.endpoints.iter().find(|endpoint| endpoint.application == application && endpoint.token == token);
    let arn = match known {
        Some(endpoint) => endpoint.arn.clone(),
        None => {
            let number = state.endpoints.len() + 1;
            let arn =
                format!("{}/00000000-0000-4000-8000-{number:012}", application.replacen(":app/", ":endpoint/", 1));
            let (application, token) = (application.to_owned(), token.to_owned());
            if state.keeps {
                state.endpoints.push(Endpoint { arn: arn.clone(), application, token });
            }
            arn
        }
    };
    done(action, &format!("<EndpointArn>{}</EndpointArn>", escaped(&arn)))
}

fn attributes(action: &str, token: &str) -> Response {
    if action != "GetEndpointAttributes" {
        return done(action, "");
    }
    let entry = |key: &str, value: &str| format!("<entry><key>{key}</key><value>{}</value></entry>", escaped(value));
    done(action, &format!("<Attributes>{}{}</Attributes>", entry("Enabled", "true"), entry("Token", token)))
}

/// A message as JSON where it is that: its texts for platforms too, when it has some.
fn message(text: &str, structure: &str) -> Value {
    let parsed = |text: &str| wire::json(text.as_bytes()).unwrap_or_else(|| Value::from(text));
    if structure != "json" {
        return Value::from(text);
    }
    match parsed(text) {
        Value::Object(platforms) => {
            let form = |(platform, text): (String, Value)| {
                let form = text.as_str().map(&parsed).unwrap_or(text);
                (platform, form)
            };
            Value::Object(platforms.into_iter().map(form).collect())
        }
        other => other,
    }
}

fn done(action: &str, result: &str) -> Response {
    let xml = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>syncspec</RequestId></ResponseMetadata></{action}Response>"
    );
    reply(200, "text/xml", xml)
}

fn error(code: &str, status: Option<u16>, message: &str) -> Response {
    let usual = STATUSES.iter().find(|(known, _)| *known == code).map_or(400, |(_, status)| *status);
    let status = status.unwrap_or(usual);
    let side = if status < 500 { "Sender" } else { "Receiver" };
    let xml = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{side}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>syncspec</RequestId></ErrorResponse>",
        escaped(code),
        escaped(message)
    );
    reply(status, "text/xml", xml)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::{application, message};

    #[rstest]
    #[case("arn:aws:sns:us-east-1:1:app/GCM/mine", "mine")]
    #[case("arn:aws:sns:us-east-1:1:endpoint/GCM/mine/1-2", "mine")]
    #[case("arn:aws:sns:us-east-1:1:topic", "")]
    fn an_application_is_known_by_its_endpoints_too(#[case] arn: &str, #[case] expected: &str) {
        assert_eq!(application(arn), expected);
    }

    #[test]
    fn a_message_is_read_as_far_as_it_is_json() {
        let text = json!({ "default": "d", "GCM": "{\"data\":{\"a\":\"1\"}}" }).to_string();
        assert_eq!(message(&text, "json"), json!({ "default": "d", "GCM": { "data": { "a": "1" } } }));
        assert_eq!(message(&text, ""), json!(text));
        assert_eq!(message("no", "json"), json!("no"));
    }
}
