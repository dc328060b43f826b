//! Questions around an apply whose plan was judged: Terraform's own, word by word, and ours about what is
//! protected.
//!
//! What Terraform would ask is asked in its words (`internal/backend/local/backend_apply.go`, 1.11.4), on stderr,
//! and answered from stdin, a terminal or not: `echo yes | tf apply` works. It is read byte by byte, so that
//! nothing that comes after it is taken. What is easy to get wrong: Terraform takes blanks behind a `yes` and
//! none before it, and an input that ends is another answer than a no.

use super::screen::refusal;
use super::style::{Line, Paint, Role};
use super::{Ui, read_line, write_err};
use crate::model::text::escape;
use crate::ops::protected::{Answer, Asked, Deletion, Question};

impl Ui {
    /// Asks what Terraform would ask. `waits` returns when there is something to read, or false where the
    /// question has become idle; `gives_up` tells whether it has.
    pub(crate) fn approve(
        &self,
        question: &Question<'_>,
        gives_up: &dyn Fn() -> bool,
        waits: &dyn Fn() -> bool,
    ) -> Answer {
        // The plan above is in colour whatever `NO_COLOR` says: so is what belongs to it.
        let is_coloured = !question.is_plain && self.stderr_is_terminal();
        let paint = if is_coloured { Paint::Colour } else { Paint::Plain };
        write_err(text_of(question, paint).as_bytes());
        let answer = read_line(waits);
        write_err(b"\n");
        let Some(answer) = answer else {
            let why = if gives_up() { "interrupted" } else { "EOF" };
            write_err(unanswered(why, paint).as_bytes());
            return Answer::None;
        };
        if answer.trim_ascii_end() == b"yes" {
            return Answer::Yes;
        }
        let what = if question.asked == Asked::Destroy { "Destroy" } else { "Apply" };
        write_err(format!("{what} cancelled.\n").as_bytes());
        Answer::No
    }

    /// Has a person type the name of a workspace, above it what would be deleted there. Where stdin or stderr is no
    /// terminal nobody is asked, and the answer is no.
    pub(crate) fn confirm_deletion(
        &self,
        deletion: &Deletion<'_>,
        waits: &dyn Fn() -> bool,
    ) -> bool {
        if !self.can_ask() {
            return false;
        }
        let mut screen = refusal::deletion(deletion, &self.talk_frame());
        screen.line(Line::new());
        let lead = Line::new().padded(2);
        let how = "Type the name of the workspace to go on; anything else refuses.";
        screen.fold(lead, Role::Plain, how, self.err.width);
        screen.line(Line::new());
        let prompt = Line::new().padded(2).with(Role::Title, "Name of the workspace:");
        let prompt = prompt.render(self.err.paint);
        write_err(format!("\n{}{prompt} ", screen.render(self.err.paint)).as_bytes());
        let answer = read_line(waits);
        write_err(if answer.is_some() { b"\n" } else { b"\n\n" });
        answer.is_some_and(|answer| answer.trim_ascii() == deletion.workspace.as_bytes())
    }
}

/// Terraform's question.
fn text_of(question: &Question<'_>, paint: Paint) -> String {
    let name = escape(question.workspace.as_bytes());
    let is_default = question.workspace == "default";
    let product = question.product;
    let in_workspace = if is_default { String::new() } else { format!(" in workspace \"{name}\"") };
    let for_workspace = if is_default { String::new() } else { format!(" for \"{name}\"") };
    let [asks, explains, accepts] = match question.asked {
        Asked::Apply => [
            format!("Do you want to perform these actions{in_workspace}?"),
            format!("{product} will perform the actions described above."),
            "Only 'yes' will be accepted to approve.".to_owned(),
        ],
        Asked::Destroy => [
            format!("Do you really want to destroy all resources{in_workspace}?"),
            format!("{product} will destroy all your managed infrastructure, as shown above."),
            "There is no undo. Only 'yes' will be accepted to confirm.".to_owned(),
        ],
        Asked::Refresh => [
            format!(
                "Would you like to update the {product} state{for_workspace} to reflect these \
                 detected changes?"
            ),
            format!(
                "{product} will write these changes to the state without modifying any real \
                 infrastructure."
            ),
            "There is no undo. Only 'yes' will be accepted to confirm.".to_owned(),
        ],
    };
    let [reset, bold] = match paint {
        Paint::Plain => ["", ""],
        Paint::Colour => ["\u{1b}[0m", "\u{1b}[1m"],
    };
    format!(
        "{reset}{bold}\n{asks}{reset}\n  {explains}\n  {accepts}\n\n  {bold}Enter a value:{reset} {reset}"
    )
}

