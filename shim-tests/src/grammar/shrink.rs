//! Making a case that differs as small as it can be: fewer arguments, fewer variables, a simpler place.

use crate::twins::{Behind, Case, Input, Output, World};

/// Returns the smallest case found for which `differs` still holds.
#[must_use]
pub fn shrink(case: &Case, differs: &dyn Fn(&Case) -> bool) -> Case {
    let mut smallest = case.clone();
    while let Some(smaller) = smaller(&smallest).into_iter().find(|smaller| differs(smaller)) {
        smallest = smaller;
    }
    smallest
}

/// Returns every case that is one step smaller, the boldest step first.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let changed = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        smaller
    };
    if !case.env.is_empty() {
        all.push(changed(&|case| case.env.clear()));
    }
    if case.input != Input::Null {
        all.push(changed(&|case| case.input = Input::Null));
    }
    if case.output != Output::Pipes {
        all.push(changed(&|case| case.output = Output::Pipes));
    }
    if !case.directory.as_os_str().is_empty() {
        all.push(changed(&|case| case.directory.clear()));
    }
    for at in (0..case.args.len()).rev() {
        all.push(changed(&|case| drop(case.args.remove(at))));
    }
    if case.env.len() > 1 {
        for at in 0..case.env.len() {
            all.push(changed(&|case| drop(case.env.remove(at))));
        }
    }
    // The fake does the same everywhere.
    if !matches!(case.behind, Behind::Fake(_)) {
        let simpler = World::ALL.iter().filter(|world| **world < case.world);
        all.extend(simpler.map(|world| changed(&|case| case.world = *world)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_is_left() {
        let case = Case::new(World::Rich, "-chdir=. apply -no-color -auto-approve x")
            .env("A", "1")
            .env("B", "2")
            .answer("yes\n");
        let differs = |case: &Case| {
            case.args.iter().any(|arg| arg == "apply")
                && case.args.iter().any(|arg| arg == "x")
                && case.env.iter().any(|(name, _)| name == "B")
                && case.world >= World::Changed
        };
        let smallest = shrink(&case, &differs);
        assert_eq!(smallest.args, ["apply", "x"]);
        assert_eq!(smallest.env.len(), 1);
        assert_eq!(smallest.input, Input::Null);
        assert_eq!(smallest.world, World::Changed);
    }
}
