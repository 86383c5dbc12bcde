// docs/cost.md: what an environment costs in a month, from its templates, its settings and a load.

import { ENVIRONMENTS } from "../../config/index.ts";
import type { Settings } from "../../config/settings.ts";
import { ofType } from "../../lib/assembly.ts";
import { PRICES, type PriceName, SOURCES } from "./prices.ts";

const HOURS = 730;

/** What is used in a month. It is an assumption: change it and run this again. */
interface Load {
  readonly commandsMillion: number;
  readonly logsGb: number;
  readonly natGb: number;
  readonly filesGb: number;
  /** Nodes on average, between the least and the most of the settings. */
  readonly nodes: number;
}

const LOADS: Readonly<Record<string, Load>> = {
  dev: { commandsMillion: 0.1, logsGb: 10, natGb: 20, filesGb: 10, nodes: 2 },
  production: { commandsMillion: 30, logsGb: 150, natGb: 200, filesGb: 500, nodes: 5 },
};

interface Line {
  readonly part: string;
  readonly price: PriceName;
  readonly count: number;
}

export function cost(): string {
  const names = Object.keys(ENVIRONMENTS);
  const bills = new Map(names.map((name) => [name, lines(name)]));
  const parts = [...new Set([...bills.values()].flat().map(({ part }) => part))];
  const sum = (name: string, part?: string) =>
    (bills.get(name) ?? []).filter((line) => part === undefined || line.part === part).reduce((total, line) => total + usd(line), 0);
  const row = (title: string, part?: string) => `| ${title} | ${names.map((name) => `${Math.round(sum(name, part))}`).join(" | ")} |`;
  return [
    "# What it costs\n",
    "Written by `npm run documents` in `cdk/`, from the templates, the settings and an assumed load. US dollars a month, on demand, in",
    "us-east-1, without taxes, free tiers, savings plans and traffic to the internet.\n",
    `| part | ${names.join(" | ")} |\n|---|${names.map(() => "---:|").join("")}`,
    ...parts.map((part) => row(part, part)),
    row("**together**"),
    "\n## The load\n",
    `| in a month | ${names.join(" | ")} |\n|---|${names.map(() => "---:|").join("")}`,
    ...LOAD_ROWS.map(([title, read]) => `| ${title} | ${names.map((name) => read(load(name))).join(" | ")} |`),
    "\nA command is about ten requests to SQS in all (itself, its fact, receives and deletions in batches) and two writes to DynamoDB.",
    ...names.map((name) => table(name, bills.get(name) ?? [])),
    WATCHING,
    "\n## Where the prices are from\n",
    "AWS's own price list was out of reach when they were written down ([`prices.ts`](../cdk/scripts/documents/prices.ts)). Compare them",
    "before you decide by them.\n",
    ...Object.entries(SOURCES).map(([source, text]) => `- ${text}: ${pricesOf(source)}`),
    "",
  ].join("\n");
}

const WATCHING = `
## Watch it

AWS Budgets warns when 80 % of \`budget.monthlyUsd\` is spent, and when 100 % is forecast ([settings](settings.md)). Cost Explorer shows the
bill by service, and by the tags \`app\` and \`environment\`, which everything has that \`cdk/\` makes. Activate both tags once, in the
account's billing settings (not run here).

Grafana has no panel for it. The functions count messages, and what these cost in requests is an eighth of production's sum above.
Nodes, PostgreSQL and the network are most of it, and no metric of the functions knows their price. Such a panel would show an
estimate, and be taken for the bill.`;

const LOAD_ROWS: readonly [string, (load: Load) => number][] = [
  ["commands, in millions", (load) => load.commandsMillion],
  ["logs, in GB", (load) => load.logsGb],
  ["traffic through NAT, in GB", (load) => load.natGb],
  ["files and backups, in GB", (load) => load.filesGb],
  ["nodes, on average", (load) => load.nodes],
];

function load(name: string): Load {
  const found = LOADS[name];
  if (!found) throw new Error(`scripts/documents/cost.ts: ${name} has no load`);
  return found;
}

function usd({ price, count }: Line): number {
  const { usd: each, unit } = PRICES[price];
  return each * count * (unit === "hour" ? HOURS : 1);
}

function table(name: string, bill: readonly Line[]): string {
  const rows = bill.map((line) => {
    const { usd: each, unit } = PRICES[line.price];
    return `| ${line.part} | ${line.price} | ${Number(line.count.toFixed(2))} | ${each} a ${unit} | ${usd(line).toFixed(2)} |`;
  });
  return `\n## ${name}, line by line\n\n| part | what | count | price | a month |\n|---|---|---:|---:|---:|\n${rows.join("\n")}`;
}

function pricesOf(source: string): string {
  return Object.entries(PRICES).filter(([, price]) => price.source === source).map(([name]) => name).join("; ");
}

function lines(name: string): Line[] {
  const settings = ENVIRONMENTS[name];
  if (!settings) throw new Error(name);
  const count = (type: string) => ofType(name, type).length;
  const used = load(name);
  const line = (part: string, price: string, amount: number): Line => {
    if (!(price in PRICES)) throw new Error(`scripts/documents/prices.ts: no price of «${price}»`);
    return { part, price: price as PriceName, count: amount };
  };
  const gateways = count("AWS::EC2::NatGateway");
  const endpoints = ofType(name, "AWS::EC2::VPCEndpoint").flatMap(({ properties }) => (properties.SubnetIds ?? []) as unknown[]).length;
  return [
    line("network", "NAT gateway", gateways),
    line("network", "NAT gateway, data", used.natGb),
    line("network", "Interface endpoint, per zone", endpoints),
    line("network", "Public IPv4 address", gateways + settings.zones.length),
    line("network", "Application Load Balancer", 1),
    line("network", "Load balancer capacity unit", 1),
    line("cluster", "EKS control plane", 1),
    line("cluster", `Node ${settings.cluster.nodeTypes[0] ?? ""}`, used.nodes),
    line("cluster", "Disk of a node, per GiB", used.nodes * settings.cluster.nodeDiskGib),
    ...database(settings, line),
    line("Redis", `Redis ${settings.redis.node}`, settings.redis.replicas + 1),
    line("keys and secrets", "KMS key", count("AWS::KMS::Key")),
    // RDS keeps one more, of the owner.
    line("keys and secrets", "Secret", count("AWS::SecretsManager::Secret") + 1),
    line("watching", "Alarm", count("AWS::CloudWatch::Alarm")),
    line("watching", "Logs, taken in", used.logsGb),
    line("files, queues, tables", "S3, per GB", used.filesGb),
    line("files, queues, tables", "SQS FIFO, per million requests", 10 * used.commandsMillion),
    line("files, queues, tables", "DynamoDB, per million writes", 2 * used.commandsMillion),
  ];
}

function database({ database: { instance, multiAz, storageGib, proxy } }: Settings, line: (part: string, price: string, count: number) => Line): Line[] {
  const servers = multiAz ? 2 : 1;
  return [
    line("PostgreSQL", `PostgreSQL ${instance}`, servers),
    line("PostgreSQL", "PostgreSQL's storage, per GiB", servers * storageGib),
    // Paid for the vCPUs of the primary: both classes have two.
    ...(proxy ? [line("PostgreSQL", "RDS Proxy, per vCPU", 2)] : []),
  ];
}
