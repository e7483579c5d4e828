//! What `docs/aws/` tells people to allow, against what the suite asks for: every
//! request of every case is put to the policies as IAM would put it to them.
//!
//! `.ci/template.py` shows that the template makes roles and policies like these.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use syncspec::cases::{Action, Actor, Bindings, Case, Step, Suite};
use syncspec::spec::{Catalog, Credentials, Operation, Service};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "123456789012";
const POOL: &str = "eu-central-1:0c1ba052-e098-41fa-a76e-eaa2c125f861";
const IDENTITY: &str = "eu-central-1:5a1f2b3c-7d8e-4f90-8a1b-2c3d4e5f6071";
const OTHER_IDENTITY: &str = "eu-central-1:9e8d7c6b-5a49-4382-9716-0f1e2d3c4b5a";

/// A pool of the same account that the suite has no business with.
const ANOTHER_POOL: &str = "eu-central-1:7b6a5948-3726-4150-8f9e-8d7c6b5a4938";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> Value {
    let path = root().join("docs/aws").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let filled = [
        ("REGION", REGION),
        ("ACCOUNT", ACCOUNT),
        ("POOL", POOL),
        ("${cognito-identity.amazonaws.com:aud}", POOL),
        ("${cognito-identity.amazonaws.com:sub}", IDENTITY),
    ]
    .iter()
    .fold(text, |text, (word, value)| text.replace(word, value));
    serde_json::from_str(&filled).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A policy document, as far as these documents use the language: `Allow` with lists
/// of actions and resources.
struct Policy(Vec<Statement>);

struct Statement {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
}

impl Policy {
    fn read(name: &str) -> Self {
        let document = document(name);
        assert_eq!(document["Version"], "2012-10-17", "{name}");
        let texts = |value: &Value| -> Vec<String> {
            let list = value.as_array().unwrap_or_else(|| panic!("{name}: {value} is no list"));
            list.iter().map(|text| text.as_str().expect("text").to_owned()).collect()
        };
        let statements = document["Statement"].as_array().expect("statements").iter().map(|statement| {
            assert_eq!(statement["Effect"], "Allow", "{name}: {statement}");
            // What a condition lets through is not worked out here.
            let is_bare = statement.get("Condition").is_none();
            assert!(is_bare || !statement["Action"].to_string().contains("cognito-sync:"), "{name}: {statement}");
            Statement {
                sid: statement["Sid"].as_str().expect("every statement has a name").to_owned(),
                actions: texts(&statement["Action"]),
                resources: texts(&statement["Resource"]),
            }
        });
        Self(statements.collect())
    }

    fn allows(&self, action: &str, resource: &str) -> bool {
        self.0.iter().any(|statement| {
            statement.actions.iter().any(|pattern| matches(pattern, action))
                && statement.resources.iter().any(|pattern| matches(pattern, resource))
        })
    }

    /// The operations that it allows on things that exist, with the resources.
    fn operations(&self) -> Vec<(&str, &str)> {
        let statements = self.0.iter().filter(|statement| statement.sid != "PoolsThatCannotExist");
        let pairs = statements.flat_map(|statement| {
            statement.actions.iter().flat_map(|action| statement.resources.iter().map(move |to| (action, to)))
        });
        pairs.filter_map(|(action, to)| Some((action.strip_prefix("cognito-sync:")?, to.as_str()))).collect()
    }
}

/// Whether `text` as a whole matches an IAM pattern, in which `*` stands for any text
/// and `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let mut chars = text.chars();
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => matches(&pattern[1..], text) || (chars.next().is_some() && matches(pattern, chars.as_str())),
        Some(one) => {
            chars.next().is_some_and(|found| one == '?' || one == found)
                && matches(&pattern[one.len_utf8()..], chars.as_str())
        }
    }
}

