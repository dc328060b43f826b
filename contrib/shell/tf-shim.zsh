# For ~/.zshrc: what you type as `terraform` or `tofu` goes through tf. Scripts are not affected.
alias terraform='tf'
# Called as `tf`, it prefers terraform. This alias asks for tofu by its path, where that is not tf itself:
if (( $+commands[tofu] )) && ! [[ $commands[tofu] -ef $commands[tf] ]]; then
  alias tofu="env TF_SHIM_REAL='$commands[tofu]' tf"
fi
# Terraform's own words, and those behind `tf shim`. After compinit, if you call it yourself.
if (( $+commands[tf] )); then eval "$(tf shim completion zsh)"; fi
