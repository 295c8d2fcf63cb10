# Postgres on RDS. Roles and databases in it are made as docs/deployment.md says; the administrator's password is RDS' own affair.

resource "aws_db_subnet_group" "this" {
  count = var.database == null ? 0 : 1

  name       = var.prefix
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_db_parameter_group" "this" {
  # checkov:skip=CKV2_AWS_69: rds.force_ssl is set below
  count = var.database == null ? 0 : 1

  name   = var.prefix
  family = "postgres${var.database.postgres}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name         = "max_connections"
    value        = var.database.connections
    apply_method = "pending-reboot"
  }

  # Tables are changed in the open; rows, which hold what belongs to clients, are in no log.
  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "-1"
  }

  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }
}

resource "aws_cloudwatch_log_group" "database" {
  count = var.database == null ? 0 : 1

  name              = "/aws/rds/instance/${var.prefix}/postgresql"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_133: var.database.backup_days, 14 unless somebody says otherwise
  # checkov:skip=CKV_AWS_157: var.database.two_zones, on unless somebody says otherwise
  # checkov:skip=CKV_AWS_161: the processes sign in by roles with passwords, one for each (docs/architecture.md); RDS' tokens last 15 minutes
  # checkov:skip=CKV_AWS_293: var.database.keep_forever, on unless somebody says otherwise
  # checkov:skip=CKV2_AWS_30: a log of statements would hold what belongs to clients
  count = var.database == null ? 0 : 1

  identifier                      = var.prefix
  engine                          = "postgres"
  engine_version                  = var.database.postgres
  instance_class                  = var.database.class
  allocated_storage               = var.database.storage_gb
  max_allocated_storage           = var.database.most_gb
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = aws_kms_key.this.arn
  username                        = "zixly_admin"
  manage_master_user_password     = true
  master_user_secret_kms_key_id   = aws_kms_key.this.key_id
  db_subnet_group_name            = aws_db_subnet_group.this[0].name
  parameter_group_name            = aws_db_parameter_group.this[0].name
  vpc_security_group_ids          = [aws_security_group.this["database"].id]
  publicly_accessible             = false
  multi_az                        = var.database.two_zones
  backup_retention_period         = var.database.backup_days
  backup_window                   = "16:00-17:00"
  maintenance_window              = "sun:17:30-sun:18:30"
  copy_tags_to_snapshot           = true
  deletion_protection             = var.database.keep_forever
  skip_final_snapshot             = !var.database.keep_forever
  final_snapshot_identifier       = "${var.prefix}-final"
  auto_minor_version_upgrade      = true
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.database_monitoring[0].arn
  enabled_cloudwatch_logs_exports = ["postgresql"]
  depends_on                      = [aws_cloudwatch_log_group.database]
}

resource "aws_iam_role" "database_monitoring" {
  count = var.database == null ? 0 : 1

  name = "${var.prefix}-database-monitoring"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "database_monitoring" {
  count = var.database == null ? 0 : 1

  role       = aws_iam_role.database_monitoring[0].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
