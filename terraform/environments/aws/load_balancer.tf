# The one way in. Webhooks go straight to the bridge; everything else through the gateway, which asks the bridge who is there.

resource "aws_lb" "this" {
  # checkov:skip=CKV_AWS_91: its log would hold whole paths, with the tokens of senders and callbacks in them; bridge and gateway log without
  # checkov:skip=CKV2_AWS_28: no firewall of AWS: signed webhooks are never refused for their number (DESIGN, promise 10), and the bridge limits the rest
  name                       = var.prefix
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = aws_subnet.public[*].id
  security_groups            = [aws_security_group.this["load-balancer"].id]
  drop_invalid_header_fields = true
  enable_deletion_protection = true
  desync_mitigation_mode     = "strictest"
  idle_timeout               = 60
}

# 1.3 and nothing older, as the gateway.
resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-3-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gateway.arn
  }
}

resource "aws_lb_listener_rule" "webhooks" {
  listener_arn = aws_lb_listener.this.arn
  priority     = 10

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.bridge.arn
  }

  condition {
    path_pattern {
      values = ["/webhook/*"]
    }
  }

  condition {
    host_header {
      values = [var.host]
    }
  }
}

resource "aws_lb_target_group" "bridge" {
  # checkov:skip=CKV_AWS_378: within the network; the bridge speaks TLS where that is not trusted (docs/secrets.md), then with a certificate of one's own
  name                 = "${var.prefix}-bridge"
  vpc_id               = aws_vpc.this.id
  target_type          = "ip"
  port                 = 3000
  protocol             = "HTTP"
  deregistration_delay = 10

  health_check {
    path                = "/ready"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

# A load balancer names nobody when it asks, and the gateway serves its own name only: 421 says that it is there.
resource "aws_lb_target_group" "gateway" {
  name                 = "${var.prefix}-gateway"
  vpc_id               = aws_vpc.this.id
  target_type          = "ip"
  port                 = 8443
  protocol             = "HTTPS"
  deregistration_delay = 10

  health_check {
    protocol            = "HTTPS"
    path                = "/"
    matcher             = "421"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

# nginx with the configuration that `zixly gateway render` makes. Its certificate is made at each start: the load balancer shows the real one,
# and asks for none behind it.
module "gateway" {
  source = "../../modules/service"

  prefix         = var.prefix
  name           = "gateway"
  region         = var.region
  account        = local.account
  image          = var.gateway_image
  repository_arn = aws_ecr_repository.this.arn
  entry_point    = ["nginx"]
  command        = ["-c", "/tmp/gateway/nginx.conf", "-g", "daemon off;"]
  user           = "101"
  cpu            = 256
  memory         = 512
  port           = 8443
  log_days       = var.log_days
  kms_key_arn    = aws_kms_key.this.arn
  tags           = local.tags

  prepare = {
    image = var.image
    commands = [
      "mkdir -p -m 1777 /tmp/gateway",
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=${var.host} -keyout /tmp/gateway/certificate.key -out /tmp/gateway/certificate.pem",
      # Its lines go where all others go; the file would grow until the task ends.
      "zixly gateway render | sed s,/tmp/gateway/access.log,/dev/stdout, > /tmp/gateway/nginx.conf",
      # Root without capabilities may not give files away. The key is of this task alone, and nobody believes its certificate.
      "chmod 0644 /tmp/gateway/certificate.key",
    ]
  }

  settings = {
    ZIXLY_GATEWAY_PUBLIC_URL        = local.url
    ZIXLY_GATEWAY_LISTEN            = "0.0.0.0:8443"
    ZIXLY_GATEWAY_LISTEN_HTTP       = "127.0.0.1:8080"
    ZIXLY_GATEWAY_FOLDER            = "/tmp/gateway"
    ZIXLY_GATEWAY_CERTIFICATE       = "/tmp/gateway/certificate.pem"
    ZIXLY_GATEWAY_CERTIFICATE_KEY   = "/tmp/gateway/certificate.key"
    ZIXLY_GATEWAY_LOAD_BALANCER     = join(",", local.public)
    ZIXLY_GATEWAY_BRIDGE            = "bridge:3000"
    ZIXLY_GATEWAY_DAGSTER           = "webserver:3002"
    ZIXLY_GATEWAY_DAGSTER_READ_ONLY = "viewer:3004"
  }

  service = merge(local.place, {
    security_groups  = [aws_security_group.this["gateway"].id]
    count            = var.started ? var.sizes.gateway : 0
    target_group_arn = aws_lb_target_group.gateway.arn
  })

  depends_on = [module.second, aws_lb_listener.this]
}
