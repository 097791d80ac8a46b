//! What each entry is good for: a record of its own, a companion of others, or left out and why.
//!
//! Owns the table of resource types. Must not know how records are grouped or written.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parse::Source;
use crate::category::Category;
use crate::fhir::{coding, text_at};
use crate::observation::{Class, class};

/// Why an entry became no record and no part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LeftOut {
    /// Claims, coverage, invoices: about money, not health.
    Financial,
    /// Clinicians, organizations and places: their names stand in the records that mention them.
    Directory,
    /// Definitions, server messages and other machinery of FHIR itself.
    Machinery,
    /// Provenance of the transfer as a whole, belonging to no single record.
    Transfer,
    /// Marked by its source as entered in error.
    EnteredInError,
    /// The same as an earlier entry, byte for byte.
    Repeated,
    /// An entry that carries no resource, such as a deletion.
    NoResource,
    /// An entry whose resource could not be read.
    Unreadable,
}

impl LeftOut {
    /// The reason as part of a sentence, in English.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            LeftOut::Financial => "about billing or insurance, not health",
            LeftOut::Directory => "named in the records that mention it",
            LeftOut::Machinery => "technical, not about a person",
            LeftOut::Transfer => "about the transfer as a whole",
            LeftOut::EnteredInError => "marked by its source as entered in error",
            LeftOut::Repeated => "the same as an earlier entry",
            LeftOut::NoResource => "carries no data",
            LeftOut::Unreadable => "could not be read",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    /// A record, or part of one.
    Record(Category),
    /// Part of what refers to it; a record of this category only if nothing does.
    Companion(Category),
    /// Part of the record all its targets are in; otherwise left out.
    Trail,
    Left(LeftOut),
}

impl Sorted {
    pub(super) fn category(self) -> Category {
        match self {
            Sorted::Record(category) | Sorted::Companion(category) => category,
            Sorted::Trail | Sorted::Left(_) => Category::Documents,
        }
    }
}

/// One verdict per entry.
pub(super) fn sort(source: &Source<'_>) -> Vec<Sorted> {
    let mut seen = BTreeSet::new();
    let verdicts = source.entries.iter().map(|entry| {
        if entry.broken {
            return Sorted::Left(LeftOut::Unreadable);
        }
        if entry.kind.is_empty() {
            return Sorted::Left(LeftOut::NoResource);
        }
        if !seen.insert((entry.url.as_deref(), entry.raw)) {
            return Sorted::Left(LeftOut::Repeated);
        }
        if in_error(&entry.value) {
            return Sorted::Left(LeftOut::EnteredInError);
        }
        of_type(&entry.kind, &entry.value)
    });
    verdicts.collect()
}

fn in_error(value: &Value) -> bool {
    const IN_ERROR: &str = "entered-in-error";
    text_at(value, "status") == Some(IN_ERROR)
        || value
            .get("verificationStatus")
            .and_then(coding)
            .is_some_and(|c| c.code == IN_ERROR)
}

fn of_type(kind: &str, value: &Value) -> Sorted {
    use Category as C;
    Sorted::Record(match kind {
        "Patient" | "RelatedPerson" | "Person" => C::Profile,
        "Condition"
        | "FamilyMemberHistory"
        | "RiskAssessment"
        | "DetectedIssue"
        | "Flag"
        | "ClinicalImpression" => C::Conditions,
        "AllergyIntolerance" | "AdverseEvent" => C::Allergies,
        "MedicationRequest"
        | "MedicationStatement"
        | "MedicationDispense"
        | "MedicationAdministration" => C::Medications,
        "Immunization" | "ImmunizationRecommendation" | "ImmunizationEvaluation" => {
            C::Immunizations
        }
        "Observation" => match class(value) {
            Class::Vitals => C::Vitals,
            Class::Social => C::Profile,
            Class::Laboratory | Class::Survey | Class::Other => C::Results,
        },
        "DiagnosticReport" | "ImagingStudy" | "MolecularSequence" | "Media" | "BodyStructure" => {
            C::Results
        }
        "Procedure" | "Device" | "DeviceUseStatement" | "DeviceMetric" | "SupplyDelivery"
        | "VisionPrescription" => C::Procedures,
        "Encounter" | "EpisodeOfCare" | "Appointment" | "AppointmentResponse" => C::Visits,
        "CarePlan"
        | "CareTeam"
        | "Goal"
        | "ServiceRequest"
        | "NutritionOrder"
        | "DeviceRequest"
        | "SupplyRequest"
        | "RequestGroup"
        | "Task"
        | "CommunicationRequest" => C::Plans,
        "Medication" => return Sorted::Companion(C::Medications),
        "Specimen" => return Sorted::Companion(C::Results),
        "Binary" => return Sorted::Companion(C::Documents),
        "Provenance" => return Sorted::Trail,
        "Claim"
        | "ClaimResponse"
        | "ExplanationOfBenefit"
        | "Coverage"
        | "Account"
        | "Invoice"
        | "ChargeItem"
        | "ChargeItemDefinition"
        | "Contract"
        | "CoverageEligibilityRequest"
        | "CoverageEligibilityResponse"
        | "EnrollmentRequest"
        | "EnrollmentResponse"
        | "PaymentNotice"
        | "PaymentReconciliation"
        | "InsurancePlan" => {
            return Sorted::Left(LeftOut::Financial);
        }
        "Organization"
        | "Practitioner"
        | "PractitionerRole"
        | "Location"
        | "HealthcareService"
        | "OrganizationAffiliation"
        | "Endpoint"
        | "Schedule"
        | "Slot" => {
            return Sorted::Left(LeftOut::Directory);
        }
        "OperationOutcome"
        | "CapabilityStatement"
        | "CodeSystem"
        | "ValueSet"
        | "ConceptMap"
        | "NamingSystem"
        | "StructureDefinition"
        | "StructureMap"
        | "SearchParameter"
        | "OperationDefinition"
        | "CompartmentDefinition"
        | "ImplementationGuide"
        | "GraphDefinition"
        | "MessageDefinition"
        | "MessageHeader"
        | "EventDefinition"
        | "TerminologyCapabilities"
        | "Parameters"
        | "Subscription"
        | "AuditEvent"
        | "Group"
        | "Linkage"
        | "Library"
        | "Measure"
        | "MeasureReport"
        | "PlanDefinition"
        | "ActivityDefinition"
        | "Questionnaire"
        | "TestScript"
        | "TestReport"
        | "ExampleScenario"
        | "VerificationResult" => {
            return Sorted::Left(LeftOut::Machinery);
        }
        // Notes, letters, questionnaires, consents, and every type not named above: kept, so that
        // nothing about a person's health is lost because its type is new or rare.
        _ => C::Documents,
    })
}
