//! Which entries make one record together.
//!
//! Owns the grouping rules and the size of a group. Must not know titles or bytes written.
//!
//! A group is what a person would call one thing: a report with its values, a course of one
//! medicine, a plan with its goals, the measurements of one visit. Each entry is in exactly one
//! group; small companions (a Medication, a Specimen) are copied to each group that needs them.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use serde_json::Value;

use super::PART_BYTES;
use super::parse::Source;
use super::sort::Sorted;
use crate::category::Category;
use crate::fhir::{coding, concept, each, references, text_at};
use crate::observation::{Class, class};
use crate::resources::Resources;
use crate::titles;

/// Companions larger than this go to the first group that needs them only, so that a bundle
/// cannot make copies worth many times its own size.
const COPY_BYTES: usize = 8 * 1024;

pub(super) struct Group {
    pub(super) category: Category,
    /// Positions of entries, the one the record is titled by first; never empty.
    pub(super) members: Vec<usize>,
    /// Which part this is, from 1, if the group had to be split.
    pub(super) part: Option<usize>,
}

pub(super) fn group(
    source: &Source<'_>,
    resources: &Resources<'_>,
    sorted: &[Sorted],
) -> Vec<Group> {
    let mut sets = Sets::new(sorted);
    claim_members(resources, &mut sets);
    join_medication_courses(resources, &mut sets);
    join_loose_observations(resources, &mut sets);

    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut group_of: BTreeMap<usize, usize> = BTreeMap::new();
    for at in (0..sorted.len()).filter(|at| matches!(sorted.get(*at), Some(Sorted::Record(_)))) {
        let root = sets.root(at);
        members.entry(root).or_default().push(at);
        group_of.insert(at, root);
    }
    for list in members.values_mut() {
        list.sort_unstable_by_key(|at| (rank(resources, *at), *at));
    }
    place_companions(source, resources, sorted, &mut members, &mut group_of);
    place_trails(resources, sorted, &mut members, &group_of);

    let mut groups: Vec<Group> = Vec::new();
    for list in members.into_values() {
        let head = list.first().and_then(|at| sorted.get(*at));
        let category = head.map_or(Category::Documents, |sorted| sorted.category());
        split(source, category, list, &mut groups);
    }
    groups.sort_unstable_by_key(|group| group.members.first().copied());
    groups
}

/// Parts of at most [`PART_BYTES`], unless a single resource is larger.
fn split(source: &Source<'_>, category: Category, list: Vec<usize>, out: &mut Vec<Group>) {
    let size = |at: &usize| source.entries.get(*at).map_or(0, |entry| entry.raw.len());
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for at in list {
        let more = size(&at);
        match parts.last_mut() {
            Some(part) if bytes + more <= PART_BYTES => {
                part.push(at);
                bytes += more;
            }
            _ => {
                parts.push(vec![at]);
                bytes = more;
            }
        }
    }
    let several = parts.len() > 1;
    out.extend(parts.into_iter().enumerate().map(|(n, members)| Group {
        category,
        members,
        part: several.then_some(n + 1),
    }));
}

/// Who titles a group: lower comes first.
fn rank(resources: &Resources<'_>, at: usize) -> u8 {
    let Some(item) = resources.get(at) else {
        return u8::MAX;
    };
    match item.kind {
        "DiagnosticReport" | "CarePlan" | "MedicationRequest" => 0,
        "MedicationStatement" => 1,
        "MedicationDispense" | "MedicationAdministration" => 2,
        "Observation" if item.value.get("hasMember").is_some() => 1,
        "Observation" => 2,
        _ => 3,
    }
}

/// Disjoint sets over the entries that are records.
struct Sets {
    parent: Vec<usize>,
    /// Entries that already belong to a report, panel or plan.
    claimed: Vec<bool>,
    is_record: Vec<bool>,
}

impl Sets {
    fn new(sorted: &[Sorted]) -> Self {
        Sets {
            parent: (0..sorted.len()).collect(),
            claimed: vec![false; sorted.len()],
            is_record: sorted
                .iter()
                .map(|s| matches!(s, Sorted::Record(_)))
                .collect(),
        }
    }

