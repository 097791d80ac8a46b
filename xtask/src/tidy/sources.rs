//! What every Rust module keeps to: a length, an opening, honest names, nothing left open.

use super::{Finding, Text};

const WARN_LINES: usize = 400;
const FAIL_LINES: usize = 600;

/// Names that say nothing about what a thing is.
const EMPTY_WORDS: [&str; 8] = [
    "manager", "managers", "helper", "helpers", "util", "utils", "utility", "misc",
];

pub(super) fn check(texts: &[Text]) -> (Vec<Finding>, Vec<Finding>) {
    let (mut findings, mut warnings) = (Vec::new(), Vec::new());
    for text in texts.iter().filter(|text| text.path.ends_with(".rs")) {
        match length(text) {
            Some((true, what)) => findings.push(what),
            Some((false, what)) => warnings.push(what),
            None => {}
        }
        findings.extend(opening(text));
        findings.extend(left_open(text));
        findings.extend(declared_names(text));
    }
    findings.extend(texts.iter().filter_map(path_name));
    (findings, warnings)
}

/// Lines of a module without its tests: true means too many.
fn length(text: &Text) -> Option<(bool, Finding)> {
    if is_test_code(&text.path) || is_table_of_texts(&text.path) {
        return None;
    }
    let lines = lines_before_tests(&text.content);
    (lines > WARN_LINES).then(|| {
        (
            lines > FAIL_LINES,
            format!("{} has {lines} lines without its tests", text.path),
        )
    })
}

fn is_test_code(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("tests/")
        || path.contains("/tests/")
        || name.ends_with("tests.rs")
        || name.starts_with("test")
}

/// One line for each text of the interface: as long as there is to be said.
fn is_table_of_texts(path: &str) -> bool {
    path.starts_with("frontend/ui/locales/")
}

/// A module of tests at the end of a file does not count.
fn lines_before_tests(content: &str) -> usize {
    let lines: Vec<&str> = content.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        matches!(pair, [gate, module] if gate.trim() == "#[cfg(test)]"
            && module.contains("mod ") && module.trim_end().ends_with('{'))
    });
    tests.unwrap_or(lines.len())
}

fn opening(text: &Text) -> Option<Finding> {
    // Tables of words, included where they are read: no modules of their own.
    if text.path.contains("/locales/") {
        return None;
    }
    let first = text
        .content
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("#!["));
    (!first.is_some_and(|line| line.starts_with("//!")))
        .then(|| format!("{} does not begin by saying what it owns (//!)", text.path))
}

fn left_open(text: &Text) -> Vec<Finding> {
    // In two parts, so that this file does not find itself.
    let marks = [["todo", "!("], ["unimplemented", "!("], ["dbg", "!("]].map(|mark| mark.concat());
    code_lines(&text.content)
        .flat_map(|(number, line)| {
            marks
                .iter()
                .filter(move |mark| line.contains(mark.as_str()))
                .map(move |mark| format!("{}:{number} still has {mark}…)", text.path))
        })
        .collect()
}

fn declared_names(text: &Text) -> Vec<Finding> {
    code_lines(&text.content)
        .filter_map(|(number, line)| {
            let name = declared_name(line)?;
            let word = words(name).into_iter().find(|word| is_empty_word(word))?;
            Some(format!(
                "{}:{number} declares {name}: {word:?} says nothing",
                text.path
            ))
        })
        .collect()
}

/// The name after `struct`, `enum`, `trait`, `type`, `mod` or `union`, if the line declares one.
fn declared_name(line: &str) -> Option<&str> {
    let mut rest = line.trim();
    if let Some(public) = rest.strip_prefix("pub") {
        rest = public.trim_start();
        if rest.starts_with('(') {
            rest = rest.split_once(')')?.1.trim_start();
        }
    }
    let (keyword, rest) = rest.split_once(' ')?;
    if !["struct", "enum", "trait", "type", "mod", "union"].contains(&keyword) {
        return None;
    }
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty())
}

fn path_name(text: &Text) -> Option<Finding> {
    let word = text
        .path
        .split(['/', '.', '-'])
        .flat_map(words)
        .find(|word| is_empty_word(word))?;
    Some(format!("{}: {word:?} in a name says nothing", text.path))
}

/// `KeyManager` and `key_manager` are the words key and manager.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_empty_word(word: &str) -> bool {
    EMPTY_WORDS.contains(&word)
}

/// Lines with their numbers, comments left out.
fn code_lines(content: &str) -> impl Iterator<Item = (usize, &str)> {
    content
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn findings(path: &str, content: &str) -> Vec<Finding> {
        check(&[text(path, content)]).0
    }

    #[test]
    fn a_long_module_is_found_and_its_tests_do_not_count() {
        let lines = |count: usize| format!("//! x\n{}", "fn a() {}\n".repeat(count));
        assert_eq!(findings("a/src/x.rs", &lines(700)).len(), 1);
        assert_eq!(findings("a/tests/x.rs", &lines(700)).len(), 0);
        let with_tests = format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", lines(700));
        assert_eq!(findings("a/src/x.rs", &with_tests).len(), 0);
        let (none, warnings) = check(&[text("a/src/x.rs", &lines(450))]);
        assert_eq!((none.len(), warnings.len()), (0, 1));
    }

    #[test]
    fn a_module_without_an_opening_is_found() {
        assert_eq!(findings("a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(findings("a.rs", "").len(), 1);
        assert_eq!(findings("a.rs", "#![no_std]\n//! a\n").len(), 0);
    }

    #[test]
    fn what_is_left_open_is_found_but_not_in_comments() {
        for mark in ["todo", "unimplemented", "dbg"] {
            let code = format!("//! x\nfn a() {{ {mark}!(\"later\") }}\n");
            assert_eq!(findings("a.rs", &code).len(), 1, "{mark}");
            let comment = format!("//! x\n// {mark}!(…) is not allowed\n");
            assert_eq!(findings("a.rs", &comment).len(), 0, "{mark}");
        }
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for declaration in [
            "pub struct KeyManager;",
            "enum StringUtil {}",
            "pub(crate) trait GrantHelper {}",
            "mod misc;",
        ] {
            let code = format!("//! x\n{declaration}\n");
            assert_eq!(findings("a.rs", &code).len(), 1, "{declaration}");
        }
        assert_eq!(findings("a/utils.rs", "//! x\n").len(), 1);
        assert_eq!(findings("a/test-helpers/b.txt", "").len(), 1);
        assert_eq!(
            findings("a.rs", "//! x\nuse ic_stable_structures::MemoryManager;\n").len(),
            0
        );
        assert_eq!(findings("a.rs", "//! x\nstruct Utilisation;\n").len(), 0);
    }
}
