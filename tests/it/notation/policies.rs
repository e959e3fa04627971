//! Trust policy documents: the 106 that notation judged, and which statement is chosen.

use std::fs;

use acr_sign::format::notation::TrustPolicy;
use serde_json::Value;

use super::fixtures::folder;

#[test]
fn every_document_gets_the_verdict_of_notation_or_a_stricter_one() {
    let bytes = fs::read(folder("made-by-notation").join("policy-verdicts.json")).unwrap();
    let verdicts: Value = serde_json::from_slice(&bytes).unwrap();
    let documents = verdicts["policies"].as_array().unwrap();
    let mut stricter = 0;
    for document in documents {
        let parsed = TrustPolicy::parse(document["document"].as_str().unwrap().as_bytes());
        let is_strict = document["strict"] == true;
        let expected = document["notation"] == "valid" && !is_strict;
        stricter += usize::from(is_strict);
        assert_eq!(parsed.is_ok(), expected, "{}: {parsed:?}", document["name"]);
    }
    assert_eq!((documents.len(), stricter), (106, 5));
}