/// What Terraform says where there was no answer.
fn unanswered(why: &str, paint: Paint) -> String {
    let error = format!("error asking for approval: {why}");
    if paint == Paint::Plain {
        return format!("Error: {error}\n\n");
    }
    let bar = |text: &str| Line::of(Role::Error, text).render(paint);
    let title = Line::of(Role::Error, "Error: ").with(Role::Title, &error).render(paint);
    format!("{}\n{} {title}\n{} \n{} \n{}\n", bar("╷"), bar("│"), bar("│"), bar("│"), bar("╵"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::GuardConfig;
    use crate::guard::plan::judge;
    use crate::model::plan::Plan;
    use crate::ui::samples::frame;

    fn asked(asked: Asked, workspace: &str) -> String {
        let question = Question { asked, workspace, product: "Terraform", is_plain: true };
        text_of(&question, Paint::Plain)
    }

    #[test]
    fn the_questions_are_those_of_terraform() {
        assert_eq!(
            asked(Asked::Apply, "default"),
            "\nDo you want to perform these actions?\n  Terraform will perform the actions described \
             above.\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
        );
        assert_eq!(
            asked(Asked::Destroy, "prod"),
            "\nDo you really want to destroy all resources in workspace \"prod\"?\n  Terraform will \
             destroy all your managed infrastructure, as shown above.\n  There is no undo. Only \
             'yes' will be accepted to confirm.\n\n  Enter a value: "
        );
        assert_eq!(
            asked(Asked::Refresh, "prod"),
            "\nWould you like to update the Terraform state for \"prod\" to reflect these detected \
             changes?\n  Terraform will write these changes to the state without modifying any real \
             infrastructure.\n  There is no undo. Only 'yes' will be accepted to confirm.\n\n  \
             Enter a value: "
        );
    }

    #[test]
    fn a_name_cannot_forge_anything() {
        let text = asked(Asked::Apply, "\u{1b}[2J\u{202e}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }

    #[test]
    fn colours_are_added_and_nothing_else() {
        let question = Question {
            asked: Asked::Apply,
            workspace: "default",
            product: "Terraform",
            is_plain: false,
        };
        let coloured = text_of(&question, Paint::Colour);
        assert!(coloured.starts_with("\u{1b}[0m\u{1b}[1m\nDo you want"));
        assert!(coloured.ends_with("\n\n  \u{1b}[1mEnter a value:\u{1b}[0m \u{1b}[0m"));
        assert!(
            unanswered("EOF", Paint::Plain).starts_with("Error: error asking for approval: EOF")
        );
        assert!(unanswered("EOF", Paint::Colour).contains("error asking for approval: EOF"));
    }

    #[test]
    fn what_is_to_be_confirmed_fits_the_terminal_and_cannot_forge_anything() {
        let change = json!({"address": "t.a[\"\u{1b}[2J\n\u{202e}\"]", "mode": "managed",
            "type": "t", "change": {"actions": ["delete"]}});
        let document = json!({"format_version": "1.2", "resource_changes": [change]});
        let plan = Plan::parse(document.to_string().as_bytes()).unwrap();
        let config = GuardConfig { max_deletes: Some(0), ..GuardConfig::default() };
        let objection = judge(&plan, &config, "prod").unwrap();
        let backend = "s3 bucket/a-rather-long-name-of-a-key/that-goes-on/terraform.tfstate";
        let deletion =
            Deletion { verb: "apply", objection: &objection, backend, workspace: "prod\u{9b}" };
        let screen = refusal::deletion(&deletion, &frame(Some(80))).render(Paint::Plain);
        assert!(screen.starts_with("tf shim: apply would delete what must not be deleted\n"));
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
        assert!(screen.chars().all(|c| c == '\n' || !c.is_control()), "{screen}");
        assert!(
            !screen.contains('\u{202e}') && screen.contains("max_deletes allows 0"),
            "{screen}"
        );
    }
}
