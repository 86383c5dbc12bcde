// The statements of every policy in the templates.

import { resources } from "../lib/assembly.ts";

export interface Statement {
  readonly of: string;
  readonly type: string;
  readonly effect: string;
  readonly actions: string[];
  readonly resources: unknown[];
  readonly principal: unknown;
  readonly condition: Record<string, Record<string, unknown>>;
}

const DOCUMENTS = ["PolicyDocument", "KeyPolicy", "RepositoryPolicyText", "AssumeRolePolicyDocument", "ResourcePolicy"];

export function statements(environment: string): Statement[] {
  return resources(environment).flatMap(({ id, type, properties }) =>
    DOCUMENTS.flatMap((name) => {
      const document = (properties as Record<string, { Statement?: unknown[] } | undefined>)[name];
      return (document?.Statement ?? []).map((statement) => read(id, type, statement as Record<string, unknown>));
    }),
  );
}

function read(of: string, type: string, statement: Record<string, unknown>): Statement {
  return {
    of,
    type,
    effect: String(statement.Effect),
    actions: list(statement.Action) as string[],
    resources: list(statement.Resource),
    principal: statement.Principal,
    condition: (statement.Condition ?? {}) as Statement["condition"],
  };
}

function list(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
