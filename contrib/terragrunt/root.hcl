# The root configuration of Terragrunt, which every unit includes. Terragrunt starts the program named here
# for every unit; `--tf-path` and TG_TF_PATH name it for one run. tf finds terraform on PATH.
terraform_binary = "tf"

terraform {
  extra_arguments "shim" {
    commands = ["apply", "destroy", "import", "refresh", "state", "taint", "untaint"]
    env_vars = {
      # Only for units run side by side, whose lines would otherwise mingle on a terminal.
      TF_SHIM_QUIET = "1"
    }
  }
}