/// The resource that IAM is asked about, by the operation's resource type. What a
/// request does not name is `null` there, as a refusal by the service showed.
fn arn(operation: &Operation, label: impl Fn(&str) -> Option<String>) -> String {
    let named = |name| label(name).unwrap_or_else(|| "null".to_owned());
    let pool = format!("arn:aws:cognito-sync:{REGION}:{ACCOUNT}:identitypool/{}", named("IdentityPoolId"));
    match operation.resource.as_str() {
        "identitypool" => pool,
        "identity" => format!("{pool}/identity/{}", named("IdentityId")),
        "dataset" => format!("{pool}/identity/{}/dataset/{}", named("IdentityId"), named("DatasetName")),
        other => panic!("an unknown type of resource: {other}"),
    }
}

fn bindings(step: &Step) -> Bindings {
    let mut bindings = Bindings::new();
    // Whatever else is captured or made up, no policy looks at it.
    step.placeholders(&mut |name| bindings.bind(name, 1));
    for (name, value) in [
        ("identity-pool-id", POOL),
        ("other-identity-pool-id", ANOTHER_POOL),
        ("identity-id", IDENTITY),
        ("other-identity-id", OTHER_IDENTITY),
        ("region", REGION),
    ] {
        bindings.bind(name, value);
    }
    bindings
}

/// The operation that a step reaches and the resource that it names; none when it
/// reaches none, or is not what was signed.
fn asked<'s>(service: &'s Service, step: &Step) -> Option<(&'s Operation, String)> {
    let bindings = bindings(step);
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match &step.action {
        _ if step.is_tampered() => None,
        Action::Call(call) => {
            let operation = &service.operations[&call.operation];
            let input: Vec<(&str, Value)> = (call.input.iter())
                .map(|(name, template)| (name.as_str(), template.render(&bindings).expect("all is bound")))
                .collect();
            let label = |name: &str| input.iter().find(|(of, _)| *of == name).map(|(_, value)| text(value.clone()));
            Some((operation, arn(operation, label)))
        }
        Action::Send { method, target, .. } => {
            let method = method.render(&bindings).expect("all is bound");
            let target = target.render(&bindings).expect("all is bound");
            let (operation, labels) = service.routed(&method, &target)?;
            let label = |name: &str| labels.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone());
            Some((operation, arn(operation, label)))
        }
        Action::Bytes(_) | Action::Observe(_) => None,
    }
}

/// Whether the step goes on as declared when IAM refuses it.
fn accepts_refusal(step: &Step) -> bool {
    let refused = |names: &[String]| names.iter().any(|name| name == "AccessDeniedException");
    step.any_answer || step.expects.iter().find(|expect| expect.has_outcome()).is_some_and(|it| refused(&it.error))
}

fn suite() -> Suite {
    Suite::from_dir(Service::embedded(), Catalog::embedded(), &root().join("cases"))
        .unwrap_or_else(|error| panic!("\n{error}"))
}

/// The steps of the case that a policy would refuse although the case does not
/// take that for an answer.
fn refused(case: &Case, developer: &Policy, identity: &Policy) -> Vec<String> {
    let service = Service::embedded();
    let steps = case.steps.iter().enumerate().filter_map(|(index, step)| {
        let (policy, who) = match step.actor {
            Actor::Developer => (developer, "developer"),
            Actor::Identity => (identity, "identity"),
            // The other identity reaches its own data as the first does its own.
            _ => return None,
        };
        let (operation, resource) = asked(service, step)?;
        let allowed = policy.allows(&format!("cognito-sync:{}", operation.name), &resource);
        let step_number = index + 1;
        (!allowed && !accepts_refusal(step))
            .then(|| format!("{} step {step_number}: {who} {} on {resource}", case.id, operation.name))
    });
    steps.collect()
}

#[test]
fn the_policies_let_every_request_of_the_suite_reach_the_service() {
    let (developer, identity) = (Policy::read("developer-policy.json"), Policy::read("identity-policy.json"));
    let suite = suite();
    let refused: Vec<String> = suite.cases.iter().flat_map(|case| refused(case, &developer, &identity)).collect();
    assert!(
        refused.is_empty(),
        "IAM would refuse, where a case expects the service's own answer:\n{}",
        refused.join("\n")
    );
}

