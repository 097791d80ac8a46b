//! Plain words for the terms clinical systems use.
//!
//! Owns our short names for common LOINC, CVX and DICOM codes and the rewriting of long terms.
//! Must not know resources. The names are ours; codes outside these lists keep the source's own
//! words, with only decoration removed.

use crate::fhir::{TITLE_CHARS, clean};

/// Our name for a LOINC code.
pub(crate) fn loinc(code: &str) -> Option<&'static str> {
    Some(match code {
        "8867-4" => "Heart rate",
        "9279-1" => "Breathing rate",
        "2708-6" | "59408-5" => "Oxygen saturation",
        "8310-5" => "Body temperature",
        "8331-1" => "Oral temperature",
        "85354-9" | "55284-4" => "Blood pressure",
        "8480-6" => "Systolic blood pressure",
        "8462-4" => "Diastolic blood pressure",
        "29463-7" => "Body weight",
        "8302-2" => "Body height",
        "39156-5" => "Body mass index",
        "72514-3" => "Pain score",
        "72166-2" => "Tobacco use",
        "2339-0" | "2345-7" => "Glucose",
        "4548-4" => "Hemoglobin A1c",
        "6690-2" => "White blood cells",
        "789-8" => "Red blood cells",
        "718-7" => "Hemoglobin",
        "4544-3" => "Hematocrit",
        "787-2" => "Mean red cell volume (MCV)",
        "785-6" => "Mean red cell hemoglobin (MCH)",
        "786-4" => "Mean red cell hemoglobin concentration (MCHC)",
        "21000-5" | "788-0" => "Red cell distribution width",
        "777-3" => "Platelets",
        "32207-3" => "Platelet distribution width",
        "32623-1" => "Mean platelet volume",
        "2093-3" => "Total cholesterol",
        "2571-8" => "Triglycerides",
        "18262-6" | "13457-7" => "LDL cholesterol",
        "2085-9" => "HDL cholesterol",
        "6299-2" | "3094-0" => "Urea nitrogen",
        "38483-4" | "2160-0" => "Creatinine",
        "49765-1" | "17861-6" => "Calcium",
        "2947-0" | "2951-2" => "Sodium",
        "6298-4" | "2823-3" => "Potassium",
        "2069-3" | "2075-0" => "Chloride",
        "20565-8" | "2028-9" => "Carbon dioxide",
        "33914-3" => "Kidney filtration rate (eGFR)",
        "2885-2" => "Total protein",
        "1751-7" => "Albumin",
        "10834-0" => "Globulin",
        "1975-2" => "Total bilirubin",
        "6768-6" => "Alkaline phosphatase",
        "1742-6" => "Alanine aminotransferase (ALT)",
        "1920-8" => "Aspartate aminotransferase (AST)",
        "33762-6" => "NT-proBNP",
        "10230-1" => "Heart's ejection fraction",
        "38265-5" => "Bone density (T-score)",
        "57905-2" => "Hidden blood in stool",
        "33756-8" => "Polyp size",
        "58410-2" => "Complete blood count",
        "57698-3" => "Lipid panel",
        "51990-0" => "Basic metabolic panel",
        "24323-8" => "Comprehensive metabolic panel",
        "55405-5" => "Heart failure panel",
        "34109-9" => "Note",
        "11506-3" => "Progress note",
        "18842-5" => "Discharge summary",
        "60591-5" => "Patient summary",
        "33533-0" | "33452-4" => "Peak expiratory flow",
        "14959-1" => "Urine albumin to creatinine ratio",
        _ => return None,
    })
}

/// Whether a LOINC code is a vital sign or body measurement.
pub(crate) fn is_vital(code: &str) -> bool {
    matches!(
        code,
        "8867-4"
            | "9279-1"
            | "2708-6"
            | "59408-5"
            | "8310-5"
            | "8331-1"
            | "85354-9"
            | "55284-4"
            | "8480-6"
            | "8462-4"
            | "29463-7"
            | "8302-2"
            | "39156-5"
            | "72514-3"
            | "9843-4"
    )
}

