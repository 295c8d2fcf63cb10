# Who may speak to whom: this table, and nothing else. Each line opens one port out of one group and into the other.

locals {
  with_database = ["bridge", "code", "daemon", "webserver", "viewer", "worker", "migrate"]
  with_cache    = ["bridge", "code", "daemon", "webserver", "viewer", "worker"]

  flows = concat(
    [
      { from = "load-balancer", to = "bridge", port = 3000 },
      { from = "load-balancer", to = "gateway", port = 8443 },
      { from = "gateway", to = "bridge", port = 3000 },
      { from = "gateway", to = "webserver", port = 3002 },
      { from = "gateway", to = "viewer", port = 3004 },
      { from = "collector", to = "bridge", port = 3000 },
      { from = "daemon", to = "code", port = 3003 },
      { from = "webserver", to = "code", port = 3003 },
      { from = "viewer", to = "code", port = 3003 },
    ],
    [for name in local.with_cache : { from = name, to = "cache", port = 6379 }],
    var.database == null ? [] : [for name in local.with_database : { from = name, to = "database", port = 5432 }],
  )

  flow_of = { for one in local.flows : "${one.from}-${one.to}" => one }
  groups  = toset(concat(["load-balancer", "cache", "database"], local.names))
  # To AWS itself (images, secrets, logs, queues), and, from those that call them, to vendors: all of it TLS.
  outgoing = toset(local.names)
}

resource "aws_security_group" "this" {
  # checkov:skip=CKV2_AWS_5: each belongs to a service, the load balancer, the database or the cache; a module hides it from the scan
  for_each = local.groups

  name        = "${var.prefix}-${each.key}"
  description = "${each.key} of ${var.prefix}"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flow_of

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flow_of

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "from ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "world" {
  security_group_id = aws_security_group.this["load-balancer"].id
  description       = "vendors and people, TLS only"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "outgoing" {
  for_each = local.outgoing

  security_group_id = aws_security_group.this[each.key].id
  description       = "AWS and vendors, TLS only"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "mail" {
  count = contains(var.optional_secrets, "ZIXLY_SMTP_URL") ? 1 : 0

  security_group_id = aws_security_group.this["worker"].id
  description       = "the mail server of notifications, STARTTLS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 587
  to_port           = 587
}

resource "aws_vpc_security_group_egress_rule" "external_database" {
  for_each = var.database == null ? toset(local.with_database) : toset([])

  security_group_id = aws_security_group.this[each.key].id
  description       = "Postgres elsewhere"
  cidr_ipv4         = var.external_database.cidr
  ip_protocol       = "tcp"
  from_port         = var.external_database.port
  to_port           = var.external_database.port
}
