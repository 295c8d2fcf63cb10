variable "region" {
  description = "Where everything is."
  type        = string
  default     = "ap-southeast-2"
}

variable "prefix" {
  description = "What all names begin with."
  type        = string
  default     = "zixly"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.prefix))
    error_message = "3 to 20 small letters, digits and dashes, a letter first: load balancers have names of 32 at most."
  }
}

variable "host" {
  description = "The name by which people and vendors reach it. Its record points at the output `load_balancer`."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+\\.[a-z]{2,}$", var.host))
    error_message = "A host name, without https:// and without a path."
  }
}

variable "certificate_arn" {
  description = "The certificate of that name in ACM, in the same region."
  type        = string
}

variable "image" {
  description = "The image of all processes, by digest or by the tag of a version."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:v?[0-9]+\\.[0-9]+\\.[0-9]+[0-9a-z.-]*)$", var.image))
    error_message = "An image named by digest (…@sha256:…) or by version (…:1.2.3): one that moves would change under running services."
  }
}

variable "gateway_image" {
  description = "nginx, which needs nothing of ours but its configuration."
  type        = string
  default     = "public.ecr.aws/docker/library/nginx:1.26.3"
}

variable "collector_image" {
  description = "AWS' distribution of the OpenTelemetry collector, which takes the figures of the autoscaling from the bridge to CloudWatch."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
}

variable "systems" {
  description = "The systems that have a queue."
  type        = set(string)
  default     = ["asana", "callbacks", "hubspot", "shopify", "xero"]
}

variable "settings" {
  description = "Further settings of all processes (.env.example), no secrets: client ids, the OpenID Connect issuer, hosts that may be called."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, _ in var.settings : can(regex("^ZIXLY_[A-Z0-9_]+$", name))])
    error_message = "Settings are named ZIXLY_..."
  }

  validation {
    condition     = !anytrue([for name, _ in var.settings : can(regex("(SECRET|TOKEN|DATABASE_URL|BROKER_URL|_KEYS?|SMTP_URL|WEBHOOK_URL|LIMITS_URL|HEADERS)", name))])
    error_message = "What is secret lies in Secrets Manager: name it in optional_secrets."
  }
}

variable "optional_secrets" {
  description = "Which of the optional secrets of services.yaml are used. Each has a value in Secrets Manager before the services start."
  type        = set(string)
  default     = ["ZIXLY_OIDC_CLIENT_SECRET"]
}

variable "started" {
  description = "Whether the services run. False for the first apply: databases, secrets and the image come first (docs/deployment.md)."
  type        = bool
  default     = true
}

variable "sizes" {
  description = "How many of each run. The worker's is moved by the autoscaling; a daemon is always one."
  type        = object({ bridge = optional(number, 2), gateway = optional(number, 2), code = optional(number, 1), webserver = optional(number, 1), viewer = optional(number, 1) })
  default     = {}
}

variable "workers" {
  description = "The bounds between which the number of workers moves, and the runs that each executes side by side."
  type        = object({ least = optional(number, 2), most = optional(number, 10), slots = optional(number, 2) })
  default     = {}

  validation {
    condition     = var.workers.least >= 1 && var.workers.most >= var.workers.least && var.workers.most <= 100
    error_message = "At least one worker, at most a hundred, and not fewer at most than at least."
  }
}

variable "cidr" {
  description = "The addresses of the network."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "A network of form a.b.0.0/16."
  }
}

variable "zones" {
  description = "The two zones. Named, since a list that AWS gives may change its order under what stands."
  type        = list(string)
  default     = ["ap-southeast-2a", "ap-southeast-2b"]

  validation {
    condition     = length(distinct(var.zones)) == 2
    error_message = "Two different zones."
  }
}

variable "nat_in_each_zone" {
  description = "A NAT gateway in each zone instead of one: what goes out survives the loss of a zone, and costs twice."
  type        = bool
  default     = false
}

variable "database" {
  description = "RDS for Postgres; null where another (Supabase) is named by the secrets ZIXLY_DATABASE_URL_..."
  type = object({
    class        = optional(string, "db.t4g.medium")
    storage_gb   = optional(number, 50)
    most_gb      = optional(number, 500)
    two_zones    = optional(bool, true)
    backup_days  = optional(number, 14)
    connections  = optional(number, 450)
    postgres     = optional(string, "17")
    keep_forever = optional(bool, true)
  })
  default = {}
}

variable "external_database" {
  description = "Where there is no RDS: the addresses and port of the Postgres that the services may reach."
  type        = object({ cidr = string, port = number })
  default     = null
}

variable "cache_node" {
  description = "The kind of node of the Valkey that carries the workers' queue and counts requests."
  type        = string
  default     = "cache.t4g.small"
}

variable "log_days" {
  description = "How long log lines are kept."
  type        = number
  default     = 365
}

variable "alarm_emails" {
  description = "Who is told of alarms, beside what Alertmanager and the channels of notifications tell."
  type        = set(string)
  default     = []
}
