//! Recipes held against the schemas that the services publish, which `check-jsonschema` of `PyPI` carries.

use shim_tests::Sandbox;
use shim_tests::callers::tools;
use shim_tests::recipes::file;

#[test]
fn workflows_and_pipelines_are_of_the_published_form() {
    let Some(checker) = tools::find("check-jsonschema") else { return };
    let sandbox = Sandbox::new();
    for (schema, recipes) in [
        ("vendor.github-workflows", ["github-actions.yml", "github-actions-apply.yml"]),
        ("vendor.gitlab-ci", ["gitlab-ci.yml", "gitlab-ci-apply.yml"]),
    ] {
        for recipe in recipes {
            let recipe = file("contrib/ci").join(recipe);
            let args = ["--builtin-schema", schema]
                .into_iter()
                .map(Into::into)
                .chain([recipe.into_os_string()]);
            sandbox.program(&checker, args).run().assert_status(0);
        }
    }
}
