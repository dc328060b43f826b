# For ~/.config/fish/config.fish: what you type as `terraform` or `tofu` goes through tf. Scripts are
# not affected. fish completes an alias as what it stands for.
alias terraform tf
# Called as `tf`, it prefers terraform. This alias asks for tofu by its path, where that is not tf itself:
if command -q tofu; and test (realpath (command -s tofu)) != (realpath (command -s tf))
    alias tofu "TF_SHIM_REAL="(string escape -- (command -s tofu))" tf"
end
# Terraform's own words, and those behind `tf shim`.
if command -q tf
    tf shim completion fish | source
end
