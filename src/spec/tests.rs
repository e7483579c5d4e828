//! The loader refuses what does not hang together; the catalogue derives the ids
//! that the documents promise.

use super::{Catalog, RequirementKind, Service, Strength};

const DESCRIPTION: &str = include_str!("service.toml");

/// What the loader says of the description with `from` replaced by `to`.
fn refusal(from: &str, to: &str) -> String {
    assert!(DESCRIPTION.contains(from), "the description has no `{from}`");
    match Service::from_toml(&DESCRIPTION.replacen(from, to, 1)) {
        Ok(_) => panic!("accepted with `{to}`"),
        Err(error) => error.to_string(),
    }
}

fn catalog() -> Catalog {
    Catalog::of(Service::embedded())
}

fn count(catalog: &Catalog, kind: RequirementKind) -> usize {
    catalog.iter().filter(|requirement| requirement.kind == kind).count()
}

/// No start checks the form that the build prepared.
#[test]
fn the_shipped_description_is_consistent_and_comes_out_as_it_was_written() {
    let written = Service::from_toml(DESCRIPTION).expect("the description is consistent");
    assert_eq!(format!("{:?}", Service::embedded()), format!("{written:?}"));
}

#[test]
fn an_unknown_shape_is_refused() {
    let refusal = refusal("Datasets = { shape = \"DatasetList\" }", "Datasets = { shape = \"DatasetLisst\" }");
    assert_eq!(refusal, "service description: operation.ListDatasets.Datasets: unknown shape `DatasetLisst`");
}

#[test]
fn an_unknown_source_is_refused() {
    let refusal = refusal("sources = [\"guide\"]", "sources = [\"giude\"]");
    assert_eq!(refusal, "service description: limit.datasets-per-identity: unknown source `giude`");
}

#[test]
fn an_unknown_operation_is_refused() {
    let refusal =
        refusal("id = \"tombstone\"\noperation = \"ListRecords\"", "id = \"tombstone\"\noperation = \"List\"");
    assert_eq!(refusal, "service description: tombstone: unknown operation `List`");
}

#[test]
fn an_undeclared_error_is_refused() {
    let refusal = refusal("    \"AlreadyStreamedException\",\n", "    \"AlreadySentException\",\n");
    assert_eq!(refusal, "service description: operation.BulkPublish: unknown error `AlreadySentException`");
}

#[test]
fn an_unknown_requirement_in_a_dispute_is_refused() {
    let refusal = refusal("requirements = [\"service/rule/legacy-rpc\"]", "requirements = [\"service/rule/rpc\"]");
    assert_eq!(refusal, "service description: dispute.protocol-of-samples: unknown requirement `service/rule/rpc`");
}

#[test]
fn an_unknown_requirement_that_shows_a_reading_is_refused() {
    let refusal = refusal("shown-by = [\"service/rule/legacy-rpc\"]", "shown-by = [\"service/rule/rpc\"]");
    assert_eq!(refusal, "service description: dispute.protocol-of-samples: unknown requirement `service/rule/rpc`");
}

#[test]
fn two_rules_of_one_id_are_refused() {
    let refusal = refusal("id = \"tombstone\"", "id = \"returns-token\"");
    assert_eq!(refusal, "service description: ListRecords/rule/returns-token: two requirements have this id");
}

#[test]
fn an_unknown_key_is_refused() {
    assert!(refusal("success-status = 200", "success = 200").contains("unknown field `success`"));
}

#[test]
fn a_pattern_that_is_no_expression_is_refused() {
    let refusal = refusal("pattern = '[a-zA-Z0-9_.:-]+'", "pattern = '[a-zA-Z0-9_.:-+'");
    assert!(
        refusal.starts_with("service description: shape.DatasetName: pattern is no regular expression"),
        "{refusal}"
    );
}

#[test]
fn the_ids_that_the_documents_promise_exist() {
    let catalog = catalog();
    for id in [
        "ListRecords/route",
        "ListRecords/input/DatasetName/binding",
        "ListRecords/input/DatasetName/required",
        "ListRecords/input/DatasetName/max-length",
        "ListRecords/output/Records/Key",
        "DeleteDataset/error/ResourceNotFoundException",
        "RegisterDevice/credentials/developer-refused",
        "UpdateRecords/limit/datasets-per-identity",
        "ListRecords/rule/tombstone",
        "UpdateRecords/rule/stale-sync-count",
        "UpdateRecords/input/RecordPatches/Op/enum",
        "UpdateRecords/input/RecordPatches/Key/min-length",
        "UpdateRecords/input/RecordPatches/Value/max-length",
        "SetCognitoEvents/input/Events/max-entries",
        "SetIdentityPoolConfiguration/input/PushSync/ApplicationArns/entry/pattern",
        "service/error/message",
        "service/common-error/ValidationException",
        "service/rule/constraint-message",
    ] {
        assert!(catalog.get(id).is_some(), "no requirement {id}");
    }
}

#[test]
fn the_catalogue_is_as_large_as_the_model() {
    let catalog = catalog();
    assert_eq!(count(&catalog, RequirementKind::Route), 17);
    assert_eq!(count(&catalog, RequirementKind::Binding), 50);
    // 91 pairs of operation and error in the model, one in the documentation only.
    assert_eq!(count(&catalog, RequirementKind::Error), 92);
    assert_eq!(count(&catalog, RequirementKind::CommonError), 16);
    assert_eq!(count(&catalog, RequirementKind::Limit), 4);
    assert_eq!(count(&catalog, RequirementKind::Rule), Service::embedded().rules.len());
    assert_eq!(catalog.iter().filter(|one| one.id.ends_with("/credentials/none-refused")).count(), 17);
}

#[test]
fn a_dispute_lowers_the_strength_of_what_it_concerns() {
    let catalog = catalog();
    let strength = |id: &str| catalog.get(id).map(|requirement| requirement.strength);
    assert_eq!(strength("UpdateRecords/input/RecordPatches/Value/max-length"), Some(Strength::Open));
    assert_eq!(strength("ListDatasets/input/MaxResults/pattern"), Some(Strength::Inferred));
    assert_eq!(strength("RegisterDevice/input/Platform/enum"), Some(Strength::Documented));
    let platform =
        catalog.get("RegisterDevice/input/Platform/enum").and_then(|requirement| requirement.dispute.clone());
    assert_eq!(platform.as_deref(), Some("platform-name"));
}

#[test]
fn every_error_has_one_status() {
    let service = Service::embedded();
    assert_eq!(service.status_of_error("ResourceConflictException"), Some(409));
    assert_eq!(service.status_of_error("AccessDeniedException"), Some(403));
    assert_eq!(service.status_of_error("SerializationException"), Some(400));
    assert_eq!(service.status_of_error("NoSuchException"), None);
    let lists = [&service.common_errors, &service.framework_errors];
    let twice = lists.iter().flat_map(|list| list.keys()).find(|name| service.errors.contains_key(*name));
    assert_eq!(twice, None);
}
