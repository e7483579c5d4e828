//! Mutants derived from the service description: for each requirement that stands
//! there as data, the servers that break it.

mod constraint;
mod member;
mod output;

use super::alteration::Alteration;
use crate::reference::Switch;
use crate::spec::{Catalog, Credentials, Operation, Service, Strength};

use self::member::Place;

/// Every mutant that follows from the description.
pub fn derived(service: &Service) -> Vec<Alteration> {
    let mut mutants = Vec::new();
    for operation in service.operations.values() {
        routes(operation, &mut mutants);
        for (name, member) in &operation.input {
            binding(operation, name, &mut mutants);
            let place = Place::of_input(operation, name);
            constraint::of_member(service, &place, member, &mut mutants);
        }
        output::of_operation(service, operation, &mut mutants);
        errors(service, operation, &mut mutants);
        credentials(operation, &mut mutants);
    }
    output::of_errors(service, &mut mutants);
    common_errors(service, &mut mutants);
    limits(service, &mut mutants);
    // Nobody knows whether a server is wrong that departs from what is open.
    let catalog = Catalog::of(service);
    let is_open = |id: &String| catalog.get(id).is_some_and(|requirement| requirement.strength == Strength::Open);
    mutants.retain(|mutant| !mutant.requirements.iter().any(is_open));
    mutants
}

fn routes(operation: &Operation, mutants: &mut Vec<Alteration>) {
    let (name, id) = (operation.name.clone(), format!("{}/route", operation.name));
    let moved = name.clone();
    mutants.push(Alteration::described(
        &format!("{id}/moved"),
        &format!("`{name}` has another path."),
        &[&id],
        move |service| service.operations[&moved].uri.insert_str(1, "v1/"),
    ));
    let method = if operation.method == "POST" { "PUT" } else { "POST" };
    mutants.push(Alteration::described(
        &format!("{id}/method"),
        &format!("`{name}` is called with {method}."),
        &[&id],
        move |service| method.clone_into(&mut service.operations[&name].method),
    ));
}

fn binding(operation: &Operation, member: &str, mutants: &mut Vec<Alteration>) {
    let (name, id) = (operation.name.clone(), format!("{}/input/{member}/binding", operation.name));
    let member = member.to_owned();
    mutants.push(Alteration::described(
        &format!("{id}/renamed"),
        &format!("`{name}` looks for `{member}` under another name."),
        &[&id],
        move |service| service.operations[&name].input[&member].wire_name.push_str("-x"),
    ));
}

fn errors(service: &Service, operation: &Operation, mutants: &mut Vec<Alteration>) {
    for error in &operation.errors {
        let id = format!("{}/error/{error}", operation.name);
        let status = if service.errors[error].status == 400 { 422 } else { 400 };
        let name = error.clone();
        mutants.push(Alteration::described(
            &format!("{id}/status"),
            &format!("`{error}` has the HTTP status {status}."),
            &[&id],
            move |service| service.errors[&name].status = status,
        ));
    }
}

fn common_errors(service: &Service, mutants: &mut Vec<Alteration>) {
    for (error, status) in &service.common_errors {
        let id = format!("service/common-error/{error}");
        let (name, status) = (error.clone(), if *status == 400 { 422 } else { 400 });
        mutants.push(Alteration::described(
            &format!("{id}/status"),
            &format!("`{error}` has the HTTP status {status}."),
            &[&id],
            move |service| service.common_errors[&name] = status,
        ));
    }
}

fn credentials(operation: &Operation, mutants: &mut Vec<Alteration>) {
    let name = &operation.name;
    let mut class = |what: &str, about: String, credentials: Credentials| {
        let (id, name) = (format!("{name}/credentials/{what}"), name.clone());
        mutants.push(Alteration::described(&format!("{id}/broken"), &about, &[&id], move |service| {
            service.operations[&name].credentials = credentials;
        }));
    };
    let (identity, developer) = (Credentials::IdentityOnly, Credentials::DeveloperOnly);
    match operation.credentials {
        Credentials::DeveloperOnly => {
            class("developer-accepted", format!("`{name}` refuses developer credentials."), identity);
            class("identity-refused", format!("`{name}` accepts an identity's credentials."), Credentials::Either);
        }
        Credentials::IdentityOnly => {
            class("identity-accepted", format!("`{name}` refuses an identity's credentials."), developer);
            class("developer-refused", format!("`{name}` accepts developer credentials."), Credentials::Either);
        }
        Credentials::Either => {
            class("developer-accepted", format!("`{name}` refuses developer credentials."), identity);
            class("identity-accepted", format!("`{name}` refuses an identity's credentials."), developer);
        }
    }
    let mut switched = |what: &str, about: String, switch: Switch| {
        let id = format!("{name}/credentials/{what}");
        mutants.push(Alteration::mutant(&format!("{id}/broken"), &about, &[&id], switch));
    };
    if operation.credentials != Credentials::DeveloperOnly {
        let about = "An identity's credentials are good for every identity.".to_owned();
        switched("other-identity-refused", about, Switch::ScopeUnchecked);
    }
    switched("none-refused", "A request without signature is taken.".to_owned(), Switch::UnsignedAccepted);
}

/// Quotas: none at all, and where they count things, one more or one fewer. The
/// sizes in the sources are round numbers that say nothing to the byte, or hour.
fn limits(service: &Service, mutants: &mut Vec<Alteration>) {
    for limit in &service.limits {
        let id = format!("{}/limit/{}", limit.operation, limit.id);
        let exact = !matches!(limit.unit.as_str(), "bytes" | "hours");
        let off_by_one = [("one-more", limit.value + 1), ("one-fewer", limit.value - 1)];
        let unlimited = if limit.unit == "hours" { 0 } else { u64::MAX };
        let values = [("unlimited", unlimited)].into_iter().chain(exact.then_some(off_by_one).into_iter().flatten());
        for (word, value) in values {
            let limit = limit.id.clone();
            let about = format!("The quota `{limit}` is {value} instead of what it should be.");
            mutants.push(Alteration::described(&format!("{id}/{word}"), &about, &[&id], move |service| {
                service.limits.iter_mut().filter(|other| other.id == limit).for_each(|limit| limit.value = value);
            }));
        }
    }
}
