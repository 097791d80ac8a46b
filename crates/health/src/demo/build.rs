//! Putting synthetic FHIR bundles together.
//!
//! Owns ids, marking and the shapes both people share. Must not know either person.

use serde_json::{Map, Value, json};

use crate::note::{Note, note};

pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
const UCUM: &str = "http://unitsofmeasure.org";
const HL7: &str = "http://terminology.hl7.org/CodeSystem/";

pub(super) struct Builder {
    state: u64,
    entries: Vec<Value>,
    patient: Value,
}

/// Who and where a visit's resources refer to.
pub(super) struct Visit {
    pub(super) encounter: Value,
    pub(super) doctor: Value,
    /// `YYYY-MM-DDThh:mm:ssZ`
    pub(super) at: String,
}

impl Builder {
    /// Begins a bundle; the seed decides ids and the scatter of measurements.
    pub(super) fn new(seed: u64) -> Self {
        Builder {
            state: seed,
            entries: Vec::new(),
            patient: Value::Null,
        }
    }

    /// SplitMix64: a few lines, and good enough to scatter numbers.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A value at most `spread` from `middle`, with `digits` decimals.
    pub(super) fn near(&mut self, middle: f64, spread: f64, digits: i32) -> f64 {
        let unit = (self.next() % 2001) as f64 / 1000.0 - 1.0;
        let scale = 10_f64.powi(digits);
        ((middle + unit * spread) * scale).round() / scale
    }

