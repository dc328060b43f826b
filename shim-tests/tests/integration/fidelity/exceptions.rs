//! The exceptions: each is one, because its exhibit differs without it and not with it.

use shim_tests::twins::{Difference, Exception, Stage, Who};

use super::worlds;

#[test]
fn each_exception_excuses_its_exhibit_and_nothing_else_does() {
    let Some(worlds) = worlds() else { return };
    let stage = Stage::new(worlds);
    for exception in Exception::ALL {
        let case = exception.exhibit();
        let (plain, shimmed) = (stage.see(&case, Who::Plain), stage.see(&case, Who::Terraform));
        let with = Difference::between(&case, &plain, &shimmed, Exception::ALL);
        let told: String = with.iter().map(ToString::to_string).collect();
        assert!(with.is_empty(), "{exception:?} does not excuse {case}\n{told}");
        let others: Vec<_> = Exception::ALL.iter().copied().filter(|e| e != exception).collect();
        let without = Difference::between(&case, &plain, &shimmed, &others);
        assert!(!without.is_empty(), "{case} does not differ without {exception:?}");
    }
}

#[test]
fn a_case_that_is_none_of_them_is_excused_nothing_but_the_variable() {
    let Some(worlds) = worlds() else { return };
    let stage = Stage::new(worlds);
    let case = Exception::Variable.exhibit();
    let (plain, shimmed) = (stage.see(&case, Who::Plain), stage.see(&case, Who::Tf));
    let found = Difference::between(&case, &plain, &shimmed, &[Exception::Variable]);
    assert!(found.is_empty(), "{}", found[0]);
}
