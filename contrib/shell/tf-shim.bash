# For ~/.bashrc: what you type as `terraform` or `tofu` goes through tf. Scripts are not affected.
alias terraform='tf'
# Called as `tf`, it prefers terraform. This alias asks for tofu by its path, where that is not tf itself:
if type -P tofu >/dev/null && ! [ "$(type -P tofu)" -ef "$(type -P tf)" ]; then
  alias tofu="env TF_SHIM_REAL='$(type -P tofu)' tf"
fi
# Terraform's own words, and those behind `tf shim`. After the aliases, which it looks at.
if type -P tf >/dev/null; then eval "$(tf shim completion bash)"; fi
