variable "bucket" {
  description = "The name of the bucket; the same as in ZIXLY_OBJECTS_URL (s3://BUCKET/PREFIX)."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name is 3 to 63 small letters, digits and dashes."
  }
}

variable "archive_after_days" {
  description = "After so many days objects move to the archive from which they are still read at once (Glacier Instant Retrieval): a replay may need them."
  type        = number
  default     = 90

  validation {
    condition     = var.archive_after_days >= 0
    error_message = "A number of days."
  }
}

variable "delete_after_days" {
  description = "After so many days objects are deleted: seven years and their leap days, longer than the five for which the ATO asks."
  type        = number
  default     = 2557

  validation {
    condition     = var.delete_after_days > var.archive_after_days
    error_message = "Objects cannot be deleted before they are archived."
  }
}

variable "noncurrent_days" {
  description = "How long a version that was overwritten or deleted can be brought back. Erasing a tenant's data waits as long for the last copy to go."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "A KMS key of one's own; without it S3 encrypts with its own keys (AES-256)."
  type        = string
  default     = null
}

variable "log_bucket" {
  description = "A bucket for S3's access logs, or none."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may remove the bucket with what is in it. Never where it is in earnest."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
