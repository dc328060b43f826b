# For ~/.zshrc: what you type as `terraform` or `tofu` goes through tf. Scripts are not affected.
alias terraform='tf'
# Called as `tf`, it prefers terraform. This alias asks for tofu by its path:
if (( $+commands[tofu] )); then
  alias tofu="env TF_SHIM_REAL='$commands[tofu]' tf"
fi
# Terraform answers completion requests itself; tf hands them over.
autoload -U +X bashcompinit && bashcompinit
complete -C tf tf terraform