    fn root(&mut self, at: usize) -> usize {
        let mut here = at;
        while let Some(&up) = self.parent.get(here) {
            if up == here {
                break;
            }
            // Halving the path as it is walked keeps later walks short.
            let grand = self.parent.get(up).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(here) {
                *slot = grand;
            }
            here = grand;
        }
        here
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.parent.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }

    fn is_claimed(&self, at: usize) -> bool {
        self.claimed.get(at).copied().unwrap_or(true)
    }

    /// Takes an entry into another's group, once. False if it is taken or no record.
    fn claim(&mut self, head: usize, member: usize) -> bool {
        if head == member || self.is_claimed(member) || self.is_record.get(member) != Some(&true) {
            return false;
        }
        if let Some(slot) = self.claimed.get_mut(member) {
            *slot = true;
        }
        self.join(head, member);
        true
    }
}

/// Reports take their results, panels their members, plans their goals and teams: those a
/// resource names, and what these name in turn.
fn claim_members(resources: &Resources<'_>, sets: &mut Sets) {
    // Reports go first: a panel that is part of a report must not stand alone.
    for (kind, fields, wanted) in [
        (
            "DiagnosticReport",
            &["result", "hasMember"][..],
            &["Observation"][..],
        ),
        (
            "DiagnosticReport",
            &["media.link", "imagingStudy"][..],
            &["Media", "ImagingStudy"][..],
        ),
        ("Observation", &["hasMember"][..], &["Observation"][..]),
        (
            "CarePlan",
            &["goal", "careTeam"][..],
            &["Goal", "CareTeam"][..],
        ),
    ] {
        for (head, item) in resources.items.iter().enumerate() {
            if item.kind != kind || sets.is_record.get(head) != Some(&true) {
                continue;
            }
            let mut open = vec![head];
            while let Some(at) = open.pop() {
                let Some(value) = resources.get(at).map(|item| item.value) else {
                    continue;
                };
                for reference in fields.iter().flat_map(|field| references_at(value, field)) {
                    let Some(found) = resources.resolve(reference) else {
                        continue;
                    };
                    let fits = resources
                        .get(found)
                        .is_some_and(|f| wanted.contains(&f.kind));
                    if fits && sets.claim(head, found) {
                        open.push(found);
                    }
                }
            }
        }
    }
}

fn references_at<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
    match field.split_once('.') {
        Some((list, key)) => each(value, list).flat_map(|v| references(v, key)).collect(),
        None => references(value, field).collect(),
    }
}

/// A course of medication: an order with the renewals, statements, dispenses and administrations
/// that refer to it, and those of the same medicine in the same visit.
fn join_medication_courses(resources: &Resources<'_>, sets: &mut Sets) {
    let mut same: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for (at, item) in resources.items.iter().enumerate() {
        let is_course = titles::is_medication(item.kind) && item.kind != "Medication";
        if !is_course || sets.is_record.get(at) != Some(&true) {
            continue;
        }
        let mut linked = false;
        for field in [
            "authorizingPrescription",
            "request",
            "priorPrescription",
            "basedOn",
            "partOf",
            "derivedFrom",
        ] {
            for reference in references(item.value, field) {
                let Some(found) = resources.resolve(reference) else {
                    continue;
                };
                let fits = resources
                    .get(found)
                    .is_some_and(|f| titles::is_medication(f.kind) && f.kind != "Medication");
                if fits && sets.is_record.get(found) == Some(&true) {
                    sets.join(at, found);
                    linked = true;
                }
            }
        }
        let visit = ["encounter.reference", "context.reference"]
            .iter()
            .find_map(|path| text_at(item.value, path));
        // Orders outside a visit are courses of their own; loose dispenses of one medicine are not.
        if linked || (visit.is_none() && item.kind == "MedicationRequest") {
            continue;
        }
        let Some(medicine) = titles::medication(resources, item) else {
            continue;
        };
        let name = match coding(medicine) {
            Some(coding) => format!("{}|{}", coding.system, coding.code),
            None => concept(medicine).unwrap_or_default().to_ascii_lowercase(),
        };
        if !name.is_empty() {
            let first = *same.entry((name, visit.unwrap_or_default())).or_insert(at);
            sets.join(first, at);
        }
    }
}

