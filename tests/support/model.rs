//! A model of the real service in botocore's form, made of the facts in
//! `tests/data/model-facts.json`.

use serde_json::{Map, Value, json};

/// The facts as botocore would write them.
pub(crate) fn model_of_facts() -> Value {
    let facts: Value = serde_json::from_str(include_str!("../data/model-facts.json")).expect("the facts are JSON");
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut shapes = Map::new();
    for (name, scalar) in object(&facts["scalars"]) {
        let mut shape = scalar.clone();
        for part in ["member", "key", "value"] {
            if scalar[part].is_string() {
                shape[part] = json!({ "shape": scalar[part] });
            }
        }
        shapes.insert(name, shape);
    }
    let referring = |members: &Value| -> Map<String, Value> {
        object(members).into_iter().map(|(name, shape)| (name, json!({ "shape": shape }))).collect()
    };
    for (name, structure) in object(&facts["structures"]) {
        let members = referring(&structure["members"]);
        shapes.insert(name, json!({ "type": "structure", "members": members, "required": structure["required"] }));
    }
    for (name, error) in object(&facts["errors"]) {
        let members = json!({ "message": { "shape": "ExceptionMessage" } });
        let status = json!({ "httpStatusCode": error["status"] });
        let fault = error["fault"] == true;
        shapes.insert(
            name,
            json!({ "type": "structure", "members": members, "required": ["message"], "error": status, "fault": fault }),
        );
    }
    let mut operations = Map::new();
    for (name, operation) in object(&facts["operations"]) {
        let (mut members, mut required) = (Map::new(), Vec::new());
        for (member, input) in object(&operation["input"]) {
            let mut reference = json!({ "shape": input["shape"] });
            match input["in"].as_str() {
                Some("body") => {}
                Some("query") => reference["location"] = "querystring".into(),
                place => reference["location"] = place.into(),
            }
            if input["name"].is_string() {
                reference["locationName"] = input["name"].clone();
            }
            if input["required"] == true {
                required.push(member.clone());
            }
            members.insert(member, reference);
        }
        shapes
            .insert(format!("{name}Request"), json!({ "type": "structure", "members": members, "required": required }));
        let errors: Vec<_> = object(&operation["errors"]).keys().map(|error| json!({ "shape": error })).collect();
        let http = json!({ "method": operation["method"], "requestUri": operation["uri"], "responseCode": operation["success_status"] });
        let mut described = json!({ "http": http, "input": { "shape": format!("{name}Request") }, "errors": errors });
        if operation["output_kind"] != "none" {
            let outputs = object(&operation["output"]["members"]).into_iter();
            let outputs: Map<_, _> =
                outputs.map(|(member, output)| (member, json!({ "shape": output["shape"] }))).collect();
            shapes.insert(format!("{name}Response"), json!({ "type": "structure", "members": outputs }));
            described["output"] = json!({ "shape": format!("{name}Response") });
        }
        operations.insert(name, described);
    }
    let metadata = &facts["metadata"];
    let metadata = json!({
        "apiVersion": metadata["apiVersion"], "serviceFullName": metadata["serviceFullName"],
        "endpointPrefix": metadata["signingName"], "protocol": "rest-json",
    });
    json!({ "metadata": metadata, "operations": operations, "shapes": shapes })
}
