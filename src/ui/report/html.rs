//! One HTML file: no script, nothing from elsewhere, readable on a phone, in print, by day and by night.
//!
//! The document is well-formed XML too, so that a test can read it with a strict reader. Its policy forbids
//! everything but its own style sheet: should a foreign word ever get through the escaping, it finds nothing
//! that it could do. Paths are relative to the repository; the report is made to be passed on.

use std::fmt::Write as _;

use super::markup::{html_code, html_prose, xml};
use super::outline::{
    address, groups, headline, is_failed, meaning, result, short, sign, status, until,
};
use super::place::{directory, spot};
use super::plain::{began, command, took};
use super::stop::stop;
use crate::check::finding::{Class, Finding, Site, Weight};
use crate::check::report::{CheckReport, Step, UnusedRule, Verdict};

/// The style sheet. It holds no `<` and no `&`, so that XML takes it as it is.
const STYLE: &str = include_str!("html.css");

/// What the browser may do.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The whole document.
pub(super) fn html(report: &CheckReport) -> String {
    let headline = headline(report);
    let title = format!("{} – {}", headline.verdict, directory(report));
    let parts = [
        stopped(report),
        groups(report).into_iter().map(|group| section(report, group)).collect(),
        accepted(report),
        unused(report),
        notes(report),
        steps(report),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}<main>\n{}</main>\n\
         <footer>Made by tf-shim {}. Addresses and paths only, no values.</footer>\n</body>\n</html>\n",
        xml(&title),
        head(report),
        parts.concat(),
        env!("CARGO_PKG_VERSION"),
    )
}

/// The verdict, what it means, and where it was found.
fn head(report: &CheckReport) -> String {
    let headline = headline(report);
    let tone = match report.verdict {
        Verdict::Idempotent => "good",
        Verdict::NotIdempotent | Verdict::Error => "bad",
        Verdict::Inconclusive => "unclear",
    };
    let counts = match headline.counts.as_str() {
        "" => String::new(),
        counts => format!("<p class=\"counts\">{}</p>\n", xml(counts)),
    };
    format!(
        "<header class=\"head {tone}\">\n<p class=\"kicker\">Idempotency check</p>\n<h1>{}</h1>\n\
         {counts}<p class=\"meaning\">{}</p>\n{}</header>\n",
        xml(headline.verdict),
        xml(meaning(report)),
        facts(report),
    )
}

fn facts(report: &CheckReport) -> String {
    let version = report.program_version.as_deref().unwrap_or("version unknown");
    let facts = [
        ("Directory", Some(html_code(&directory(report)))),
        ("Workspace", Some(html_code(&report.workspace))),
        ("Program", Some(xml(&format!("{} {version}", report.program)))),
        ("Began", Some(xml(&began(report)))),
        ("Took", Some(xml(&took(report.took)))),
        ("Resources", Some(report.resources.len().to_string())),
        ("Operation", short(report).map(html_code)),
    ];
    let mut text = String::from("<dl class=\"facts\">\n");
    for (label, fact) in facts {
        if let Some(fact) = fact {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "<div><dt>{label}</dt><dd>{fact}</dd></div>");
        }
    }
    text.push_str("</dl>\n");
    text
}

/// Why there is no verdict, and what to do now.
fn stopped(report: &CheckReport) -> String {
    let Some(stop) = stop(report) else { return String::new() };
    let cause = stop.message.as_deref().unwrap_or_default();
    let cause = cause.lines().map(html_prose).collect::<Vec<_>>().join("<br/>");
    let facts = [
        ("Cause", "", cause),
        ("Safe", "", html_prose(&stop.safe)),
        ("Hint", "hint", html_prose(&stop.next)),
    ];
    format!(
        "<section class=\"bad\">\n<h2><span class=\"name\">Where it ended</span></h2>\n\
         <article class=\"card open\">\n<h3><span>{}</span></h3>\n{}</article>\n</section>\n",
        html_prose(&stop.what),
        why(&facts),
    )
}

/// Labelled sentences; those without one are left out.
fn why(facts: &[(&str, &str, String)]) -> String {
    let mut text = String::new();
    for (label, class, fact) in facts.iter().filter(|(_, _, fact)| !fact.is_empty()) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = writeln!(text, "<dt{class}>{label}</dt><dd>{fact}</dd>");
    }
    if text.is_empty() { text } else { format!("<dl class=\"why\">\n{text}</dl>\n") }
}

/// Findings of one class.
fn section(report: &CheckReport, group: (Class, Weight, Vec<&Finding>)) -> String {
    let (class, weight, findings) = group;
    let tone = match weight {
        Weight::Fails => "bad",
        Weight::NoVerdict => "unclear",
        Weight::Told => "told",
    };
    let count = if findings.len() > 1 { format!(" · {}", findings.len()) } else { String::new() };
    let cards: String = findings.into_iter().map(|finding| card(report, finding)).collect();
    format!(
        "<section class=\"{tone}\">\n<h2><span class=\"name\">{}{count}</span> \
         <span class=\"about\">{}</span></h2>\n{cards}</section>\n",
        xml(class.word()),
        xml(class.meaning()),
    )
}

