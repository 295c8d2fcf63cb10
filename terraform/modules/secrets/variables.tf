variable "prefix" {
  description = "What all names begin with: {prefix}/{name}."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9/-]{1,60}[a-z0-9]$", var.prefix))
    error_message = "Small letters, digits, dashes and slashes."
  }
}

variable "entries" {
  description = <<-EOT
    The secrets, by name: what each is, and, where somebody changes it by himself, the Lambda that does and how often.
    Their values are put there by hand or by that Lambda, and never stand in a state of Terraform, but for `values` below.
  EOT
  type = map(object({
    description         = string
    rotation_lambda_arn = optional(string)
    rotation_days       = optional(number, 30)
  }))

  validation {
    condition     = alltrue([for name, _ in var.entries : can(regex("^[a-z][a-z0-9-]{0,60}$", name))])
    error_message = "Secrets are named by small letters, digits and dashes."
  }
}

variable "values" {
  description = "First values, by name, for emulators only: what is written here stands in the state."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "kms_key_id" {
  description = "A KMS key of one's own; without it Secrets Manager encrypts with the account's own."
  type        = string
  default     = null
}

variable "recovery_days" {
  description = "How long a deleted secret can be brought back; 0 only where secrets are worth nothing."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "0, or 7 to 30 days."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