#[test]
fn without_the_pools_that_cannot_exist_cases_would_meet_iam_instead_of_the_service() {
    let Policy(mut statements) = Policy::read("developer-policy.json");
    statements.retain(|statement| statement.sid != "PoolsThatCannotExist");
    let (developer, identity) = (Policy(statements), Policy::read("identity-policy.json"));
    let of: BTreeSet<String> = suite()
        .cases
        .iter()
        .filter(|case| !refused(case, &developer, &identity).is_empty())
        .map(|case| topic(case))
        .collect();
    assert!(of.contains("constraints/identity-pool-id") && of.contains("errors/unknown-pool"), "{of:?}");
}

fn topic(case: &Case) -> String {
    case.id.split('/').take(2).collect::<Vec<_>>().join("/")
}

#[test]
fn each_action_is_allowed_for_resources_of_its_own_type_and_no_other_is_listed() {
    let service = Service::embedded();
    for (name, everyone) in [("developer-policy.json", true), ("identity-policy.json", false)] {
        let policy = Policy::read(name);
        let listed: BTreeSet<&str> = policy.operations().into_iter().map(|(operation, _)| operation).collect();
        // The account may ask for what is meant for identities only: that the service
        // itself refuses it is what cases are about.
        let wanted = service
            .operations
            .values()
            .filter(|operation| everyone || operation.credentials != Credentials::DeveloperOnly);
        assert_eq!(listed, wanted.map(|operation| operation.name.as_str()).collect(), "{name}");
        for (operation, resource) in policy.operations() {
            let depth = resource.split('/').count();
            let expected = match service.operations[operation].resource.as_str() {
                "identitypool" => 2,
                "identity" => 4,
                "dataset" => 6,
                other => panic!("an unknown type of resource: {other}"),
            };
            assert_eq!(depth, expected, "{name}: {operation} on {resource}");
        }
    }
}

#[test]
fn nothing_but_the_names_of_other_pools_is_allowed() {
    let (developer, identity) = (Policy::read("developer-policy.json"), Policy::read("identity-policy.json"));
    for operation in Service::embedded().operations.values() {
        let action = format!("cognito-sync:{}", operation.name);
        let of = |pool: &str, identity: &str| {
            let names = json!({ "IdentityPoolId": pool, "IdentityId": identity, "DatasetName": "saves" });
            arn(operation, |name| names[name].as_str().map(str::to_owned))
        };
        let lists_pools = operation.name == "ListIdentityPoolUsage";
        assert_eq!(developer.allows(&action, &of(ANOTHER_POOL, IDENTITY)), lists_pools, "{action}");
        assert!(!identity.allows(&action, &of(ANOTHER_POOL, IDENTITY)), "{action}");
        if operation.resource != "identitypool" {
            assert!(!identity.allows(&action, &of(POOL, OTHER_IDENTITY)), "{action}");
            assert!(identity.allows(&action, &of(POOL, IDENTITY)), "{action}");
        }
    }
}

#[test]
fn the_page_explains_every_document_and_every_statement_in_it() {
    let page = fs::read_to_string(root().join("docs/aws.md")).expect("the page");
    let mut documents = 0;
    for entry in fs::read_dir(root().join("docs/aws")).expect("the documents") {
        let name = entry.expect("an entry").file_name().into_string().expect("plain names");
        assert!(page.contains(&format!("(aws/{name})")), "docs/aws.md leads nowhere to {name}");
        if name.ends_with(".json") {
            documents += 1;
            for statement in document(&name)["Statement"].as_array().expect("statements") {
                let sid = statement["Sid"].as_str().expect("every statement has a name");
                assert!(page.contains(&format!("`{sid}`")), "docs/aws.md does not explain {sid} of {name}");
            }
        }
    }
    assert!(documents > 0);
}
