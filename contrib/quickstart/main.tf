# A configuration to play with: the builtin terraform_data, so no provider, no account, no init.
#
#   cargo run --release -- -chdir=contrib/quickstart apply -auto-approve
#   cargo run --release -- -chdir=contrib/quickstart apply -auto-approve -var 'servers=["web","db"]'

variable "servers" {
  description = "Names of the servers to pretend to have."
  type        = set(string)
  default     = ["web", "db", "cache"]
}

variable "release" {
  description = "What they pretend to run. A change replaces nothing, it updates."
  type        = string
  default     = "1.0"
}

resource "terraform_data" "server" {
  for_each = var.servers
  input    = "${each.key} runs ${var.release}"
}

output "servers" {
  description = "What there is now."
  value       = { for name, server in terraform_data.server : name => server.output }
}
