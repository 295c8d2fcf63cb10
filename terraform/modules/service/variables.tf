variable "prefix" {
  description = "What all names begin with."
  type        = string
}

variable "name" {
  description = "The process, and the name by which others ask for it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z-]{1,19}$", var.name))
    error_message = "2 to 20 small letters and dashes."
  }
}

variable "region" {
  description = "Where it runs."
  type        = string
}

variable "account" {
  description = "The account; no other may make ECS take up its roles."
  type        = string
}

variable "image" {
  description = "Its image."
  type        = string
}

variable "repository_arn" {
  description = "The repository of the image, where it is a private one."
  type        = string
  default     = null
}

variable "entry_point" {
  description = "What is started, whatever the image would start."
  type        = list(string)
}

variable "command" {
  description = "Its arguments."
  type        = list(string)
}

variable "user" {
  description = "As whom it runs in the container; null for the image's own, which is not root."
  type        = string
  default     = null
}

variable "prepare" {
  description = "What is done before it starts, by which image: files that it needs in /tmp, which is all that it can write."
  type        = object({ image = optional(string), commands = optional(list(string), []) })
  default     = {}
}

variable "settings" {
  description = "Its environment, no secrets."
  type        = map(string)
}

variable "injected" {
  description = "Secrets that ECS puts into its environment: variable -> ARN."
  type        = map(string)
  default     = {}
}

variable "asked_secrets" {
  description = "Secrets that it asks for itself, as ARNs."
  type        = list(string)
  default     = []
}

variable "statements" {
  description = "What else it may do."
  type        = list(object({ Sid = string, Effect = string, Action = list(string), Resource = list(string) }))
  default     = []

  validation {
    condition     = alltrue(flatten([for one in var.statements : [for text in concat(one.Action, one.Resource) : text != "*" && !endswith(text, ":*")]]))
    error_message = "No action and no resource may be everything."
  }
}

variable "cpu" {
  description = "Thousandths of a processor, as Fargate sells them (256, 512, 1024, 2048, 4096), by 1,024."
  type        = number
}

variable "memory" {
  description = "In MiB."
  type        = number
}

variable "port" {
  description = "Where it listens, if it does."
  type        = number
  default     = null
}

variable "stop_seconds" {
  description = "How long it may take to stop before it is killed."
  type        = number
  default     = 30

  validation {
    condition     = var.stop_seconds >= 2 && var.stop_seconds <= 120
    error_message = "Fargate waits 2 to 120 seconds."
  }
}

variable "service" {
  description = "Where it is kept up, and how many; null for a task that is started by hand. only_one: a second one must not run beside it, not even during a change."
  type = object({
    cluster_arn      = string
    namespace_arn    = string
    subnets          = list(string)
    security_groups  = list(string)
    count            = number
    only_one         = optional(bool, false)
    is_asked_by_name = optional(bool, false)
    target_group_arn = optional(string)
  })
  default = null
}

variable "log_days" {
  description = "How long its log is kept."
  type        = number
  default     = 365
}

variable "kms_key_arn" {
  description = "The key that seals its log and its secrets."
  type        = string
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
