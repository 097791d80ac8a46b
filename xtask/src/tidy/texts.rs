//! What documents and settings keep to: the README's two commands, no path of anyone's machine.

use super::{Finding, Text};

const README_COMMANDS: [&str; 2] = ["cargo xtask run", "cargo xtask test"];

/// Beginnings of paths that exist on one machine only. In two parts, so that this file does not
/// find itself.
const MACHINE_PATHS: [(&str, &str); 6] = [
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/ro", "ot/"),
    ("/wo", "rk/"),
    ("/op", "t/"),
    ("C:", "\\"),
];

pub(super) fn check(texts: &[Text]) -> Vec<Finding> {
    let mut findings = readme(texts);
    findings.extend(
        texts
            .iter()
            .filter(|text| is_prose(&text.path))
            .flat_map(machine_paths),
    );
    findings
}

fn readme(texts: &[Text]) -> Vec<Finding> {
    let Some(readme) = texts.iter().find(|text| text.path == "README.md") else {
        return vec!["there is no README.md".to_owned()];
    };
    README_COMMANDS
        .iter()
        .filter(|command| !readme.content.contains(*command))
        .map(|command| format!("README.md does not say `{command}`"))
        .collect()
}

fn is_prose(path: &str) -> bool {
    let endings = [
        ".md", ".toml", ".yaml", ".yml", ".json", ".did", ".sh", ".html",
    ];
    endings.iter().any(|ending| path.ends_with(ending)) || path == ".ci/run"
}

fn machine_paths(text: &Text) -> Vec<Finding> {
    let beginnings = MACHINE_PATHS.map(|(a, b)| [a, b].concat());
    text.content
        .lines()
        .enumerate()
        .flat_map(|(at, line)| {
            beginnings
                .iter()
                .filter(move |beginning| begins_a_path(line, beginning))
                .map(move |beginning| (at + 1, beginning.clone()))
        })
        .map(|(number, beginning)| {
            format!(
                "{}:{number} names a path of one machine ({beginning}…)",
                text.path
            )
        })
        .collect()
}

/// Whether `beginning` stands in `line` where a path could begin: not inside an address or a name.
fn begins_a_path(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning).any(|(at, _)| {
        line.get(..at)
            .and_then(|before| before.chars().next_back())
            .is_none_or(|before| !before.is_alphanumeric() && !"./-_~}>:".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn sound() -> Text {
        text("README.md", "cargo xtask run\ncargo xtask test\n")
    }

    #[test]
    fn a_readme_without_its_commands_is_found() {
        assert_eq!(check(&[sound()]).len(), 0);
        assert_eq!(check(&[text("README.md", "cargo xtask run")]).len(), 1);
        assert_eq!(check(&[]).len(), 1);
    }

    #[test]
    fn paths_of_one_machine_are_found_and_addresses_are_not() {
        let with = |line: String| check(&[sound(), text("docs/a.md", &line)]).len();
        for (a, b) in MACHINE_PATHS {
            assert_eq!(with(format!("see {a}{b}x")), 1, "{a}{b}");
            assert_eq!(with(format!("see `{a}{b}x`")), 1, "{a}{b}");
        }
        assert_eq!(with("https://example.org/home/x".to_owned()), 0);
        assert_eq!(with("docs/work/x".to_owned()), 0);
    }
}
