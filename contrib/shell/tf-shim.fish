# For ~/.config/fish/config.fish: what you type as `terraform` or `tofu` goes through tf. Scripts are
# not affected.
alias terraform tf
# Called as `tf`, it prefers terraform. This alias asks for tofu by its path:
if command -q tofu
    alias tofu "env TF_SHIM_REAL="(command -s tofu)" tf"
end
