//! The same commands in other places: fresh, edited, broken, locked, remote, without a usable state.

use crate::twins::{Case, World};

/// What is done in every place.
const EVERYWHERE: &[&str] = &[
    "init",
    "plan",
    "apply -auto-approve",
    "destroy -auto-approve",
    "state list",
    "state pull",
    "state rm terraform_data.a",
    "taint terraform_data.a",
    "workspace list",
    "workspace new another",
    "output -json",
];

/// Where.
const PLACES: &[World] = &[
    World::Empty,
    World::Fresh,
    World::Changed,
    World::Emptied,
    World::Broken,
    World::Invalid,
    World::HalfState,
    World::EmptyState,
    World::NewlineState,
    World::NewerState,
    World::Locked,
    World::Workspaces,
    World::LocalBackend,
    World::Uninitialised,
    World::Http,
    World::HttpFresh,
    World::HttpLocked,
];

/// What is done in one place only.
const THERE: &[(World, &str)] = &[
    (World::Fresh, "import terraform_data.a id"),
    (World::Fresh, "refresh"),
    (World::Fresh, "apply -auto-approve -json"),
    (World::Fresh, "apply -auto-approve -state=elsewhere/x.tfstate"),
    (World::Fresh, "force-unlock -force id"),
    (World::Fresh, "workspace delete default"),
    (World::Changed, "plan -json"),
    (World::Changed, "plan -detailed-exitcode"),
    (World::Changed, "apply -auto-approve -json"),
    (World::Changed, "apply -auto-approve -no-color"),
    (World::Changed, "import terraform_data.d id"),
    (World::Workspaces, "workspace select default"),
    (World::Workspaces, "workspace select -or-create fresh"),
    (World::Workspaces, "workspace delete empty"),
    (World::Workspaces, "workspace delete -force dev"),
    (World::Workspaces, "env delete empty"),
    (World::Workspaces, "apply -auto-approve -var tag=two"),
    (World::Workspaces, "state mv terraform_data.a terraform_data.x"),
    (World::LocalBackend, "apply -auto-approve -var tag=two"),
    (World::LocalBackend, "init -reconfigure"),
    (World::LocalBackend, "init -backend-config=path=moved.tfstate"),
    (World::LocalBackend, "init -backend-config=path=moved.tfstate -force-copy"),
    (World::Uninitialised, "init -force-copy"),
    (World::Uninitialised, "init -input=false"),
    (World::Uninitialised, "init -reconfigure"),
    (World::Http, "apply -auto-approve -var tag=two"),
    (World::Http, "apply -auto-approve -var tag=two -json"),
    (World::Http, "apply -auto-approve -state=x -var tag=two"),
    (World::Http, "refresh"),
    (World::Http, "untaint terraform_data.a"),
    (World::Http, "import terraform_data.nothing id"),
    (World::Http, "state mv terraform_data.a terraform_data.x"),
    (World::Http, "state push main.tf"),
    (World::Http, "state rm -state=x terraform_data.a"),
    (World::Http, "workspace select default"),
    (World::Http, "force-unlock -force id"),
    (World::Http, "init -reconfigure"),
    (World::Http, "init -migrate-state -force-copy"),
    (World::HttpFresh, "init -force-copy"),
    (World::HttpFresh, "init -input=false"),
    (World::HttpFresh, "init -reconfigure -force-copy"),
    (World::HttpFresh, "init -backend=false"),
    (World::HttpLocked, "force-unlock -force somebody"),
    (World::HttpLocked, "apply -auto-approve -lock=false -var tag=two"),
    (World::Locked, "apply -auto-approve -lock=false -var tag=two"),
    (World::Locked, "apply -auto-approve -lock-timeout=1s"),
    (World::Locked, "force-unlock -force 6a1d1b1e-0000-4000-8000-000000000001"),
    (World::HalfState, "state push -force main.tf"),
    (World::EmptyState, "import terraform_data.a id"),
    (World::Probing, "apply -auto-approve"),
    (World::Probing, "apply -auto-approve -json"),
    (World::Probing, "plan"),
    (World::Slow, "apply -auto-approve"),
    (World::Asking, "plan -input=false"),
    (World::Asking, "plan -var asked=told"),
];

pub(super) fn cases() -> Vec<Case> {
    let everywhere =
        PLACES.iter().flat_map(|world| EVERYWHERE.iter().map(|line| Case::new(*world, line)));
    let there = THERE.iter().map(|(world, line)| Case::new(*world, line));
    let nested = ["plan", "apply -auto-approve -replace=terraform_data.lone", "workspace new x"];
    let nested = nested.iter().map(|line| Case::new(World::Rich, line).inside("sub"));
    everywhere.chain(there).chain(nested).collect()
}
