//! A set of FHIR resources that refer to one another, and how references are resolved in it.
//!
//! Owns the reference index. Must not know what the resources mean.

use std::collections::BTreeMap;

use serde_json::Value;

/// One resource and the URL other resources know it by.
pub(crate) struct Item<'v> {
    pub(crate) url: Option<&'v str>,
    /// The resource type.
    pub(crate) kind: &'v str,
    pub(crate) value: &'v Value,
}

/// Resources in their order, with an index. Where two claim one name the first keeps it.
pub(crate) struct Resources<'v> {
    pub(crate) items: Vec<Item<'v>>,
    by_url: BTreeMap<&'v str, usize>,
    by_id: BTreeMap<(&'v str, &'v str), usize>,
    by_bare_id: BTreeMap<&'v str, usize>,
}

impl<'v> Resources<'v> {
    pub(crate) fn new(items: Vec<Item<'v>>) -> Self {
        let mut by_url = BTreeMap::new();
        let mut by_id = BTreeMap::new();
        let mut by_bare_id = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            if let Some(url) = item.url {
                by_url.entry(url).or_insert(at);
            }
            if let Some(id) = item.value.get("id").and_then(Value::as_str) {
                by_id.entry((item.kind, id)).or_insert(at);
                by_bare_id.entry(id).or_insert(at);
            }
        }
        Resources {
            items,
            by_url,
            by_id,
            by_bare_id,
        }
    }

    /// The resources of a collection Bundle, or the one resource given. Wrong shapes give none.
    pub(crate) fn of(value: &'v Value) -> Self {
        let item = |url: Option<&'v Value>, value: &'v Value| {
            let kind = value.get("resourceType")?.as_str()?;
            Some(Item {
                url: url.and_then(Value::as_str),
                kind,
                value,
            })
        };
        let is_bundle = value.get("resourceType").and_then(Value::as_str) == Some("Bundle");
        let items = if is_bundle {
            let entries = value
                .get("entry")
                .and_then(Value::as_array)
                .map(Vec::as_slice);
            let entries = entries.unwrap_or_default().iter();
            entries
                .filter_map(|entry| item(entry.get("fullUrl"), entry.get("resource")?))
                .collect()
        } else {
            item(None, value).into_iter().collect()
        };
        Resources::new(items)
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Item<'v>> {
        self.items.get(at)
    }

    /// Where a literal reference leads: a full URL, `Type/id` (relative or at the end of an
    /// absolute URL, with or without a version), or `urn:uuid:` of a resource's id.
    pub(crate) fn resolve(&self, reference: &str) -> Option<usize> {
        if let Some(&at) = self.by_url.get(reference) {
            return Some(at);
        }
        let plain = reference.split("/_history/").next().unwrap_or(reference);
        if let Some(&at) = self.by_url.get(plain) {
            return Some(at);
        }
        if let Some(id) = plain.strip_prefix("urn:uuid:") {
            return self.by_bare_id.get(id).copied();
        }
        let mut ends = plain.rsplit('/');
        let (id, kind) = (ends.next()?, ends.next()?);
        self.by_id.get(&(kind, id)).copied()
    }

    /// The item a literal reference leads to.
    pub(crate) fn find(&self, reference: &str) -> Option<&Item<'v>> {
        self.get(self.resolve(reference)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_literal_form_resolves() {
        let value = json!({"resourceType": "Bundle", "entry": [
            {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "p"}},
            {"resource": {"resourceType": "Observation", "id": "o"}},
            {"fullUrl": 7, "resource": {"resourceType": "Device"}},
            {"resource": 7}, 7]});
        let resources = Resources::of(&value);
        assert_eq!(resources.items.len(), 3);
        for (reference, at) in [
            ("urn:uuid:1", Some(0)),
            ("Patient/p", Some(0)),
            ("urn:uuid:o", Some(1)),
            ("https://example.org/fhir/Observation/o/_history/2", Some(1)),
            ("Observation/p", None),
            ("#o", None),
            ("", None),
        ] {
            assert_eq!(resources.resolve(reference), at, "{reference}");
        }
    }
}
