//! From a group of entries to a record draft.
//!
//! Owns how a group as a whole is titled, dated and summed up. Must not know grouping rules.

use super::group::Group;
use super::parse::Source;
use super::{RecordDraft, label, write};
use crate::category::Category;
use crate::fhir::{LINE_CHARS, TITLE_CHARS, clean, each};
use crate::names;
use crate::observation::{blood_pressure, phrase};
use crate::resources::{Item, Resources};
use crate::titles;

pub(super) fn draft(
    source: &Source<'_>,
    resources: &Resources<'_>,
    labels: &[String],
    group: &Group,
) -> RecordDraft {
    let items: Vec<&Item<'_>> = group
        .members
        .iter()
        .filter_map(|at| resources.get(*at))
        .collect();
    let head = items.first().copied();
    let author = items.iter().find_map(|item| names::author(resources, item));
    let title = head.map_or_else(
        || "Record".to_owned(),
        |head| group_title(resources, head, &items, group.category),
    );
    let title = match group.part {
        Some(part) if part > 1 => format!("{} (part {part})", clean(&title, TITLE_CHARS - 12)),
        _ => clean(&title, TITLE_CHARS),
    };
    RecordDraft {
        category: group.category,
        title,
        type_code: head.and_then(|head| titles::type_code(resources, head)),
        clinical_date: items.iter().find_map(|item| titles::date(item.value)),
        summary: head.map_or_else(String::new, |head| summary(head, &items, author.as_deref())),
        author,
        content: content(source, resources, labels, group),
        entries: group.members.clone(),
    }
}

fn observations<'i, 'v>(items: &'i [&'i Item<'v>]) -> impl Iterator<Item = &'i Item<'v>> {
    items
        .iter()
        .copied()
        .filter(|item| item.kind == "Observation")
}

fn group_title(
    resources: &Resources<'_>,
    head: &Item<'_>,
    items: &[&Item<'_>],
    category: Category,
) -> String {
    let count = observations(items).count();
    if head.kind != "Observation" || count < 2 || head.value.get("hasMember").is_some() {
        return titles::title(resources, head);
    }
    // A blood pressure says most about a visit's measurements; else whatever comes first.
    let lead = observations(items)
        .find(|item| blood_pressure(item.value).is_some())
        .unwrap_or(head);
    let first = phrase(lead.value);
    let kind = match category {
        Category::Vitals if count == 2 => "other measurement",
        Category::Vitals => "other measurements",
        Category::Results if count == 2 => "other result",
        Category::Results => "other results",
        _ if count == 2 => "other answer",
        _ => "other answers",
    };
    format!(
        "{} and {} {kind}",
        clean(&first, TITLE_CHARS - 40),
        count - 1
    )
}

fn summary(head: &Item<'_>, items: &[&Item<'_>], author: Option<&str>) -> String {
    let several = observations(items).count() > 1 || head.kind == "DiagnosticReport";
    if several {
        let told = observations(items)
            .take(12)
            .map(|item| phrase(item.value))
            .collect::<Vec<_>>();
        let told = if told.is_empty() {
            author.map(str::to_owned).into_iter().collect()
        } else {
            told
        };
        return clean(&told.join(" · "), LINE_CHARS);
    }
    if titles::is_medication(head.kind) {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(titles::status(head.value));
        parts.extend(crate::medications::dosage(head.value));
        parts.extend(author.map(str::to_owned));
        return clean(&parts.join(" · "), LINE_CHARS);
    }
    if head.kind == "CarePlan" {
        let mut parts: Vec<String> = titles::status(head.value).into_iter().collect();
        let goals = items.iter().filter(|item| item.kind == "Goal").count();
        let activities = each(head.value, "activity").count();
        for (count, one) in [(activities, "activity"), (goals, "goal")] {
            match count {
                0 => {}
                1 => parts.push(format!("1 {one}")),
                n => parts.push(format!("{n} {}", plural(one))),
            }
        }
        parts.extend(author.map(str::to_owned));
        return clean(&parts.join(" · "), LINE_CHARS);
    }
    titles::summary(head, author)
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{word}s"),
    }
}

fn content(
    source: &Source<'_>,
    resources: &Resources<'_>,
    labels: &[String],
    group: &Group,
) -> Vec<u8> {
    let mut inside = group.members.clone();
    inside.sort_unstable();
    let entries = group
        .members
        .iter()
        .filter_map(|at| source.entries.get(*at))
        .map(|entry| {
            let mut contained: Vec<&str> = each(&entry.value, "contained")
                .filter_map(|inner| inner.get("id")?.as_str())
                .collect();
            contained.sort_unstable();
            let label = |reference: &str| {
                if let Some(fragment) = reference.strip_prefix('#') {
                    // A bare '#' means the resource that contains this one.
                    let known = fragment.is_empty() || contained.binary_search(&fragment).is_ok();
                    return (!known).then(|| label::unresolved(reference));
                }
                match resources.resolve(reference) {
                    Some(at) if inside.binary_search(&at).is_ok() => None,
                    Some(at) => labels.get(at).cloned(),
                    None => Some(label::unresolved(reference)),
                }
            };
            let mut out = Vec::with_capacity(entry.raw.len());
            write::entry(&mut out, entry.url.as_deref(), entry.raw, &label);
            out
        });
    write::collection(entries)
}
