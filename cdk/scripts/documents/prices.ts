// Prices of AWS, on demand, in us-east-1, in US dollars. AWS's own price list was out of reach when
// they were written down: the sources below quote it.

/** Where prices were read. */
export const SOURCES = {
  vpc: "zacfukuda.com, NAT gateway vs VPC endpoint, 1 June 2026",
  eks: "computingforgeeks.com, AWS costs explained, April 2026",
  ec2: "go-cloud.io and factualminds.com, EC2 on demand, June 2026",
  rds: "infratally.com, RDS pricing explained, 2026; usage.ai, RDS calculator, June 2026",
  // Unchanged for years, and not in the sources above.
  list: "AWS's price list as of 2025, not compared since",
};

export interface Price {
  readonly usd: number;
  readonly unit: "hour" | "month" | "GB";
  readonly source: keyof typeof SOURCES;
}

const hour = (usd: number, source: Price["source"]): Price => ({ usd, unit: "hour", source });
const month = (usd: number, source: Price["source"]): Price => ({ usd, unit: "month", source });
const gb = (usd: number, source: Price["source"]): Price => ({ usd, unit: "GB", source });

export const PRICES = {
  "NAT gateway": hour(0.045, "vpc"),
  "NAT gateway, data": gb(0.045, "vpc"),
  "Interface endpoint, per zone": hour(0.01, "vpc"),
  "Public IPv4 address": hour(0.005, "eks"),
  "EKS control plane": hour(0.1, "eks"),
  "Application Load Balancer": hour(0.0225, "list"),
  "Load balancer capacity unit": hour(0.008, "list"),
  "Node t3.large": hour(0.0832, "ec2"),
  "Node m7i.large": hour(0.1008, "list"),
  "Disk of a node, per GiB": month(0.08, "list"),
  "PostgreSQL t4g.small": hour(0.032, "rds"),
  "PostgreSQL m7g.large": hour(0.168, "list"),
  "PostgreSQL's storage, per GiB": month(0.115, "rds"),
  "RDS Proxy, per vCPU": hour(0.015, "list"),
  "Redis cache.t4g.micro": hour(0.016, "list"),
  "Redis cache.m7g.large": hour(0.158, "list"),
  "KMS key": month(1, "list"),
  Secret: month(0.4, "list"),
  Alarm: month(0.1, "list"),
  "Logs, taken in": gb(0.5, "list"),
  "S3, per GB": month(0.023, "list"),
  "SQS FIFO, per million requests": month(0.5, "list"),
  "DynamoDB, per million writes": month(0.625, "list"),
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
