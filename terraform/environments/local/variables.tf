variable "endpoint" {
  description = "Where the emulator of AWS listens."
  type        = string
  default     = "http://127.0.0.1:4566"

  validation {
    condition     = can(regex("^http://(127\\.0\\.0\\.1|localhost|ministack)(:[0-9]+)?$", var.endpoint))
    error_message = "This environment is for an emulator on one's own machine (http://127.0.0.1:PORT, or http://ministack:PORT inside compose)."
  }
}

variable "region" {
  description = "The region by which the emulator names things."
  type        = string
  default     = "ap-southeast-2"
}

variable "prefix" {
  description = "What all names begin with."
  type        = string
  default     = "zixly-local"
}

variable "systems" {
  description = "The systems that have a queue."
  type        = set(string)
  default     = ["asana", "callbacks", "hubspot", "shopify", "xero"]
}
