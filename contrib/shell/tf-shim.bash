# For ~/.bashrc: what you type as `terraform` or `tofu` goes through tf. Scripts are not affected.
alias terraform='tf'
# Called as `tf`, it prefers terraform. This alias asks for tofu by its path:
if type -P tofu >/dev/null; then
  alias tofu="env TF_SHIM_REAL='$(type -P tofu)' tf"
fi
# Terraform answers completion requests itself; tf hands them over.
complete -C tf tf terraform
