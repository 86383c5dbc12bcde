// docs/images/account.svg: the account of production, drawn from its templates. What a box says, and
// every arrow in the network, is read there; only where a box stands is decided here.

import { ofType, type Resource } from "../../lib/assembly.ts";
import { arrow, box, type Box, document, label, list } from "./svg.ts";

const NAME = "production";

/** A security group, and what stands for it. */
const PLACES: Readonly<Record<string, { at: readonly [number, number]; title: string }>> = {
  loadbalancer: { at: [60, 170], title: "load balancer" },
  nodes: { at: [60, 330], title: "nodes and pods" },
  lambdas: { at: [290, 330], title: "Lambdas" },
  endpoints: { at: [520, 330], title: "interface endpoints" },
  rotation: { at: [520, 450], title: "password rotation" },
  database: { at: [60, 600], title: "PostgreSQL" },
  databaseproxy: { at: [290, 600], title: "RDS Proxy" },
  redis: { at: [520, 600], title: "Redis" },
};

export function picture(): string {
  const boxes = new Map(Object.entries(PLACES).map(([group, { at, title }]) => [group, box(at, 190, title, facts(group))]));
  const zones = subnets("public").map(({ properties }) => String(properties.AvailabilityZone));
  return document(1180, 760, `The AWS account of ${NAME}`, [
    ...area(30, 100, 720, 640, `VPC ${String(one("AWS::EC2::VPC").properties.CidrBlock)}: ${zones.join(", ")}`),
    ...area(45, 135, 690, 150, `public subnets (${subnets("public").length})`),
    ...area(45, 300, 690, 240, `private subnets with egress (${subnets("private").length})`),
    ...area(45, 555, 690, 170, `isolated subnets (${subnets("isolated").length})`),
    box([520, 170], 190, "NAT", [`${ofType(NAME, "AWS::EC2::NatGateway").length} gateways`, "to the internet"]).svg,
    box([60, 20], 190, "callers", callers()).svg,
    ...connections(boxes),
    ...[...boxes.values()].map(({ svg }) => svg),
    ...regional(),
  ]);
}

function facts(group: string): string[] {
  const { properties: postgres } = one("AWS::RDS::DBInstance");
  const { properties: redis } = one("AWS::ElastiCache::ReplicationGroup");
  const { properties: nodes } = one("AWS::EKS::Nodegroup");
  switch (group) {
    case "nodes":
      return [
        `EKS ${String(one("AWS::EKS::Cluster").properties.Version)}`,
        `${String(nodes.ScalingConfig.MinSize)} to ${String(nodes.ScalingConfig.MaxSize)} ${String((nodes.InstanceTypes as string[])[0])}`,
        `${ofType(NAME, "AWS::EKS::PodIdentityAssociation").length} functions, a role each`,
      ];
    case "lambdas":
      return ["the same functions,", "image and roles"];
    case "endpoints":
      return [`${ofType(NAME, "AWS::EC2::VPCEndpoint").filter(({ properties }) => properties.VpcEndpointType === "Interface").length} AWS services`, "in each zone"];
    case "rotation":
      return [`${ofType(NAME, "AWS::SecretsManager::RotationSchedule").length} logins`];
    case "database":
      return [`${String(postgres.EngineVersion)}, ${String(postgres.DBInstanceClass)}`, postgres.MultiAZ === true ? "standby in another zone" : "one zone", `backups of ${String(postgres.BackupRetentionPeriod)} days`];
    case "databaseproxy":
      return ["bounds the connections", "of Lambdas"];
    case "redis":
      return [`${String(redis.EngineVersion)}, ${String(redis.CacheNodeType)}`, `${1 + Number(redis.ReplicasPerNodeGroup)} nodes`];
    default:
      return ["TLS"];
  }
}

/** An arrow for each rule of a security group, and one for the callers. */
function connections(boxes: ReadonlyMap<string, Box>): string[] {
  const ports = new Map<string, string[]>();
  for (const { properties } of ofType(NAME, "AWS::EC2::SecurityGroupIngress")) {
    if (properties.SourcePrefixListId !== undefined) continue;
    const key = [groupOf(properties.SourceSecurityGroupId), groupOf(properties.GroupId)].join(" ");
    ports.set(key, [...(ports.get(key) ?? []), String(properties.FromPort)]);
  }
  const arrows = [...ports].map(([key, numbers]) => {
    const [from = "", to = ""] = key.split(" ");
    const [source, target] = [boxes.get(from), boxes.get(to)];
    if (!source || !target) throw new Error(`picture.ts: ${key} has no place`);
    return arrow(source, target, numbers.sort().join(", "));
  });
  const entry = boxes.get("loadbalancer");
  return entry ? [...arrows, arrow(box([60, 20], 190, "", callers()), entry, "443")] : arrows;
}

function groupOf(reference: unknown): string {
  const [id = ""] = (reference as { "Fn::GetAtt": string[] })["Fn::GetAtt"];
  return id.replace(/[0-9A-F]{8}$/, "");
}

function callers(): string[] {
  const entries = one("AWS::EC2::PrefixList").properties.Entries as { Cidr: string }[];
  return entries.map(({ Cidr }) => Cidr).slice(0, 2);
}

/** What is not in the VPC. */
function regional(): string[] {
  const names = (type: string, property: string) => ofType(NAME, type).map(({ properties }) => String(properties[property]));
  const queues = names("AWS::SQS::Queue", "QueueName");
  const dead = queues.filter((queue) => queue.includes("-dlq"));
  const short = (name: string) => name.replace(/-\d{12}-.*$/, "");
  return [
    ...area(780, 100, 370, 640, "in the region"),
    list([800, 135], "SQS, each with its dead-letter queue", queues.filter((queue) => !dead.includes(queue))),
    list([800, 245], "DynamoDB", names("AWS::DynamoDB::Table", "TableName")),
    list([800, 345], "S3", names("AWS::S3::Bucket", "BucketName").map(short)),
    list([800, 485], "ECR, filled by GitHub through OIDC", names("AWS::ECR::Repository", "RepositoryName")),
    list([800, 545], "CloudWatch and SNS", [
      `${ofType(NAME, "AWS::Logs::LogGroup").length} log groups`,
      `${ofType(NAME, "AWS::CloudWatch::Alarm").length} alarms`,
      `a budget of ${String(one("AWS::Budgets::Budget").properties.Budget.BudgetLimit.Amount)} USD a month`,
    ]),
    list([800, 645], "Secrets Manager, KMS, SSM", [
      `${ofType(NAME, "AWS::SecretsManager::Secret").length + 1} secrets, ${ofType(NAME, "AWS::KMS::Key").length} keys`,
      `${ofType(NAME, "AWS::SSM::Parameter").filter(({ stack }) => stack === "task-app-hand-over").length} values for the manifests`,
    ]),
  ];
}

function area(x: number, y: number, width: number, height: number, title: string): string[] {
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="none" stroke="#8a94a6" stroke-dasharray="5 4"/>`,
    label(x + 10, y + 18, title, "area"),
  ];
}

function subnets(kind: string): Resource[] {
  return ofType(NAME, "AWS::EC2::Subnet").filter(({ properties }) => (properties.Tags as { Value: string }[]).some(({ Value }) => Value === kind));
}

function one(type: string): Resource {
  const [found] = ofType(NAME, type);
  if (!found) throw new Error(type);
  return found;
}
