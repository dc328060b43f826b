//! `[check]`: which outputs must be there, and which differences are accepted and why.
//!
//! A rule silences a finding, so it is read strictly: without a reason, or with a key that nobody acts on,
//! it is a broken configuration and not a rule that does a little less.

use std::path::PathBuf;

use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::pattern::Pattern;
use crate::model::plan::Action;

use super::document::{Document, elements, word};
use super::error::ConfigError;

/// The table of a rule, as in the file.
const RULE: &str = "check.accept";
/// What a date must look like.
const DATE: &str = "a date without quotes, such as 2027-03-31";
/// What a list of actions must look like.
const ACTIONS: &str = "a list, not empty, of \"create\", \"update\", \"delete\", \"replace\", \"forget\", \"move\", \"import\"";

/// What `[check]` says, of all files together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CheckConfig {
    /// The outputs that must have a value after an apply; each once, in the order of the files.
    pub(crate) outputs: Vec<String>,
    /// The differences that are accepted, in the order of the files.
    pub(crate) accept: Vec<AcceptRule>,
}

/// One accepted difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AcceptRule {
    /// Of what: a resource's address, `output.NAME` or `check.NAME`.
    pub(crate) address: Pattern,
    /// In which attribute; none for all of them.
    pub(crate) path: Option<Pattern>,
    /// What Terraform may want to do; none for everything but delete and replace.
    pub(crate) actions: Option<Vec<Action>>,
    /// Why; not blank.
    pub(crate) reason: String,
    /// The last day on which it holds. UTC.
    pub(crate) expires: Option<NaiveDate>,
    /// Where it stands; none for a flag.
    pub(crate) place: Option<RulePlace>,
}

/// Where a rule stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RulePlace {
    /// The file, absolute.
    pub(crate) file: PathBuf,
    /// The line of its head, from 1.
    pub(crate) line: usize,
    /// The line of its end, inclusive.
    pub(crate) end_line: usize,
}

impl CheckConfig {
    /// Reads the table `[check]`.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key.
    pub(super) fn parse(
        document: &Document<'_>,
        check: &Spanned<DeValue<'_>>,
    ) -> Result<Self, ConfigError> {
        let DeValue::Table(table) = check.get_ref() else {
            return Err(document.wrong(&check.span(), "check", "a table"));
        };
        let mut parsed = Self::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "outputs" => parsed.outputs = outputs(document, value)?,
                "accept" => parsed.accept = rules(document, value)?,
                other => return Err(document.unknown(&key.span(), &format!("check.{other}"))),
            }
        }
        Ok(parsed)
    }

    /// What a project file of that text says, for tests of other rooms.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Result<Self, String> {
        let path = std::path::Path::new("/r/.tf-shim.toml");
        super::project::parse(path, text).map(|file| file.check).map_err(|error| error.to_string())
    }

    /// Adds what another file says.
    pub(super) fn add(&mut self, other: Self) {
        for output in other.outputs {
            if !self.outputs.contains(&output) {
                self.outputs.push(output);
            }
        }
        self.accept.extend(other.accept);
    }
}

