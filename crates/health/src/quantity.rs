//! Numbers and units in plain words.
//!
//! Owns rounding for display and the words for UCUM units. Must not know what was measured. The
//! stored resource keeps every digit; only what is shown is rounded.

use serde_json::Value;

use crate::fhir::clean;

/// A measured value as text, with its unit (possibly empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) value: String,
    pub(crate) unit: String,
}

impl Amount {
    /// "80.2 kg", "6 %", "2 of 10".
    pub(crate) fn words(&self) -> String {
        if self.unit.is_empty() {
            self.value.clone()
        } else {
            format!("{} {}", self.value, self.unit)
        }
    }
}

/// A FHIR Quantity, rounded for display.
pub(crate) fn amount(quantity: &Value) -> Option<Amount> {
    read(quantity, rounded)
}

/// A FHIR Quantity with every digit the source gave, for doses.
pub(crate) fn exact_amount(quantity: &Value) -> Option<Amount> {
    read(quantity, exact)
}

fn read(quantity: &Value, digits: fn(&Value) -> Option<String>) -> Option<Amount> {
    let value = digits(quantity.get("value")?)?;
    let comparator = match quantity.get("comparator").and_then(Value::as_str) {
        Some("<") => "< ",
        Some("<=") => "≤ ",
        Some(">") => "> ",
        Some(">=") => "≥ ",
        _ => "",
    };
    Some(Amount {
        value: format!("{comparator}{value}"),
        unit: unit_of(quantity),
    })
}

/// The plain unit of a Quantity: its human unit, else its code; empty if there is none.
pub(crate) fn unit_of(quantity: &Value) -> String {
    let part = |key| {
        quantity
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let written = if part("unit").is_empty() {
        part("code")
    } else {
        part("unit")
    };
    unit_words(&clean(written, 40))
}

/// A number with at most as many decimals as matter to a reader: values that come with two or
/// fewer stay as they are, longer ones keep three to four significant digits.
pub(crate) fn rounded(value: &Value) -> Option<String> {
    let number = value.as_number()?;
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    let float = number.as_f64().filter(|f| f.is_finite())?;
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e15).contains(&size) {
        return Some(format!("{float:.3e}"));
    }
    let all = float.to_string();
    let decimals = all.split_once('.').map_or(0, |(_, tail)| tail.len());
    if decimals <= 2 {
        return Some(all);
    }
    let keep = match size {
        s if s >= 1000.0 => 0,
        s if s >= 10.0 => 1,
        s if s >= 1.0 => 2,
        s if s >= 0.1 => 3,
        s if s >= 0.01 => 4,
        _ => return Some(all),
    };
    Some(trim_zeros(&format!("{float:.keep$}")))
}

/// A number rounded to a whole one, as blood pressures and heart rates are read.
pub(crate) fn whole(value: &Value) -> Option<String> {
    let float = value.as_f64().filter(|f| f.is_finite() && f.abs() < 1e15)?;
    Some(format!("{float:.0}"))
}

fn exact(value: &Value) -> Option<String> {
    let number = value.as_number()?;
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => Some(format!("{float:.0}")),
        _ => Some(clean(&number.to_string(), 40)),
    }
}

fn trim_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// A UCUM unit in the form people write it; other text is left as it is.
pub(crate) fn unit_words(unit: &str) -> String {
    let known = match unit {
        "1" => "",
        "mm[Hg]" | "mm Hg" => "mmHg",
        "Cel" | "degC" => "°C",
        "[degF]" | "degF" => "°F",
        "kg/m2" => "kg/m²",
        "[lb_av]" => "lb",
        "[oz_av]" => "oz",
        "[in_i]" => "in",
        "[ft_i]" => "ft",
        "/min" | "{beats}/min" | "{breaths}/min" => "per minute",
        "10*3/uL" => "×10³/µL",
        "10*6/uL" => "×10⁶/µL",
        "10*9/L" => "×10⁹/L",
        "10*12/L" => "×10¹²/L",
        "uL" => "µL",
        "ug" => "µg",
        "ug/L" => "µg/L",
        "ug/mL" => "µg/mL",
        "ug/dL" => "µg/dL",
        "umol/L" => "µmol/L",
        "m[IU]/L" => "mIU/L",
        "u[IU]/mL" => "µIU/mL",
        "[IU]/L" => "IU/L",
        "[IU]" => "IU",
        "mL/min/{1.73_m2}" => "mL/min/1.73 m²",
        "L/min" => "L/min",
        "h" => "hour(s)",
        "min" => "minute(s)",
        "d" => "day(s)",
        "wk" => "week(s)",
        "mo" => "month(s)",
        "a" => "year(s)",
        "m/s2" => "m/s²",
        "{tbl}" | "{tablet}" | "{Tablet}" => "tablet(s)",
        "{capsule}" | "{cap}" => "capsule(s)",
        "{puff}" | "{actuat}" | "{inhalation}" => "puff(s)",
        "{drop}" | "[drp]" => "drop(s)",
        _ => return without_annotations(unit),
    };
    known.to_owned()
}

/// UCUM's `{annotations}` carry no unit: `{score}` is none at all.
fn without_annotations(unit: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_u32;
    for c in unit.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    if depth > 0 {
        unit.to_owned()
    } else {
        out.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_rounded_for_reading_only_when_they_are_long() {
        for (value, words) in [
            (json!(7), "7"),
            (json!(7.25), "7.25"),
            (json!(78.61889805517299), "78.6"),
            (json!(168.56907496291225), "168.6"),
            (json!(1.0314173952274648), "1.03"),
            (json!(-0.14057087535591017), "-0.141"),
            (json!(0.0025), "0.0025"),
            (json!(2499.98765), "2500"),
            (json!(0.0), "0"),
            (json!(1e300), "1.000e300"),
            (json!(2.9999), "3"),
        ] {
            assert_eq!(rounded(&value).as_deref(), Some(words), "{value}");
        }
        assert_eq!(rounded(&json!("7")), None);
        assert_eq!(whole(&json!(114.788)).as_deref(), Some("115"));
    }

    #[test]
    fn doses_keep_every_digit() {
        let dose = exact_amount(&json!({"value": 0.00251, "unit": "mg"}));
        assert_eq!(dose.map(|a| a.words()).as_deref(), Some("0.00251 mg"));
        let dose = exact_amount(&json!({"value": 1.0, "code": "{tbl}"}));
        assert_eq!(dose.map(|a| a.words()).as_deref(), Some("1 tablet(s)"));
    }

    #[test]
    fn units_read_as_people_write_them() {
        for (ucum, words) in [
            ("mm[Hg]", "mmHg"),
            ("{score}", ""),
            ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
            ("g/dL", "g/dL"),
            ("{open", "{open"),
        ] {
            assert_eq!(unit_words(ucum), words);
        }
        let limited = amount(&json!({"value": 5, "comparator": "<", "unit": "ng/L"}));
        assert_eq!(limited.map(|a| a.words()).as_deref(), Some("< 5 ng/L"));
    }
}
