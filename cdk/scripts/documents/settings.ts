// docs/settings.md: every setting, from the comments of config/settings.ts, with its values.

import { readFileSync } from "node:fs";
import ts from "typescript";
import { ENVIRONMENTS } from "../../config/index.ts";

const FILE = new URL("../../config/settings.ts", import.meta.url);

interface Setting {
  readonly path: string;
  readonly text: string;
}

const HEAD = `# Settings of the account

Written by \`npm run documents\` in \`cdk/\`, from [\`cdk/config/settings.ts\`](../cdk/config/settings.ts). Each environment has its values
in \`cdk/config/\`. What queues, tables and buckets look like is not a setting:
[\`shared/resources/resources.json\`](../shared/resources/resources.json) says it for every environment and for the local stack.

`;

const NOTES = `
## Older notes

Notes of earlier systems name Terraform and its variables. This account is made by CDK only. What those variables chose is
here:

| variable of the older notes | setting |
|---|---|
| instance sizes: database, cache, nodes | \`database.instance\`, \`redis.node\`, \`cluster.nodeTypes\` |
| backup retention | \`database.backupDays\`; of dumps: \`backups\` in \`shared/resources/resources.json\` |
| capacity: nodes, storage, replicas | \`cluster.nodesMin\`, \`cluster.nodesMax\`, \`database.storageGib\`, \`database.storageMaxGib\`, \`redis.replicas\` |
| capacity: connections | \`database.proxyConnectionPercent\`; of pods: \`DATABASE_MAX_CONNECTIONS\` in \`manifests/\` |
| capacity: tables | none: DynamoDB is paid by request |
| region, zones, addresses | \`region\`, \`zones\`, \`network.cidr\` |
| versions | \`cluster.version\`, \`database.version\`, \`redis.version\` |
| high availability | \`database.multiAz\`, \`redis.replicas\`, \`network.natGateways\`, \`network.endpointZones\` |
`;

export function settings(): string {
  const names = Object.keys(ENVIRONMENTS);
  const rows = all().map(({ path, text }) => {
    const values = names.map((name) => show(path.split(".").reduce<unknown>(member, ENVIRONMENTS[name])));
    return `| \`${path}\` | ${text} | ${values.join(" | ")} |`;
  });
  const head = `| setting | what | ${names.join(" | ")} |\n|---|---|${names.map(() => "---|").join("")}\n`;
  return `${HEAD}${head}${rows.join("\n")}\n${NOTES}`;
}

function member(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

function show(value: unknown): string {
  const texts = Array.isArray(value) ? value.map(String) : [String(value)];
  return texts.map((text) => `\`${text}\``).join(", ");
}

function all(): Setting[] {
  const source = ts.createSourceFile("settings.ts", readFileSync(FILE, "utf8"), ts.ScriptTarget.Latest, true);
  const interfaces = new Map(source.statements.filter(ts.isInterfaceDeclaration).map((node) => [node.name.text, node]));
  const list = (name: string, prefix: string): Setting[] =>
    (interfaces.get(name)?.members ?? []).flatMap((node) => {
      if (!ts.isPropertySignature(node) || !node.type) return [];
      const path = `${prefix}${node.name.getText()}`;
      const type = node.type.getText();
      return interfaces.has(type) ? list(type, `${path}.`) : [{ path, text: comment(path, node) }];
    });
  return list("Settings", "");
}

function comment(path: string, node: ts.Node): string {
  const text = ts.getTextOfJSDocComment((ts.getJSDocCommentsAndTags(node)[0] as ts.JSDoc | undefined)?.comment);
  if (!text) throw new Error(`config/settings.ts: ${path} has no comment`);
  return text.replaceAll(/\s+/g, " ");
}