/// The names of outputs.
fn outputs(
    document: &Document<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<String>, ConfigError> {
    const EXPECTED: &str = "a list of names of outputs, not empty";
    let wrong = || document.wrong(&value.span(), "check.outputs", EXPECTED);
    let mut names = Vec::new();
    for item in elements(value).ok_or_else(wrong)? {
        let name = word(item).filter(|name| !name.trim().is_empty());
        let name = name.ok_or_else(|| document.wrong(&item.span(), "check.outputs", EXPECTED))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The rules, however they are written: `[[check.accept]]`, or a list of inline tables.
fn rules(
    document: &Document<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<AcceptRule>, ConfigError> {
    const EXPECTED: &str = "one or more tables: [[check.accept]]";
    let elements = elements(value).ok_or_else(|| document.wrong(&value.span(), RULE, EXPECTED))?;
    let rule = |element: &Spanned<DeValue<'_>>| match element.get_ref() {
        DeValue::Table(table) => rule(document, element, table),
        _ => Err(document.wrong(&element.span(), RULE, EXPECTED)),
    };
    elements.iter().map(rule).collect()
}

/// One rule.
fn rule(
    document: &Document<'_>,
    head: &Spanned<DeValue<'_>>,
    table: &DeTable<'_>,
) -> Result<AcceptRule, ConfigError> {
    let (mut address, mut path, mut actions, mut reason, mut expires) =
        (None, None, None, None, None);
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let full = format!("{RULE}.{name}");
        let wrong = |expected| document.wrong(&value.span(), &full, expected);
        let text = word(value).filter(|text| !text.trim().is_empty());
        match name {
            "address" => {
                let text = text.ok_or_else(|| wrong("the pattern of an address"))?;
                address = Some(Pattern::new(&text));
            }
            "path" => {
                let text = text.ok_or_else(|| wrong("the pattern of an attribute's path"))?;
                path = Some(Pattern::new(&text));
            }
            "reason" => reason = Some(text.ok_or_else(|| wrong("a reason in words, not blank"))?),
            "actions" => actions = Some(parse_actions(value).ok_or_else(|| wrong(ACTIONS))?),
            "expires" => expires = Some(date(value).ok_or_else(|| wrong(DATE))?),
            _ => return Err(document.unknown(&key.span(), &full)),
        }
    }
    let missing =
        |key| ConfigError::MissingKey { place: document.place(&head.span()), table: RULE, key };
    Ok(AcceptRule {
        address: address.ok_or_else(|| missing("address"))?,
        path,
        actions,
        reason: reason.ok_or_else(|| missing("reason"))?,
        expires,
        place: Some(place(document, head, table)),
    })
}

/// From the head of a rule to the last line of its last value.
fn place(document: &Document<'_>, head: &Spanned<DeValue<'_>>, table: &DeTable<'_>) -> RulePlace {
    let ends = table.values().map(|value| value.span().end).chain([head.span().end]);
    let last = ends.max().unwrap_or_default().saturating_sub(1);
    RulePlace {
        file: std::path::absolute(document.path).unwrap_or_else(|_| document.path.to_owned()),
        line: document.line(head.span().start),
        end_line: document.line(last),
    }
}

/// Actions that leave a difference; `read` is none of them.
fn parse_actions(value: &Spanned<DeValue<'_>>) -> Option<Vec<Action>> {
    let action = |element: &Spanned<DeValue<'_>>| {
        Action::of_word(element.get_ref().as_str()?).filter(|action| *action != Action::Read)
    };
    elements(value)?.iter().map(action).collect()
}

/// A date, and no time of day.
fn date(value: &Spanned<DeValue<'_>>) -> Option<NaiveDate> {
    let date = value.get_ref().as_datetime()?;
    let date = date.date.filter(|_| date.time.is_none() && date.offset.is_none())?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<CheckConfig, String> {
        CheckConfig::of_text(text)
    }

    #[test]
    fn a_whole_table_is_read() {
        let text = "# ours\n[check]\noutputs = [\"b\", \"a\", \"b\"]\n\n[[check.accept]]\n\
                    address = \"module.asg[*].aws_autoscaling_group.*\"\npath = \"desired_capacity\"\n\
                    actions = [\"update\",\n  \"replace\"]\nreason = \"scaled\"\nexpires = 2027-03-31\n\n\
                    [[check.accept]]\nreason = \"\"\"a\nb\"\"\"\naddress = \"x.y\"\n";
        let config = check(text).unwrap();
        assert_eq!(config.outputs, ["b", "a"]);
        let [first, second] = config.accept.as_slice() else { panic!("two rules") };
        assert_eq!(first.address.as_str(), "module.asg[*].aws_autoscaling_group.*");
        assert_eq!(first.path.as_ref().map(Pattern::as_str), Some("desired_capacity"));
        assert_eq!(first.actions, Some(vec![Action::Update, Action::Replace]));
        assert_eq!(first.expires, NaiveDate::from_ymd_opt(2027, 3, 31));
        let place =
            |rule: &AcceptRule| rule.place.clone().map(|place| (place.line, place.end_line));
        assert_eq!(place(first), Some((5, 11)));
        assert_eq!(place(second), Some((13, 16)));
        assert_eq!(
            second.place.as_ref().map(|place| place.file.clone()),
            Some("/r/.tf-shim.toml".into())
        );
        assert_eq!(
            (&*second.reason, &second.path, &second.actions, second.expires),
            ("a\nb", &None, &None, None)
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let rule = |lines: &str| {
            format!("\n[[check.accept]]\naddress = \"a.b\"\nreason = \"r\"\n{lines}\n")
        };
        for (text, expected) in [
            ("[check]\noutput = [\"a\"]".to_owned(), "2: unknown key `check.output`"),
            (
                "[check]\noutputs = []".to_owned(),
                "2: `check.outputs` must be a list of names of outputs, not empty",
            ),
            (
                "[check]\noutputs = \"a\"".to_owned(),
                "2: `check.outputs` must be a list of names of outputs, not empty",
            ),
            (
                "[check]\noutputs = [\n1]".to_owned(),
                "3: `check.outputs` must be a list of names of outputs, not empty",
            ),
            ("check = 1".to_owned(), "1: `check` must be a table"),
            (
                "[check]\naccept = []".to_owned(),
                "2: `check.accept` must be one or more tables: [[check.accept]]",
            ),
            (
                "[check.accept]\nreason = \"r\"".to_owned(),
                "1: `check.accept` must be one or more tables: [[check.accept]]",
            ),
            ("\n[[check.accept]]\naddress = \"a\"".to_owned(), "2: `check.accept` needs `reason`"),
            ("\n[[check.accept]]\nreason = \"a\"".to_owned(), "2: `check.accept` needs `address`"),
            (
                rule("").replace("\"r\"", "\" \""),
                "4: `check.accept.reason` must be a reason in words, not blank",
            ),
            (
                rule("").replace("\"a.b\"", "7"),
                "3: `check.accept.address` must be the pattern of an address",
            ),
            (rule("paths = \"x\""), "5: unknown key `check.accept.paths`"),
            (
                rule("path = \"\""),
                "5: `check.accept.path` must be the pattern of an attribute's path",
            ),
            (
                rule("expires = \"2027-03-31\""),
                "5: `check.accept.expires` must be a date without quotes, such as 2027-03-31",
            ),
            (
                rule("expires = 2027-03-31T00:00:00Z"),
                "5: `check.accept.expires` must be a date without quotes, such as 2027-03-31",
            ),
        ] {
            let fault = check(&text).unwrap_err();
            assert_eq!(fault, format!("/r/.tf-shim.toml:{expected}"), "{text}");
        }
        for actions in ["[]", "[\"read\"]", "[\"destroy\"]", "\"update\"", "[1]"] {
            let fault = check(&rule(&format!("actions = {actions}"))).unwrap_err();
            assert!(
                fault.starts_with("/r/.tf-shim.toml:5: `check.accept.actions` must be a list"),
                "{fault}"
            );
        }
    }
}