/// Our name for a CVX vaccine code.
pub(crate) fn vaccine(code: &str) -> Option<&'static str> {
    Some(match code {
        "140" | "141" | "150" | "158" | "135" => "Flu vaccine",
        "9" | "09" | "113" | "139" => "Tetanus and diphtheria vaccine (Td)",
        "115" => "Tetanus, diphtheria and whooping cough vaccine (Tdap)",
        "20" | "107" => "Diphtheria, tetanus and whooping cough vaccine (DTaP)",
        "8" | "08" | "43" | "45" => "Hepatitis B vaccine",
        "83" | "85" | "52" => "Hepatitis A vaccine",
        "114" | "136" | "147" => "Meningococcal vaccine (MCV4)",
        "33" => "Pneumococcal vaccine (PPSV23)",
        "133" | "152" => "Pneumococcal vaccine (PCV13)",
        "121" | "187" | "188" => "Shingles vaccine",
        "3" | "03" => "Measles, mumps and rubella vaccine (MMR)",
        "21" => "Chickenpox vaccine",
        "10" | "89" => "Polio vaccine",
        "62" | "165" => "HPV vaccine",
        "49" | "48" | "17" => "Hib vaccine",
        "119" | "116" | "122" => "Rotavirus vaccine",
        "207" | "208" | "212" | "213" => "COVID-19 vaccine",
        _ => return None,
    })
}

/// Our name for a DICOM modality.
pub(crate) fn modality(code: &str) -> Option<&'static str> {
    Some(match code {
        "DX" | "CR" | "RG" => "X-ray",
        "CT" => "CT scan",
        "MR" => "MRI scan",
        "US" => "Ultrasound",
        "MG" => "Mammogram",
        "PT" => "PET scan",
        "NM" => "Nuclear medicine scan",
        "ECG" => "ECG",
        "ES" => "Endoscopy",
        _ => return None,
    })
}

/// A clinical term without its decoration: SNOMED's "(disorder)" and the like, LOINC's
/// "[Mass/volume]" and method phrases, and with a capital first letter.
pub(crate) fn term(text: &str) -> String {
    const TAGS: [&str; 13] = [
        "disorder",
        "procedure",
        "finding",
        "situation",
        "record artifact",
        "observable entity",
        "regime/therapy",
        "morphologic abnormality",
        "event",
        "person",
        "physical object",
        "substance",
        "qualifier value",
    ];
    let mut text = clean(text, TITLE_CHARS * 2);
    if let Some(open) = text.rfind(" (")
        && let Some(tag) = text.get(open + 2..).and_then(|tail| tail.strip_suffix(')'))
        && TAGS.contains(&tag)
    {
        text.truncate(open);
    }
    while let (Some(open), Some(close)) = (text.find(" ["), text.find(']')) {
        if close <= open
            || !text.get(open..close).is_some_and(|inside| {
                inside.contains('/')
                    || matches!(
                        inside,
                        " [Presence"
                            | " [Score"
                            | " [Volume Fraction"
                            | " [Entitic volume"
                            | " [Entitic mass"
                    )
            })
        {
            break;
        }
        text.replace_range(open..=close, "");
    }
    for phrase in [
        " by Automated count",
        " in Serum or Plasma",
        " - Reported",
        " by Immunologic method",
    ] {
        if text.len() > phrase.len() {
            text = text.replace(phrase, "");
        }
    }
    capital(&clean(&text, TITLE_CHARS))
}

/// A visit in plain words: "Encounter for symptom" becomes "Visit for symptom".
pub(crate) fn visit(text: &str) -> String {
    let text = term(text).replace(['\'', '"'], "");
    match text.strip_prefix("Encounter for ") {
        Some(what) => format!("Visit for {}", lower_first(what)),
        None => text,
    }
}

