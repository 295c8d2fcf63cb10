variable "prefix" {
  description = "What all names begin with; the same as in ZIXLY_QUEUE_URL (sqs://REGION/PREFIX)."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$", var.prefix))
    error_message = "The prefix is 3 to 40 small letters, digits and dashes, and begins and ends with a letter or digit."
  }
}

variable "names" {
  description = "The queues, one for each system (zixly_core/systems): a message is a wake-up, and what comes first is chosen among the rows."
  type        = set(string)

  validation {
    condition     = length(var.names) > 0 && alltrue([for name in var.names : can(regex("^[a-z][a-z0-9_-]{0,29}$", name))])
    error_message = "At least one queue, each named by small letters, digits, dashes and underscores."
  }
}

variable "visibility_seconds" {
  description = "How long a message that was taken stays away. Our code asks for its own time with each call; this holds for anybody else."
  type        = number
  default     = 30

  validation {
    condition     = var.visibility_seconds >= 1 && var.visibility_seconds <= 43200
    error_message = "SQS keeps taken messages away for 1 to 43,200 seconds."
  }
}

variable "max_receive_count" {
  description = "How often a message is handed out before it becomes a dead letter."
  type        = number
  default     = 10

  validation {
    condition     = var.max_receive_count >= 2 && var.max_receive_count <= 1000
    error_message = "Between 2 (a worker may die once) and 1,000."
  }
}

variable "retention_seconds" {
  description = "How long a message waits. The sweep announces jobs anew, so that a message that is gone costs time and no job."
  type        = number
  default     = 345600
}

variable "dead_retention_seconds" {
  description = "How long dead letters are kept: the longest that SQS can, since an operator may be on holiday."
  type        = number
  default     = 1209600
}

variable "kms_key_id" {
  description = "A KMS key of one's own; without it SQS encrypts with its own key. Messages hold nothing but ids of jobs."
  type        = string
  default     = null
}

variable "with_alarms" {
  description = "Whether CloudWatch watches the queues. Emulators do not."
  type        = bool
  default     = true
}

variable "oldest_message_alarm_seconds" {
  description = "The age of the oldest message above which somebody is told: the dispatcher takes them within a second."
  type        = number
  default     = 120
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