    /// Adds a resource with a new id, marked as test data; gives a reference to it.
    pub(super) fn add(&mut self, kind: &str, body: Value) -> Value {
        let (a, b) = (self.next(), self.next());
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 48 & 0xfff,
            b & 0xffff_ffff_ffff
        );
        let mut resource = Map::new();
        resource.insert("resourceType".to_owned(), json!(kind));
        resource.insert("id".to_owned(), json!(id));
        let label = json!({"system": format!("{HL7}v3-ActReason"), "code": "HTEST", "display": "test health data"});
        resource.insert("meta".to_owned(), json!({"security": [label]}));
        if let Value::Object(body) = body {
            resource.extend(body);
        }
        let url = format!("urn:uuid:{id}");
        self.entries
            .push(json!({"fullUrl": url, "resource": resource}));
        json!({"reference": url})
    }

    /// Adds a resource about the patient, who must have been added.
    pub(super) fn about(&mut self, kind: &str, mut body: Value) -> Value {
        let key = if matches!(kind, "AllergyIntolerance" | "Immunization" | "Device") {
            "patient"
        } else {
            "subject"
        };
        if let Value::Object(body) = &mut body {
            body.insert(key.to_owned(), self.patient.clone());
        }
        self.add(kind, body)
    }

    pub(super) fn patient(&mut self, body: Value) {
        self.patient = self.add("Patient", body);
    }

    pub(super) fn doctor(&mut self, given: &str, family: &str) -> Value {
        self.add(
            "Practitioner",
            json!({"name": [{"prefix": ["Dr."], "given": [given], "family": family}]}),
        )
    }

    pub(super) fn visit(
        &mut self,
        at: &str,
        kind: Value,
        reason: Option<Value>,
        doctor: &Value,
        place: &Value,
    ) -> Visit {
        let encounter = self.about("Encounter", json!({
            "status": "finished",
            "class": {"system": format!("{HL7}v3-ActCode"), "code": "AMB", "display": "ambulatory"},
            "type": [kind],
            "reasonCode": reason.into_iter().collect::<Vec<_>>(),
            "period": {"start": at, "end": at},
            "participant": [{"individual": doctor}],
            "serviceProvider": place,
        }));
        Visit {
            encounter,
            doctor: doctor.clone(),
            at: at.to_owned(),
        }
    }

    pub(super) fn condition(
        &mut self,
        code: Value,
        status: &str,
        onset: &str,
        end: Option<&str>,
        doctor: &Value,
    ) -> Value {
        let mut body = json!({
            "clinicalStatus": coded("condition-clinical", status),
            "verificationStatus": coded("condition-ver-status", "confirmed"),
            "code": code,
            "onsetDateTime": onset,
            "recordedDate": onset,
            "recorder": doctor,
        });
        if let (Value::Object(body), Some(end)) = (&mut body, end) {
            body.insert("abatementDateTime".to_owned(), json!(end));
        }
        self.about("Condition", body)
    }

    pub(super) fn prescription(
        &mut self,
        medicine: Value,
        status: &str,
        on: &str,
        how: &str,
        reason: &Value,
        doctor: &Value,
    ) {
        self.about(
            "MedicationRequest",
            json!({
                "status": status,
                "intent": "order",
                "medicationCodeableConcept": medicine,
                "authoredOn": on,
                "requester": doctor,
                "reasonReference": [reason],
                "dosageInstruction": [{"text": how}],
            }),
        );
    }

    pub(super) fn vaccine(&mut self, cvx: &str, name: &str, on: &str, doctor: &Value) {
        self.about(
            "Immunization",
            json!({
                "status": "completed",
                "vaccineCode": concept(CVX, cvx, name),
                "occurrenceDateTime": on,
                "primarySource": true,
                "performer": [{"actor": doctor}],
            }),
        );
    }

    /// A finding of a visit. `range` is what is usual, low and high, in the same unit.
    pub(super) fn finding(
        &mut self,
        visit: &Visit,
        category: &str,
        code: Value,
        value: Value,
        range: Option<(f64, f64)>,
    ) -> Value {
        let mut body = json!({
            "status": "final",
            "category": [coded("observation-category", category)],
            "code": code,
            "encounter": visit.encounter,
            "effectiveDateTime": visit.at,
            "performer": [visit.doctor],
        });
        if let Value::Object(body) = &mut body {
            if let (Some((low, high)), Some(unit)) = (range, value.get("unit").cloned()) {
                let limit =
                    |v: f64| json!({"value": v, "unit": unit, "system": UCUM, "code": unit});
                body.insert(
                    "referenceRange".to_owned(),
                    json!([{"low": limit(low), "high": limit(high)}]),
                );
            }
            let key = if value.get("unit").is_some() {
                "valueQuantity"
            } else {
                "valueCodeableConcept"
            };
            body.insert(key.to_owned(), value);
        }
        self.about("Observation", body)
    }

    pub(super) fn blood_pressure(&mut self, visit: &Visit, upper: f64, lower: f64) {
        let part = |code: &str, name: &str, value: f64| json!({"code": concept(LOINC, code, name), "valueQuantity": quantity(value, "mm[Hg]")});
        self.about(
            "Observation",
            json!({
                "status": "final",
                "category": [coded("observation-category", "vital-signs")],
                "code": concept(LOINC, "85354-9", "Blood pressure"),
                "encounter": visit.encounter,
                "effectiveDateTime": visit.at,
                "performer": [visit.doctor],
                "component": [
                    part("8480-6", "Systolic blood pressure", upper),
                    part("8462-4", "Diastolic blood pressure", lower),
                ],
            }),
        );
    }

    pub(super) fn report(
        &mut self,
        visit: &Visit,
        code: Value,
        results: Vec<Value>,
        conclusion: &str,
    ) {
        self.about(
            "DiagnosticReport",
            json!({
                "status": "final",
                "category": [coded("v2-0074", "LAB")],
                "code": code,
                "encounter": visit.encounter,
                "effectiveDateTime": visit.at,
                "performer": [visit.doctor],
                "result": results,
                "conclusion": conclusion,
            }),
        );
    }

    pub(super) fn note(&mut self, visit: &Visit, title: &str, text: &str) {
        let mut body = note(&Note {
            title,
            text,
            author: "",
            date: &visit.at,
        });
        if let Value::Object(body) = &mut body {
            body.remove("resourceType");
            body.insert("author".to_owned(), json!([visit.doctor]));
            body.insert(
                "context".to_owned(),
                json!({"encounter": [visit.encounter]}),
            );
        }
        self.about("DocumentReference", body);
    }

    pub(super) fn finish(self) -> Value {
        json!({"resourceType": "Bundle", "type": "collection", "entry": self.entries})
    }
}

/// A CodeableConcept with one coding and the same text.
pub(super) fn concept(system: &str, code: &str, text: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": text}], "text": text})
}

/// A CodeableConcept of a code in one of HL7's own systems.
pub(super) fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": format!("{HL7}{system}"), "code": code}]})
}

pub(super) fn quantity(value: f64, unit: &str) -> Value {
    json!({"value": value, "unit": unit, "system": UCUM, "code": unit})
}