fn card(report: &CheckReport, finding: &Finding) -> String {
    let facts = [
        ("Cause", "", html_prose(&finding.cause.text)),
        ("Hint", "hint", html_prose(&finding.cause.hint)),
    ];
    format!(
        "<article class=\"card open\">\n{}{}{}{}</article>\n",
        subject(finding),
        at(report, finding.site.as_ref()),
        paths(&finding.paths),
        why(&facts),
    )
}

fn subject(finding: &Finding) -> String {
    let sign = match sign(&finding.actions) {
        "" => String::new(),
        sign => format!("<span class=\"sign\">{}</span>", xml(sign)),
    };
    format!("<h3>{sign}{}</h3>\n", html_code(address(finding)))
}

fn at(report: &CheckReport, site: Option<&Site>) -> String {
    let spot = site.map(|site| html_code(&spot(report, site)));
    spot.map(|spot| format!("<p class=\"spot\">at {spot}</p>\n")).unwrap_or_default()
}

fn paths(paths: &[String]) -> String {
    if paths.is_empty() {
        return String::new();
    }
    let items: Vec<_> = paths.iter().map(|path| format!("<li>{}</li>", html_code(path))).collect();
    format!(
        "<ul class=\"paths\">{}</ul>
",
        items.concat()
    )
}

/// What a rule accepts, with its reason.
fn accepted(report: &CheckReport) -> String {
    let mut cards = String::new();
    for finding in report.accepted() {
        let Some(acceptance) = &finding.accepted else { continue };
        let facts = [
            ("Class", "", xml(finding.class.word())),
            ("Because", "", because(&acceptance.reason, until(acceptance.expires))),
        ];
        let (subject, at) = (subject(finding), at(report, finding.site.as_ref()));
        let (paths, why) = (paths(&finding.paths), why(&facts));
        let _ = write!(cards, "<article class=\"card\">\n{subject}{at}{paths}{why}</article>\n");
    }
    titled("Accepted", "a rule of the project says why", &cards)
}

fn because(reason: &str, until: Option<String>) -> String {
    let until = until.map(|until| format!(" · {}", xml(&until))).unwrap_or_default();
    format!("{}{until}", html_prose(reason))
}

fn unused(report: &CheckReport) -> String {
    let card = |rule: &UnusedRule| {
        let path: Vec<_> = rule.path.clone().into_iter().collect();
        let facts = [("Because", "", because(&rule.reason, until(rule.expires)))];
        let (address, at) = (html_code(&rule.address), at(report, rule.site.as_ref()));
        let (paths, why) = (paths(&path), why(&facts));
        format!("<article class=\"card\">\n<h3>{address}</h3>\n{at}{paths}{why}</article>\n")
    };
    let cards: String = report.unused_rules.iter().map(card).collect();
    titled("Rules that matched nothing", "they can go", &cards)
}

fn notes(report: &CheckReport) -> String {
    let items = report.notes.iter().map(|note| format!("<li>{}</li>\n", html_prose(note)));
    let items: String = items.collect();
    let list =
        if items.is_empty() { items } else { format!("<ul class=\"notes\">\n{items}</ul>\n") };
    titled("Notes", "", &list)
}

/// A part with its title, where there is something in it.
fn titled(title: &str, about: &str, inner: &str) -> String {
    if inner.is_empty() {
        return String::new();
    }
    let about = match about {
        "" => String::new(),
        about => format!(" <span class=\"about\">{about}</span>"),
    };
    format!("<section>\n<h2><span class=\"name\">{title}</span>{about}</h2>\n{inner}</section>\n")
}

fn steps(report: &CheckReport) -> String {
    if report.steps.is_empty() {
        return String::new();
    }
    let rows: String = report.steps.iter().map(row).collect();
    let commands = report.steps.iter().map(|step| format!("$ {}", xml(&command(report, step))));
    let commands = commands.collect::<Vec<_>>().join("\n");
    let inner = format!(
        "<div class=\"sheet\"><table>\n<thead><tr><th scope=\"col\">Step</th>\
         <th scope=\"col\">Took</th><th scope=\"col\">Status</th><th scope=\"col\">Result</th></tr>\
         </thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n\
         <details><summary>The commands</summary><pre>{commands}</pre></details>\n"
    );
    titled("Steps", "", &inner)
}

fn row(step: &Step) -> String {
    let failed = if is_failed(step) { " failed" } else { "" };
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"took\">{}</td><td class=\"status{failed}\">{}</td>\
         <td class=\"result{failed}\">{}</td></tr>\n",
        xml(step.name.title()),
        xml(&took(step.took)),
        xml(&status(step)),
        xml(&result(step)),
    )
}