/// Observations in no report or panel: those of one kind, one visit and one day together.
fn join_loose_observations(resources: &Resources<'_>, sets: &mut Sets) {
    let mut same: BTreeMap<(Class, &str, &str), usize> = BTreeMap::new();
    for (at, item) in resources.items.iter().enumerate() {
        let loose = item.kind == "Observation"
            && sets.is_record.get(at) == Some(&true)
            && !sets.is_claimed(at)
            && item.value.get("hasMember").is_none();
        if !loose {
            continue;
        }
        let class = class(item.value);
        let visit = text_at(item.value, "encounter.reference").unwrap_or_default();
        let date = [
            "effectiveDateTime",
            "effectivePeriod.start",
            "effectiveInstant",
        ]
        .iter()
        .find_map(|path| text_at(item.value, path))
        .map_or("", |text| text.get(..10).unwrap_or(text));
        // Findings of other kinds have nothing in common, and without visit and date neither do any.
        if class == Class::Other || (visit.is_empty() && date.is_empty()) {
            continue;
        }
        let first = *same.entry((class, visit, date)).or_insert(at);
        sets.join(first, at);
    }
}

/// Puts each companion into the groups that refer to it, or makes it a group of its own.
fn place_companions(
    source: &Source<'_>,
    resources: &Resources<'_>,
    sorted: &[Sorted],
    members: &mut BTreeMap<usize, Vec<usize>>,
    group_of: &mut BTreeMap<usize, usize>,
) {
    let is_companion = |at: usize| matches!(sorted.get(at), Some(Sorted::Companion(_)));
    let mut placed: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut copies = source.bytes;
    let holders: Vec<(usize, usize)> = group_of.iter().map(|(at, root)| (*at, *root)).collect();
    for (at, root) in holders {
        let Some(value) = resources.get(at).map(|item| item.value) else {
            continue;
        };
        let attached = ["content", "presentedForm", "photo"]
            .iter()
            .flat_map(|list| each(value, list))
            .filter_map(|item| text_at(item, "attachment.url").or_else(|| text_at(item, "url")));
        let named = ["medicationReference", "specimen"]
            .iter()
            .flat_map(|key| references(value, key));
        for found in named
            .chain(attached)
            .filter_map(|reference| resources.resolve(reference))
        {
            if !is_companion(found) || placed.contains(&(found, root)) {
                continue;
            }
            let size = source.entries.get(found).map_or(0, |entry| entry.raw.len());
            match group_of.entry(found) {
                Entry::Vacant(free) => {
                    free.insert(root);
                }
                Entry::Occupied(_) if size > COPY_BYTES || size > copies => continue,
                Entry::Occupied(_) => copies -= size,
            }
            placed.insert((found, root));
            members.entry(root).or_default().push(found);
        }
    }
    for at in (0..sorted.len()).filter(|at| is_companion(*at)) {
        if let Entry::Vacant(free) = group_of.entry(at) {
            free.insert(at);
            members.entry(at).or_default().push(at);
        }
    }
}

/// A Provenance joins its targets if they are all in one group.
fn place_trails(
    resources: &Resources<'_>,
    sorted: &[Sorted],
    members: &mut BTreeMap<usize, Vec<usize>>,
    group_of: &BTreeMap<usize, usize>,
) {
    for at in (0..sorted.len()).filter(|at| sorted.get(*at) == Some(&Sorted::Trail)) {
        let Some(value) = resources.get(at).map(|item| item.value) else {
            continue;
        };
        let mut roots = references(value, "target").map(|reference| {
            resources
                .resolve(reference)
                .and_then(|found| group_of.get(&found))
        });
        let Some(Some(&root)) = roots.next() else {
            continue;
        };
        if roots.all(|other| other == Some(&root)) {
            members.entry(root).or_default().push(at);
        }
    }
}
