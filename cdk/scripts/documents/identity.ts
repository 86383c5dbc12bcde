// docs/identity.md: who may do what on which resources, from the templates of production.

import { resources } from "../../lib/assembly.ts";

const HEAD = `# Who may do what

Written by \`npm run documents\` in \`cdk/\`, from the templates of production. \`…\` stands for the account's part of an ARN.

A function has one role for both hosts. A pod gets it by EKS Pod Identity, a Lambda by its name; the trust policy names one
service account of one cluster, and Lambda. A controller has a role by the cluster's OIDC provider (IRSA), and a workflow of
GitHub one by GitHub's, for one branch, environment or event of one repository.

Every function's role also has the policy \`lambda-network\`, by which Lambda attaches it to the VPC. Two denials in it keep the
function's code and pods from using it.
`;

interface Row {
  readonly actions: string;
  readonly on: string;
  readonly when: string;
}

export function identity(): string {
  const shown = tables("production");
  const more = [...tables("dev")].filter(([role]) => !shown.has(role)).map(([role, text]) => text.replace(role, `${role}, in dev`));
  return HEAD + [...shown.values(), ...more].join("");
}

/** For each role that has a name. */
function tables(environment: string): Map<string, string> {
  const all = resources(environment);
  const name = new Map(all.map(({ id, properties }) => [id, nameOf(properties as Record<string, unknown>)]));
  const roles = all.filter(({ type, properties }) => type === "AWS::IAM::Role" && typeof properties.RoleName === "string");
  const texts = roles.map(({ id, properties }) => {
    const rows = all
      .filter(({ type, properties: policy }) => type === "AWS::IAM::Policy" && JSON.stringify(policy.Roles).includes(`"${id}"`))
      .flatMap(({ properties: policy }) => (policy.PolicyDocument.Statement as Record<string, unknown>[]).map((statement) => row(statement, name)));
    const lines = rows.map(({ actions, on, when }) => `| ${actions} | ${on} | ${when} |`);
    const role = String(properties.RoleName);
    return [role, `\n## ${role}\n\n${String(properties.Description)}.\n\n| may | on | when |\n|---|---|---|\n${lines.join("\n")}\n`] as const;
  });
  return new Map(texts);
}

function nameOf(properties: Record<string, unknown>): string | undefined {
  if (typeof properties.KeyPolicy === "object") return `key: ${String(properties.Description)}`;
  const names = ["QueueName", "TableName", "BucketName", "RepositoryName", "RoleName", "Name"].map((key) => properties[key]);
  return names.find((value) => typeof value === "string");
}

function row(statement: Record<string, unknown>, names: ReadonlyMap<string, string | undefined>): Row {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
  const on = list(statement.Resource).map((resource) => `\`${arn(resource, names)}\``);
  const conditions = Object.values((statement.Condition ?? {}) as Record<string, Record<string, unknown>>);
  const when = conditions.flatMap((condition) => Object.entries(condition).map(([key, value]) => `\`${key}\` is \`${arn(value, names)}\``));
  return {
    actions: list(statement.Action).map((action) => `\`${String(action)}\``).join(", "),
    on: on.join(", "),
    when: when.join(", "),
  };
}

/** An ARN as a person reads it: what it is of, and its name. */
function arn(value: unknown, names: ReadonlyMap<string, string | undefined>): string {
  return text(value, names)
    .replaceAll(/arn:(?:<partition>|aws):[a-z0-9]+:[a-z0-9-]*:\d*:/g, "")
    .replaceAll(/-\d{12}-[a-z]+-[a-z]+-\d/g, "-…");
}

function text(value: unknown, names: ReadonlyMap<string, string | undefined>): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  const [[kind, of] = ["", ""]] = Object.entries(value) as [string, unknown][];
  if (kind === "Fn::Join") return (of as [string, unknown[]])[1].map((part) => text(part, names)).join((of as [string])[0]);
  if (kind === "Ref") return of === "AWS::Partition" ? "<partition>" : (names.get(of as string) ?? String(of));
  if (kind === "Fn::GetAtt") return names.get((of as string[])[0] ?? "") ?? (of as string[]).join(".");
  if (kind === "Fn::ImportValue") return exported(String(of), names);
  return JSON.stringify(value);
}

/** `task-app-data:ExportsOutputFnGetAtthistory4A2A9C2FArn…` as the resource's name. */
function exported(name: string, names: ReadonlyMap<string, string | undefined>): string {
  const id = /:ExportsOutput(?:FnGetAtt|Ref)([A-Za-z0-9]+?[0-9A-F]{8})/.exec(name)?.[1] ?? name;
  return names.get(id) ?? id.replace(/[0-9A-F]{8}$/, "");
}