/// A medicine's name with units and dose form as on a label, from RxNorm's upper-case style:
/// "Acetaminophen 325 MG Oral Tablet" becomes "Acetaminophen 325 mg tablet".
pub(crate) fn medicine(text: &str) -> String {
    let text = term(text);
    let (text, pack) = pack(&text);
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        words.push(match word {
            "MG" => "mg".into(),
            "MCG" => "micrograms".into(),
            "ML" => "mL".into(),
            "GM" => "g".into(),
            "MG/ML" => "mg/mL".into(),
            "MCG/ML" => "micrograms/mL".into(),
            "MG/HR" => "mg/hour".into(),
            "MG/ACTUAT" => "mg/dose".into(),
            "MCG/ACTUAT" => "micrograms/dose".into(),
            "UNT/ML" => "units/mL".into(),
            "UNT" => "units".into(),
            other => other.to_owned(),
        });
    }
    let mut name = words.join(" ");
    for (long, short) in [
        ("Extended Release Oral Tablet", "extended-release tablet"),
        ("Delayed Release Oral Tablet", "delayed-release tablet"),
        ("Extended Release Oral Capsule", "extended-release capsule"),
        ("Delayed Release Oral Capsule", "delayed-release capsule"),
        ("Chewable Tablet", "chewable tablet"),
        ("Oral Tablet", "tablet"),
        ("Oral Capsule", "capsule"),
        ("Oral Solution", "oral solution"),
        ("Oral Suspension", "oral suspension"),
        ("Metered Dose Inhaler", "inhaler"),
        ("Dry Powder Inhaler", "dry powder inhaler"),
        ("Inhalation Solution", "inhalation solution"),
        ("Injectable Solution", "injection"),
        ("Prefilled Syringe", "prefilled syringe"),
        ("Transdermal Patch", "skin patch"),
        ("Topical Cream", "cream"),
        ("Ophthalmic Solution", "eye drops"),
        (" Injection", " injection"),
    ] {
        name = name.replace(long, short);
    }
    if let (Some(open), true) = (name.rfind(" ["), name.ends_with(']')) {
        let brand = name
            .get(open + 2..name.len() - 1)
            .unwrap_or_default()
            .to_owned();
        name.truncate(open);
        name = format!("{name}{pack} ({brand})");
    } else {
        name.push_str(&pack);
    }
    capital(&clean(&name, TITLE_CHARS))
}

/// RxNorm puts "24 HR", "10 ML" or "200 ACTUAT" first; people look for the medicine's name there.
/// Gives the rest, and what to put behind it.
fn pack(text: &str) -> (&str, String) {
    let mut words = text.splitn(3, ' ');
    if let (Some(number), Some(unit), Some(rest)) = (words.next(), words.next(), words.next())
        && number.starts_with(|c: char| c.is_ascii_digit())
    {
        match unit {
            "HR" => return (rest, format!(", {number}-hour")),
            "ML" => return (rest, format!(", {number} mL")),
            "ACTUAT" => return (rest, format!(", {number} doses")),
            _ => {}
        }
    }
    (text, String::new())
}

/// A resource type in words: "MedicationRequest" becomes "Medication request".
pub(crate) fn type_words(kind: &str) -> String {
    let mut out = String::new();
    for (at, c) in clean(kind, 64).chars().enumerate() {
        if at > 0 && c.is_ascii_uppercase() {
            out.push(' ');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// A code such as "in-progress" as words: "In progress".
pub(crate) fn code_words(code: &str) -> String {
    capital(&clean(code, 60).replace(['-', '_'], " "))
}

/// With a capital first letter, unless the first word is written deliberately ("pH", "mRNA").
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if a.is_lowercase() && !b.is_uppercase() => {
            a.to_uppercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// With a small first letter, unless the first word looks like an abbreviation.
pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if a.is_uppercase() && b.is_lowercase() => {
            a.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_lose_their_decoration() {
        for (term_, words) in [
            ("Viral sinusitis (disorder)", "Viral sinusitis"),
            ("Anemia (mild) (disorder)", "Anemia (mild)"),
            (
                "Fasting glucose [Mass/volume] in Serum or Plasma",
                "Fasting glucose",
            ),
            (
                "Albumin [Mass/\u{200b}volume] in Serum or Plasma",
                "Albumin",
            ),
            ("zoster", "Zoster"),
            ("pH of Urine", "pH of Urine"),
            ("odd ] [ brackets", "Odd ] [ brackets"),
        ] {
            assert_eq!(term(term_), words);
        }
    }

    #[test]
    fn medicines_read_like_their_label() {
        for (rxnorm, words) in [
            (
                "Acetaminophen 325 MG Oral Tablet",
                "Acetaminophen 325 mg tablet",
            ),
            (
                "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]",
                "Metoprolol succinate 100 mg extended-release tablet, 24-hour (Toprol)",
            ),
            (
                "10 ML Furosemide 10 MG/ML Injection",
                "Furosemide 10 mg/mL injection, 10 mL",
            ),
            ("Lasix 40mg", "Lasix 40mg"),
        ] {
            assert_eq!(medicine(rxnorm), words);
        }
    }

    #[test]
    fn visits_and_types_read_plainly() {
        assert_eq!(visit("Encounter for 'check-up'"), "Visit for check-up");
        assert_eq!(
            visit("Encounter for check up (procedure)"),
            "Visit for check up"
        );
        assert_eq!(visit("Inpatient stay (finding)"), "Inpatient stay");
        assert_eq!(type_words("MedicationRequest"), "Medication request");
        assert_eq!(code_words("in-progress"), "In progress");
    }
}
